"""A recipe as lines for each framework: they are run, not looked at."""

import types

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_class_weight
from tests.data.examples import nnunet, voc

BALANCED = compute_class_weight("balanced", classes=np.array(["no", "yes"]), y=["no"] * 90 + ["yes"] * 10)


def run_snippet(text: str, **names) -> types.SimpleNamespace:
    scope = dict(names)
    exec(compile(text, "snippet", "exec"), scope)
    return types.SimpleNamespace(**scope)


def test_the_torch_snippet_runs_and_holds_the_weights(steelyard, two_classes):
    _, out, _ = steelyard("weigh", two_classes, "--label", "y", "--torch")
    cross_entropy = run_snippet(out.partition("# with one logit")[0]).loss
    assert isinstance(cross_entropy, torch.nn.CrossEntropyLoss)
    torch.testing.assert_close(cross_entropy.weight, torch.tensor(BALANCED, dtype=torch.float32), rtol=0, atol=0)
    assert '0 = "no", 1 = "yes"' in out
    binary = run_snippet(out).loss
    assert isinstance(binary, torch.nn.BCEWithLogitsLoss)
    torch.testing.assert_close(binary.pos_weight, torch.tensor(9.0))


def test_the_keras_snippet_is_keyed_by_index(steelyard, two_classes):
    _, out, _ = steelyard("weigh", two_classes, "--label", "y", "--keras")
    model = types.SimpleNamespace(fit=lambda x, y, class_weight: None)
    found = run_snippet(out, model=model, x=None, y=None).class_weight
    assert list(found) == [0, 1]
    np.testing.assert_allclose(list(found.values()), BALANCED, rtol=1e-9)


def test_the_scikit_learn_snippet_is_keyed_by_label_and_fits(steelyard, two_classes, shared_data):
    x = np.random.default_rng(0).normal(size=(100, 2))
    _, out, _ = steelyard("weigh", two_classes, "--label", "y", "--sklearn")
    y = np.array(["yes" if i % 10 == 0 else "no" for i in range(100)])
    ours, theirs = run_snippet(out).model.fit(x, y), LogisticRegression(class_weight="balanced").fit(x, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-4)
    _, out, _ = steelyard("weigh", shared_data / "tabular" / "ai4i2020.csv", "--label", "-1", "--sklearn")
    assert list(run_snippet(out).class_weight) == [0, 1]


def test_multilabel_weights_become_weight_and_pos_weight(steelyard, tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n" + "1,0\n" * 2 + "0,1\n" * 8 + "0,0\n" * 10)
    code, out, _ = steelyard(
        "weigh", tmp_path / "t.csv", "--label", "a", "--label", "b", "--strategy", "pos-neg", "--torch"
    )
    assert code == 0
    loss = run_snippet(out).loss
    torch.testing.assert_close(loss.pos_weight, torch.tensor([18 / 2, 12 / 8]))
    for n, pos_weight, weight in ((2, 9.0, loss.weight[0]), (8, 1.5, loss.weight[1])):  # unit mass for every label
        assert (20 - n + n * pos_weight) * float(weight) == pytest.approx(20, rel=1e-6)


@pytest.mark.parametrize("name", ["focal", "logit-adjustment", "margin", "smooth", "class-temperature"])
@pytest.mark.parametrize("form", ["--keras", "--sklearn"])
def test_what_is_not_a_class_weight_is_refused_there_with_the_reason(steelyard, two_classes, name, form):
    code, out, err = steelyard("weigh", two_classes, "--label", "y", "--strategy", name, form)
    assert (code, out) == (2, "")
    assert "which class weights cannot express" in err
    _, out, _ = steelyard("weigh", two_classes, "--label", "y", "--strategy", name)
    assert "This is more than class weights" in out


def test_the_lightgbm_snippet_weighs_the_rows(steelyard, two_classes):
    pytest.importorskip("lightgbm")
    _, out, _ = steelyard("weigh", two_classes, "--label", "y", "--lightgbm")
    y = np.array(["yes" if i % 10 == 0 else "no" for i in range(100)])
    model = run_snippet(out).model.set_params(n_estimators=2, min_child_samples=1, verbose=-1)
    assert model.fit(np.arange(100.0)[:, None], y).get_params()["class_weight"]["yes"] == 5


def test_the_xgboost_snippet_gives_each_row_its_weight(steelyard, two_classes, monkeypatch):
    import sys
    import types

    class Classifier:
        def __init__(self, scale_pos_weight=None):
            self.scale_pos_weight = scale_pos_weight

        def fit(self, x, y, sample_weight):
            fitted.append(sample_weight)

    fitted = []
    monkeypatch.setitem(sys.modules, "xgboost", types.SimpleNamespace(XGBClassifier=Classifier))
    _, out, _ = steelyard("weigh", two_classes, "--label", "y", "--xgboost")
    found = run_snippet(out, x=None, y=np.array([0, 1, 0]))
    np.testing.assert_allclose(fitted[0], [5 / 9, 5, 5 / 9], rtol=1e-6)
    assert found.model.scale_pos_weight == 9


def test_the_ultralytics_snippet_sets_what_its_loss_reads(steelyard, tmp_path, monkeypatch):
    """The names are those of Ultralytics 8.4: set_class_weights is called before training, the loss reads class_weights."""
    import sys
    import types

    class Trainer:
        device = "cpu"

        def __init__(self):
            self.model = types.SimpleNamespace()

    class YOLO:
        def __init__(self, name): ...
        def train(self, data, trainer):
            made.append(trainer())
            made[0].set_class_weights()

    made = []
    for name, held in {
        "ultralytics": {"YOLO": YOLO},
        "ultralytics.models.yolo.detect": {"DetectionTrainer": Trainer},
        "ultralytics.utils.torch_utils": {"unwrap_model": lambda m: m},
    }.items():
        monkeypatch.setitem(sys.modules, name, types.SimpleNamespace(**held))
    _, out, _ = steelyard("weigh", voc(tmp_path / "v"), "--ultralytics")
    run_snippet(out)
    torch.testing.assert_close(made[0].model.class_weights, torch.tensor([4 / 6, 2.0]))


def test_the_mmdet_snippet_adds_background(steelyard, tmp_path):
    _, out, _ = steelyard("weigh", voc(tmp_path / "v"), "--mmdet")
    found = run_snippet(out)
    assert found.loss_cls["class_weight"] == [*found.loss_decode["class_weight"], 1.0]
    np.testing.assert_allclose(found.class_weight, [4 / 6, 2], rtol=1e-6)


def nnunet_folder(folder):
    return nnunet(folder, {"background": 0, "liver": 1, "tumour": 2})


def test_the_monai_snippet_weighs_the_classes(steelyard, tmp_path, monkeypatch):
    import sys
    import types

    losses = types.SimpleNamespace(DiceCELoss=lambda **options: options)
    monkeypatch.setitem(sys.modules, "monai", types.SimpleNamespace(losses=losses))
    monkeypatch.setitem(sys.modules, "monai.losses", losses)
    _, out, _ = steelyard("weigh", nnunet_folder(tmp_path / "d"), "--monai")
    torch.testing.assert_close(run_snippet(out).loss["weight"], torch.tensor([48 / 42, 48 / 4, 48 / 2]) / 3)
    assert '0 = "background", 1 = "liver", 2 = "tumour"' in out


def test_the_nnunet_snippet_sets_the_weights_of_its_cross_entropy(steelyard, tmp_path, monkeypatch):
    """The names are those of nnU-Net 2: _build_loss gives a DC_and_CE_loss with a part `ce`, in a wrapper with a part `loss`."""
    import sys
    import types

    class Trainer:
        device = "cpu"

        def _build_loss(self):
            return wrapped

    _, out, _ = steelyard("weigh", nnunet_folder(tmp_path / "d"), "--nnunet")
    name = "nnunetv2.training.nnUNetTrainer.nnUNetTrainer"
    for i in range(1, 5):
        module = types.SimpleNamespace(nnUNetTrainer=Trainer)
        monkeypatch.setitem(sys.modules, ".".join(name.split(".")[:i]), module)
    for wrapper in (True, False):
        inner = torch.nn.Module()
        inner.ce = torch.nn.CrossEntropyLoss()
        wrapped = torch.nn.Module() if wrapper else inner
        if wrapper:
            wrapped.loss = inner
        loss = run_snippet(out).nnUNetTrainerWeighted()._build_loss()
        assert loss is wrapped
        torch.testing.assert_close(inner.ce.weight, torch.tensor([48 / 42, 48 / 4, 48 / 2]) / 3)
        assert inner.ce(torch.zeros(1, 3), torch.tensor([2])).isfinite()


@pytest.mark.parametrize("form", ["--lightgbm", "--xgboost", "--ultralytics", "--mmdet", "--monai", "--nnunet"])
def test_what_is_no_class_weight_is_refused_there(steelyard, two_classes, form):
    code, out, err = steelyard("weigh", two_classes, "--label", "y", "--strategy", "focal", form)
    assert (code, out) == (2, "")
    assert "not a set of class weights" in err
