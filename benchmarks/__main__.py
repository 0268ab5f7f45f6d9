"""python -m benchmarks ce|binary [--rounds 15]"""

import argparse

from . import losses

PROGRAMS = {"ce": losses.ce, "binary": losses.binary}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("program", choices=PROGRAMS)
    parser.add_argument("--rounds", type=int, default=15, help="how often each variant runs, in turn")
    arguments = parser.parse_args()
    PROGRAMS[arguments.program](arguments.rounds)


if __name__ == "__main__":
    main()
