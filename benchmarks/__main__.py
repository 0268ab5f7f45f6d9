"""python -m benchmarks mlp [--rounds 15], or tune|bilevel|ce|binary|linear|numerics|maps|count|slopes|family|rules|honesty|gpu|outside|claims, which say their own options with --help"""

import argparse
import importlib
import sys

from . import bilevel, count, linear, losses, maps, mlp, numerics, slopes, tune

PROGRAMS = {"mlp": mlp.mlp}
OWN = {  # they read the rest of the command line
    "bilevel": bilevel.bilevel,
    "ce": losses.ce,
    "binary": losses.binary,
    "linear": linear.linear,
    "numerics": numerics.numerics,
    "maps": maps.maps,
    "count": count.count,
    "slopes": slopes.slopes,
    "tune": tune.tune,
    "family": lambda rest: importlib.import_module(".family", __package__).family(rest),
    "rules": lambda rest: importlib.import_module(".rules", __package__).rules(rest),
    "honesty": lambda rest: importlib.import_module(".honesty", __package__).main(rest),
    "gpu": lambda rest: importlib.import_module(".gpu", __package__).main(rest),
    "claims": lambda rest: importlib.import_module(".claims.run", __package__).main(rest),
    "outside": lambda rest: importlib.import_module(".outside", __package__).main(rest),
}


def main() -> None:
    if len(sys.argv) > 1 and sys.argv[1] in OWN:
        OWN[sys.argv[1]](sys.argv[2:])
        return
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("program", choices=[*PROGRAMS, *OWN])
    parser.add_argument("--rounds", type=int, default=15, help="how often each variant runs, in turn")
    arguments = parser.parse_args()
    PROGRAMS[arguments.program](arguments.rounds)


if __name__ == "__main__":
    main()
