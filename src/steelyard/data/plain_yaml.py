"""YAML as plain data, with the size that its aliases unfold to known before anything is made of them."""

from pathlib import Path
from typing import Any

from .gate import one_line

BYTES = 1 << 20  # of a file
NODES = 100_000  # names, numbers, lists and pairs, every alias counted anew
DIGITS = 100  # of a number


def load_yaml(file: Path, text: str) -> Any:
    """Lists, dictionaries, texts and numbers. ValueError, naming the file, for what is no YAML or too much of it."""
    try:
        import yaml
    except ModuleNotFoundError:
        raise ImportError("reading data.yaml needs PyYAML: pip install 'steelyard[images]'.") from None
    if len(text) > BYTES:
        raise ValueError(
            f"{file}: this YAML has {len(text):,} letters, and what describes a data set has at most {BYTES:,}; leave out what is"
            " neither paths nor names."
        )
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _refuse_large(file, node)
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        raise ValueError(f"{file}: this is not YAML ({one_line(error)}).") from None
    except RecursionError:
        raise ValueError(f"{file}: this YAML is nested too deep to describe a data set; write it flat.") from None
    finally:
        loader.dispose()


def _refuse_large(file: Path, root: Any) -> None:
    """ValueError if the nodes, with every alias unfolded, are too many, or one holds itself."""
    sizes: dict[int, int | None] = {}  # None: its parts are still being counted
    left = [root]
    while left:
        node = left[-1]
        parts = _parts(node)
        if id(node) not in sizes:
            sizes[id(node)] = None
            new = [p for p in parts if id(p) not in sizes]
            if any(sizes.get(id(p), 0) is None for p in parts):
                raise ValueError(
                    f"{file}: in this YAML a part holds itself (an alias within its anchor); write it out."
                )
            left.extend(new)
            continue
        left.pop()
        if sizes[id(node)] is None:
            sizes[id(node)] = 1 + sum(sizes[id(p)] or 0 for p in parts)
    total = sizes[id(root)] or 0
    if total > NODES:
        raise ValueError(
            f"{file}: this YAML unfolds to {total:.3g} names, numbers and lists, and what describes a data set has at most {NODES:,};"
            " write it without aliases (*name)."
        )


def _parts(node: Any) -> list[Any]:
    if isinstance(node.value, list):
        return [part for entry in node.value for part in (entry if isinstance(entry, tuple) else (entry,))]
    if node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float") and len(node.value) > DIGITS:
        node.tag = "tag:yaml.org,2002:str"  # a number of a million digits takes minutes
    return []
