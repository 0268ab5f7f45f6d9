"""A comparison of two studies as plain text and as a page."""

from .. import __version__
from .compare import CAUTION, Comparison, compare
from .document import Data
from .page import environment, policy
from .terminal import aligned, bullets, harmless, wrap

NOT = "These numbers cannot be compared:"


def compare_text(data: Data, other: Data) -> str:
    """Both verdicts word for word, what differs, and the values side by side."""
    found = compare(data, other)
    facts = [row[:3] for row in found.facts.rows if row[3]]
    parts = [
        f"left, {found.left.label}: {found.left.sentence}\n\nright, {found.right.label}: {found.right.sentence}",
        NOT + "\n" + bullets(found.obstacles) if found.obstacles else "",
        bullets(found.remarks),
        _values(found),
        "What differs\n"
        + "\n".join(bullets([f"{term}: {a or 'not said'} | {b or 'not said'}"]) for term, a, b in facts)
        if facts
        else "",
    ]
    return harmless("\n\n".join(part for part in parts if part)) + "\n"


def compare_html(data: Data, other: Data) -> str:
    """One page without any script."""
    return (
        environment()
        .get_template("compare.html.j2")
        .render(found=compare(data, other), caution=CAUTION, refused=NOT, version=__version__, policy=policy([]))
    )


def _values(found: Comparison) -> str:
    if found.values is None:
        return ""
    under = wrap(CAUTION) if found.comparable else ""
    return "\n".join(filter(None, [found.metric, aligned([found.values.head, *found.values.rows]), under]))
