"""The lines for torch give the loss that steelyard would give: they are run. Files: cli/lines.py."""

import numpy as np
import pytest
import torch
from torch import nn

LABELS = [0] * 5 + [1] * 3 + [2] * 7 + [3] * 2


def csv(folder):
    (folder / "t.csv").write_text("y\n" + "".join(f"{v}\n" for v in LABELS))
    return folder / "t.csv", {"label": "y"}


@pytest.mark.parametrize("ignored", [[0], [1], [255], [0, 255], [0, 1]])
def test_the_snippet_of_torch_ignores_what_the_counts_ignore(tmp_path, steelyard, ignored):
    target = np.array([*LABELS, *([255] * 4 if 255 in ignored else [])], dtype=np.uint8)
    np.save(tmp_path / "m.npy", target[None])
    flags = [word for v in ignored for word in ("--ignore", v)]
    code, out, _ = steelyard("weigh", tmp_path / "m.npy", "--torch", *flags)
    scope: dict = {"target": torch.tensor(target).long()}
    exec(out.replace("# torch ignores one number, so before the loss: ", ""), scope)
    logits = torch.randn(len(target), 4, dtype=torch.float64, requires_grad=True)
    scope["loss"].double()(logits, scope["target"]).backward()
    counted = ~np.isin(target, ignored)
    n = np.array([LABELS.count(v) * (v not in ignored) for v in range(4)])
    weight = np.where(n > 0, n.sum() / (np.count_nonzero(n) * np.maximum(n, 1)), 1.0)
    expected = nn.CrossEntropyLoss(torch.tensor(weight))(logits.detach()[counted], torch.tensor(target[counted]).long())
    assert code == 0
    torch.testing.assert_close(scope["loss"](logits, scope["target"]), expected, rtol=1e-6, atol=0)
    assert (logits.grad[~counted] == 0).all()


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ("--keras", "ignore_class"),
        ("--sklearn", "leave their rows out"),
        ("--lightgbm", "leave their rows out"),
        ("--xgboost", "leave their rows out"),
        ("--mmdet", "decode_head=dict(ignore_index=1, ...)"),
        ("--monai", "no argument for that"),
        ("--nnunet", "dataset.json"),
        ("--ultralytics", "take them out"),
    ],
)
def test_where_the_framework_cannot_ignore_the_lines_say_so(tmp_path, steelyard, form, says):
    path, options = csv(tmp_path)
    _, out, _ = steelyard("weigh", path, "--label", options["label"], "--ignore", 1, form)
    line = next(line for line in out.splitlines() if "# ignored: 1;" in line)
    assert says in line
    assert "# ignored" not in steelyard("weigh", path, "--label", options["label"], form)[1]
