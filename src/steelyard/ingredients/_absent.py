"""The weight of a class that counts 0. It keeps its place, so that the vector has the length that the network has."""

import math
from typing import Annotated

from ..options import In

RULE = In(0.0, math.inf, search=(0.0, 1.0), aside=True)
Absent = Annotated[float, RULE]  # no loss ever meets it, so it moves neither the mean weight nor what is learned
