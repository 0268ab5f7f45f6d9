"""Messages and labels from a file of lines "label<tab>text", their words as numbers, and a set made up for trying the program."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

PIECE = re.compile(r"[a-z']+|\d|[^\sa-z\d]")  # words, single digits, signs
PAD, UNKNOWN = 0, 1
LENGTH = 40


def load(path: Path) -> tuple[list[str], np.ndarray]:
    """(texts, 1 where spam). A message that occurs twice is kept once, so that none stands in two parts. ValueError for other labels."""
    seen: dict[str, int] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        label, tab, text = line.partition("\t")
        if not line.strip():
            continue
        if not tab or label not in ("ham", "spam"):
            raise ValueError(f'{path}:{number}: expected ham or spam, a tab and the text, got "{line[:40]}".')
        seen.setdefault(text, int(label == "spam"))
    return list(seen), np.array(list(seen.values()), dtype=np.int64)


def pieces(text: str) -> list[str]:
    return PIECE.findall(text.lower())


def vocabulary(texts: Iterable[str], size: int = 3000) -> dict[str, int]:
    """The most frequent pieces, by number from 2 on."""
    often = Counter(piece for text in texts for piece in pieces(text)).most_common(size - 2)
    return {piece: i + 2 for i, (piece, _) in enumerate(often)}


def encoded(texts: Sequence[str], words: dict[str, int]) -> np.ndarray:
    """[texts, LENGTH], PAD behind the end."""
    out = np.full((len(texts), LENGTH), PAD, dtype=np.int64)
    for row, text in zip(out, texts, strict=True):
        ids = [words.get(piece, UNKNOWN) for piece in pieces(text)[:LENGTH]]
        row[: len(ids)] = ids
    return out


def parts(y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows for training, for choosing the cut and for the test: 60, 20 and 20 % of each class."""
    rng = np.random.default_rng(seed)
    found: list[list[np.ndarray]] = [[], [], []]
    for label in (0, 1):
        rows = rng.permutation(np.flatnonzero(y == label))
        for part, piece in zip(found, np.split(rows, [int(0.6 * len(rows)), int(0.8 * len(rows))]), strict=True):
            part.append(piece)
    train, held, test = (np.sort(np.concatenate(part)) for part in found)
    return train, held, test


def made_up(path: Path, many: int = 600, share: float = 0.15, seed: int = 0) -> Path:
    """A file of messages that nobody wrote, some of them alike in both classes: it shows that the program runs, and nothing else."""
    rng = np.random.default_rng(seed)
    words = {
        "ham": [
            "see",
            "you",
            "home",
            "late",
            "dinner",
            "ok",
            "work",
            "bus",
            "train",
            "mum",
            "call",
            "later",
            "sorry",
            "love",
            "when",
            "today",
            "meeting",
            "free",
        ],
        "spam": [
            "win",
            "free",
            "prize",
            "call",
            "now",
            "claim",
            "cash",
            "urgent",
            "text",
            "reply",
            "offer",
            "mobile",
            "ring",
            "tone",
            "award",
            "won",
            "today",
        ],
    }
    lines = []
    for i in range(many):
        label = "spam" if rng.uniform() < share else "ham"
        own = rng.choice(words[label], size=6)
        other = rng.choice(words["ham" if label == "spam" else "spam"], size=rng.integers(0, 5))
        lines.append(f"{label}\t{' '.join([*own, *other])} {i}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
