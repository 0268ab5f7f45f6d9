"""The verdict in at most twelve words: what to do, and from which probability."""

WORDS = 12
LONG = 24  # letters of a class's name from which on it is not said here
DECIDED = ("A", "A'", "B", "C", "C'", "F")


def headline(
    case: str,
    winner: str | None,
    threshold: float | tuple[float, ...] | None,
    *,
    positive: str | None = None,
    counted: str = "",
) -> str:
    """
    case       a letter of the decision; `winner` a weighting, or None where plain training stays
    threshold  a probability of the positive class; of more than two classes what each one's probability is
               divided by
    counted    "14 positives", for case E

    >>> headline("B", None, 0.2568, positive="yes")
    'Train without weights; say "yes" from 26 %.'
    >>> headline("A", "inverse_frequency(beta=1)", 0.0042, positive="ill")
    'Train with inverse_frequency(beta=1); say "ill" from 0.42 %.'
    >>> headline("E", None, 0.3, counted="14 positives")
    'No verdict: 14 positives are too few.'
    """
    if case == "P":
        return "No verdict yet: the study is not finished."
    if case == "D":
        return "No verdict: plain training is no better than chance."
    if case == "E":
        return _short(f"No verdict: {counted} are too few.", "No verdict: too few rows of the rarest class.")
    return _short(
        f"Train {_how(winner)}; {_cut(threshold, positive)}.", f"Train {_how(winner, 'the weights of recipe.json')}."
    )


def share(p: float) -> str:
    """A probability in percent, at two digits where they matter.

    >>> share(0.2568), share(0.035), share(0.0042), share(0.994)
    ('26 %', '3.5 %', '0.42 %', '99.4 %')
    """
    if p <= 0 or p >= 1:
        return f"{100 * p:g} %"
    percent = 100 * p
    if 10 <= percent <= 99:
        return f"{percent:.0f} %"
    if percent > 99:
        return f"{100 - float(f'{100 - percent:.1g}'):.6g} %"
    return f"{float(f'{percent:.2g}'):g} %"


def _how(winner: str | None, name: str | None = None) -> str:
    return "without weights" if winner is None else f"with {name or winner}"


def _cut(threshold: float | tuple[float, ...] | None, positive: str | None) -> str:
    if isinstance(threshold, tuple) and any(f != 1 for f in threshold):
        return "divide the probabilities by factors, then the largest decides"
    if threshold is None or isinstance(threshold, tuple):
        return "decide by the largest probability"
    if positive is not None:
        name = f'"{positive}"' if len(positive) <= LONG and len(positive.split()) < 3 else "the positive class"
        return f"say {name} from {share(threshold)}"
    if threshold == 0:
        return "decide by the largest probability"
    return f"favour rare classes by power {threshold:.3g}"


def _short(text: str, otherwise: str) -> str:
    return text if len(text.split()) <= WORDS else otherwise
