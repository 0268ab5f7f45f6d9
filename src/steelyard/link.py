"""The link: how logits become probabilities, and what shapes follow from it.

softmax   the classes exclude each other: an item has one label of C, and one loss
sigmoid   every logit is an example of its own with two outcomes, "is not" (0) and "is" (1), and has a loss

After scikit-learn's _loss/link.py. A link equals its name, so that `loss.link == "softmax"` holds.
"""

import abc
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from torch import Tensor


class Link(abc.ABC):
    """What differs between the two; the class axis of logits [N, C, *space] is 1.

    exclusive  whether the classes of a row share one probability
    kind       the kind of counts that a recipe for it comes from, unless that has two classes
    """

    name: ClassVar[str]
    exclusive: ClassVar[bool]
    kind: ClassVar[str]

    @abc.abstractmethod
    def probabilities(self, logits: "Tensor", dim: int = 1) -> "Tensor":
        """Of the classes, or of "is"."""

    @abc.abstractmethod
    def decided(self, logits: "Tensor") -> "Tensor":
        """The label values [N, *space] (sigmoid: like the logits) that the logits favour, int64."""

    @abc.abstractmethod
    def labels(self, classes: int) -> int:
        """How many values a label can have."""

    @abc.abstractmethod
    def items(self, shape: Sequence[int], axis: int = 1) -> list[int]:
        """The shape of the unreduced loss for logits of `shape` with the class axis `axis`."""

    @abc.abstractmethod
    def beside_logits(self, values: "Tensor") -> "Tensor":
        """One value per item of the unreduced loss, broadcastable to the logits."""

    def wide(self, target: "Tensor") -> bool:
        """Whether a target has the class axis."""
        return not self.exclusive or target.is_floating_point()

    def __eq__(self, other: object) -> bool:
        return self.name == (other.name if isinstance(other, Link) else other)

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return repr(self.name)


class _Softmax(Link):
    name, exclusive, kind = "softmax", True, "exclusive"

    def probabilities(self, logits: "Tensor", dim: int = 1) -> "Tensor":
        return logits.softmax(dim=dim)

    def decided(self, logits: "Tensor") -> "Tensor":
        return logits.argmax(dim=1)

    def labels(self, classes: int) -> int:
        return classes

    def items(self, shape: Sequence[int], axis: int = 1) -> list[int]:
        return [*shape[:axis], *shape[axis + 1 :]]

    def beside_logits(self, values: "Tensor") -> "Tensor":
        return values.unsqueeze(1)


class _Sigmoid(Link):
    name, exclusive, kind = "sigmoid", False, "multilabel"

    def probabilities(self, logits: "Tensor", dim: int = 1) -> "Tensor":
        return logits.sigmoid()

    def decided(self, logits: "Tensor") -> "Tensor":
        return (logits > 0).long()

    def labels(self, classes: int) -> int:
        return 2

    def items(self, shape: Sequence[int], axis: int = 1) -> list[int]:
        return list(shape)

    def beside_logits(self, values: "Tensor") -> "Tensor":
        return values


SOFTMAX, SIGMOID = _Softmax(), _Sigmoid()
LINKS: dict[str, Link] = {link.name: link for link in (SOFTMAX, SIGMOID)}


def link_of(link: str | Link, caller: str = "bind") -> Link:
    """The link of that name. ValueError for another."""
    if isinstance(link, Link):
        return link
    if link not in LINKS:
        raise ValueError(f"{caller}: link must be one of {', '.join(LINKS)}, got {link!r}.")
    return LINKS[link]


def link_for(kind: str | None) -> Link:
    """The link that recipes and counts of a kind are bound to unless somebody says otherwise."""
    return SIGMOID if kind == "multilabel" else SOFTMAX
