"""Weight maps from masks: pixel weights are data, so they go to the call, `loss(logits, target, weight=map)`.

Every map is a floor plus w0 times a shape; `share=` asks for the part of the weight that the shape carries instead of w0, and
`calibrate` for the w0 that gives it this share of a whole data set. A `Map` is one of them with its options, for pipelines and caches.
Distances are exact. scipy does the transforms: pip install 'steelyard[spatial]'.
"""

from .border import border
from .cache import Cache
from .contour import contour
from .dilate import dilate
from .distance import distance, signed_distance
from .lesion import lesion
from .map import Map, calibrate
from .objects import objects
from .regions import shares
from .separate import separate

__all__ = [
    "Cache",
    "Map",
    "border",
    "calibrate",
    "contour",
    "dilate",
    "distance",
    "lesion",
    "objects",
    "separate",
    "shares",
    "signed_distance",
]
