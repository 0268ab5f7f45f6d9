"""What people use today, under one call: loss(logits, target) -> mean. Formulas are written from the papers; packages run if installed."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

import torch
from torch import Tensor
from torch.nn import functional as F

Loss = Callable[[Tensor, Tensor], Tensor]
GAMMA, ALPHA = 2.0, 0.25


def versions() -> dict[str, str]:
    """Of the packages that took part."""
    names = [name for name in ("torchvision", "monai", "kornia", "timm") if find_spec(name)]
    return {name: import_module(name).__version__.partition("+")[0] for name in names}


def compiled(loss: Loss) -> Loss:
    """torch.compile of the eager formula, once for these shapes."""
    torch._dynamo.reset()
    return torch.compile(loss, dynamic=False)


def focal(logits: Tensor, target: Tensor) -> Tensor:
    """Lin et al. 2017, eq. 5."""
    return ((ALPHA * target + (1 - ALPHA) * (1 - target)) * focal_of(logits, target, GAMMA)).mean()


def focal_of(logits: Tensor, target: Tensor, gamma: float) -> Tensor:
    """Lin et al. 2017, eq. 4, as most repositories write it: through BCE and a sigmoid. One loss for every logit."""
    ce = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    p = torch.sigmoid(logits)
    p_t = p * target + (1 - p) * (1 - target)
    return (1 - p_t) ** gamma * ce


def focal_each(gamma: float) -> dict[str, Loss]:
    """{package: focal loss of every logit, without alpha}, where installed."""
    found: dict[str, Loss] = {}
    if find_spec("torchvision"):
        from torchvision.ops import sigmoid_focal_loss  # pyright: ignore[reportMissingImports]

        found["torchvision"] = lambda z, y: sigmoid_focal_loss(z, y.to(z.dtype), -1, gamma, "none")
    if find_spec("monai"):
        from monai.losses import FocalLoss  # pyright: ignore[reportMissingImports]

        monai = FocalLoss(gamma=gamma, reduction="none")
        found["monai"] = lambda z, y: monai(z.unsqueeze(1), y.unsqueeze(1)).squeeze(1)
    if find_spec("kornia"):
        from kornia.losses import binary_focal_loss_with_logits  # pyright: ignore[reportMissingImports]

        found["kornia"] = lambda z, y: binary_focal_loss_with_logits(
            z.unsqueeze(1), y.unsqueeze(1), None, gamma, "none"
        ).squeeze(1)
    return found


def asymmetric(logits: Tensor, target: Tensor) -> Tensor:
    """Ridnik et al. 2021, eq. 7: gamma+ = 1, gamma- = 4, clip = 0.05."""
    p = torch.sigmoid(logits)
    shifted = (p - 0.05).clamp(min=0)
    yes = target * (1 - p) * torch.log(p.clamp(min=1e-8))
    no = (1 - target) * shifted**4 * torch.log((1 - shifted).clamp(min=1e-8))
    return -(yes + no).mean()


def packages(kind: str) -> dict[str, Loss]:
    """{package: its loss} for "focal" or "asymmetric", where installed."""
    found: dict[str, Loss] = {}
    if kind == "focal" and find_spec("torchvision"):
        from torchvision.ops import sigmoid_focal_loss  # pyright: ignore[reportMissingImports]

        found["torchvision"] = lambda x, t: sigmoid_focal_loss(x, t, ALPHA, GAMMA, "mean")
    if kind == "focal" and find_spec("monai"):
        from monai.losses import FocalLoss  # pyright: ignore[reportMissingImports]

        monai = FocalLoss(gamma=GAMMA, alpha=ALPHA)
        found["monai"] = lambda x, t: monai(x.reshape(len(x), -1), t.reshape(len(t), -1))
    if kind == "focal" and find_spec("kornia"):
        from kornia.losses import binary_focal_loss_with_logits  # pyright: ignore[reportMissingImports]

        found["kornia"] = lambda x, t: binary_focal_loss_with_logits(
            x.reshape(len(x), -1), t.reshape(len(t), -1), ALPHA, GAMMA, "mean"
        )
    if kind == "asymmetric" and find_spec("timm"):
        from timm.loss import AsymmetricLossMultiLabel  # pyright: ignore[reportMissingImports]

        timm = AsymmetricLossMultiLabel(gamma_neg=4, gamma_pos=1, clip=0.05)
        found["timm"] = lambda x, t: timm(x, t)
    return found
