"""The command as it was typed, for what says later how it was made; passwords in addresses are left out."""

import re
import shlex
from collections.abc import Sequence

_words: list[str] = []
SECRET = re.compile(r"(\w+://[^:/@\s]*):[^@\s]*@")


def remember(words: Sequence[str]) -> None:
    _words[:] = words


def command() -> str:
    """
    >>> remember(["tune", "my file.csv", "--storage", "postgresql://me:secret@host/db"])
    >>> command()
    "steelyard tune 'my file.csv' --storage 'postgresql://me:***@host/db'"
    """
    return shlex.join(["steelyard", *(SECRET.sub(r"\1:***@", word) for word in _words)])
