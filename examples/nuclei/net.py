"""A small U-Net: three halvings, two convolutions a level, and the way back up beside what was seen on the way down."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HALVINGS = 3


class UNet(nn.Module):
    """[N, 1, H, W] -> logits [N, 2, H, W]; H and W divide by 2 ** HALVINGS."""

    def __init__(self, width: int):
        super().__init__()
        widths = [width * 2**level for level in range(HALVINGS + 1)]
        self.down = nn.ModuleList(twice(i, o) for i, o in zip([1, *widths], widths, strict=False))
        self.up = nn.ModuleList(twice(i + o, i) for i, o in pairwise(widths))
        self.head = nn.Conv2d(width, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        *finer, x = self._levels(x)
        for up, beside in zip(reversed(self.up), reversed(finer), strict=True):
            x = up(torch.cat([F.interpolate(x, scale_factor=2.0), beside], dim=1))
        return self.head(x)

    def _levels(self, x: Tensor) -> list[Tensor]:
        seen = [self.down[0](x)]
        for down in self.down[1:]:
            seen.append(down(F.max_pool2d(seen[-1], 2)))
        return seen


def twice(channels: int, out: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i in (channels, out):
        layers += [nn.Conv2d(i, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
