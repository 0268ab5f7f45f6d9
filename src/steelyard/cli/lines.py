"""What every form of `steelyard weigh` prints: numbers, the order of the classes, what is ignored."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..explain.class_weights import beyond_weights, label_values

if TYPE_CHECKING:
    from ..counts import Counts
    from ..recipe import Recipe


@dataclass(frozen=True)
class Answer:
    """What is to be printed.

    positive  number of the positive class, where there are two
    how       where the weights come from, in one line
    ignored   the values of the target that do not count: numbers of classes, or others, such as 255
    """

    recipe: "Recipe"
    counts: "Counts"
    positive: int | None
    how: str
    ignored: tuple[int, ...] = ()

    @property
    def order(self) -> str:
        return ", ".join(f"{i} = {json.dumps(c, ensure_ascii=False)}" for i, c in enumerate(self.counts.classes))

    @property
    def weights(self) -> np.ndarray:
        return self.recipe.label_weights()

    @property
    def ratio(self) -> str | None:
        """The weight of the positive class in that of the other one; None unless there are two classes, and both count."""
        if self.positive is None or not self.weights[1 - self.positive] > 0:
            return None
        return number(self.weights[self.positive] / self.weights[1 - self.positive])

    def by_label(self) -> tuple[str, str]:
        """({value of the label: weight} as text, a word of caution where the values are numbers)."""
        keys = label_values(self.counts.classes)
        pairs = ", ".join(f"{k!r}: {w:.10g}" for k, w in zip(keys, self.weights, strict=True))
        quoted = "" if isinstance(keys[0], str) else " (put quotes around them if your labels are text)"
        return f"{{{pairs}}}", quoted

    def without_ignored(self, what: str) -> list[str]:
        """A line that says what becomes of the labels that are ignored, where the framework cannot say it itself."""
        if not self.ignored:
            return []
        return [f"# ignored: {', '.join(map(str, self.ignored))}; {what}"]

    def refuse_beyond(self, framework: str) -> None:
        reason = beyond_weights(self.recipe)
        if reason is not None:
            raise ValueError(
                f"weigh: this recipe is not a set of class weights: {reason}. {framework} takes class weights only;"
                " use --to json and steelyard's own loss in torch (--to torch shows the lines), or a strategy that only weighs."
            )


def ignored_values(counts: "Counts", ignore: list[str]) -> tuple[int, ...]:
    """What `--ignore` names, as it stands in a target of class numbers: the number of a class, or any other whole number.

    Text that is no class stands for rows that are left out, and is no number of a target.
    """
    numbers: list[int] = []
    for text in ignore if counts.kind == "exclusive" else ():
        if text in counts.classes:
            numbers.append(counts.classes.index(text))
        elif text.removeprefix("-").isdecimal():
            numbers.append(int(text))
    return tuple(dict.fromkeys(numbers))


def floats(values: np.ndarray) -> str:
    return "[" + ", ".join(map(number, values)) + "]"


def number(value: float) -> str:
    """The shortest text that gives the same float32."""
    return str(np.float32(value))
