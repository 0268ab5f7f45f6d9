"""Look for bytes that the readers of tables do not understand, for as long as you like. Not part of the test suite.

    pip install atheris
    python tests/fuzz/tables.py -max_total_time=300 -rss_limit_mb=2048 -timeout=60

What it finds is left in the current folder as crash-..., timeout-... or oom-...; give such a file as the argument to run
it again. The files it starts from and the check are those of tests/data/test_fuzz.py.
"""

import sys
import tempfile
import warnings
from pathlib import Path


def main() -> None:
    import atheris

    sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
    with atheris.instrument_imports(include=["steelyard.data", "steelyard.tuning", "csv"]):
        from test_fuzz import CSV, PARQUET, check

    warnings.simplefilter("error")
    with tempfile.TemporaryDirectory() as folder:
        file, corpus = Path(folder) / "t.csv", Path(folder) / "corpus"
        corpus.mkdir()
        for i, seed in enumerate([*CSV, *PARQUET]):
            (corpus / str(i)).write_bytes(seed)

        def one(content: bytes) -> None:
            file.write_bytes(content)
            check(file)

        again = any(not option.startswith("-") for option in sys.argv[1:])
        atheris.Setup([*sys.argv, "-max_len=65536", *([] if again else [str(corpus)])], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
