"""The `steelyard` command. Bad input ends in one paragraph on stderr and exit code 2, never in a traceback."""

import atexit
import contextlib
import difflib
import gc
import os
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from ..shown import clean
from ..version import __version__
from . import signals, typed

UNREAD = 141  # 128 + SIGPIPE, as a shell counts it
NEEDS = "steelyard: the commands need packages that are not installed; pip install 'steelyard[cli]' brings them. Without them work --version and doctor."


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. STEELYARD_DEBUG=1, or --debug anywhere, shows where an error came from."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = os.environ.get("STEELYARD_DEBUG", "") not in ("", "0") or "--debug" in arguments
    try:
        from .app import CLICK_ERROR, app
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "click", "rich") or debug:
            raise
        return _bare(arguments)
    typed.remember(arguments)
    _open_streams()
    with signals.handled():
        try:
            code = app([a for a in arguments if a != "--debug"], standalone_mode=False, prog_name="steelyard")
            sys.stdout.flush()
            return code if isinstance(code, int) else 0
        except KeyboardInterrupt:
            return 130
        except BrokenPipeError:  # whoever read our output has seen enough
            return UNREAD
        except SystemExit as end:  # rich's way to say the same is SystemExit(1)
            return UNREAD if end.code == 1 else int(end.code or 0)
        except CLICK_ERROR as error:
            return _refuse(_usage(error.format_message()) or "a command is missing; steelyard --help lists them.")
        except (ValueError, OSError, ImportError, MemoryError) as error:
            if debug:
                raise
            return _refuse(_sentence(error))
        finally:
            _close_streams()


def program() -> NoReturn:
    """`main` as a process: what was registered for its end is done, then it ends at once.

    Arrow's threads abort about one process in fifty that has done everything, while C++ takes itself apart (exit code 134).
    """
    gc.set_threshold(50_000, 20, 100)  # a million objects of imports are not worth looking through eight hundred times
    code = main()
    atexit._run_exitfuncs()
    _close_streams()
    os._exit(code)


def _bare(arguments: Sequence[str]) -> int:
    """What needs no package: the version, and what is missing."""
    words = [a for a in arguments if a != "--debug"]
    if words == ["--version"]:
        print(f"steelyard {__version__}")
        return 0
    if words == ["doctor"]:
        from . import doctor

        doctor.run()
        return 0
    print(NEEDS, file=sys.stderr)
    return 0 if "--help" in words else 2


def _open_streams() -> None:
    """A stream that was closed (`>&-`) leads nowhere; else the next file that is opened would take its place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115  # for as long as the process
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a class name may not fit the terminal


def _close_streams() -> None:
    """What cannot be written any more is let go: Python would try again at its end, and complain."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _refuse(message: str) -> int:
    with contextlib.suppress(BrokenPipeError):
        print("error: " + clean(" ".join(message.split())), file=sys.stderr)
    return 2


def _usage(message: str) -> str:
    """A long list of arguments is what a shell makes of a pattern."""
    if match := re.match(r"No such option: (\S+)(?: \(Possible options: (.*)\)| Did you mean (.*)\?)?", message):
        near = (match[2] or match[3] or "").split(", ")
        best = difflib.get_close_matches(match[1], near, 1, cutoff=0.0)
        hint = f" Did you mean {best[0]}?" if best and best[0] else ""
        return f"there is no option {match[1]}.{hint} --help lists them."
    head, extra, rest = message.partition("unexpected extra argument")
    if not extra:
        return message
    names = rest.rpartition(" (")[2].rstrip(").").split()
    shown = " ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
    return f"{head}{extra}s: {shown}. A pattern such as '*.png' needs quotes, or the shell puts the files in its place."


def _sentence(error: Any) -> str:
    if isinstance(error, MemoryError):
        return (
            f"not enough memory ({error}); use a machine with more, or fewer rows."
            if str(error)
            else ("not enough memory; use a machine with more, or fewer rows.")
        )
    if isinstance(error, ModuleNotFoundError) and str(error) == f"No module named {error.name!r}":
        from ..extras import brings

        return brings(error.name or "") or str(error)
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.strerror}: {str(error.filename)!r}."
    return str(error) or type(error).__name__
