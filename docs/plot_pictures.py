"""The pictures of docs/howto/plots.md, drawn by sy.plot.

    python docs/plot_pictures.py                  writes docs/images/plots/NAME.png, and NAME-dark.png on dark ground
    python docs/plot_pictures.py --axes FOLDER    the same by matplotlib, to look at

Each name below is a picture of that name.
"""

import argparse
import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import steelyard as sy
from steelyard.rule.history import History

FOLDER = Path(__file__).parent / "images" / "plots"
TWO = sy.Counts.of(900, 100, classes=["healthy", "ill"])
LONG = sy.Counts((30000 / np.arange(1, 1204) ** 1.35).astype(int), [f"category {i}" for i in range(1203)], unit="boxes")


def mask() -> np.ndarray:
    """Five round cells, two of which nearly touch."""
    y, x = np.mgrid[:96, :128]
    found = np.zeros(x.shape, int)
    for i, (row, column, radius) in enumerate(
        [(30, 30, 16), (32, 65, 17), (70, 50, 14), (70, 100, 9), (20, 105, 7)], 1
    ):
        found[(y - row) ** 2 + (x - column) ** 2 < radius**2] = i
    return found


def scores() -> tuple[np.ndarray, np.ndarray]:
    """(honest probabilities [4000], labels that came of them)"""
    rng = np.random.default_rng(0)
    p = rng.beta(1, 12, 4000)
    return p, (rng.random(4000) < p).astype(int)


def study() -> Any:
    rng = np.random.default_rng(0)
    y = (rng.random(1500) < 0.08).astype(int)
    X = rng.normal(size=(1500, 3)) + 1.2 * y[:, None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sy.tune(X, y, repeats=2, bootstrap=200, baselines=False)


def history() -> History:
    steps = np.arange(60)
    columns = {
        "step": steps,
        "weight[healthy]": 1 - 0.45 * (1 - np.exp(-steps / 15)),
        "weight[ill]": 1 + 4 * (1 - np.exp(-steps / 15)),
    }
    columns["gamma"] = 2 * np.exp(-steps / 25)
    return History(
        tuple(dict(zip(columns, map(float, row), strict=True)) for row in zip(*columns.values(), strict=True))
    )


def drawn(ax: Callable[[], Any]) -> dict[str, Callable[[], Any]]:
    """{name of the picture: what draws it}"""
    cells, (p, y) = mask(), scores()
    image = (cells > 0) * 0.5 + np.random.default_rng(0).normal(size=cells.shape) * 0.1
    weighed = sy.inverse_frequency(TWO)
    before = 3 * p / (1 + 2 * p)
    return {
        "counts": lambda: sy.plot.counts(sy.Counts([52000, 5200, 800, 97, 31, 12], ["car", "person", "bicycle", "bus", "train", "tram"], unit="boxes"), ax=ax()),
        "counts-many": lambda: sy.plot.counts(LONG, ax=ax()),
        "recipe": lambda: sy.plot.recipe(sy.mix(weighed, sy.focal(gamma=2.0)), ax=ax()),
        "explanation": lambda: sy.plot.explanation(sy.explain(sy.inverse_frequency(TWO, beta=0.5), TWO), ax=ax()),
        "explanation-many": lambda: sy.plot.explanation(sy.explain(sy.inverse_frequency(LONG, beta=0.5), LONG), ax=ax()),
        "map": lambda: sy.plot.map(sy.spatial.Map("border", sigma=5, w0=10), cells, image, ax=ax()),
        "history": lambda: sy.plot.history(history(), ax=ax()),
        "reliability": lambda: sy.plot.reliability({"as trained": before, "weights undone": p}, y, ax=ax()),
        "exchange": lambda: sy.plot.exchange(p, y, rate=20, ax=ax()),
        "study": lambda: sy.plot.study(study(), ax=ax()),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--axes", type=Path)
    found = parser.parse_args()
    folder = found.axes or FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    if found.axes is not None:
        import matplotlib

        matplotlib.use("Agg")
        import matplotlib.pyplot as plt

        wide = {"map": (13, 3), "study": (12, 3.5), "history": (6, 5), "reliability": (4.5, 4.5)}
        wide |= dict.fromkeys(("exchange", "recipe"), (9, 3.5))
        for name in drawn(lambda: None):
            figure = plt.figure(figsize=wide.get(name, (6, 3.5)))
            drawn(figure.add_subplot)[name]()
            figure.savefig(folder / f"{name}.png", bbox_inches="tight", dpi=80)
            plt.close(figure)
        return
    import altair as alt
    import vl_convert
    from PIL import Image

    for theme, ending in (("default", ""), ("dark", "-dark")):
        with alt.theme.enable(theme):
            for name, draw in drawn(lambda: None).items():
                png = vl_convert.vegalite_to_png(draw().to_json(), scale=1.0)
                # 64 colours are enough for these, and a quarter of the bytes
                small = Image.open(io.BytesIO(png)).convert("RGB").quantize(64)
                small.save(folder / f"{name}{ending}.png", optimize=True)


if __name__ == "__main__":
    main()
