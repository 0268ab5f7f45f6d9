"""From labels, wherever they are, to Counts."""

from .dispatch import count, count_path

__all__ = ["count", "count_path"]
