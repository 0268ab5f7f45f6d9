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


@pytest.mark.parametrize("unknown", [-1.0, float("nan")])
@pytest.mark.parametrize("strategy", ["pos-neg", "inverse-frequency", "log-frequency"])
def test_unknown_answers_have_no_loss_and_no_gradient_each_for_its_label_alone(tmp_path, steelyard, unknown, strategy):
    random = np.random.default_rng(0)
    answers = random.integers(0, 2, (40, 3)).astype(float)
    answers[random.random((40, 3)) < 0.3] = unknown
    answers[:, 2] = unknown  # nobody knows: it stops no other
    np.savetxt(tmp_path / "t.csv", answers, delimiter=",", header="a,b,c", comments="", fmt="%g")
    flags = [word for name in "abc" for word in ("--label", name)]
    code, out, err = steelyard("weigh", tmp_path / "t.csv", *flags, "--strategy", strategy, "--torch")
    scope: dict = {}
    exec(out, scope)
    assert code == 0
    assert "unknown (nothing or -1) is not no" in err
    target, logits = torch.tensor(answers), torch.randn(40, 3, dtype=torch.float64, requires_grad=True)
    for given in (target, target.nan_to_num(-1).long()):
        logits.grad = None
        loss = scope["loss"](logits, given)
        loss.backward()
        known = target >= 0
        by_hand = nn.BCEWithLogitsLoss(reduction="none", weight=scope["weight"], pos_weight=scope["pos_weight"])
        expected = by_hand(logits.detach(), target.nan_to_num(-1).clamp(min=0))[known].mean()
        torch.testing.assert_close(loss.detach(), expected, rtol=1e-9, atol=0)
        assert (logits.grad[~known] == 0).all()
        assert (logits.grad[known] != 0).all()
    assert scope["loss"](logits, torch.full_like(target, unknown)) == 0


def test_our_own_loss_ignores_them_too(tmp_path, steelyard, monkeypatch):
    (tmp_path / "t.csv").write_text("a,b\n1,0\n,1\n0,-1\n1,0\n0,1\n")
    arguments = "weigh", tmp_path / "t.csv", "--label", "a", "--label", "b", "--strategy", "focal"
    monkeypatch.chdir(tmp_path)
    steelyard(*arguments, "--json", "--out", tmp_path / "recipe.json")
    scope: dict = {}
    exec(steelyard(*arguments, "--torch")[1], scope)
    target, logits = torch.tensor([[1, 0], [-1, 1], [0, -1]]), torch.randn(3, 2, requires_grad=True)
    scope["loss"](logits, target).backward()
    torch.testing.assert_close(logits.grad == 0, target < 0)
