"""Call weights from how uncertain several predictions of the same items are."""

import math
from typing import Annotated

import torch
from torch import Tensor

from ..link import SOFTMAX, Link, link_of
from ..options import In, OneOf, checked


@checked
def entropy_weights(
    logits: Tensor,
    *,
    kind: Annotated[str, OneOf("total", "aleatoric", "epistemic")] = "total",
    link: str | Link = SOFTMAX,
    power: Annotated[float, In(0.0, math.inf)] = 1.0,
) -> Tensor:
    """w = h^power / mean(h^power), with h the entropy of the prediction of an item or pixel.

        total      H(mean_m p_m)                                    how uncertain the members are together
        aleatoric  mean_m H(p_m)                                    what each is unsure of: noise in the data
        epistemic  total - aleatoric = mean_m KL(p_m || mean p)     where they disagree: too little data

    logits   [M, N, C, *space]: M members of an ensemble, or passes with dropout switched on; M = 1 will do for total
    power    >= 0; 0 is no weights
    returns  [N, *space] (link="sigmoid": [N, C, *space], or [N] for [M, N]) in float32 or wider, detached; mean 1 over
             the batch, all 1 where nothing is uncertain. Pass it as loss(logits, target, weight=...)

    The mean runs over everything, ignored pixels too. Uncertainty is high for rare classes, and as high for wrong
    labels: weights by it go to both. ValueError for an unknown kind or link, power < 0, and shapes without members.

    Source: the split of the entropy is that of Kendall & Gal 2017, arXiv:1703.04977, and Depeweg et al. 2018,
    arXiv:1710.07283; as loss weights it is our reconstruction.

    >>> members = torch.tensor([[[4.0, -4.0], [4.0, -4.0]], [[4.0, -4.0], [-4.0, 4.0]]])  # agree; disagree
    >>> entropy_weights(members, kind="epistemic").tolist()
    [0.0, 2.0]
    """
    link = link_of(link, "entropy_weights")
    if not logits.is_floating_point() or logits.dim() < (3 if link.exclusive else 2) or logits.shape[0] == 0:
        raise ValueError(
            f"entropy_weights: logits must be floats [M, N, C, *space], M members first, got {logits.dtype}"
            f" {list(logits.shape)}. One prediction alone: logits.unsqueeze(0)."
        )
    with torch.no_grad():
        z = logits.to(torch.promote_types(logits.dtype, torch.float32))
        if link.exclusive:
            logp, axis = z.log_softmax(dim=2), 2
        else:  # the two outcomes as an axis of their own
            logp, axis = torch.stack([-torch.nn.functional.softplus(z), -torch.nn.functional.softplus(-z)], dim=-1), -1
        together = logp.logsumexp(dim=0, keepdim=True) - math.log(len(logp))
        if kind == "total":
            h = -_expected(together, together, axis)[0]
        elif kind == "aleatoric":
            h = -_expected(logp, logp, axis).mean(dim=0)
        else:  # as a divergence: the difference of two entropies could round below 0 by more
            h = _expected(logp, logp - together, axis).mean(dim=0)
        h = h.clamp(min=0.0) ** power
        mean = h.mean()
        return torch.where(mean > 0, h / torch.where(mean > 0, mean, 1.0), 1.0)


def _expected(logp: Tensor, values: Tensor, axis: int) -> Tensor:
    """sum_c p_c values_c; an outcome of probability 0 adds nothing, even where its value is infinite."""
    return torch.where(logp == -math.inf, 0.0, logp.exp() * values).sum(dim=axis)
