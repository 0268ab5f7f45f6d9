"""Write the pages that are read off the code and the results: in reference/, ingredients.md from the menu, cli.md from the commands' own help,
evidence/speed.md from benchmarks/results; rules.md from the list in steelyard.adaptive.

python docs/build_tables.py           write them
python docs/build_tables.py --check   exit 1 and name the pages that are out of date
"""

import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from steelyard import adaptive, curves, ingredients
from steelyard.counts import Counts
from steelyard.options import Spec, spec_of
from steelyard.recipe import COMBINE, ONE_ONLY

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))  # a test loads this file by its path
import reading_page  # noqa: E402
import rooms  # noqa: E402
import speed_page  # noqa: E402

NOTE = "<!-- Written by docs/build_tables.py; edit the docstrings, then run: python3 run.py docs -->"

# What to hand to the ingredients whose first argument is not `counts`; the rest is made from two classes.
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "deployment": ([0.5, 0.5], Counts.of(900, 100)),
    "costs": ([[0, 1], [5, 0]],),
    "fixed": (),
}
SECTIONS = {
    "weight": "What a label counts",
    "offset": "What the head start is",
    "scale": "How sharp the logits are",
    "margin": "By how much to win",
    "curve": "How the penalty falls",
    "target": "What a label asks for",
    "any": "Your own numbers",
}

INGREDIENTS_PAGE = f"""{NOTE}

# Ingredients

Each is a function that returns a `Recipe`. `sy.mix` joins recipes; `sy.CrossEntropy` and `sy.BinaryCrossEntropy` bind one
to a loss. [The algebra](algebra.md) says what the fields do, [choosing](../choosing.md) which to take when.

In the formulas n_c is the count of class c, pi_c its share of the data, y the label, p the probability of the answer, z the
logits. On the command line the same names are written with dashes: `steelyard weigh DATA --label COL --strategy
effective-number --beta 0.99`. Options are keyword arguments; an option out of its range is an error that names the range.
`help(sy.effective_number)` prints the rest: shapes, units, what multilabel counts do.
"""

CURVES_PAGE = """
## Curves

The curve g is how the penalty falls as the probability p of the outcome rises. `sy.fixed(curve=sy.curves.Square())` sets one
directly; the ingredients above set the others.

| curve | penalty |
|---|---|
"""

RULES_PAGE = f"""{NOTE}

# Rules

Each emits the next recipe while training goes on: `sy.CrossEntropy(sy.adaptive.NAME(...))`. [Changing weights](../howto/adaptive.md) says
which to take when, with what came of it, [learned weights](../howto/learned.md) what can be learned. `help(sy.adaptive.Seesaw)` prints the rest.

| rule | options | what it does | source |
|---|---|---|---|
"""

CLI_PAGE = f"""{NOTE}

# The command line

`steelyard COMMAND --help` prints what is listed here. Bad input ends in one paragraph on stderr and exit code 2. Files
that are not steelyard's are [never replaced](files.md) without `--overwrite`.
The strategies and their options are those of [the ingredients](ingredients.md).
"""


def build() -> dict[str, str]:
    """{page: text}"""
    return {
        "reference/ingredients.md": ingredients_page(),
        "reference/rules.md": rules_page(),
        "reference/cli.md": cli_page(),
        "reference/reading.md": reading_page.page(NOTE),
        "evidence/speed.md": speed_page.page(NOTE),
        "images/rooms.svg": rooms.draw(),
        "images/tuning.svg": rooms.draw("tuning"),
    }


def ingredients_page() -> str:
    text = INGREDIENTS_PAGE
    rows: dict[str, list[str]] = {section: [] for section in SECTIONS}
    for function in ingredients.OURS:  # not menu(): a plug-in of whoever builds the page does not belong in it
        rows[sets(function)].append(ingredient_row(function))
    for field, title in SECTIONS.items():
        known = f": `{field}`" if field != "any" else ""
        text += f"\n## {title}{known}\n\n| ingredient | options | what it does | source |\n|---|---|---|---|\n"
        text += "".join(rows[field])
    text += CURVES_PAGE
    for name, curve in curves.CURVES.items():
        text += f"| `{name}{bare(curve)}` | {cell(first_line(curve))} |\n"
    return text


def sets(function: Callable[..., Any]) -> str:
    """The field that the ingredient sets by default; "any" for `fixed`."""
    spec = function.spec  # type: ignore[attr-defined]
    arguments = ARGUMENTS.get(spec.name, (Counts.of(900, 100),) if spec.argument == "counts" else ())
    recipe = function(*arguments)
    found = [f for f in (*COMBINE, *ONE_ONLY) if getattr(recipe, f) is not None]
    if spec.name == "fixed":
        return "any"
    if spec.name == "margin":  # its scale only makes room for the margin
        found.remove("scale")
    if len(found) != 1:
        raise ValueError(f"build_tables: {spec.name} sets {found or 'nothing'}; say in sets() where it belongs.")
    return found[0]


def ingredient_row(function: Callable[..., Any]) -> str:
    spec = function.spec  # type: ignore[attr-defined]
    takes = "" if spec.argument is None or spec.argument in spec.options else spec.argument
    return row(spec, "prior, counts" if spec.name == "deployment" else takes)


def rules_page() -> str:
    return RULES_PAGE + "".join(row(spec_of(rule), positional(rule)) for rule in adaptive.RULES.values())


def positional(rule: type) -> str:
    parameters = inspect.signature(rule).parameters.values()
    starred = ["*" + p.name for p in parameters if p.kind is p.VAR_POSITIONAL]
    return ", ".join([p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD] + starred)


def row(spec: Spec, takes: str) -> str:
    options = [
        f"`{o.name}`" if o.default is inspect.Parameter.empty else f"`{o.name}={o.default!r}`"
        for o in spec.options.values()
    ]
    domains = [f" {o.rule}" if o.rule is not None else "" for o in spec.options.values()]
    told = "<br>".join(option + domain for option, domain in zip(options, domains, strict=True))
    return f"| `{spec.name}({takes})` | {cell(told)} | {cell(spec.summary)} | {cell(spec.source)} |\n"


def cli_page() -> str:
    import typer.main

    from steelyard.cli.app import app

    group: Any = typer.main.get_command(app)
    text = CLI_PAGE + "\n## steelyard\n\n" + command_text(group)
    for name in group.commands:
        text += f"\n## steelyard {name}\n\n" + command_text(group.commands[name], name)
    return text


def command_text(command: Any, name: str = "") -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not getattr(p, "hidden", False)]
    words = [name, *(p.name.upper() for p in arguments), "[OPTIONS]"] if name else ["[OPTIONS]", "COMMAND"]
    usage = " ".join(["steelyard", *words])
    text = f"{' '.join(inspect.cleandoc(command.help or '').split())}\n\n    {usage}\n"
    if arguments or options:
        text += "\n| argument or option | default | meaning |\n|---|---|---|\n"
    for p in (*arguments, *options):
        flags = p.name.upper() if p in arguments else ", ".join((*p.opts, *p.secondary_opts))
        text += f"| `{flags}` | {default(p)} | {cell(getattr(p, 'help', None) or '')} |\n"
    return text


def default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    value = parameter.default
    plain = isinstance(value, (str, int, float)) and not isinstance(value, bool)
    return f"`{value}`" if plain else ""


def first_line(thing: Any) -> str:
    """The first sentence of a docstring, without its source."""
    return (inspect.getdoc(thing) or "").partition("\n")[0].partition(" Source:")[0]


def bare(curve: type) -> str:
    """(gamma=2.0)"""
    return "(" + ", ".join(f"{p.name}={p.default}" for p in inspect.signature(curve).parameters.values()) + ")"


def cell(text: str) -> str:
    """`text` inside a Markdown table: a star there is multiplication, not emphasis."""
    for mark in ("|", "*"):
        text = "".join(escaped(text, mark))
    return text


def escaped(text: str, mark: str) -> Iterator[str]:
    """`text` with `mark` escaped outside `code`."""
    for i, part in enumerate(text.split("`")):
        code = i % 2 == 1
        yield ("`" if i else "") + (part if code and mark != "|" else part.replace(mark, "\\" + mark))


def main(arguments: list[str]) -> int:
    pages = build()
    stale = [n for n, text in pages.items() if not (FOLDER / n).exists() or (FOLDER / n).read_text("utf-8") != text]
    if "--check" in arguments:
        for name in stale:
            print(f"docs/{name} is out of date; run: python3 run.py docs")
        return 1 if stale else 0
    for name in stale:
        (FOLDER / name).write_text(pages[name], "utf-8")
        print(f"wrote docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
