"""The entry point: version, help, and what is not imported for them. Files: cli/app.py, cli/typed.py, version.py."""

import os
import subprocess
import sys

import pytest

from steelyard import __version__


def python(program: str, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_version(steelyard):
    assert steelyard("--version") == (0, f"steelyard {__version__}\n", "")


def test_help_lists_the_commands(steelyard):
    code, out, _ = steelyard("--help")
    assert code == 0
    for name in ("count", "weigh", "doctor"):
        assert name in out


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["--help"], ["torch", "numpy", "pyarrow", "pandas", "sklearn"]),
        (["count", "--help"], ["torch", "numpy", "pyarrow", "pandas", "sklearn"]),
        (["weigh", "--help"], ["torch", "pyarrow", "pandas", "sklearn"]),
        (["count", "DATA", "--label", "y"], ["torch", "sklearn"]),
        (["weigh", "DATA", "--label", "y", "--torch"], ["torch", "sklearn"]),
    ],
)
def test_nothing_heavy_is_imported_for_a_light_command(two_classes, arguments, absent):
    program = (
        "import sys; from steelyard.cli import main; code = main();"
        "print('loaded', *sorted(set(sys.modules) & set('torch numpy pyarrow pandas sklearn'.split()))); sys.exit(code)"
    )
    done = python(program, *[str(two_classes) if a == "DATA" else a for a in arguments])
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.splitlines()[-1].split()[1:]
    assert not set(loaded) & set(absent)


def test_without_typer_the_extra_is_named():
    program = "import sys; sys.modules['typer'] = None; from steelyard.cli import main; sys.exit(main())"
    done = python(program, "count", "x")
    assert done.returncode == 2
    assert "pip install 'steelyard[cli]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert python(program, "--help").returncode == 0


def test_a_closed_pipe_is_silent(two_classes):
    program = (
        "import os; from steelyard.cli import program\n"
        "read, write = os.pipe(); os.close(read); os.dup2(write, 1)\n"
        "program()"  # as the command does, which ends before threads of Arrow can abort it
    )
    done = python(program, "count", str(two_classes), "--label", "y")
    assert (done.returncode, done.stderr) == (141, "")


def test_python_dash_m_is_the_command():
    command = [sys.executable, "-m", "steelyard"]
    shown = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=120)
    refused = subprocess.run([*command, "tune", "no-such.csv"], capture_output=True, text=True, timeout=120)
    assert (shown.returncode, refused.returncode) == (0, 2), shown.stderr + refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("command", ["count", "weigh", "explain", "tune", "predict", "report", "maps", "doctor"])
def test_every_help_has_an_example(steelyard, command):
    code, out, _ = steelyard(command, "--help")
    assert code == 0
    assert f"Example: steelyard {command}" in " ".join(out.split())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_commands_and_options(shell):
    shown = subprocess.run(
        [sys.executable, "-m", "steelyard", "--show-completion", shell],
        capture_output=True,
        text=True,
        env=os.environ | {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
    )
    assert shown.returncode == 0, shown.stderr
    assert "STEELYARD_COMPLETE" in shown.stdout.upper()


def test_bash_gets_the_options_of_a_command():
    asked = os.environ | {
        "_STEELYARD_COMPLETE": "complete_bash",
        "COMP_WORDS": "steelyard tune --cost",
        "COMP_CWORD": "2",
    }
    program = "from steelyard.cli import main; main([])"
    done = python_env(program, asked)
    assert {"--cost-fn", "--cost-fp", "--cost-matrix"} <= set(done.stdout.split()), done.stderr


def python_env(program: str, environment: dict[str, str]) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)


def test_an_option_that_a_command_does_not_have_is_answered_with_one_that_it_has(steelyard):
    code, out, err = steelyard("tune", "x.csv", "--lable", "y")
    assert (code, out) == (2, "")
    assert err == "error: there is no option --lable. Did you mean --label? --help lists them.\n"
