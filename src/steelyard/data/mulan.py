"""The label names of a multi-label data set: Mulan's .xml beside its .arff."""

from pathlib import Path
from xml.etree import ElementTree


def label_names(path: Path) -> tuple[str, ...] | None:
    """The names, in order; None if the file is other XML. ValueError if it is damaged.

    Source: Tsoumakas et al. 2011, Mulan: a Java library for multi-label learning, JMLR 12.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: this is not XML ({error}); write it again.") from None
    if _bare(root.tag) != "labels":
        return None
    return tuple(e.get("name", "") for e in root.iter() if _bare(e.tag) == "label")


def _bare(tag: str) -> str:
    return tag.rpartition("}")[2]
