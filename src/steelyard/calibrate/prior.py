"""Train here, decide there: probabilities moved from one class mix to another."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..counts import Counts
from ..given import named_in_order, unnamed
from ..link import Link
from ..table import as_numpy


def shift(p: Tensor, link: Link, prior: Any, counts: Any, classes: Sequence[str] | None) -> Tensor:
    """p_c prior_c / pi_c, brought to sum 1: rows [N, C], or elements with class axis 1 (sigmoid)."""
    if prior is None or counts is None:
        given, missing = ("counts", "prior") if prior is None else ("prior", "counts")
        raise ValueError(
            f"posterior: {given}= needs {missing}= as well: moving to another class mix takes the shares where the model is"
            " used (prior=) and those of the data it was trained on (counts=)."
        )
    for source in (counts, prior):
        classes = source.classes if classes is None and isinstance(source, Counts) else classes
    size = p.shape[1] if p.dim() > 1 else 1
    there, here = (_shares(name, value, link, size, classes) for name, value in (("prior", prior), ("counts", counts)))
    # what is absent here and there stays absent; nothing moves what no example has shown
    stuck = (here == 0) & (there > 0)
    if np.any(stuck if link.exclusive else stuck | ((here == 1) & (there < 1))):
        raise ValueError(f"posterior: counts= has a class without examples, {here.tolist()[:8]}; it cannot be moved.")
    there, here = (torch.tensor(s, dtype=p.dtype, device=p.device) for s in (there, here))
    if link.exclusive:
        moved = p * torch.where(there > 0, there / here, 0.0)
        total = moved.sum(dim=1, keepdim=True)
        return torch.where(
            total > 0, moved / total, there
        )  # certain of what cannot occur there: only the prior is left
    shape = (1, -1, *([1] * (p.dim() - 2))) if p.dim() > 1 else (-1,)
    there, here = there.reshape(shape), here.reshape(shape)
    yes, no = (
        p * torch.where(there > 0, there / here, 0.0),
        (1 - p) * torch.where(there < 1, (1 - there) / (1 - here), 0.0),
    )
    return torch.where(yes + no > 0, yes / (yes + no), there)


def _shares(name: str, value: Any, link: Link, size: int, classes: Sequence[str] | None) -> np.ndarray:
    """[C] summing to 1; sigmoid: the share of "is", [K] or [1]."""
    if isinstance(value, Counts):
        if classes is not None and value.classes != tuple(classes) and set(classes) & set(value.classes):
            raise ValueError(
                f"posterior: {name}= counts {', '.join(value.classes)}, and the classes here are {', '.join(classes)}; count with classes="
                " in that order."
            )
        share = value.prior
        if not link.exclusive:
            share = share[1:2] if value.kind == "exclusive" and len(value) == 2 else share[1]
        elif value.kind == "multilabel":
            raise ValueError(f"posterior: {name}= are multilabel counts but the logits go through a softmax.")
    else:
        if isinstance(value, Mapping) or not unnamed(value):
            if classes is None:
                raise ValueError(
                    f"posterior: {name}= names classes, and neither counts= nor the recipe says their order."
                )
            value = named_in_order(f"posterior: {name}=", value, classes)
        share = np.atleast_1d(as_numpy(value))
        if not link.exclusive and size == 1 and share.shape == (2,):  # (is not, is)
            share = share[1:] / share.sum() if name == "counts" else share[1:]
        elif link.exclusive and name == "counts":
            share = share / share.sum()
    allowed = ((size,),) if link.exclusive else ((size,), (1,))
    if share.shape not in allowed:
        raise ValueError(f"posterior: {name}= must be one share per class ({size}), got shape {list(share.shape)}.")
    if not np.all((share >= 0) & (share <= 1)):
        raise ValueError(f"posterior: {name}= must be shares in [0, 1], got {share.tolist()[:8]}.")
    if link.exclusive and not np.isclose(share.sum(), 1, rtol=0, atol=1e-6):
        raise ValueError(f"posterior: {name}= must sum to 1 over the classes, got {share.sum():g}.")
    return share
