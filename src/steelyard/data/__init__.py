"""From labels, wherever they are, to Counts."""

from .dispatch import count, count_path
from .notes import ReadingWarning

__all__ = ["ReadingWarning", "count", "count_path"]
