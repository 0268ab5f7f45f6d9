"""Code to paste: the verdict's weights and threshold in torch, Keras, scikit-learn and steelyard.

Every snippet is Python that runs once the names it leaves open exist: logits [N, C] or logit [N], y, model, X, and row_weight [N]
where the study weighted its rows.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..class_order import standing
from ..explain.class_weights import beyond_weights, label_values
from ..version import __version__
from .document import Report

OWN = " row_weight holds the weights of these rows, divided by their mean over the table."
LOAD = 'recipe = sy.Recipe.load("recipe.json")'


@dataclass(frozen=True)
class Snippet:
    """`says` is a sentence above the code."""

    key: str
    title: str
    says: str
    code: str


def snippets(report: Report) -> list[Snippet]:
    """The winner's weights; plain training with the threshold where no weighting won."""
    order, won, two, own = report.table.exact, report.winner, report.binary, report.table.weight is not None
    names = standing(order)
    if not names:
        return []
    if won is None:
        return list(
            map(_dated, [_plain_torch(order, two, own), _decide(report), _plain_keras(own), _sklearn(report, None)])
        )
    if beyond_weights(report.recipe):
        own_loss = _steelyard(f"sy.Recipe.load({'recipe.json'!r})", names, two, own, _only_here(won))
        return list(map(_dated, [own_loss, _decide(report)]))
    w = report.recipe.label_weights()
    table = ", ".join(f"{name!r}: {_digits(v)}" for name, v in zip(names, w, strict=True))
    torch, of = [_torch(w, names, own)], dict(zip(names, w, strict=True))
    if two and of[order[0]] > 0:
        torch.append(_torch_one_logit(of[order[0]], of[order[1]], order, own))
    ours = _steelyard(f"sy.Recipe(weight={{{table}}})", names, two, own, "The same as a recipe, which can be undone.")
    return list(map(_dated, [*torch, ours, _decide(report), _keras(w, names, own), _sklearn(report, w)]))


PACKAGES = {
    "import torch": "torch",
    "from torch": "torch",
    "from sklearn": "scikit-learn",
    "import steelyard": "steelyard",
}


def _dated(snippet: Snippet) -> Snippet:
    """With the versions that are installed here, of what it imports."""
    used = dict.fromkeys(name for line, name in PACKAGES.items() if line in snippet.code)
    known = [f"{name} {version}" for name in used if (version := _version(name))]
    return replace(snippet, code=f"# {', '.join(known)}\n{snippet.code}") if known else snippet


def _version(name: str) -> str:
    from importlib import metadata

    if name == "steelyard":
        return __version__
    try:
        return metadata.version(name).partition("+")[0]
    except metadata.PackageNotFoundError:
        return ""


def _mean(loss: str, options: str, inputs: str, own: bool) -> str:
    """The loss as a call that gives the mean over rows, each counted by row_weight where rows are weighted."""
    if not own:
        return f"{loss}({options})({inputs})"
    options = ", ".join(filter(None, [options, 'reduction="none"']))
    return f"({loss}({options})({inputs}) * row_weight).mean()"


def _plain_torch(names: tuple[str, ...], two: bool, own: bool) -> Snippet:
    code = f"from torch import nn\n\nloss = {_mean('nn.CrossEntropyLoss', '', 'logits, y', own)}\n"
    if two:
        one = _mean("nn.BCEWithLogitsLoss", "", f"logit, {_yes(names)}.float()", own)
        code += f"loss = {one}  # or one logit per row, {_yes_is(names)}\n"
    return Snippet("torch", "PyTorch", f"No weighting was shown to help: no weight=, no pos_weight=.{OWN * own}", code)


def _torch(w: np.ndarray, names: tuple[str, ...], own: bool) -> Snippet:
    each = 'nn.CrossEntropyLoss(weight=weight, reduction="none")(logits, y)'
    code = (
        "import torch\nfrom torch import nn\n\n"
        f"weight = torch.tensor({_list(w)})  # {_order(names)}\n"
        f"loss = {f'({each} * row_weight)' if own else each}.mean()\n"
    )
    says = "The mean over rows. torch's own mean divides by the weights in the batch, and in small batches undoes them."
    return Snippet("torch", "PyTorch", says + OWN * own, code)


def _torch_one_logit(negative: float, positive: float, names: tuple[str, ...], own: bool) -> Snippet:
    loss = _mean("nn.BCEWithLogitsLoss", "weight=weight, pos_weight=pos_weight", f"logit, {_yes(names)}.float()", own)
    code = (
        "import torch\nfrom torch import nn\n\n"
        f"weight = torch.tensor({_digits(negative)})\n"
        f"pos_weight = torch.tensor({_digits(positive / negative)})  # {_yes_is(names)}\n"
        f"loss = {loss}\n"
    )
    says = "pos_weight alone changes the size of the loss; weight brings it back."
    return Snippet("torch-one-logit", "PyTorch, one logit per row", says, code)


def _yes(order: tuple[str, ...]) -> str:
    """1 for the positive class, of labels that are numbered as `standing` has the classes."""
    return "y" if standing(order) == order else "(y == 0)"


def _yes_is(order: tuple[str, ...]) -> str:
    return f"y = 1 for {order[1]!r}" if standing(order) == order else f"1 for {order[1]!r}"


def _steelyard(recipe: str, names: tuple[str, ...], two: bool, own: bool, says: str) -> Snippet:
    code = (
        f"import steelyard as sy\n\nrecipe = {recipe}\n"
        f"loss = {_mean('sy.CrossEntropy', 'recipe', 'logits, y', own)}  # logits: {_order(names)}\n"
    )
    if two:
        one = _mean("sy.BinaryCrossEntropy", "recipe", "logit, y", own)
        code += f"loss = {one}  # or one logit per row, y = 1 for {names[1]!r}\n"
    says += OWN * own
    return Snippet("steelyard", "PyTorch with steelyard", says, code)


def _only_here(won: str) -> str:
    return f"{won} is more than a weight per class: class_weight in Keras and scikit-learn cannot say it."


def _decide(report: Report) -> Snippet:
    """From logits to probabilities and a decision."""
    won, names, at, factors = report.winner, report.table.exact, report.verdict.threshold, report.verdict.factors
    if won:
        code = f"import steelyard as sy\nimport torch\n\n{LOAD}\np = sy.posterior(logits, recipe)\n"
    else:
        code = "import torch\n\np = torch.softmax(logits, dim=1)\n"
    if at is not None and report.binary:
        code = code.replace("import torch\n", "", 1) if won else code
        column = standing(names).index(names[1])
        code += f"called = p[:, {column}] >= {_digits(at)}  # column {column} is {names[1]!r}\n"
    elif factors:
        shares = "p"
        if not all(f == 1 for f in factors):
            code += f"factors = torch.tensor({_list(np.array(factors))})  # {_order(names)}\n"
            shares = "(p / factors)"
        if report.rule == "expected_cost" and report.costs.matrix:
            rows = ", ".join(_list(np.array(row)) for row in report.costs.matrix)
            code += f"cost = torch.tensor([{rows}])  # [truth][decision]\n"
            code += f"decided = ({shares} @ cost).argmin(dim=1)  # {_order(names)}\n"
        else:
            code += f"decided = {shares}.argmax(dim=1)  # {_order(names)}\n"
    elif at is not None:
        n = np.array(report.table.masses, dtype=float)
        code += f"shares = torch.tensor({_list(n / n.sum())})  # {_order(names)}\n"
        code += f"decided = (p.log() - {_digits(at)} * shares.log()).argmax(dim=1)\n"
    says = (
        "Undo the weights, then apply the threshold." if won else "There are no weights to undo; apply the threshold."
    )
    return Snippet("decide", "From logits to a decision", says, code)


def _plain_keras(own: bool) -> Snippet:
    rows = ", sample_weight=row_weight" * own
    return Snippet("keras", "Keras", f"Leave class_weight out.{OWN * own}", f"model.fit(X, y{rows})\n")


def _keras(w: np.ndarray, names: tuple[str, ...], own: bool) -> Snippet:
    rows = ", sample_weight=row_weight" * own
    table = ", ".join(f"{i}: {_digits(v)}" for i, v in enumerate(w))
    code = f"class_weight = {{{table}}}  # {_order(names)}\nmodel.fit(X, y, class_weight=class_weight{rows})\n"
    return Snippet("keras", "Keras", f"By the number that stands for the class in y.{OWN * own}", code)


def _sklearn(report: Report, w: np.ndarray | None) -> Snippet:
    """The tuner's linear model; of another model only the lines around it, which any classifier takes."""
    if report.model not in ("", "linear"):
        return _any_classifier(report, w)
    names, at, own = report.table.exact, report.verdict.threshold, report.table.weight is not None
    strength = report.settings.final
    options = [f"C={_digits(1 / strength)}"] if strength else []
    lines = ["import numpy as np", "import steelyard as sy"] if w is not None else _numpy(report)
    lines += [
        "from sklearn.linear_model import LogisticRegression",
        "from sklearn.pipeline import make_pipeline",
        "from sklearn.preprocessing import StandardScaler",
        "",
    ]
    if w is not None:
        lines.append(f"class_weight = {_by_label(standing(names), w)}")
        options.append("class_weight=class_weight")
    rows = ", logisticregression__sample_weight=row_weight" * own
    lines.append(f"model = make_pipeline(StandardScaler(), LogisticRegression({', '.join(options)})).fit(X, y{rows})")
    if at is not None and report.binary:
        lines += _sklearn_decision(names, at, undo=w is not None)
    elif at is not None:
        lines += _sklearn_shift(report, at, undo=w is not None)
    says = (
        "By the class as it stands in y; then the threshold."
        if w is not None
        else "Leave class_weight out; then the threshold."
    )
    return Snippet("sklearn", "scikit-learn", says + OWN * own, "\n".join(lines) + "\n")


def _any_classifier(report: Report, w: np.ndarray | None) -> Snippet:
    names, at, own = report.table.exact, report.verdict.threshold, report.table.weight is not None
    lines = [*_numpy(report), *[""] * bool(_numpy(report)), f"model.fit(X, y{', sample_weight=row_weight' * own})"]
    if w is not None:
        lines = [
            "import numpy as np",
            "import steelyard as sy",
            "",
            f"class_weight = {_by_label(standing(names), w)}",
            f"model.fit(X, y, sample_weight=np.array([class_weight[c] for c in y]){' * row_weight' * own})",
        ]
    if at is not None and report.binary:
        lines += _sklearn_decision(names, at, undo=w is not None)
    elif at is not None:
        lines += _sklearn_shift(report, at, undo=w is not None)
    says = "Any classifier with predict_proba, the weights given row by row." if w is not None else "Any classifier."
    return Snippet("sklearn", "scikit-learn", says + OWN * own, "\n".join(lines) + "\n")


def _sklearn_decision(order: tuple[str, ...], at: float, *, undo: bool) -> list[str]:
    names = standing(order)
    values, positive = list(map(repr, label_values(names))), names.index(order[1])
    if not undo:
        column = f"list(model.classes_).index({values[positive]})"
        return ["", f"p = model.predict_proba(X)[:, {column}]", f"called = p >= {_digits(at)}"]
    return [
        "",
        LOAD,
        f"order = [list(model.classes_).index(c) for c in ({', '.join(values)})]",
        f"p = sy.posterior(np.log(model.predict_proba(X)[:, order]), recipe)[:, {positive}]",
        f"called = p >= {_digits(at)}",
    ]


def _numpy(report: Report) -> list[str]:
    """What the second step of several classes needs."""
    return [] if report.binary or report.verdict.threshold is None else ["import numpy as np"]


def _sklearn_shift(report: Report, at: float, *, undo: bool) -> list[str]:
    """More than two classes: the shares of the classes divided out to the power `at`, then the largest."""
    names = report.table.exact
    values = ", ".join(map(repr, label_values(names)))
    n = np.array(report.table.masses, dtype=float)
    lines = [
        "",
        f"classes = np.array([{values}])",
        "p = model.predict_proba(X)[:, [list(model.classes_).index(c) for c in classes.tolist()]]",
    ]
    if undo:
        lines += [LOAD, "p = sy.posterior(np.log(p), recipe)"]
    return [
        *lines,
        f"shares = np.array({_list(n / n.sum())})",
        f"decided = classes[(p / shares ** {_digits(at)}).argmax(axis=1)]",
    ]


def _by_label(names: tuple[str, ...], w: np.ndarray) -> str:
    return "{" + ", ".join(f"{value!r}: {_digits(v)}" for value, v in zip(label_values(names), w, strict=True)) + "}"


def _digits(value: float) -> str:
    return f"{value:.6g}"


def _list(values: np.ndarray) -> str:
    return "[" + ", ".join(_digits(v) for v in values) + "]"


def _order(names: tuple[str, ...]) -> str:
    """Class names for a comment: quoted, so that no name can end the line."""
    shown = [repr(n) for n in names[:12]]
    return ", ".join(shown) + (f", and {len(names) - 12} more" if len(names) > 12 else "")
