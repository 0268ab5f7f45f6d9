"""python -m benchmarks ce|binary|tune|mlp [--rounds 15], or honesty|outside, which say their own options with --help"""

import argparse
import importlib
import sys

from . import losses, mlp, tune

PROGRAMS = {"ce": losses.ce, "binary": losses.binary, "tune": tune.tune, "mlp": mlp.mlp}
OWN = ("honesty", "outside")  # modules whose main reads the rest of the command line


def main() -> None:
    if len(sys.argv) > 1 and sys.argv[1] in OWN:
        importlib.import_module(f".{sys.argv[1]}", __package__).main(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("program", choices=[*PROGRAMS, *OWN])
    parser.add_argument("--rounds", type=int, default=15, help="how often each variant runs, in turn")
    arguments = parser.parse_args()
    PROGRAMS[arguments.program](arguments.rounds)


if __name__ == "__main__":
    main()
