"""The programs that are copied most for weights in a binary loss, run as they are, and the same on logits."""

from collections.abc import Mapping

import torch
from examples.three_programs import PROGRAMS, first_nan, learned_weights, on_logits, on_probabilities, starts
from torch import nn

import steelyard as sy
from examples import bce_weight, label_smoothing

from .claim import Claim, Conclusion, Record, Table, exact, rate


def units(small: bool) -> list[str]:
    return [*PROGRAMS, "weights on logits", "weight of two classes", "printed smoothing"]


def run(unit: str, small: bool) -> Record:
    if unit in PROGRAMS:
        return program(unit, seeds=10 if small else 200)
    return {"weights on logits": trained, "weight of two classes": two_classes, "printed smoothing": printed}[unit]()


def program(name: str, seeds: int) -> Record:
    """Epochs of the first NaN, of the seeds that have one: as copied, on probabilities, and on logits by `sy.BinaryCrossEntropy`."""
    w_neg, w_pos, learns = PROGRAMS[name]
    start = starts(seeds)
    ours = on_logits(start, sy.fixed(weight=[w_neg, w_pos]))
    return {
        "seeds": seeds,
        "copied": first_nan(on_probabilities(start, w_neg, w_pos, learns).losses),
        "ours": first_nan(ours),
        "falls": int((ours[-1] < ours[0]).sum()),
    }


def trained() -> Record:
    """Program 3 in the stable form, from p = 1/2: {step: (w_neg, w_pos, loss)}"""
    weights, losses, _ = learned_weights(101)
    return {str(s): [*weights[s].tolist(), float(losses[s])] for s in (0, 10, 20, 50, 100)}


def two_classes() -> Record:
    """What `weight=[0.1, 0.9]` is to one logit per row; and the weights of labels 0, 1, 1 that the right call gives."""
    return {
        "torch": bce_weight.error_of(nn.BCEWithLogitsLoss(weight=torch.tensor(bce_weight.WEIGHT))),
        "steelyard": bce_weight.error_of(sy.BCEWithLogitsLoss(weight=bce_weight.WEIGHT)),
        "weights": bce_weight.what_ours_does().flatten().tolist(),
    }


def printed() -> Record:
    """Largest differences of gradients: the printed formula from (1 - e) times plain cross-entropy, `sy.smooth` from torch's smoothing."""
    z, y = label_smoothing.batch()
    e = label_smoothing.EPSILON
    formula, plain, theirs, ours = (
        label_smoothing.gradient(loss, z, y)
        for loss in (
            label_smoothing.printed,
            nn.CrossEntropyLoss(),
            nn.CrossEntropyLoss(label_smoothing=e),
            sy.CrossEntropy(sy.smooth(e)),
        )
    )
    return {
        "from plain": float((formula - (1 - e) * plain).abs().max()),
        "ours": float((ours - theirs).abs().max()),
        "from smoothing": float((formula - theirs).abs().max()),
    }


def conclude(records: Mapping[str, Record]) -> Conclusion:
    findings, rows = [], []
    for name in PROGRAMS:
        found = records[name]
        seeds, broken, ours = found["seeds"], found["copied"], len(found["ours"])
        of = f"{seeds} seeds"
        findings += [
            rate(
                f"program {name[0]} ({name[2:]}), as copied: share of seeds that end in NaN",
                (0.9, None),
                len(broken),
                seeds,
                of,
            ),
            rate(
                f"program {name[0]} ({name[2:]}), on logits: share of seeds that end in NaN",
                (None, 0.1),
                ours,
                seeds,
                of,
            ),
        ]
        spread = f"{min(broken)} to {max(broken)}" if broken else ""
        rows.append([name, f"{len(broken)} of {seeds}", spread, f"{ours} of {seeds}", f"{found['falls']} of {seeds}"])
    path, said, smooth = records["weights on logits"], records["weight of two classes"], records["printed smoothing"]
    findings += [
        exact(
            "weight of a “no” after 20 steps, trained beside the logits, 0.5 at the start", (None, 0.0), path["20"][0]
        ),
        exact(
            "`BCEWithLogitsLoss(weight=[0.1, 0.9])` on one logit per row raises in torch (1: yes)",
            (1, 1),
            said["torch"] != "no error",
            "one call",
        ),
        exact("here it raises and names `pos_weight` (1: yes)", (1, 1), "pos_weight" in said["steelyard"], "one call"),
        exact(
            "largest error of the weights 0.1 and 0.9 by the right call",
            (None, 1e-6),
            max(abs(a - b) for a, b in zip(said["weights"], (0.1, 0.9, 0.9), strict=True)),
            "three labels",
        ),
        exact(
            "gradient of the printed smoothing minus (1 - e) times plain cross-entropy's",
            (None, 1e-12),
            smooth["from plain"],
            "largest of 128",
        ),
        exact(
            "gradient of `sy.smooth` minus that of torch's smoothing", (None, 1e-12), smooth["ours"], "largest of 128"
        ),
    ]
    return Conclusion(
        findings,
        [
            Table(
                "Gradient descent on ten predictions, one of them positive, 100 epochs at the step size of the articles",
                ("program", "NaN as copied", "at epoch", "NaN on logits", "the loss falls on logits"),
                rows,
            ),
            Table(
                "Program 3 on logits: the weights follow the loss down, through zero, and from there it pays for mistakes",
                ("step", "w_neg", "w_pos", "loss"),
                [[step, *(f"{v:.4g}" for v in values)] for step, values in path.items()],
            ),
        ],
    )


CLAIM = Claim(
    name="programs",
    title="Programs that are copied, and why they fail",
    says="Three widely copied training programs for weighted binary cross-entropy end in NaN, a weight for each of two classes is no `weight=` "
    "of torch's binary loss, and a printed formula for label smoothing does not smooth; on logits and with weights by class all of it works.",
    source="Two widely copied articles on weighted cross-entropy say the opposite: that inverse frequencies “effectively compensate”, that "
    "normalised weights stabilise the training, and that weights can be trained beside the predictions.",
    done="The three programs as printed ([examples/three_programs.py](../../examples/three_programs.py)), from the random predictions of seeds 0 to "
    "199, beside `sy.BinaryCrossEntropy(sy.fixed(weight=...))` on the logits of the same predictions with the same step size. The others are single "
    "calls.",
    seeds="200 random starts for each of three programs",
    units=units,
    run=run,
    conclude=conclude,
)
