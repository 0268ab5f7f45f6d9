"""The one gate: whatever a parser makes of a file, it leaves as one sentence of ours, so that no file ends a run with a traceback."""

import dis
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike, fspath

OURS = ("count:", "Counts:", "tune:")
RAISE = dis.opmap["RAISE_VARARGS"]
LONGEST = 160  # characters of what a parser says
LONG = 1000  # of what the system says of a path


@contextmanager
def gate(*places: str | PathLike[str]) -> Iterator[None]:
    """Within it, every Exception about a file is a ValueError or an OSError that says what, where and what to do.

    places  what is being read: the file first, then the folder or pattern that named it

    Sentences of ours pass unchanged, and so do an OSError about a file that it names, and packages that are not installed. Anything
    else is what a parser made of the file, or a mistake of this package: `__cause__` holds it, and `--debug` (STEELYARD_DEBUG=1) shows it.
    """
    try:
        yield
    except ImportError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None and len(str(error)) > LONG:  # of a name in the file
            raise type(error)(error.errno, error.strerror, fspath(places[0])) from error
        if is_clear(error, *places):
            raise
        if isinstance(error, OSError) and error.errno is not None:
            raise type(error)(error.errno, error.strerror, fspath(places[0])) from error
        raise ValueError(f"{fspath(places[0])}: {_reason(error)}") from error


def is_clear(error: Exception, *places: str | PathLike[str]) -> bool:
    """Whether it is a sentence of ours, or an OSError that names its file itself."""
    if isinstance(error, (FileNotFoundError, PermissionError)) or (isinstance(error, OSError) and error.filename):
        return True
    text = str(error)
    named = text.startswith((*OURS, *(f"{fspath(place)}{mark}" for place in places for mark in ":,")))
    return type(error) is ValueError and (named or _is_raised_here(error))


def _is_raised_here(error: Exception) -> bool:
    """Whether a `raise` of this package made it, and not something that it called: float("x") is a ValueError, too."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or not trace.tb_frame.f_globals.get("__name__", "").startswith("steelyard."):
        return False
    return trace.tb_frame.f_code.co_code[trace.tb_lasti] == RAISE


def one_line(error: BaseException) -> str:
    """What an error says, in one short line that can be printed, with its kind where that says more."""
    text = " ".join(str(error).split())
    text = "".join(letter if letter.isprintable() else "?" for letter in text[: 2 * LONGEST])
    text = text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
    return text if isinstance(error, ValueError) and text else f"{type(error).__name__}: {text}".rstrip(": ")


def _reason(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "it needs more memory than there is; cut it into smaller files, or read it on a machine with more."
    if isinstance(error, RecursionError):
        return "it is nested too deep to be read; labels are flat, so write it again without what is around them."
    return f"it cannot be read ({one_line(error)}), so it is damaged or not what its name says; write it again, or leave it out."
