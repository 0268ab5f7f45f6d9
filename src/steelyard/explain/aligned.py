"""Lines of cells as the rows of a table: the first column to the left, numbers to the right."""

from collections.abc import Sequence


def aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """One text for each line of equally many cells."""
    name, *numbers = (max(map(len, column)) for column in zip(*lines, strict=True))
    return [
        "  ".join([line[0].ljust(name), *(c.rjust(w) for c, w in zip(line[1:], numbers, strict=True))])
        for line in lines
    ]
