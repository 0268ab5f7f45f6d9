"""Bad input is a ValueError that says what, where, got and what to do. Files: losses/functional.py."""

import math

import pytest
import torch

import steelyard as sy
from steelyard import curves

C = "CrossEntropy: "
B = "BinaryCrossEntropy: "
f, i = torch.zeros, lambda *shape: torch.zeros(shape, dtype=torch.int64)

SOFTMAX = [
    (f(4, 3), f(4), r"float targets are probabilities like the logits \[4, 3\], got torch.float32 \[4\].*target.long\(\)"),
    (f(2, 3, 4, 5), f(2, 1, 4, 5), r"pass target.squeeze\(1\).long\(\)"),
    (f(2, 3, 4, 5), i(2, 1, 4, 5), r"Drop the channel: target.squeeze\(1\)"),
    (f(4, 3), i(4, 3), r"One-hot targets are probabilities: pass target.float\(\)"),
    (f(4, 1), i(4), r"one class.*BinaryCrossEntropy\(recipe\)\(logits.squeeze\(1\), target\)"),
    (f(4, 3), i(5), r"logits \[4, 3\] need labels of shape \[4\], got \[5\]"),
    (f(4, 3), f(4, 2), r"probabilities must have the logits' shape \[4, 3\], got \[4, 2\]"),
    (f(4, 3, 7), i(4), r"need labels of shape \[4, 7\], got \[4\]"),
    (i(4, 3), i(4), r"logits must be a floating-point tensor, got torch.int64"),
    ([[0.0, 1.0]], i(1), r"logits must be a floating-point tensor, got list"),
    (f(4, 3), [0, 1, 2, 0], r"target must be a tensor, got list"),
    (f(4, 3), f(4, 3).to(torch.complex64), r"labels \(integers\) or probabilities \(floats\), got torch.complex64"),
    (torch.tensor(0.0), i(1), r"logits need a class axis, got shape \[\]"),
]  # fmt: skip

SIGMOID = [
    (f(4, 1), f(4), r"must have the logits' shape \[4, 1\], got \[4\]. Drop the class axis: logits.squeeze\(1\)"),
    (f(4), f(4, 1), r"Drop the class axis: target.squeeze\(1\)"),
    (f(4, 3), i(4), r"For labels 0..2 of exclusive classes use CrossEntropy"),
    (f(4, 3), f(4, 2), r"must have the logits' shape \[4, 3\], got \[4, 2\]"),
]


@pytest.mark.parametrize(("logits", "target", "said"), SOFTMAX)
def test_softmax_shapes(logits, target, said):
    with pytest.raises(ValueError, match=C + ".*" + said):
        sy.CrossEntropy()(logits, target)


@pytest.mark.parametrize(("logits", "target", "said"), SIGMOID)
def test_sigmoid_shapes(logits, target, said):
    with pytest.raises(ValueError, match=B + ".*" + said):
        sy.BinaryCrossEntropy()(logits, target)


@pytest.mark.parametrize(
    "recipe", [None, sy.Recipe(weight=[1.0] * 19), sy.Recipe(target=0.1), sy.Recipe(margin=[1.0] * 19)]
)
@pytest.mark.parametrize("label", [255, -1])
@pytest.mark.parametrize("dtype", [torch.int64, torch.int32])
def test_a_label_outside_the_classes(recipe, label, dtype):
    target = torch.tensor([3, label, 18], dtype=dtype)
    with pytest.raises(
        ValueError,
        match=rf"target has label {label} but the logits have 19 classes \(0..18\). Void label\? pass ignore_index={label}.",
    ):
        sy.CrossEntropy(recipe)(f(3, 19), target)
    assert sy.CrossEntropy(recipe, ignore_index=label)(f(3, 19), target).isfinite()


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ([1, 2, 3], r"has label 3 .*Do your labels start at 1\? Then pass target - 1\.$"),
        ([3, 3], r"has label 3 .*Do your labels start at 1\? Then pass target - 1\.$"),
        ([0, 1, 2, 3], r"has label 3 .*start at 1\? .* If they start at 0, labels up to 3 need 4 logits"),
        ([0, 4, 3, 1], r"has label 4 .*labels up to 4 need 5 logits"),
        ([0, 1, 3, -100], r"has label 3 .*start at 1"),
    ],
)
@pytest.mark.parametrize(
    "loss", [sy.CrossEntropy(), sy.CrossEntropyLoss(), sy.CrossEntropy(sy.Recipe(weight=[1.0, 2.0, 3.0]))]
)
def test_a_class_is_not_taken_for_void_because_its_number_is_one_too_high(loss, labels, says):
    with pytest.raises(ValueError, match=says) as error:
        loss(f(len(labels), 3), torch.tensor(labels))
    assert "ignore_index" not in str(error.value)


@pytest.mark.parametrize(("labels", "void"), [([0, 1, 255], 255), ([0, -1, 2], -1), ([0, 9, 1], 9), ([0, 255, 3], 255)])
def test_a_number_apart_may_be_void(labels, void):
    with pytest.raises(ValueError, match=rf"has label {void} .*Void label\? pass ignore_index={void}"):
        sy.CrossEntropy()(f(len(labels), 3), torch.tensor(labels))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: sy.CrossEntropy(weight=[1.0, 2.0]), r"CrossEntropyLoss\(weight=.*CrossEntropy\(fixed\(weight="),
        (lambda: sy.CrossEntropy(label_smoothing=0.1), r"CrossEntropyLoss\(label_smoothing=.*smooth\("),
        (lambda: sy.BinaryCrossEntropy(pos_weight=3.0), r"BCEWithLogitsLoss\(pos_weight=.*fixed\(weight="),
        (lambda: sy.BinaryCrossEntropy(weight=3.0), r"BCEWithLogitsLoss\(weight="),
        (lambda: sy.CrossEntropy(ignore=3), r"unknown option 'ignore'; it takes recipe, ignore_index"),
        (lambda: sy.CrossEntropy([1.0, 2.0]), r"fixed\(weight=\.\.\.\), or CrossEntropyLoss\(weight="),
    ],
)
def test_options_of_torch_point_to_where_they_are_taken(make, says):
    with pytest.raises(TypeError, match=says):
        make()


def test_labels_1_and_2_of_a_binary_loss():
    with pytest.raises(ValueError, match=r"got 2. Labels 1 and 2. Pass target - 1"):
        sy.BinaryCrossEntropy()(f(3), torch.tensor([1, 2, 1]))


@pytest.mark.parametrize("label", [2, -1, 255])
def test_a_yes_or_no_label_that_is_neither(label):
    with pytest.raises(ValueError, match=rf"integer targets must be 0, 1 or ignore_index=-100, got {label}"):
        sy.BinaryCrossEntropy()(f(3), torch.tensor([0, 1, label]))
    assert sy.BinaryCrossEntropy(ignore_index=label)(f(3), torch.tensor([0, 1, label])).isfinite()


@pytest.mark.parametrize("shape", [(2,), (2, 1, 1), (2, 4, 5), (2, 1, 4, 5), (2, 1, 5), (1, 4, 1), (1,)], ids=str)
def test_call_weights_align_from_the_left(shape):
    logits, target = torch.randn(2, 3, 4, 5), torch.randint(3, (2, 4, 5))
    weight = torch.rand(shape)
    each = sy.CrossEntropy(reduction="none")(logits, target)
    full = weight.squeeze(1) if len(shape) == 4 else weight.reshape(*shape, *[1] * (3 - len(shape)))
    torch.testing.assert_close(sy.CrossEntropy(reduction="none")(logits, target, weight=weight), each * full)


@pytest.mark.parametrize("shape", [(5,), (4, 5), (3,), (2, 3, 4, 5), (2, 2, 4, 5), (2, 4, 5, 1, 1)], ids=str)
def test_call_weights_that_fit_only_from_the_right_are_refused(shape):
    logits, target = torch.randn(2, 3, 4, 5), torch.randint(3, (2, 4, 5))
    with pytest.raises(
        ValueError, match=r"does not fit the unreduced loss \[2, 4, 5\] from the left.*belong to the recipe"
    ):
        sy.CrossEntropy()(logits, target, weight=torch.rand(shape))


def test_sigmoid_call_weights_align_from_the_left():
    logits, target = torch.randn(4, 3), torch.randint(2, (4, 3))
    each = sy.BinaryCrossEntropy(reduction="none")(logits, target)
    for weight in (torch.rand(4), torch.rand(4, 1), torch.rand(4, 3), torch.rand(1, 3)):
        found = sy.BinaryCrossEntropy(reduction="none")(logits, target, weight=weight)
        torch.testing.assert_close(found, each * (weight.unsqueeze(1) if weight.dim() == 1 else weight))
    with pytest.raises(ValueError, match="from the left"):
        sy.BinaryCrossEntropy()(logits, target, weight=torch.rand(3))


def test_call_weights_may_be_lists_and_any_float_dtype():
    logits, target = torch.randn(3, 2), torch.tensor([0, 1, 1])
    expected = sy.CrossEntropy()(logits, target, weight=torch.tensor([0.5, 1.0, 2.0]))
    for weight in ([0.5, 1, 2], torch.tensor([0.5, 1, 2], dtype=torch.float64), torch.tensor([0.5, 1, 2]).bfloat16()):
        assert torch.equal(sy.CrossEntropy()(logits, target, weight=weight), expected)
    assert torch.equal(
        sy.CrossEntropy()(logits, target, weight=torch.tensor([1, 0, 2])),
        sy.CrossEntropy()(logits, target, weight=torch.tensor([1.0, 0.0, 2.0])),
    )


CALLS = [
    (lambda: sy.CrossEntropy(reduction="avg"), "reduction must be one of none, mean, sum, got 'avg'"),
    (lambda: sy.CrossEntropy(reduction="sum")(f(1, 2), i(1), normalizer=3), 'with reduction="sum" leave it out'),
    (lambda: sy.CrossEntropy(class_dim=0)(f(4, 3), i(3)), "class_dim=0 is not an axis after the batch axis"),
    (lambda: sy.CrossEntropy(class_dim=2)(f(4, 3), i(4)), "class_dim=2 is not an axis"),
    (lambda: sy.CrossEntropy(sy.Recipe(weight=[1, 2]))(f(4, 3), i(4)), r"the recipe is for 2 classes but the logits have 3 on axis 1 \(shape \[4, 3\]\)"),
    (lambda: sy.CrossEntropy(sy.Recipe(classes=["a", "b"]))(f(4, 3), i(4)), "the recipe is for 2 classes"),
    (lambda: sy.BinaryCrossEntropy(sy.Recipe(weight=[[1, 2]]))(f(4, 3), f(4, 3)), "the recipe is for 2 classes"),
    (lambda: sy.BinaryCrossEntropy(sy.Recipe(weight=[[1, 2]]))(torch.tensor(0.0), torch.tensor(0.0)), "logits need a class axis"),
    (lambda: sy.BinaryCrossEntropy(sy.Recipe(weight=[[1, 2]]))(f(3), f(3)), "the recipe is for 2 classes"),
    (lambda: sy.BinaryCrossEntropy(sy.Recipe(weight=[1, 2, 3])), "a yes-or-no loss has two .is not, is..*write"),
    (lambda: sy.BinaryCrossEntropy(sy.Recipe(classes="abc", kind="exclusive")), "for 3 exclusive classes; use CrossEntropy"),
    (lambda: sy.BinaryCrossEntropy(sy.Recipe(scale=[[1, 2]], kind="exclusive")), "use label_temperature"),
    (lambda: sy.BinaryCrossEntropy(sy.Recipe(weight=[[1, 2]], target=0.1, kind="exclusive")), "give one weight per label"),
    (lambda: sy.CrossEntropy(sy.Recipe(kind="multilabel")), "use BinaryCrossEntropy"),
    (lambda: sy.CrossEntropy(sy.Recipe(curve=curves.Square())), "is for the sigmoid link only; use BinaryCrossEntropy"),
    (lambda: sy.CrossEntropy(sy.asymmetric()), "is for the sigmoid link only"),
    (lambda: sy.CrossEntropy(sy.Recipe(margin=[[1, 2]])), r"margin must be one number per label \[C\]"),
    (lambda: sy.CrossEntropy(sy.Recipe(weight=[1, 2], offset=[[1, 2, 3]])), r"different numbers of classes: \[2, 3\]"),
    (lambda: sy.CrossEntropy(sy.Recipe(margin=[1, 2]))(f(4, 2), f(4, 2)), r"lam \* loss\(z, a\) \+ \(1 - lam\) \* loss\(z, b\)"),
    (lambda: sy.Recipe(weight=[1, math.nan]), "weight holds NaN"),
    (lambda: sy.Recipe(weight=[1, -1]), "weight must be >= 0, got -1"),
    (lambda: sy.Recipe(scale=[1, 0]), "scale must be > 0, got 0"),
    (lambda: sy.Recipe(offset=[[math.inf, 0]]), r"offset holds \+inf"),
    (lambda: sy.Recipe(weight=[[[1]]]), r"shape \[1, 1, 1\].*weight=..."),
    (lambda: sy.Recipe(weight="heavy"), "weight must be numbers, got 'heavy'"),
    (lambda: sy.Recipe(target=1.5), r"smoothing amount must be in \[0, 1\]"),
    (lambda: sy.Recipe(target=[[0.5, 0.2, 0.1]] * 3), "target row 0 sums to 0.8"),
    (lambda: sy.Recipe(norm="average"), "norm must be one of count, mass, sum or a number > 0, got 'average'"),
    (lambda: sy.Recipe(norm=0), "norm must be one of"),
    (lambda: sy.Recipe(weight={"a": 1, "b": 2}, classes=["a", "c"]), "weight names a, b but the classes are a, c"),
    (lambda: sy.global_mass([i(3), i(2)], sy.CrossEntropy(), weight=[f(3)]), "2 targets but 1 weights"),
    (lambda: sy.CrossEntropyLoss(weight=[[1.0]]), r"weight must be one number per class, got \[1, 1\]"),
    (lambda: sy.CrossEntropyLoss(weight="a"), "weight must be numbers, got 'a'"),
    (lambda: sy.CrossEntropyLoss(label_smoothing=1.2), r"label_smoothing must be in \[0, 1\], got 1.2"),
    (lambda: sy.BCEWithLogitsLoss(weight=[0.1, 0.9])(f(3, 1), f(3, 1)), r"weight \[2\] does not broadcast to the input \[3, 1\].*pos_weight"),
    (lambda: sy.BCEWithLogitsLoss(pos_weight=[1.0, 2.0])(f(4, 3), f(4, 3)), r"pos_weight \[2\] does not broadcast.*One number per class is \[3\]"),
    (lambda: sy.BCEWithLogitsLoss(pos_weight=[1.0, 2.0, 3.0])(f(4, 3), f(3, 4)), r"target must have the logits' shape \[4, 3\], got \[3, 4\]"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "said"), CALLS)
def test_bad_recipes_and_options(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_a_table_where_a_recipe_belongs():
    with pytest.raises(TypeError, match=r"takes a Recipe, got list. Weights alone: fixed\(weight=...\)"):
        sy.CrossEntropy([1.0, 2.0])
    with pytest.raises(TypeError, match="mix: takes recipes, got int 3"):
        sy.mix(sy.Recipe(), 3)
