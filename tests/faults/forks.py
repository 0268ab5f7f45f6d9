"""Commands as children of one program that has imported everything: what is killed twenty times starts in a fraction of a second.

    echo '["tune", "t.csv", "--label", "y"]' | python forks.py

For each line of arguments it says the number of the process, and, when that has ended, its wait status.
"""

import importlib
import json
import os
import sys
import traceback

MODULES = ("torch", "pandas", "pyarrow.csv", "scipy.optimize", "sklearn.preprocessing", "imblearn.over_sampling", "lightgbm", "psycopg")  # fmt: skip


def command(arguments: list[str]) -> int:
    from steelyard.cli import main

    os.setsid()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    try:
        return main(arguments)
    except BaseException:
        traceback.print_exc()
        return 99


def serve() -> None:
    for name in (*MODULES, "steelyard.cli.tune", "steelyard.report", "steelyard.tuning.study"):
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    for line in sys.stdin:
        child = os.fork()
        if not child:
            os._exit(command(json.loads(line)))
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    serve()
