"""Pictures of shapes whose borders are known to the pixel: single ones and ones that touch, blurred, noisy, among clutter that is no object."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter


@dataclass(frozen=True)
class Picture:
    """grey       float32 [size, size], objects about 0.4 to 1 over a background about 0
    instances  int64 [size, size], 0 the background, every object its own number; those that touch share a border without a gap"""

    grey: np.ndarray
    instances: np.ndarray


def picture(
    rng: np.random.Generator,
    size: int = 64,
    *,
    objects: int = 5,
    touching: float = 0.5,
    blur: float = 1.5,
    clutter: int = 5,
    noise: float = 0.15,
) -> Picture:
    """Ellipses with half axes of 4 to 8 pixels. With probability `touching` one lies against an earlier one; a pixel that both cover goes to
    the one whose centre is nearer in its own axes. Otherwise it keeps 3 pixels from all others, and is left out where there is no room.

    clutter  soft spots and bright lines, so many of each, in front of which nothing is to be drawn
    """
    y, x = np.mgrid[:size, :size].astype(float)
    near = np.full((size, size), np.inf)
    instances = np.zeros((size, size), np.int64)
    placed: list[tuple[float, float, float]] = []
    for _ in range(objects):
        a, b = rng.uniform(4, 8, size=2)
        turn = rng.uniform(0, np.pi)
        reach = max(a, b)
        if placed and rng.random() < touching:
            cy, cx, other = placed[rng.integers(len(placed))]
            way = rng.uniform(0, 2 * np.pi)
            apart = 0.75 * (min(a, b) + other)
            cy, cx = cy + apart * np.sin(way), cx + apart * np.cos(way)
            if not (4 <= cy <= size - 4 and 4 <= cx <= size - 4):
                continue
        else:
            for _ in range(30):
                cy, cx = rng.uniform(6, size - 6, size=2)
                if all(np.hypot(cy - py, cx - px) > reach + other + 3 for py, px, other in placed):
                    break
            else:
                continue
        u, v = (x - cx) * np.cos(turn) + (y - cy) * np.sin(turn), (y - cy) * np.cos(turn) - (x - cx) * np.sin(turn)
        r = np.hypot(u / a, v / b)
        mine = (r <= 1) & (r < near)
        near[mine], instances[mine] = r[mine], len(placed) + 1
        placed.append((cy, cx, reach))
    light = rng.uniform(0.4, 1.0, size=len(placed) + 1)
    light[0] = 0.0
    grey = light[instances]
    for _ in range(clutter):
        cy, cx = rng.uniform(0, size, size=2)
        width = rng.uniform(1.5, 4)
        grey += rng.uniform(0.1, 0.4) * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * width**2))
        slope, start = rng.normal(), rng.uniform(0, size)
        grey += rng.uniform(0, 0.25) * (np.abs((y - start - slope * x) / np.hypot(1, slope)) < 0.7)
    grey = gaussian_filter(grey, blur) + rng.normal(0, 0.2) * (x / size - 0.5) + rng.normal(0, noise, grey.shape)
    return Picture(grey.astype(np.float32), instances)


def pictures(seed: int, many: int, size: int = 64) -> list[Picture]:
    rng = np.random.default_rng([seed, many])
    return [picture(rng, size) for _ in range(many)]
