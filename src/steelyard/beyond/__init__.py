"""What the one form does not hold: sums with other losses, and losses that are no expectation over labels."""

from ..losses.deep import DeepSupervision
from ..losses.region import Region
from ..losses.sum import Sum
from .quality import quality_focal

__all__ = ["DeepSupervision", "Region", "Sum", "quality_focal"]
