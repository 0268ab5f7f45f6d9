"""What the one form does not hold: sums with other losses, and losses that are no expectation over labels."""

from ..losses.sum import Sum
from .quality import quality_focal

__all__ = ["Sum", "quality_focal"]
