"""docs/images/decide.svg: which weighting for which data, as a chart of questions; decide-narrow.svg for phones. Loaded by build_tables.py.

The list in docs/choosing.md says the same in words, for whoever does not see the chart; a test holds both to `QUESTIONS`.
"""

import dataclasses
import html

from steelyard.theme import DARK, FONT, LIGHT, Palette


@dataclasses.dataclass(frozen=True)
class Question:
    """One step of the chart: `asks` in lines, and on yes the `take` (code) with `why` it is so, in lines."""

    asks: tuple[str, ...]
    take: str
    why: tuple[str, ...]


QUESTIONS = (
    Question(
        ("Do you know what a miss and a", "false alarm cost?"),
        "no weights, sy.threshold",
        ("The costs are the cut: say yes from", "cost_fp / (cost_fp + cost_fn) on"),
    ),
    Question(
        ("Does someone read a ranking", "or probabilities?"),
        "no weights",
        ("They hardly change a ranking, and", "probabilities they make wrong"),
    ),
    Question(
        ("Is the mix of classes another one", "where the model is used?"),
        "sy.posterior(prior=...)",
        ("The prior is exchanged afterwards;", "nothing is trained anew"),
    ),
    Question(
        ("Many classes, some of them rare?",),
        "logit_adjustment",
        ("With class_temperature in a net that", "fits its training data"),
    ),
    Question(
        ("Many yes-or-no labels,", "most of them no?"),
        "pos_neg(power=0.5), asymmetric",
        ("A weight for each label; what is not", "known is ignored"),
    ),
    Question(
        ("Pixels?",),
        "log_frequency, spatial.border",
        ("Classes by counts; gaps and edges by", "a map that carries a share you name"),
    ),
    Question(
        ("Boxes?",),
        "focal, log_frequency",
        ("Focal against easy negatives, divided", "by the objects; counts for rare classes"),
    ),
    Question(
        ("Is the largest output or 1/2", "what decides, and fixed?"),
        "inverse_frequency",
        ("Then weights move the decision,", "as a cut would have done"),
    ),
)
OTHERWISE = ("no weights, and a cut", "A cut that is moved on held-out rows, sy.threshold(p, y, metric=...)")
LAST = ("Did it help?", "steelyard tune compares all of them with plain training and a moved cut")

WIDE, TOP, STEP, TALL = 740, 16, 98, 70  # of the chart, and from one row to the next
LEFT, ASKS, RIGHT, TAKES = 14, 300, 400, 326


def draw(palette: Palette = LIGHT) -> str:
    """The chart as SVG, with a title and a description for screen readers: questions on the left, answers on the right."""
    middle = LEFT + ASKS / 2
    parts = []
    for i, question in enumerate(QUESTIONS):
        y = TOP + i * STEP
        parts += [
            *asked(LEFT, y, ASKS, question, palette),
            *arrow(LEFT + ASKS, y + TALL / 2, RIGHT, y + TALL / 2, "yes", palette),
            *answered(RIGHT, y, TAKES, question.take, question.why, palette),
            *arrow(middle, y + TALL, middle, y + STEP, "no", palette),
        ]
    y = TOP + len(QUESTIONS) * STEP
    return framed(WIDE, [*parts, *ends(y, RIGHT + TAKES - LEFT, palette, OTHERWISE, LAST)], y, palette)


def draw_narrow(palette: Palette = LIGHT) -> str:
    """The same for a phone: each answer under its question."""
    wide, inner, step = 380, 330, 2 * STEP
    parts = []
    for i, question in enumerate(QUESTIONS):
        y = TOP + i * step
        parts += [
            *asked(LEFT, y, inner, question, palette),
            *arrow(LEFT + inner / 2, y + TALL, LEFT + inner / 2, y + STEP, "yes", palette),
            *answered(LEFT + 34, y + STEP, TAKES - 8, question.take, question.why, palette),
            *arrow(
                LEFT + 16,
                y + TALL - 5,
                LEFT + 16,
                y + step + (0 if question is QUESTIONS[-1] else 5),
                "",
                palette,
                line="no",
            ),
        ]
    y = TOP + len(QUESTIONS) * step
    otherwise = (OTHERWISE[0], "Moved on held-out rows,", "sy.threshold(p, y, metric=...)")
    last = (LAST[0], "steelyard tune compares them all with", "plain training and a moved cut")
    return framed(wide, [*parts, *ends(y, wide - 2 * LEFT, palette, otherwise, last)], y, palette)


def framed(wide: int, parts: list[str], y: float, palette: Palette) -> str:
    """The parts on their ground; y is where the last but one of the boxes begins."""
    tall = y + STEP + TALL + 16
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {tall}" width="{wide}" height="{tall}" '
        f'role="img" aria-labelledby="title what" font-family="{html.escape(FONT)}" font-size="15">'
    )
    tip = (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        f'<path d="M0 0L8 4L0 8z" fill="{palette.guide}"/></marker></defs>'
    )
    told = [
        '<title id="title">Which weighting for which data</title>',
        f'<desc id="what">{html.escape(words())}</desc>',
    ]
    ground = f'<rect width="{wide}" height="{tall}" rx="8" fill="{palette.ground}"/>'
    return "\n".join([head, *told, tip, ground, *parts, "</svg>"]) + "\n"


def asked(x: float, y: float, wide: float, question: Question, palette: Palette) -> list[str]:
    return [
        *box(x, y, wide, palette.band, palette.guide, corner=TALL / 2),
        *lines(question.asks, x + wide / 2, y, palette.ink),
    ]


def answered(x: float, y: float, wide: float, take: str, why: tuple[str, ...], palette: Palette) -> list[str]:
    return [*box(x, y, wide, palette.ground, palette.best), *told(x + 14, y, take, why, palette)]


def ends(y: float, wide: float, palette: Palette, otherwise: tuple[str, ...], last: tuple[str, ...]) -> list[str]:
    """What is left when no question was a yes, and what to ask at the end."""
    return [
        *answered(LEFT, y, wide, otherwise[0], otherwise[1:], palette),
        *arrow(LEFT + ASKS / 2, y + TALL, LEFT + ASKS / 2, y + STEP, "", palette),
        *box(LEFT, y + STEP, wide, palette.ground, palette.kept, thick=2.5),
        *told(LEFT + 14, y + STEP, last[0], last[1:], palette, colour=palette.kept),
    ]


def words() -> str:
    asked = (f"{' '.join(q.asks)} Yes: {q.take}. {' '.join(q.why)}. No: go on." for q in QUESTIONS)
    return " ".join([*asked, f"Otherwise: {OTHERWISE[0]}. {OTHERWISE[1]}.", f"At the end: {LAST[0]} {LAST[1]}."])


def box(x: float, y: float, wide: float, fill: str, edge: str, corner: float = 6, thick: float = 1.5) -> list[str]:
    return [
        f'<rect x="{x}" y="{y}" width="{wide}" height="{TALL}" rx="{corner:g}" fill="{fill}" stroke="{edge}" '
        f'stroke-width="{thick}"/>'
    ]


def lines(texts: tuple[str, ...], x: float, y: float, ink: str) -> list[str]:
    """Lines of text around the middle of a box that starts at y."""
    first = y + TALL / 2 + 5 - 10 * (len(texts) - 1)
    return [
        f'<text x="{x:g}" y="{first + 20 * i:g}" fill="{ink}" text-anchor="middle">{html.escape(text)}</text>'
        for i, text in enumerate(texts)
    ]


def told(x: float, y: float, name: str, why: tuple[str, ...], palette: Palette, colour: str = "") -> list[str]:
    """A name in bold and lines of reason under it, around the middle of a box."""
    first = y + TALL / 2 + 8 - 10 * len(why)
    parts = [
        f'<text x="{x:g}" y="{first:g}" fill="{colour or palette.best}" font-weight="bold">{html.escape(name)}</text>'
    ]
    return parts + [
        f'<text x="{x:g}" y="{first + 19 * (i + 1):g}" fill="{palette.ink}" font-size="14">{html.escape(line)}</text>'
        for i, line in enumerate(why)
    ]


def arrow(x: float, y: float, to_x: float, to_y: float, says: str, palette: Palette, line: str = "") -> list[str]:
    """With a word beside its middle, or, along a box, with one at its end."""
    parts = [
        f'<path d="M{x:g} {y:g}L{to_x:g} {to_y:g}" stroke="{palette.guide}" stroke-width="1.5" fill="none" '
        'marker-end="url(#tip)"/>'
    ]
    at = (x + 12, (y + to_y) / 2 + 5) if x == to_x else ((x + to_x) / 2 - 12, y - 7)
    if line:
        at = (x + 8, to_y - 16)
    if says or line:
        parts.append(f'<text x="{at[0]:g}" y="{at[1]:g}" fill="{palette.soft}" font-size="14">{says or line}</text>')
    return parts


def pictures() -> dict[str, str]:
    return {
        "images/decide.svg": draw(LIGHT),
        "images/decide-dark.svg": draw(DARK),
        "images/decide-narrow.svg": draw_narrow(LIGHT),
        "images/decide-narrow-dark.svg": draw_narrow(DARK),
    }
