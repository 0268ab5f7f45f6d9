"""From labels, wherever they are, to Counts."""

from .counting import count, count_path

__all__ = ["count", "count_path"]
