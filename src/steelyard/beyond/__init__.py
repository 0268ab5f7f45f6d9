"""What the one form does not hold: sums with other losses, and losses that are no expectation over labels."""

from .quality import quality_focal
from .sum import Sum

__all__ = ["Sum", "quality_focal"]
