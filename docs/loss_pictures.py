"""Loss and gradient of every ingredient and rule, drawn: docs/images/losses/NAME.svg. Loaded by build_tables.py.

Each picture has two panels over x, by how much the logit of the true class leads: the loss of an example, and how hard it pulls, the
size of the derivative by x. Plain cross-entropy stands behind. One file is for light and for dark: its colours ask the page.
"""

import functools
import html
from collections.abc import Iterator
from typing import NamedTuple

import menu
import torch

import steelyard as sy
from steelyard import adaptive, ingredients
from steelyard.theme import DARK, LIGHT

WIDTH, HEIGHT = 640, 236
LEFT, ROW, WIDE, TALL, APART = 46, 19, 252, 160, 62
REACH = 5.0
STEPS = 61
COLOURS = ("best", "before", "kept", "again")
DASHES = ("", "7 3", "2 3", "9 3 2 3")


class Line(NamedTuple):
    name: str
    style: int  # -1 is plain
    loss: list[float]
    pull: list[float]


def pictures() -> dict[str, str]:
    """{path below docs: text of the file}"""
    return {f"images/losses/{name}.svg": draw(name, lines) for name, lines in drawn().items()}


@functools.cache
def drawn() -> dict[str, list[Line]]:
    """{ingredient or rule: its lines}"""
    found = {function.spec.name: of_ingredient(function) for function in ingredients.OURS}  # type: ignore[attr-defined]
    return found | {name: of_rule(name) for name in adaptive.RULES}


def of_ingredient(function: object) -> list[Line]:
    loss = menu.loss_of(menu.example(function))  # type: ignore[arg-type]
    return _merged([_plain(), *_pair(loss, "", 0)])


def of_rule(name: str) -> list[Line]:
    lines = [_plain()]
    for i, (stage, loss) in enumerate(menu.stages(name).items()):
        lines += _pair(loss, f", {stage}", 2 * i)
    return _merged(lines)


def alt(lines: list[Line]) -> str:
    """The picture in words and numbers."""
    middle, wrong = STEPS // 2, STEPS // 5
    told = [
        f"{line.name} {line.loss[middle]:.2f} (pull {line.pull[middle]:.2f}), {line.loss[wrong]:.2f} where it is 3 behind"
        for line in lines
    ]
    return f"Loss and gradient over the lead of the true class. Loss at a lead of 0: {'; '.join(told)}."


def _plain() -> Line:
    return Line("plain", -1, *_values(sy.CrossEntropy(reduction="none"), 1))


def _pair(loss: menu.Loss, said: str, style: int) -> list[Line]:
    return [Line(f"{name} class{said}", style + i, *_values(loss, 1 - i)) for i, name in enumerate(("rare", "common"))]


def _merged(lines: list[Line]) -> list[Line]:
    """Rare and common in one, where both are the same line."""
    kept: list[Line] = []
    for line in lines:
        same = kept and kept[-1].style >= 0 and _close(kept[-1], line)
        if same:
            kept[-1] = kept[-1]._replace(name=line.name.replace("common class", "both classes"))
        else:
            kept.append(line)
    return kept


def _close(a: Line, b: Line) -> bool:
    return all(abs(p - q) < 1e-9 for p, q in zip((*a.loss, *a.pull), (*b.loss, *b.pull), strict=True))


def _values(loss: menu.Loss, y: int) -> tuple[list[float], list[float]]:
    loss.eval()
    x = torch.linspace(-REACH, REACH, STEPS, dtype=torch.float64, requires_grad=True)
    target = torch.full((STEPS,), y)
    if isinstance(loss, sy.BinaryCrossEntropy):
        logits, target = (x if y else -x)[:, None], target[:, None]
    else:
        logits = torch.stack([torch.zeros_like(x), x] if y else [x, torch.zeros_like(x)], dim=1)
    values = loss(logits, target).reshape(-1)
    (slope,) = torch.autograd.grad(values.sum(), x)
    return values.detach().tolist(), (slope.abs() + 0.0).tolist()


# -- SVG --------------------------------------------------------------------------------------------------------------


def draw(name: str, lines: list[Line]) -> str:
    style = f"svg{{font-size:12.5px}}@media (max-width:480px){{svg{{font-size:15px}}}}{_style(LIGHT)}@media (prefers-color-scheme: dark){{{_style(DARK)}}}"
    legend, rows = _legend(lines)
    top = 34 + ROW * rows
    tall = HEIGHT + ROW * rows
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {tall}" width="{WIDTH}" height="{tall}" role="img"'
        f' aria-labelledby="{name}-title {name}-desc" font-family="sans-serif">',
        f'<title id="{name}-title">{name}: loss and gradient</title>',
        f'<desc id="{name}-desc">{html.escape(alt(lines))}</desc>',
        f"<style>{style}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{tall}" rx="6"/>',
        *legend,
        *_panel("loss", LEFT, top, [(line.style, line.loss) for line in lines]),
        *_panel("pull on the logit", LEFT + WIDE + APART, top, [(line.style, line.pull) for line in lines]),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _style(palette: object) -> str:
    p = palette
    found = [
        f".ground{{fill:{p.ground}}}",  # type: ignore[attr-defined]
        f".ink{{fill:{p.ink}}}",  # type: ignore[attr-defined]
        f".soft{{fill:{p.soft}}}",  # type: ignore[attr-defined]
        f".rule{{stroke:{p.rule}}}",  # type: ignore[attr-defined]
        f".plain{{stroke:{p.guide}}}",  # type: ignore[attr-defined]
        *(f".s{i}{{stroke:{getattr(p, c)}}}" for i, c in enumerate(COLOURS)),
    ]
    return "".join(found)


def _class(style: int) -> str:
    if style < 0:
        return 'class="plain" stroke-dasharray="1 3" stroke-linecap="round"'
    dash = f' stroke-dasharray="{DASHES[style]}"' if DASHES[style] else ""
    return f'class="s{style}"{dash}'


def _legend(lines: list[Line]) -> tuple[list[str], int]:
    """(its parts, how many rows it takes)"""
    x, rows, parts = float(LEFT), 1, []
    for line in lines:
        wide = 40 + 7.4 * len(line.name)
        if x + wide > WIDTH - 8:
            x, rows = LEFT, rows + 1
        y = ROW * rows
        parts.append(f'<path d="M{x:g} {y}h24" fill="none" stroke-width="2.4" {_class(line.style)}/>')
        parts.append(f'<text class="ink" x="{x + 30:g}" y="{y + 4}">{html.escape(line.name)}</text>')
        x += wide + 12
    return parts, rows


def _panel(title: str, left: int, above: int, lines: list[tuple[int, list[float]]]) -> Iterator[str]:
    top = _round_up(max(max(values) for _, values in lines))
    bottom = above + TALL
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * TALL
        yield f'<path class="rule" d="M{left} {y:g}h{WIDE}" fill="none"/>'
        yield f'<text class="soft" x="{left - 6}" y="{y + 4:g}" text-anchor="end">{share * top:g}</text>'
    for x in (-4, -2, 0, 2, 4):
        at = left + (x + REACH) / (2 * REACH) * WIDE
        yield f'<text class="soft" x="{at:.1f}" y="{bottom + 17}" text-anchor="middle">{str(x).replace("-", "−")}</text>'
    middle = left + WIDE / 2
    yield f'<text class="soft" x="{middle:g}" y="{bottom + 36}" text-anchor="middle">lead of the true class, in logits</text>'
    yield f'<text class="ink" x="{left}" y="{above - 8}">{title}</text>'
    for style, values in lines:
        points = " ".join(
            f"{left + i / (STEPS - 1) * WIDE:.1f},{bottom - v / top * TALL:.1f}" for i, v in enumerate(values)
        )
        yield f'<polyline points="{points}" fill="none" stroke-width="2.2" {_class(style)}/>'


def _round_up(value: float) -> float:
    """The next of 1, 2, 3, 4, 6, 8 times a power of ten."""
    power = 10.0 ** (len(f"{int(value)}") - 1) if value >= 1 else 0.1
    return next(m * power for m in (1, 2, 3, 4, 6, 8, 10) if value <= m * power * 1.0001)
