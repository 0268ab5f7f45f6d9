"""Words of the glossary lead there from where a page first uses them.

Only words that mean one thing: "plain" or "case" would be linked where they are everyday words, so pages link those by hand.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

GLOSSARY = "read/glossary"
# {as it is written: heading of the glossary}
WORDS = {
    "undone": "undone",
    "undoes": "undone",
    "unit mass": "unit mass",
    "prior shift": "prior shift",
    "implied prior": "implied prior",
    "recalibrated": "recalibrated",
    "recalibrate": "recalibrated",
    "cross-fitting": "cross-fitting",
    "fold set": "fold set",
    "moved threshold": "threshold",
    "threshold": "threshold",
    "baselines": "baseline",
}
ANY = re.compile(rf"\b({'|'.join(sorted(WORDS, key=len, reverse=True))})\b")
NOT_IN = (nodes.reference, nodes.literal, nodes.literal_block, nodes.title, nodes.raw, nodes.caption, nodes.thead)
PAGES = re.compile(r"(?!project/|reference/api/|reference/cli|reference/differences|read/glossary)")


class Linked(SphinxPostTransform):
    default_priority = 900

    def run(self, **kwargs: object) -> None:
        page = self.env.docname
        if not PAGES.match(page) or GLOSSARY not in self.env.found_docs or self.app.builder.format != "html":
            return
        there = self.app.builder.get_relative_uri(page, GLOSSARY)
        by_hand = [link.get("refuri", "").partition("#") for link in self.document.findall(nodes.reference)]
        seen = {anchor.replace("-", " ") for target, _, anchor in by_hand if target == there}
        for text in list(self.document.findall(nodes.Text)):
            if text.parent is None or _inside(text):
                continue
            found = next((m for m in ANY.finditer(text.astext()) if WORDS[m[0]] not in seen), None)
            if found is not None:
                seen.add(WORDS[found[0]])
                self._link(text, found, f"{there}#{WORDS[found[0]].replace(' ', '-')}")

    def _link(self, text: nodes.Text, found: re.Match[str], uri: str) -> None:
        link = nodes.reference("", found[0], internal=True, refuri=uri, classes=["term"])
        whole = text.astext()
        text.parent.replace(text, [nodes.Text(whole[: found.start()]), link, nodes.Text(whole[found.end() :])])


def _inside(text: nodes.Node) -> bool:
    node = text.parent
    while node is not None:
        if isinstance(node, NOT_IN):
            return True
        node = node.parent
    return False


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_post_transform(Linked)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
