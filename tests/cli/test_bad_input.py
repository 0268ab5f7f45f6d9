"""Bad input ends in one paragraph on stderr and exit code 2, or is repaired and said."""

import os
import subprocess
import sys

import pytest

from steelyard.cli import main

FILES = {
    "empty.csv": b"",
    "header.csv": b"x,y\n",
    "ragged.csv": b"x,y\n1,a\n2\n",
    "binary.csv": bytes(range(256)),
    "missing.csv": b"x,y\n1,\n2,?\n",
    "latin.csv": b"n\xe9,y\n1,caf\xe9\n2,th\xe9\n",
    "twice.csv": b"x,x,y\n1,2,a\n3,4,b\n",
    "nan.csv": b"x,y,none\n1,a,\n2,b,NaN\n",
    "constant.csv": b"x,y,same\n1,a,7\n2,b,7\n",
    "false.parquet": b"x,y\n1,a\n",
}


@pytest.fixture
def files(tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.mark.parametrize("command", ["count", "weigh"])
@pytest.mark.parametrize(
    ("name", "label", "says"),
    [
        ("latn.csv", "y", ["no such file", "Did you mean 'latin.csv'?"]),
        ("empty.csv", "y", ["empty.csv", "is empty"]),
        ("header.csv", "y", ["header.csv", "no rows"]),
        ("ragged.csv", "y", ["ragged.csv", "another number of cells than the 2 of", "line 3", "Correct it"]),
        ("binary.csv", "y", ["binary.csv", "not text", "CSV, TSV or Parquet"]),
        ("missing.csv", "y", ["missing.csv", "'y'", "no value at all (2 rows)"]),
        ("latin.csv", "Y", ["latin.csv", "no column 'Y'", "Did you mean 'y'?", "'né', 'y'"]),
        ("latin.csv", "3", ["no column 3", "1 to 2"]),
        ("false.parquet", "y", ["not a Parquet file"]),
        (".", "y", ["false.parquet", "not a Parquet file"]),
    ],
)
def test_a_file_that_cannot_be_counted(steelyard, files, command, name, label, says):
    code, out, err = steelyard(command, files / name, "--label", label)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    for words in says:
        assert words in err


@pytest.mark.parametrize(
    ("name", "label", "says"),
    [
        ("latin.csv", "y", "not UTF-8"),
        ("twice.csv", "y", "'x' occurs twice"),
        ("nan.csv", "y", ""),
        ("constant.csv", "y", ""),
    ],
)
def test_what_can_be_repaired_is_repaired_and_said(steelyard, files, name, label, says):
    code, out, err = steelyard("count", files / name, "--label", label)
    assert (code, err) == (0, "")
    assert "2 rows in 2 classes" in out
    assert says in out


@pytest.mark.parametrize(
    ("name", "label", "says"),
    [
        ("mammography.csv", "-1", "quotes around the cells were removed"),
        ("mammography.csv", "column_7", "there is no header"),
        ("ai4i2020.csv", "Machine failure", "byte-order mark"),
        ("dry_bean.csv", "Class", "semicolons"),
        ("oil-spill.csv", "50", "there is no header"),
        ("ecoli.csv", "8", "'imL' (2)"),
        ("adult-train.csv", "2", "'?' was read as missing"),
    ],
)
def test_real_files_with_traps_count_and_say_it(steelyard, shared_data, name, label, says):
    code, out, err = steelyard("count", shared_data / "tabular" / name, "--label", label)
    assert (code, err) == (0, "")
    assert says in out


@pytest.mark.parametrize(
    ("name", "label", "says"),
    [
        ("ai4i2020.csv", "machine failure", "Did you mean 'Machine failure'?"),
        ("ai4i2020.csv", "Torque [Nm]", "looks continuous: 577 different values in 10,000 rows"),
        ("ai4i2020.csv", "UDI", "looks like an identifier"),
        ("mamography.csv", "y", "Did you mean 'mammography.csv'?"),
        ("page.blocks.arff", "y", "there is no column 'y'"),
    ],
)
def test_real_files_that_are_refused(steelyard, shared_data, name, label, says):
    code, out, err = steelyard("count", shared_data / "tabular" / name, "--label", label)
    assert (code, out) == (2, "")
    assert says in err


def test_no_label_lists_the_columns(steelyard, files):
    code, _, err = steelyard("count", files / "twice.csv")
    assert code == 2
    assert "--label" in err and "'x', 'x.2', 'y'" in err  # noqa: PT018


@pytest.mark.parametrize(
    ("out", "says"), [("none/c.json", "there is no folder"), (".", "is a folder"), ("empty.csv/c.json", "no folder")]
)
def test_an_output_that_cannot_be_written_leaves_nothing(steelyard, files, out, says):
    before = sorted(os.listdir(files))
    code, _, err = steelyard("count", files / "twice.csv", "--label", "y", "--out", files / out)
    assert code == 2
    assert says in err
    assert sorted(os.listdir(files)) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [((), "steelyard --help"), (("cuont",), "cuont"), (("count",), "DATA"), (("count", "x", "--jsn"), "--jsn")],
)
def test_a_wrong_call_is_one_paragraph_too(steelyard, arguments, says):
    code, _, err = steelyard(*arguments)
    assert code == 2
    assert err.startswith("error: ")
    assert says in err


def test_debug_shows_where_an_error_came_from(steelyard, files, monkeypatch):
    with pytest.raises(ValueError, match="is empty"):
        main(["count", str(files / "empty.csv"), "--label", "y", "--debug"])
    monkeypatch.setenv("STEELYARD_DEBUG", "1")
    with pytest.raises(ValueError, match="is empty"):
        main(["count", str(files / "empty.csv"), "--label", "y"])


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (KeyboardInterrupt(), 130, ""),
        (MemoryError(), 2, "more memory than there is"),
        (PermissionError(13, "Permission denied", "t.csv"), 2, "Permission denied: 't.csv'."),
    ],
)
def test_what_the_system_raises_has_its_exit_code(steelyard, files, monkeypatch, error, code, says):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr("steelyard.data.columns.table_files", fail)
    found, _, err = steelyard("count", files / "twice.csv", "--label", "y")
    assert found == code
    assert says in err


def test_a_mistake_of_ours_names_what_was_read_and_debug_shows_it(steelyard, files, monkeypatch):
    def fail(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr("steelyard.data.columns.table_files", fail)
    command = ("count", str(files / "twice.csv"), "--label", "y")
    code, _, err = steelyard(*command)
    assert code == 2
    assert "twice.csv: it cannot be read (ZeroDivisionError)" in err
    with pytest.raises(ValueError, match="ZeroDivisionError") as caught:
        main([*command, "--debug"])
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_the_installed_command_ends_without_a_traceback(files):
    program = "import sys; from steelyard.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", program, "count", "latn.csv", "--label", "y"],
        cwd=files, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "error: no such file: 'latn.csv'. Did you mean 'latin.csv'?\n"


def test_a_pattern_that_the_shell_has_replaced_is_recognised(steelyard):
    code, out, err = steelyard("count", *(f"{i}.png" for i in range(9)))
    assert (code, out) == (2, "")
    assert "1.png 2.png 3.png and 5 more. A pattern such as '*.png' needs quotes" in err
