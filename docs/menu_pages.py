"""docs/reference/ingredients.md and rules.md: a table of all, and a section of each. Loaded by build_tables.py."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import loss_pictures
import menu
import prose

from steelyard import adaptive, curves, ingredients
from steelyard.options import Spec, spec_of
from steelyard.recipe import COMBINE, ONE_ONLY

SECTIONS = {
    "weight": "What a label counts",
    "offset": "What the head start is",
    "scale": "How sharp the logits are",
    "margin": "By how much to win",
    "curve": "How the penalty falls",
    "target": "What a label asks for",
    "any": "Your own numbers",
}

INGREDIENTS = """
# Ingredients

Each is a function that returns a `Recipe`. `sy.mix` joins recipes; `sy.CrossEntropy` and `sy.BinaryCrossEntropy` bind one
to a loss. [The algebra](algebra.md) says what the fields do, [choosing](../choosing.md) which to take when.

In the formulas n_c is the count of class c, pi_c its share of the data, y the label, p the probability of the answer, z the
logits. On the command line the same names are written with dashes: `steelyard weigh DATA --label COL --strategy
effective-number --beta 0.99`. Options are keyword arguments; an option out of its range is an error that names the range.

Each section has a picture for 900 examples of a common class and 100 of a rare one. Over x, by how much the logit of the true class
leads, it shows the loss of one example and how hard that example pulls on the logit. *Undone* says how
`sy.posterior` gets honest probabilities back ([what that is](../read/glossary.md#undone)), *runs in* who computes it. Weights have
[unit mass](../read/glossary.md#unit-mass): their mean over the data is 1.

"""

CURVES = """
## Curves

The curve g is how the penalty falls as the probability p of the outcome rises. `sy.fixed(curve=sy.curves.Square())` sets one
directly; the ingredients above set the others. [A curve of your own](api/curves.md) needs two methods.

| curve | penalty |
|---|---|
"""

RULES = """
# Rules

Each emits the next recipe while training goes on: `sy.CrossEntropy(sy.adaptive.NAME(...))`. [Changing weights](../howto/adaptive.md) says
which to take when, [learned weights](../howto/learned.md) what can be learned. Each is shown [at work](../howto/rules_at_work.md);
[what rules are worth](../evidence/rules.md) has what came of them.

The pictures are as [those of the ingredients](ingredients.md), in a state that the rule has come to: classes of 9 to 1, and a
net that is right about most.

"""


def ingredients_page(note: str) -> str:
    fields: dict[str, list[Callable[..., Any]]] = {section: [] for section in SECTIONS}
    for function in ingredients.OURS:  # not menu(): a plug-in of whoever builds the page does not belong in it
        fields[sets(function)].append(function)
    text = note + "\n" + INGREDIENTS + "| field | ingredients |\n|---|---|\n"
    for field, title in SECTIONS.items():
        names = ", ".join(f"[`{f.spec.name}`](#{anchor(f.spec.name)})" for f in fields[field])  # type: ignore[attr-defined]
        text += f"| {_titled(field, title)} | {names} |\n"
    for field, title in SECTIONS.items():
        text += f"\n## {_titled(field, title)}\n"
        text += "".join(_ingredient(function) for function in fields[field])
    return text + _curves()


def rules_page(note: str) -> str:
    text = note + "\n" + RULES + "| rule | what it does |\n|---|---|\n"
    for name, rule in adaptive.RULES.items():
        text += f"| [`{name}`](#{name.lower()}) | {prose.summary(rule)} |\n"
    return text + "".join(_rule(name, rule) for name, rule in adaptive.RULES.items())


def anchor(name: str) -> str:
    return name.lower()


def _titled(field: str, title: str) -> str:
    return title if field == "any" else f"{title}: `{field}`"


def sets(function: Callable[..., Any]) -> str:
    """The field that the ingredient sets by default; "any" for `fixed`."""
    spec: Spec = function.spec  # type: ignore[attr-defined]
    found = fields_of(function)
    if spec.name == "fixed":
        return "any"
    if spec.name == "margin" and "scale" in found:  # its scale only makes room for the margin
        found.remove("scale")
    if len(found) != 1:
        raise ValueError(f"menu_pages: {spec.name} sets {found or 'nothing'}; say in sets() where it belongs.")
    return found[0]


def fields_of(function: Callable[..., Any]) -> list[str]:
    recipe = menu.example(function)
    return [f for f in (*COMBINE, *ONE_ONLY) if getattr(recipe, f) is not None]


def _ingredient(function: Callable[..., Any]) -> str:
    spec: Spec = function.spec  # type: ignore[attr-defined]
    takes = "" if spec.argument is None or spec.argument in spec.options else spec.argument
    takes = "prior, counts" if spec.name == "deployment" else takes
    found = {
        option: (menu.undo(menu.bound_of(r)), menu.kernel(menu.loss_of(r)))
        for option, r in menu.variants(function).items()
    }
    undone, runs = ([of[i] for of in found.values()] for i in (0, 1))
    facts = {
        "Options": _options(spec),
        "Sets": "any field" if spec.name == "fixed" else _fields(function),
        "Paper": prose.source(spec.source),
        "Undone": " ".join(
            ["by `sy.posterior`,", _each(list(found), undone), *(f"Refused {r}" for r in menu.refused(function))]
        ),
        "Runs in": _each(list(found), runs),
    }
    return _section(spec.name, f"{spec.name}({takes})", function, facts, f"`sy.{menu.call(function)}`")


def _fields(function: Callable[..., Any]) -> str:
    named = [
        f"`{r}`" for r in (function.spec.options["field"].rule.choices if "field" in function.spec.options else ())
    ]  # type: ignore[attr-defined]
    return ", ".join(named or [f"`{f}`" for f in fields_of(function)])


def _each(options: list[str], answers: list[str]) -> str:
    if len(set(answers)) == 1:
        return f"{answers[0]}."
    return " ".join(f"`{option}`: {answer}." for option, answer in zip(options, answers, strict=True))


def _rule(name: str, rule: type[adaptive.Rule]) -> str:
    spec = spec_of(rule)
    stages = menu.stages(name)
    losses = list(stages.values())
    undone = [menu.undo(loss.bound()) for loss in losses][:1]
    beside = menu.beside_tables(rule)
    if beside:
        undone.append(f"{'Of a part that does so, not' if name == 'Mixed' else 'Not'} undone: {', nor '.join(beside)}")
    facts = {
        "Options": _options(spec),
        "Paper": prose.source(spec.source) or "ours",
        "Undone": "the tables as they stand, by `sy.posterior`, " + ". ".join(undone) + ".",
        "Runs in": menu.kernel(losses[0]) + ".",
    }
    return _section(name, f"{name}({menu.positional(rule)})", rule, facts, ", ".join(stages), level="##")


def _section(name: str, call: str, thing: Any, facts: dict[str, str], shown: str, level: str = "###") -> str:
    lines = loss_pictures.drawn()[name]
    text = f"\n{level} {name}\n\n`{call}`\n\n{prose.summary(thing)}\n\n{prose.body(inspect.getdoc(thing) or '')}"
    text += f"![{prose.escaped(loss_pictures.alt(lines))}](../images/losses/{name}.svg)\n\n*Drawn: {shown}.*\n\n| | |\n|---|---|\n"
    return text + "".join(f"| **{key}** | {value} |\n" for key, value in facts.items() if value)


def _options(spec: Spec) -> str:
    told = []
    for o in spec.options.values():
        default = "" if o.default is inspect.Parameter.empty else f"={o.default!r}"
        told.append(f"`{o.name}{default}`" + (f" {_domain(str(o.rule))}" if o.rule is not None else ""))
    return "<br>".join(told)


def _domain(rule: str) -> str:
    """What an option may be, names as code."""
    return prose.escaped(re.sub(r"'(\w+)'", r"`'\1'`", rule))


def _curves() -> str:
    text = CURVES
    for name, curve in curves.CURVES.items():
        text += f"| `{name}{_bare(curve)}` | {prose.summary(curve)} |\n"
    return text


def _bare(curve: type) -> str:
    """(gamma=2.0)"""
    return "(" + ", ".join(f"{p.name}={p.default}" for p in inspect.signature(curve).parameters.values()) + ")"
