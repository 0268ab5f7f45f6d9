"""What must work right after `pip install steelyard`, in an environment with nothing else: a line for each check.

    python tools/smoke_program.py [--pure] [--without-torch]

Run by the Python whose steelyard is meant. No check may reach the network or start a program; one that tries is an error. `--pure`
says that the wheel has no compiled core, else it must have one; `--without-torch` leaves out what needs torch.
"""

import argparse
import importlib.metadata
import importlib.util
import math
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

BARRED = ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn")
EXTRAS = ("typer", "rich", "pyarrow", "sklearn", "scipy", "altair", "optuna", "PIL")


def alone(event: str, _: tuple) -> None:
    """An audit hook: neither the network nor another program."""
    if event in BARRED:
        raise RuntimeError(f"smoke: {event} was called; the package must work without network and compiler.")


def expect(true: bool, what: str) -> None:
    if not true:
        raise SystemExit(f"smoke: {what}")


def the_package(pure: bool) -> None:
    """Version, types, licences, and that no extra is there to help."""
    import steelyard

    there = importlib.metadata.version("steelyard")
    expect(steelyard.__version__ == there, f"steelyard.__version__ is {steelyard.__version__}, the wheel's is {there}.")
    files = {str(path) for path in importlib.metadata.files("steelyard") or ()}
    expect("steelyard/py.typed" in files, "the wheel lacks steelyard/py.typed.")
    for name in ("licenses/LICENSE", "licenses/licenses/nanobind.txt", "licenses/licenses/robin-map.txt"):
        expect(any(f.endswith(f".dist-info/{name}") for f in files), f"the wheel lacks the licence {name}.")
    helpers = [name for name in EXTRAS if importlib.util.find_spec(name)]
    expect(not helpers, f"the environment is not empty: it has {', '.join(helpers)}.")
    native = sorted(f for f in files if f.startswith("steelyard/_native"))
    expect(len(native) == (0 if pure else 1), f"compiled cores in the wheel: {native or 'none'}.")


def the_core() -> None:
    """The compiled core finds an instruction set and counts, in numpy's memory."""
    import numpy as np

    from steelyard import core

    native = core.load()
    expect(native is not None, "the compiled core is in the wheel and cannot be imported: import steelyard._native")
    expect(native.current() in native.sets(), f"{native.current()} is not among {native.sets()}.")
    one, two = object(), object()
    expect(native.tally_objects([one, two, one], 8) == [(one, 2), (two, 1)], "tally_objects counts otherwise.")
    labels = np.array([[0, 0, 1, 0]], dtype=np.int32)
    nearest, nothing = np.zeros(labels.shape), 0
    native.nearest(labels.ctypes.data, nearest.ctypes.data, nothing, nothing, [1, 4], [1.0, 1.0], 1)
    expect(nearest.tolist() == [[2.0, 1.0, 0.0, 1.0]], f"nearest measures {nearest.tolist()}.")


def losses_agree_with_torch() -> None:
    import torch

    import steelyard as sy

    torch.manual_seed(0)
    z, y, w = torch.randn(64, 5, requires_grad=True), torch.randint(0, 5, (64,)), torch.rand(5) + 0.5
    ours, theirs = sy.CrossEntropyLoss(weight=w)(z, y), torch.nn.functional.cross_entropy(z, y, w)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(*(torch.autograd.grad(loss, z)[0] for loss in (ours, theirs)))
    z, y = torch.randn(64, requires_grad=True), torch.randint(0, 2, (64,)).float()
    p = torch.tensor(19.0)
    ours = sy.BCEWithLogitsLoss(pos_weight=p)(z, y)
    torch.testing.assert_close(ours, torch.nn.functional.binary_cross_entropy_with_logits(z, y, pos_weight=p))
    recipe = sy.mix(sy.inverse_frequency(sy.Counts.of(900, 100)), sy.focal(gamma=2.0))
    z = torch.randn(8, 2, requires_grad=True)
    sy.CrossEntropy(recipe)(z, torch.randint(0, 2, (8,))).backward()
    expect(z.grad is not None and bool(torch.isfinite(z.grad).all()), "the gradient of a mixed recipe is not finite.")


def the_backend(pure: bool) -> None:
    """What computes is what the wheel holds."""
    from steelyard.cli.doctor import backend

    expect(backend().startswith("pure torch" if pure else "native core"), f"the backend is {backend()!r}.")


def counting_and_undoing() -> None:
    import numpy as np
    import torch

    import steelyard as sy

    for labels in (["a"] * 9 + ["b"], np.repeat([0, 1], [9, 1]), torch.tensor([0] * 9 + [1])):
        expect(list(sy.count(labels).per_class) == [9, 1], f"count of {type(labels).__name__} is {sy.count(labels)}.")
    recipe = sy.inverse_frequency(sy.count(["a"] * 9 + ["b"]))
    p = sy.posterior(torch.tensor([[0.0, 0.0]]), recipe)
    expect(math.isclose(float(p[0, 1]), 0.1, rel_tol=1e-6), f"the undone probability is {float(p[0, 1])}.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recipe.json"
        recipe.save(path)
        expect(sy.Recipe.load(path) == recipe, "a recipe that was saved is loaded as another one.")
    expect(
        "weight" in str(sy.explain(recipe, sy.Counts.of(9, 1, classes=["a", "b"]))), "explain says nothing of weights."
    )
    expect(
        float(sy.threshold(np.array([0.1, 0.9]), np.array([0, 1]), cost_fn=20, cost_fp=1)) <= 0.9, "no cut is found."
    )


def what_needs_an_extra_says_so() -> None:
    import contextlib
    import io

    import steelyard as sy
    from steelyard.cli import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        codes = [main(["--version"]), main(["weigh", "train.csv", "--label", "y"])]
    expect(codes == [0, 2], f"steelyard --version and weigh end with {codes}, not 0 and 2.")
    expect("pip install 'steelyard[cli]'" in err.getvalue(), f"without typer the command says {err.getvalue()!r}.")
    try:
        sy.tune([[0.0]], [0])
    except ImportError as error:
        expect("steelyard[tune]" in str(error), f"without scikit-learn sy.tune says {error}")
    else:
        raise SystemExit("smoke: sy.tune ran without scikit-learn.")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pure", action="store_true")
    parser.add_argument("--without-torch", action="store_true")
    options = parser.parse_args()
    sys.addaudithook(alone)
    checks: list[tuple[str, Callable[[], None]]] = [("package", lambda: the_package(options.pure))]
    if not options.pure:
        checks.append(("core", the_core))
    if not options.without_torch:
        checks += [
            ("losses", losses_agree_with_torch),
            ("backend", lambda: the_backend(options.pure)),
            ("counting, undo, files", counting_and_undoing),
            ("extras", what_needs_an_extra_says_so),
        ]
    for name, check in checks:
        check()
        print(f"smoke: {name}: right", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
