"""Other libraries' own tests of losses and class weights, run against ours: python tools/peers_tests.py PEER CHECKOUT [-- pytest's options]

CHECKOUT is a folder with the peer's source and tests, which the caller has. Its test files are run as they are; the functions under test
are replaced by shims below, which translate the peer's arguments into a recipe. What the peer checks of arguments stays the peer's.

    fvcore             tests/test_focal_loss.py (needs nothing of fvcore); the tests of its "star" form are left out, which has no counterpart
    kornia             tests/losses/test_focal_loss.py (needs kornia_rs)
    imbalanced-losses  tests/test_focal_loss.py
    balanced-loss      tests/test_losses.py
    monai              tests/losses/test_focal_loss.py (needs monai and parameterized); without test_script: nothing of ours is TorchScript
    smp                tests/test_losses.py, its cross-entropies and focal losses (needs nothing of smp)
    scikit-learn       sklearn/utils/tests/test_class_weight.py, of the installed package where CHECKOUT is "installed"
    scikit-learn-cuts  sklearn/model_selection/tests/test_classification_threshold.py, alike: TunedThresholdClassifierCV and
                       FixedThresholdClassifier are `Weighted` without weights. Left out are tests of what has no counterpart: cv="prefit",
                       cv as a share, refit=False, a grid of cuts and its scores, an estimator fitted before, private functions
    torchvision        test/test_ops.py, TestFocalLoss (needs torchvision); without test_jit: nothing of ours is TorchScript
"""

import argparse
import functools
import importlib
import sys
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import steelyard as sy

Shim = Callable[[Path], list[str]]  # (checkout) -> what pytest is asked to run


def focal_of_yes_or_no(
    logits: Tensor,
    target: Tensor,
    alpha: float | None,
    gamma: float,
    pos_weight: Any = None,
    keep: Tensor | None = None,
) -> Tensor:
    """Unreduced, shaped like the logits; alpha weighs "is", 1 - alpha "is not". One recipe for every element, or a column for every class."""
    no, yes = (1.0, 1.0) if alpha is None else (1 - alpha, alpha)
    columns = [1.0] if pos_weight is None else torch.as_tensor(pos_weight).reshape(-1).tolist()
    weight = [[no] * len(columns), [yes * w for w in columns]]
    recipe = sy.Recipe(weight=weight, curve=sy.curves.Focal(float(gamma)))
    wide = (logits, target) if pos_weight is not None else (logits.reshape(-1), target.reshape(-1))
    mask = None if keep is None else keep.expand(logits.shape).reshape(wide[0].shape)
    return sy.binary_cross_entropy(*wide, recipe, weight=mask, reduction="none").reshape(logits.shape).to(logits.dtype)


def reduced(loss: Tensor, reduction: str) -> Tensor:
    return {"none": lambda: loss, "mean": loss.mean, "sum": loss.sum}[reduction]()


# -- one shim for each peer -------------------------------------------------------------------------------------------


def fvcore(checkout: Path) -> list[str]:
    def sigmoid_focal_loss(inputs, targets, alpha=-1.0, gamma=2.0, reduction="none"):
        loss = focal_of_yes_or_no(inputs, targets.float(), alpha if alpha >= 0 else None, gamma)
        return reduced(loss, reduction)

    def no_counterpart(*args: Any, **kwargs: Any) -> Tensor:
        raise NotImplementedError("the star form")

    nn = types.ModuleType("fvcore.nn")
    nn.sigmoid_focal_loss = nn.sigmoid_focal_loss_jit = sigmoid_focal_loss  # type: ignore[attr-defined]
    nn.sigmoid_focal_loss_star = nn.sigmoid_focal_loss_star_jit = no_counterpart  # type: ignore[attr-defined]
    sys.modules |= {"fvcore": types.ModuleType("fvcore"), "fvcore.nn": nn}
    return [str(checkout / "tests" / "test_focal_loss.py"), "-k", "not star"]


def kornia(checkout: Path) -> list[str]:
    sys.path.insert(0, str(checkout))
    import kornia as theirs  # pyright: ignore[reportMissingImports]

    focal = theirs.losses.focal
    checked, checked_binary = focal.focal_loss, focal.binary_focal_loss_with_logits

    @functools.wraps(checked)
    def focal_loss(pred, target, alpha, gamma=2.0, reduction="none", weight=None, ignore_index=-100):
        with torch.no_grad():
            checked(pred, target, alpha, gamma, reduction, weight, ignore_index)
        classes = pred.shape[1]
        by_label = np.ones(classes) if alpha is None else np.array([1 - alpha] + [alpha] * (classes - 1))
        by_label = by_label if weight is None else by_label * weight.detach().double().numpy()
        recipe = sy.Recipe(weight=by_label, curve=sy.curves.Focal(float(gamma)))
        ignore = -100 if ignore_index is None else ignore_index
        each = sy.cross_entropy(pred, target, recipe, ignore_index=ignore, reduction="none")
        own = torch.nn.functional.one_hot(torch.where(target == ignore, 0, target), classes).movedim(-1, 1)
        spread = torch.where(own == 1, each.unsqueeze(1).to(pred.dtype), 0.0)  # theirs keeps a place for every class
        return reduced(spread, reduction)

    @functools.wraps(checked_binary)
    def binary(pred, target, alpha=0.25, gamma=2.0, reduction="none", pos_weight=None, weight=None, ignore_index=-100):
        with torch.no_grad():
            checked_binary(pred, target, alpha, gamma, reduction, pos_weight, weight, ignore_index)
        keep = None if ignore_index is None else (target != ignore_index)
        t = target if keep is None else torch.where(keep, target, 0)
        loss = focal_of_yes_or_no(
            pred, t.to(pred.dtype), alpha, gamma, pos_weight, None if keep is None else keep.to(pred)
        )
        if weight is not None:
            loss = loss * weight.reshape(1, -1, *[1] * (pred.dim() - 2))
        return reduced(loss, reduction)

    for module in (focal, theirs.losses):
        module.focal_loss, module.binary_focal_loss_with_logits = focal_loss, binary
    return [f"--rootdir={checkout}", str(checkout / "tests" / "losses" / "test_focal_loss.py")]


def imbalanced_losses(checkout: Path) -> list[str]:
    sys.path.insert(0, str(checkout / "src"))
    import imbalanced_losses as theirs  # pyright: ignore[reportMissingImports]
    from imbalanced_losses import focal_loss as module  # pyright: ignore[reportMissingImports]

    class Sigmoid(theirs.SigmoidFocalLoss):
        def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
            self._should_gather()
            loss = focal_of_yes_or_no(
                inputs, targets.to(inputs.dtype), self.alpha if self.alpha >= 0 else None, self.gamma
            )
            return module._reduce(loss, self.reduction)

    class Softmax(theirs.SoftmaxFocalLoss):
        def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
            self._should_gather()
            parts = [
                sy.Recipe(
                    weight=None if self.alpha is None else self.alpha.tolist(), curve=sy.curves.Focal(float(self.gamma))
                )
            ]
            parts += [sy.smooth(self.label_smoothing)] if self.label_smoothing else []
            loss = sy.cross_entropy(inputs, targets, sy.mix(*parts), ignore_index=self.ignore_index, reduction="none")
            valid = targets != self.ignore_index
            if self.reduction == "mean":
                return loss.sum() / valid.sum().clamp(min=1)
            return module._reduce(loss, self.reduction, valid, valid & (targets != self.background_class))

    theirs.SigmoidFocalLoss, theirs.SoftmaxFocalLoss = Sigmoid, Softmax
    return [str(checkout / "tests" / "test_focal_loss.py")]


def balanced_loss(checkout: Path) -> list[str]:
    sys.path.insert(0, str(checkout))
    import balanced_loss as theirs  # pyright: ignore[reportMissingImports]

    class Loss(theirs.Loss):
        def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
            classes = logits.shape[1]
            weight = torch.ones(classes)
            if self.class_balanced:  # theirs sum to the number of classes, ours have mean 1 over the rows
                counts = sy.Counts(dict(enumerate(self.samples_per_class)))
                own = torch.as_tensor(sy.effective_number(counts, beta=self.beta).label_weights())
                weight = (own / own.sum() * classes).float()
            if self.loss_type == "cross_entropy":
                return sy.cross_entropy(logits, labels, sy.Recipe(weight=weight.tolist(), norm="count"))
            hot = torch.nn.functional.one_hot(labels, classes).to(logits.dtype)
            each = weight[labels].unsqueeze(1)
            if self.loss_type == "binary_cross_entropy":
                return (sy.binary_cross_entropy(logits, hot, sy.Recipe(), reduction="none") * each).mean()
            return (focal_of_yes_or_no(logits, hot, None, self.fl_gamma) * each).sum() / hot.sum()

    theirs.Loss = Loss
    return [f"--rootdir={checkout}", str(checkout / "tests" / "test_losses.py")]


def monai(checkout: Path) -> list[str]:
    sys.path.insert(0, str(checkout))  # for tests.test_utils
    from monai.losses import focal_loss as module  # pyright: ignore[reportMissingImports]

    def sigmoid_focal_loss(input, target, gamma=2.0, alpha=None):
        return focal_of_yes_or_no(input, target, alpha, gamma)

    def softmax_focal_loss(input, target, gamma=2.0, alpha=None):
        """Theirs is unreduced over the classes too: each class as the label, times what the target gives it."""
        C, recipe = input.shape[1], sy.focal(gamma=float(gamma))
        items = [input.shape[0], *input.shape[2:]]
        each = [sy.cross_entropy(input, torch.full(items, c), recipe, reduction="none") for c in range(C)]
        factor = [1.0] * C if alpha is None else [1 - alpha] + [alpha] * (C - 1)
        return torch.stack(each, dim=1) * target * torch.tensor(factor).view(1, C, *[1] * (input.dim() - 2))

    module.sigmoid_focal_loss, module.softmax_focal_loss = sigmoid_focal_loss, softmax_focal_loss
    return [
        f"--rootdir={checkout}",
        "-k",
        "not test_script",
        str(checkout / "tests" / "losses" / "test_focal_loss.py"),
    ]


def smp(checkout: Path) -> list[str]:
    theirs = types.ModuleType("segmentation_models_pytorch")  # without its encoders, which need timm and torchvision
    theirs.__path__ = [str(checkout / "segmentation_models_pytorch")]
    sys.modules[theirs.__name__] = theirs
    losses = importlib.import_module("segmentation_models_pytorch.losses")
    theirs.losses = losses  # pyright: ignore[reportAttributeAccessIssue]

    def focal(output, target, gamma=2.0, alpha=0.25, reduction="mean", normalized=False, reduced_threshold=None, eps=0):
        if normalized or reduced_threshold is not None:
            pytest.skip("normalized and reduced focal losses have no counterpart")
        return reduced(focal_of_yes_or_no(output, target.to(output.dtype), alpha, gamma), reduction)

    def smoothed(lprobs, target, epsilon, ignore_index=None, reduction="mean", dim=-1):
        """Their mean counts ignored items; log-probabilities are logits of themselves."""
        recipe = sy.smooth(epsilon) if epsilon else sy.Recipe()
        ignored = {} if ignore_index is None else {"ignore_index": ignore_index}
        return reduced(sy.cross_entropy(lprobs.movedim(dim, 1), target, recipe, reduction="none", **ignored), reduction)

    class SoftBCEWithLogitsLoss(losses.SoftBCEWithLogitsLoss):
        def forward(self, y_pred: Tensor, y_true: Tensor) -> Tensor:
            """Their factor moves yes to 1 - e and no to e: our smoothing of 2 e."""
            parts = [sy.smooth(2 * self.smooth_factor)] if self.smooth_factor else [sy.Recipe()]
            loss = sy.binary_cross_entropy(
                y_pred, y_true, sy.mix(*parts), ignore_index=self.ignore_index, reduction="none"
            )
            return reduced(loss, self.reduction)

    losses.focal.focal_loss_with_logits = losses._functional.focal_loss_with_logits = focal
    losses.soft_ce.label_smoothed_nll_loss = smoothed
    losses.SoftBCEWithLogitsLoss = SoftBCEWithLogitsLoss  # pyright: ignore[reportAttributeAccessIssue]
    return [
        "-k",
        "focal_loss or focal_class_weights or soft_ce or soft_bce",
        str(checkout / "tests" / "test_losses.py"),
    ]


def scikit_learn(checkout: Path) -> list[str]:
    from sklearn.utils import class_weight as theirs

    checked = theirs.compute_class_weight

    @functools.wraps(checked)
    def compute_class_weight(class_weight, *, classes, y, sample_weight=None):
        found = checked(class_weight, classes=classes, y=y, sample_weight=sample_weight)
        if class_weight != "balanced":
            return found
        places = (
            np.searchsorted(classes, y) if np.all(classes[:-1] <= classes[1:]) else [list(classes).index(v) for v in y]
        )
        n = np.bincount(places, weights=sample_weight, minlength=len(classes))
        counts = sy.Counts(dict(enumerate(n.tolist())), weighted=sample_weight is not None)
        return sy.inverse_frequency(counts).label_weights()

    theirs.compute_class_weight = compute_class_weight
    folder = Path(theirs.__file__).parent if str(checkout) == "installed" else checkout / "sklearn" / "utils"
    return [str(folder / "tests" / "test_class_weight.py")]


def scikit_learn_cuts(checkout: Path) -> list[str]:
    model_selection: Any = importlib.import_module("sklearn.model_selection")
    module: Any = importlib.import_module("sklearn.model_selection._classification_threshold")
    available_if: Any = importlib.import_module("sklearn.utils.metaestimators").available_if

    from steelyard.integrations.sklearn import Weighted

    def has_probabilities(self: Any) -> bool:
        return hasattr(self.estimator, "predict_proba")

    def ours(self: Any, threshold: Any, cv: Any, X: Any, y: Any, params: dict[str, Any]) -> Any:
        if self.response_method == "decision_function" or not has_probabilities(self):
            pytest.skip("cuts of ours are cuts of probabilities")
        self.ours_ = Weighted(self.estimator, None, threshold=threshold, cv=cv).fit(X, y, **params)
        self.estimator_, self.best_threshold_ = self.ours_.estimator_, self.ours_.threshold_
        return self

    class Answers:
        def predict(self: Any, X: Any) -> Any:
            return self.ours_.predict(X)

        @available_if(has_probabilities)
        def predict_proba(self: Any, X: Any) -> Any:
            return self.ours_.predict_proba(X)

        @available_if(has_probabilities)
        def predict_log_proba(self: Any, X: Any) -> Any:
            return self.ours_.predict_log_proba(X)

    class Fixed(Answers, model_selection.FixedThresholdClassifier):
        def _fit(self, X: Any, y: Any, **params: Any) -> Any:
            threshold = 0.5 if self.threshold == "auto" else self.threshold
            first = self.pos_label is not None and self.pos_label == np.unique(y)[0]
            # "at least t of the first" is "at most 1 - t of the second"
            return ours(self, float(np.nextafter(1 - threshold, 1)) if first else threshold, None, X, y, params)

    class Tuned(Answers, model_selection.TunedThresholdClassifierCV):
        def _fit(self, X: Any, y: Any, **params: Any) -> Any:
            if self.cv == "prefit" or isinstance(self.cv, float) or not self.refit:
                pytest.skip("a classifier fitted before, and one that is not fitted on all rows, have no counterpart")
            return ours(self, purpose(self.scoring, y), self.cv or 5, X, y, params)

        @property
        def cv_results_(self) -> Any:
            pytest.skip("every cut is tried, and no grid")

    def purpose(scoring: Any, y: Any) -> Any:
        name = scoring if isinstance(scoring, str) else scoring._score_func.__name__.removesuffix("_score")
        options = {} if isinstance(scoring, str) else scoring._kwargs
        if options.get("pos_label", np.unique(y)[1]) != np.unique(y)[1]:
            pytest.skip("Weighted cuts the second of two classes")
        if name == "balanced_accuracy":
            return name
        return {"metric": "fbeta", "beta": float({"f1": 1.0}.get(name) or options["beta"])}

    for place in (model_selection, module):
        place.FixedThresholdClassifier, place.TunedThresholdClassifierCV = Fixed, Tuned
    folder = Path(model_selection.__file__).parent
    folder = folder if str(checkout) == "installed" else checkout / "sklearn" / "model_selection"
    return [
        "-k",
        "not fit_and_score and not conflict_cv_refit and not thresholds_array and not store_cv_results and not cv_float and not fitted_estimator"
        " and not classifier_classes_",
        str(folder / "tests" / "test_classification_threshold.py"),
    ]


def torchvision(checkout: Path) -> list[str]:
    sys.path.insert(0, str(checkout / "test"))  # for its helpers
    from tests.integrations import torchvision_on_cpu  # noqa: F401  # pyright: ignore[reportUnusedImport]
    from torchvision import ops  # pyright: ignore[reportMissingImports]

    def sigmoid_focal_loss(inputs, targets, alpha=0.25, gamma=2, reduction="none"):
        if reduction not in ("none", "mean", "sum"):
            raise ValueError(f"Invalid reduction {reduction!r}")
        loss = focal_of_yes_or_no(inputs, targets.to(inputs.dtype), alpha if alpha >= 0 else None, gamma)
        return reduced(loss, reduction)

    ops.sigmoid_focal_loss = ops.focal_loss.sigmoid_focal_loss = sigmoid_focal_loss
    return ["-k", "TestFocalLoss and not test_jit", str(checkout / "test" / "test_ops.py")]


PEERS: dict[str, Shim] = {
    "fvcore": fvcore,
    "kornia": kornia,
    "imbalanced-losses": imbalanced_losses,
    "balanced-loss": balanced_loss,
    "monai": monai,
    "smp": smp,
    "scikit-learn": scikit_learn,
    "scikit-learn-cuts": scikit_learn_cuts,
    "torchvision": torchvision,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """pytest's exit code; 2 where the checkout has no such tests."""
    parser = argparse.ArgumentParser(description="Other libraries' own tests against our losses.")
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("options", nargs="*", help="for pytest, behind --")
    given = parser.parse_args(arguments)
    if str(given.checkout) != "installed" and not given.checkout.is_dir():
        parser.error(f"{given.checkout} is no folder")
    asked = PEERS[given.peer](given.checkout if str(given.checkout) == "installed" else given.checkout.resolve())
    tests = next(name for name in asked if name.endswith(".py"))
    if not Path(tests).is_file():
        parser.error(f"{tests} is not there; is {given.checkout} a checkout of {given.peer}?")
    return int(
        pytest.main(["-q", "-c", "/dev/null", "-p", "no:cacheprovider", "-p", "no:xdist", *asked, *given.options])
    )


if __name__ == "__main__":
    sys.exit(main())
