"""What will go: said once for each place that still uses it, with what to write instead."""

import sys
import warnings

_SAID: set[tuple[str, str, int]] = set()


class SteelyardDeprecation(FutureWarning):
    """Something of steelyard that a later version will not have. A FutureWarning, which Python shows to whoever runs the program."""


def deprecated(what: str, *, since: str, removed_in: str, instead: str, above: int = 2) -> None:
    """Warn that `what` will go. Called where the old way is taken; the line that is blamed lies `above` frames higher.

    One line of a program is warned once, however often it runs, whatever the filters. A test fails as soon as the version
    `removed_in` is reached and the call still stands.
    """
    frame = sys._getframe(above)
    place = (what, frame.f_code.co_filename, frame.f_lineno)
    if place in _SAID:
        return
    text = f"{what} is deprecated since steelyard {since} and goes in {removed_in}: {instead}."
    warnings.warn(text, SteelyardDeprecation, stacklevel=above + 1)
    _SAID.add(place)  # after the warning: where a filter makes it an error, it stays one
