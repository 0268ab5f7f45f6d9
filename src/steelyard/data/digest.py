"""A fingerprint of what was counted, so that weights can be told from those of other data."""

import hashlib
from collections.abc import Iterable
from os import PathLike

PIECE = 1 << 20


def digest(pieces: Iterable[bytes]) -> int:
    """The first 128 bits of the SHA-256 of the pieces, one after the other."""
    state = hashlib.sha256()
    for piece in pieces:
        state.update(piece)
    return int.from_bytes(state.digest()[:16], "big")


def of_file(path: str | PathLike[str]) -> int:
    """`digest` of the bytes of a file."""
    with open(path, "rb") as file:
        return digest(iter(lambda: file.read(PIECE), b""))


def of_ranges(path: str | PathLike[str], ranges: Iterable[tuple[int, int]]) -> int:
    """`digest` of (start, length) ranges of a file: the one column of a table that was read."""

    def pieces() -> Iterable[bytes]:
        with open(path, "rb") as file:
            for start, length in ranges:
                file.seek(start)
                while length > 0 and (piece := file.read(min(length, PIECE))):
                    length -= len(piece)
                    yield piece

    return digest(pieces())


def written(total: int) -> str:
    """As `Counts.digest` holds it. The digests of parts add modulo 2^128, so neither their order nor who read them counts."""
    return f"{total % 2**128:032x}"
