"""The program that draws, in a process of its own: what it is made of may abort, hang or run out of memory, and must not take a
study along. It knows nothing of steelyard and is started by its path (see drawing.py).

In, one JSON value a line: {"path": sys.path, "version": of Vega-Lite, "bundle": what the script of a page shall do, or "", "megabytes", "seconds"},
then the list of specifications. Out, one a line, as soon as it is there: {"bundle": text}, {"svg": [number, text]}, or
{"failed": [number, why]}.
"""

import json
import sys
from typing import Any


def main() -> None:
    asked = json.loads(sys.stdin.readline())
    _limit(asked["megabytes"], asked["seconds"])
    sys.path[:] = asked["path"]
    import vl_convert

    if asked["bundle"]:
        _say("bundle", vl_convert.javascript_bundle(asked["bundle"], vl_version=asked["version"]))
    for number, spec in json.loads(sys.stdin.readline() or "[]"):
        try:
            _say("svg", [number, vl_convert.vegalite_to_svg(json.dumps(spec), vl_version=asked["version"])])
        except Exception as error:  # a picture that cannot be drawn leaves the others
            _say("failed", [number, f"{type(error).__name__}: {str(error)[:200]}"])


def _limit(megabytes: int, seconds: int) -> None:
    try:
        import resource
    except ImportError:  # not on Windows; the time is limited by whoever waits
        return
    # not the address space: V8 reserves 64 GB of it and uses 150 MB
    for what, most in (
        (resource.RLIMIT_DATA, megabytes << 20),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _say(name: str, value: Any) -> None:
    print(json.dumps({name: value}), flush=True)


if __name__ == "__main__":
    main()
