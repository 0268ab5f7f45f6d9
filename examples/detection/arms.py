"""What is compared: one recipe or rule for each arm, made of the training boxes."""

from collections.abc import Callable
from typing import Any

import steelyard as sy

PLAIN = "plain"
SSD: dict[str, Callable[[sy.Counts], Any]] = {
    PLAIN: lambda counts: sy.Recipe(),
    "class frequency": sy.inverse_frequency,
    "log-scaled": sy.log_frequency,
    "focal": lambda counts: sy.focal(gamma=2.0),
    "seesaw": lambda counts: sy.adaptive.Seesaw(len(counts) + 1),  # the background is one of its classes
}
YOLO: dict[str, Callable[[sy.Counts], Any]] = {
    **{name: SSD[name] for name in (PLAIN, "class frequency", "log-scaled", "focal")},
    "equalized": lambda counts: sy.adaptive.Equalized(len(counts)),
}
