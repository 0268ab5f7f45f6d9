"""docs/reference/api/*.md: what is public, from the docstrings. Loaded by build_tables.py.

A name of `steelyard.__all__` stands on the page of the module it lives in, what a public submodule offers on that module's page.
Ingredients and rules have pages of their own (menu_pages.py). Adapters are read and not imported: their frameworks need not be there.
"""

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import prose

import steelyard as sy
from steelyard import adaptive, ingredients

SOURCE = Path(sy.__file__).parent
# adapters that others are made of, and that nobody imports by themselves
INNER = {"across", "boosting", "classes", "mask_weights", "output_layer", "per_class", "recipe_classifier"}
ARRAYS = ("jax", "keras")

# page: (title, what stands above, the homes of names of steelyard.__all__, submodules that are on it)
PAGES: dict[str, tuple[str, str, tuple[str, ...], tuple[str, ...]]] = {
    "losses": (
        "Losses",
        "Logits in, a number out. [The algebra](../algebra.md) has the formula, [speed](../../evidence/speed.md) what they cost.",
        ("losses.", "beyond", "ops."),
        (),
    ),
    "recipes": (
        "Recipes",
        "What is bound to a loss. [Ingredients](../ingredients.md) make them.",
        ("recipe", "explain", "ingredients"),
        (),
    ),
    "counting": (
        "Counting",
        "Data in, counts out. [Counting](../../howto/counting.md) shows it.",
        ("counts", "data"),
        (),
    ),
    "undo": (
        "Undo, recalibrate, cut",
        "From logits to probabilities to a decision. [The algebra](../algebra.md) has the law.",
        ("calibrate",),
        ("calibrate",),
    ),
    "tuner": (
        "The tuner",
        "What the command `steelyard tune` calls. [Running a study](../../howto/studies.md) shows it.",
        ("tuning",),
        ("tuning",),
    ),
    "spatial": (
        "Weight maps",
        "From a mask to the weight of every pixel. [Weight maps](../../howto/maps.md) shows it.",
        (),
        ("spatial",),
    ),
    "rules": (
        "Beside the rules",
        "[The rules](../rules.md) have a page; here is what they are made of and what stands beside them.",
        (),
        ("adaptive",),
    ),
    "curves": (
        "Curves",
        "How a penalty falls with the probability. [The ingredients](../ingredients.md) set them.",
        (),
        ("curves",),
    ),
    "plot": ("Pictures", "[Pictures](../../howto/plots.md) shows them.", (), ("plot",)),
    "testing": ("Laws for your own", "What ours are held to, for yours.", (), ("testing",)),
}
ELSEWHERE = {"integrations": "Integrations", "jax-keras": "JAX and Keras"}


def pages(note: str) -> dict[str, str]:
    """{path below docs: text}"""
    found = {f"reference/api/{name}.md": _page(note, name) for name in PAGES}
    found["reference/api/integrations.md"] = _adapters(
        note,
        "Integrations",
        "One framework each, imported as `steelyard.integrations.NAME`. [In other programs](../../howto/frameworks.md) shows them.",
        [n for n in adapters() if n not in ARRAYS],
    )
    found["reference/api/jax-keras.md"] = _adapters(
        note,
        "JAX and Keras",
        "`sy.jax` and `sy.keras`. [Keras and JAX](../../howto/keras_jax.md) shows them.",
        list(ARRAYS),
    )
    found["reference/api/index.md"] = _index(note, found)
    return {name: re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n" for name, text in found.items()}


def names_on(page: str) -> dict[str, Any]:
    """{name as it is imported: what it is} of a page of PAGES, in the order of the code."""
    _, _, homes, modules = PAGES[page]
    found: dict[str, Any] = {}
    for name in sy.__all__:  # type: ignore[attr-defined]
        value = getattr(sy, name)
        home = getattr(value, "__module__", "").removeprefix("steelyard.")
        if not inspect.ismodule(value) and not _elsewhere(value) and home.startswith(homes or ("?",)):
            found[f"sy.{name}"] = value
    for module in modules:
        for name, value in public(importlib.import_module(f"steelyard.{module}")).items():
            if not any(value is known for known in found.values()) and not _elsewhere(value):
                found[f"{'sy.' if hasattr(sy, module) else 'steelyard.'}{module}.{name}"] = value
    return found


def public(module: Any) -> dict[str, Any]:
    """What a module offers: its __all__, or what it and its house define."""
    if hasattr(module, "__all__"):
        return {name: getattr(module, name) for name in module.__all__}
    package = hasattr(module, "__path__")
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and not isinstance(value, TypeVar) and _is_of(value, module.__name__, package)
    }


def _is_of(value: Any, module: str, package: bool) -> bool:
    home = getattr(value, "__module__", None) if inspect.isroutine(value) or isinstance(value, type) else None
    return home is not None and (home.startswith("steelyard.") if package else home == module)


def _elsewhere(value: Any) -> bool:
    """Whether it has its section among the ingredients or the rules."""
    return value in ingredients.OURS or (isinstance(value, type) and value in adaptive.RULES.values())


def _page(note: str, page: str) -> str:
    title, above, _, modules = PAGES[page]
    text = f"{note}\n\n# {title}\n\n{above}\n"
    for module in modules:
        if page != "undo":
            text += "\n" + _docstring(importlib.import_module(f"steelyard.{module}").__doc__)
    return text + "".join(_section(name, value) for name, value in names_on(page).items())


def _index(note: str, found: dict[str, str]) -> str:
    text = f"{note}\n\n# The API\n\nEvery public name, made from the docstrings that `help()` prints.\n\n| page | names |\n|---|---|\n"
    kinds = {"Ingredients": "ingredients", "Rules": "rules"}
    for title, page in kinds.items():
        names = [f.spec.name for f in ingredients.OURS] if page == "ingredients" else list(adaptive.RULES)  # type: ignore[attr-defined]
        text += f"| [{title}](../{page}.md) | {', '.join(f'[`{n}`](../{page}.md#{n.lower()})' for n in names)} |\n"
    pages = (*PAGES, *ELSEWHERE)
    for page in pages:
        title = PAGES[page][0] if page in PAGES else ELSEWHERE[page]
        names = [line[3:] for line in found[f"reference/api/{page}.md"].splitlines() if line.startswith("## ")]
        text += f"| [{title}]({page}.md) | {', '.join(f'[`{n}`]({page}.md#{_anchor(n)})' for n in names)} |\n"
    return text + "\n```{toctree}\n:hidden:\n" + "\n".join(pages) + "\n```\n"


def _anchor(heading: str) -> str:
    """As code hosts and MyST make it."""
    return heading.lower().replace(".", "")


def _section(name: str, value: Any) -> str:
    short = name.rsplit(".", 1)[-1]
    text = f"\n## {name.removeprefix('sy.').removeprefix('steelyard.')}\n\n" + _signature(name, value)
    text += _docstring(inspect.getdoc(value) if not _bare_doc(value) else "")
    if isinstance(value, type):
        for method, function in _methods(value):
            text += f"\n### {short}.{method}\n\n"
            text += "" if isinstance(function, property) else _signature(f"{method}", function, bound=True)
            text += _docstring(inspect.getdoc(function) or "")
    return text


def _bare_doc(value: Any) -> bool:
    """A dataclass without a docstring has its signature for one, a Protocol and an exception that of their base."""
    return isinstance(value, type) and (value.__doc__ is None or value.__doc__.startswith(f"{value.__name__}("))


def _methods(value: type) -> Iterator[tuple[str, Any]]:
    seen = set()
    for base in value.__mro__:
        if not base.__module__.startswith("steelyard"):
            continue
        for name, member in vars(base).items():
            plain = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
            documented = isinstance(plain, property) or inspect.isfunction(plain)
            if not name.startswith("_") and name not in seen and documented and getattr(plain, "__doc__", None):
                seen.add(name)
                yield name, plain


def _signature(name: str, value: Any, bound: bool = False) -> str:
    if getattr(value, "_is_protocol", False):
        return ""
    try:
        parameters = list(inspect.signature(value).parameters.values())
    except (TypeError, ValueError):
        return ""
    if bound and parameters and parameters[0].name in ("self", "cls"):
        parameters = parameters[1:]
    return _call(name, [_parameter(p) for p in _starred(parameters)])


def _starred(parameters: list[inspect.Parameter]) -> Iterator[inspect.Parameter | str]:
    bare = not any(p.kind is p.VAR_POSITIONAL for p in parameters)
    for p in parameters:
        if bare and p.kind is p.KEYWORD_ONLY:
            bare = False
            yield "*"
        yield p


def _parameter(p: inspect.Parameter | str) -> str:
    if isinstance(p, str):
        return p
    star = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
    return f"{star}{p.name}" + ("" if p.default is p.empty else f"={_default(p.default)}")


def _default(value: Any) -> str:
    if isinstance(value, type) or inspect.isroutine(value):
        return value.__name__
    text = repr(value)
    return "..." if " at 0x" in text or text.startswith("<") else text


def _call(name: str, parameters: list[str]) -> str:
    line = f"{name}({', '.join(parameters)})"
    if len(line) > 90:
        wrapped = textwrap.fill(", ".join(parameters), 84, break_long_words=False, break_on_hyphens=False)
        line = f"{name}(\n{textwrap.indent(wrapped, '    ')}\n)"
    return f"```text\n{line}\n```\n\n"


def _docstring(text: str | None) -> str:
    if not text:
        return ""
    told = next((p for p in text.split("\n\n") if p.startswith("Source:")), "")
    found = _first(text) + prose.body(text)
    return found + (f"*Source:* {prose.source(' '.join(told.removeprefix('Source:').split()))}\n\n" if told else "")


def _first(text: str) -> str:
    """The first paragraph, which may be set in columns."""
    return prose.body(f"-\n\n{text.strip().split(chr(10) * 2)[0]}")


# -- adapters, read from their files ----------------------------------------------------------------------------------


def adapters() -> list[str]:
    return sorted(
        p.stem for p in (SOURCE / "integrations").glob("*.py") if not p.stem.startswith("_") and p.stem not in INNER
    )


def _adapters(note: str, title: str, above: str, modules: list[str]) -> str:
    text = f"{note}\n\n# {title}\n\n{above}\n"
    for module in modules:
        tree = _tree(module)
        text += f"\n## {module}\n\n" + _docstring(ast.get_docstring(tree, clean=False))
        homes = {alias.name: node.module or "" for node in _imports(tree) for alias in node.names}
        for node in _offered(tree, homes):
            text += f"\n### {module}.{node.name}\n\n" + _call(node.name, _arguments(node, homes))
            text += _docstring(ast.get_docstring(node) or ast.get_docstring(_base(node, homes) or node))
            for method in _documented(node, homes):
                text += f"\n#### {node.name}.{method.name}\n\n" + _call(method.name, _arguments(method, homes))
                text += _docstring(ast.get_docstring(method))
    return text


def _tree(module: str) -> ast.Module:
    return ast.parse((SOURCE / "integrations" / f"{module}.py").read_text("utf-8"))


def _imports(tree: ast.Module) -> list[ast.ImportFrom]:
    return [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.level == 1]


def _offered(tree: ast.Module, homes: dict[str, str]) -> Iterator[ast.ClassDef | ast.FunctionDef]:
    """Its own classes and functions, and those of neighbours that its __all__ names."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            for name in ast.literal_eval(node.value):
                if name in homes:
                    yield from _named(name, homes)
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not node.name.startswith("_"):
            yield node


def _named(name: str, homes: dict[str, str]) -> Iterator[ast.ClassDef | ast.FunctionDef]:
    for node in _tree(homes[name]).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == name:
            yield node


def _base(node: ast.AST, homes: dict[str, str]) -> ast.ClassDef | None:
    """The class of a neighbour that this one is made of."""
    for base in node.bases if isinstance(node, ast.ClassDef) else ():
        if isinstance(base, ast.Name) and base.id in homes:
            found = next(_named(base.id, homes), None)
            return found if isinstance(found, ast.ClassDef) else None
    return None


def _documented(node: ast.AST, homes: dict[str, str]) -> list[ast.FunctionDef]:
    own = (
        [n for n in getattr(node, "body", ()) if isinstance(n, ast.FunctionDef)]
        if isinstance(node, ast.ClassDef)
        else []
    )
    base = _base(node, homes)
    more = [] if base is None else [m for m in _documented(base, {}) if m.name not in {n.name for n in own}]
    return [n for n in own if not n.name.startswith("_") and ast.get_docstring(n)] + more


def _arguments(node: ast.ClassDef | ast.FunctionDef, homes: dict[str, str]) -> list[str]:
    if isinstance(node, ast.ClassDef):
        made = [n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"]
        base = _base(node, homes)
        return _arguments(made[0], homes) if made else [] if base is None else _arguments(base, {})
    a = node.args
    plain = [*a.posonlyargs, *a.args]
    defaults = [None] * (len(plain) - len(a.defaults)) + list(a.defaults)
    told = [p.arg + (f"={ast.unparse(d)}" if d else "") for p, d in zip(plain, defaults, strict=True)]
    told = told[1:] if told and told[0] in ("self", "cls") else told
    told += [f"*{a.vararg.arg}"] if a.vararg else ["*"] if a.kwonlyargs else []
    told += [p.arg + (f"={ast.unparse(d)}" if d else "") for p, d in zip(a.kwonlyargs, a.kw_defaults, strict=True)]
    return told + ([f"**{a.kwarg.arg}"] if a.kwarg else [])
