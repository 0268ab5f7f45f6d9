"""How much a file may unfold to before anything is made of it: a few bytes can stand for many gigabytes.

A file may always unfold to FLOOR; beyond that to a number of times its own size, which what people write stays far below.
"""

from pathlib import Path

FLOOR = 1 << 29  # bytes of pixels, voxels or cells that are held at once
TIMES = 64  # the size of the file
STREAMED = 4  # times that, where it is never held at once, as the pages of a TIFF


def allowed(size: int, *, floor: int = FLOOR, times: int = TIMES) -> int:
    """Bytes that a file of `size` bytes may unfold to."""
    return max(floor, times * size)


def refuse_beyond(
    path: Path, needed: int, size: int, what: str, do: str, *, floor: int = FLOOR, times: int = TIMES
) -> None:
    """ValueError where `needed` bytes are more than a file of `size` bytes may unfold to.

    what  of what it holds so much, such as "an image of 70,000 x 70,000 pixels"; do  what to do about it
    """
    limit = allowed(size, floor=floor, times=times)
    if needed > limit:
        raise ValueError(
            f"{path}: {what} takes {in_words(needed)} of memory, and a file of {in_words(size)} may take {in_words(limit)}; {do}."
        )


def in_words(size: int) -> str:
    """Bytes as people say them: 1.5 GB."""
    number, unit = float(size), "bytes"
    for larger in ("kB", "MB", "GB", "TB", "PB"):
        if number < 1000:
            break
        number, unit = number / 1000, larger
    if number >= 1000:
        return f"{number:.3g} PB"
    return f"{number:.0f} {unit}" if unit == "bytes" or number >= 100 else f"{number:.3g} {unit}"
