"""The pictures of a page, drawn by another process, so that none of them can cost a study its answer."""

import contextlib
import importlib.metadata
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..shown import clean, cut
from . import cache
from .document import Report

PROGRAM = Path(__file__).parent / "pictures" / "child.py"
MEGABYTES = 2048  # of data the program may hold; it takes 150
SECONDS = 120  # for all pictures, of the clock and of a core; they take two
SAFE = 200  # characters of a reason that are shown
SCRIPT = "window.vegaEmbed = vegaEmbed;"
_bundles: dict[str, str] = {}  # by version: the same script for every page, and slow to make


@dataclass(frozen=True)
class Drawing:
    """What could be drawn.

    pictures  in the order of the page
    still     {key of a picture: <svg>}
    script    that draws them again in a browser, or "" where there is none
    missing   why pictures are missing, in a sentence, or ""
    """

    pictures: list[Any] = field(default_factory=list)
    still: dict[str, str] = field(default_factory=dict)
    script: str = ""
    missing: str = ""


def draw(report: Report, known: Mapping[str, str] | None = None) -> Drawing:
    """The pictures of a report. Whatever goes wrong leaves pictures out and says why; nothing is raised, and no library that
    may abort is called in this process.

    known  {digest: <svg>} of pictures of an earlier page (see stills.py), which are not drawn again
    """
    try:
        version = _vega_lite()
        _recall(version)
        with contextlib.ExitStack() as running:
            program = None if version in _bundles else running.enter_context(_Program(version))
            from .pictures import pictures
            from .pictures.chart import embedded

            wanted = pictures(report)
            if not wanted:
                return Drawing()
            names = [cache.key(spec=picture.spec, **_made_with(version)) for picture in wanted]
            stills = {i: known[name] for i, name in enumerate(names) if known and name in known}
            left = [(i, picture.spec) for i, picture in enumerate(wanted) if i not in stills]
            svgs, why = _draw_all(program, version, left) if left or program else ({}, "")
            stills |= {i: embedded(svg, names[i]) for i, svg in svgs.items()}
    except Exception as error:
        return Drawing(missing=_sentence(_reason(error)))
    script = _bundles.get(version, "")
    drawn = [picture for i, picture in enumerate(wanted) if i in stills]
    lost = [picture.title for i, picture in enumerate(wanted) if i not in stills]
    return Drawing(
        drawn,
        {picture.key: stills[i] for i, picture in enumerate(wanted) if i in stills},
        script if drawn else "",
        _sentence(why or "it ended early", lost if drawn else ()) if lost else "",
    )


def _recall(version: str) -> None:
    """The script as an earlier command kept it."""
    if version not in _bundles and (script := cache.found(_script_key(version))):
        _bundles[version] = script


def _script_key(version: str) -> str:
    return cache.key(script=SCRIPT, **_made_with(version))


def _made_with(version: str) -> dict[str, str]:
    return {"vega-lite": version, "vl-convert": importlib.metadata.version("vl-convert-python")}


def _draw_all(program: "_Program | None", version: str, specs: Sequence[tuple[int, Any]]) -> tuple[dict[int, str], str]:
    """({number: svg}, why some are missing). Where one ends the program, another program draws those after it."""
    program = program or _Program(version)
    svgs: dict[int, str] = {}
    failed: dict[int, str] = {}
    deadline = time.monotonic() + SECONDS
    while True:
        left = [(i, spec) for i, spec in specs if i not in svgs and i not in failed]
        end = program.run(left, deadline, svgs, failed)
        still = [i for i, _ in left if i not in svgs and i not in failed]
        if not still:
            break
        failed[still[0]] = end
        runs = svgs or failed.keys() - {still[0]} or program.version in _bundles
        if not runs or len(still) == 1 or time.monotonic() > deadline:
            break
        program = _Program(program.version)
    return svgs, next(iter(failed.values()), "")


class _Program:
    """The running program, which makes the script while this process makes the specifications."""

    def __init__(self, version: str):
        self.version = version
        if not sys.executable or getattr(sys, "frozen", False):
            raise OSError("there is no Python interpreter here to draw them with")
        # isolated, and without site: it imports what this process would, from where this process would
        command = [sys.executable, "-I", "-S", str(PROGRAM)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
        path = [os.path.abspath(entry) for entry in sys.path]
        asked = {"path": path, "version": version, "bundle": "" if version in _bundles else SCRIPT}
        self._write({**asked, "megabytes": MEGABYTES, "seconds": SECONDS})

    def __enter__(self) -> "_Program":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def run(self, specs: Sequence[Any], deadline: float, svgs: dict[int, str], failed: dict[int, str]) -> str:
        """Put what it draws into `svgs` and what it cannot into `failed`; how it ended."""
        late = False
        try:
            out, err = self._process.communicate(_line(specs), max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            late = True
            self._process.kill()
            out, err = self._process.communicate()
        finally:
            self._end()
        for line in out.splitlines():
            with contextlib.suppress(ValueError):  # the last line of a program that was killed
                for kind, value in json.loads(line).items():
                    if kind == "bundle":
                        _bundles[self.version] = script = _standing(value)
                        cache.keep(_script_key(self.version), script)
                    else:
                        (svgs if kind == "svg" else failed)[value[0]] = value[1]
        return f"they took longer than {SECONDS} s" if late else _ending(self._process.returncode, err)

    def _write(self, value: Any) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended; `run` says how
            self._process.stdin.write(_line(value))
            self._process.stdin.flush()

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was written last cannot be read by an ended program
                    pipe.close()
        self._process.wait()


def _line(value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


def _vega_lite() -> str:
    import altair

    from .pictures.chart import version

    if importlib.util.find_spec("vl_convert") is None:  # found, not loaded: that is for the other process
        raise ModuleNotFoundError(name="vl_convert")
    return version({"$schema": altair.SCHEMA_URL})


def _standing(script: str) -> str:
    """The script, if it can stand in a page; without it the pictures stand still."""
    return "" if "</script" in script.lower() or "<!--" in script else script


def _ending(code: int, err: bytes) -> str:
    if _address_space_limited():
        return "the memory of this process is limited (ulimit -v), and the program that draws reserves more than that"
    how = f"code {code}" if code >= 0 else signal.Signals(-code).name
    lines = [line for line in err.decode(errors="replace").splitlines() if line.strip()]
    said = next((line for line in reversed(lines) if "Error" in line), lines[0] if lines else "")
    return f"the program that draws ended ({how})" + (f": {said.strip()}" if said else "")


def _address_space_limited() -> bool:
    try:
        import resource
    except ImportError:
        return False
    return resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY


def _reason(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"{error.name} is not installed; pip install 'steelyard[tune]' brings it"
    if sys.flags.optimize > 1:
        return "altair cannot be loaded without docstrings (PYTHONOPTIMIZE=2, python -OO)"
    return str(error) or type(error).__name__


def _sentence(why: str, lost: Sequence[str] = ()) -> str:
    which = f"Not drawn: {', '.join(lost)}" if lost else "The pictures are left out"
    return f"{which}, because {cut(clean(' '.join(why.split())), SAFE).rstrip('.')}. The numbers are complete."
