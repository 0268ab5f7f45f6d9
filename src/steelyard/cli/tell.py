"""How every command prints: no name from the data acts on the terminal. Without any package, as `doctor` needs none."""

from typing import TextIO

from ..shown import clean


def tell(*lines: str, stream: TextIO | None = None) -> None:
    """Print these lines. Every command does so by this, so that no name from the data acts on the terminal."""
    print("\n".join(clean(line, keep="\n") for line in lines), file=stream)
