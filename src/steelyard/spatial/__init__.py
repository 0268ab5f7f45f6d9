"""Weight maps from masks: pixel weights are data, so they go to the call, `loss(logits, target, weight=map)`.

Every map is a floor plus w0 times a shape; `share=` asks for the part of the weight that the shape carries instead of w0.
Distances are exact. scipy does the transforms: pip install 'steelyard[spatial]'.
"""

from .border import border
from .contour import contour
from .dilate import dilate
from .distance import distance, signed_distance
from .lesion import lesion
from .objects import objects
from .shares import shares

__all__ = ["border", "contour", "dilate", "distance", "lesion", "objects", "shares", "signed_distance"]
