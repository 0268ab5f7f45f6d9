"""What the claim on delineation trains and measures: a small U-Net for each weighting, and how well it draws, each at its own cut."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from examples.nuclei.net import UNet
from scipy.ndimage import distance_transform_edt
from torch import Tensor

import steelyard as sy

KINDS = ("border", "contour", "dilate")
SHARES = (0.1, 0.3, 0.5)
CUTS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
PLAIN, CLASSES = "plain", "class weights"
WIDTH, BATCH, NEAR = 6, 6, 1  # channels of the net, pictures of a step, pixels that a boundary may be off


@dataclass(frozen=True)
class Part:
    """Pictures of one size.

    grey       float32 [N, H, W]
    instances  int64 [N, H, W] as they are; `parted` has a pixel of background between those that touch, which is what nets learn
    """

    grey: np.ndarray
    instances: np.ndarray

    @property
    def parted(self) -> np.ndarray:
        found: np.ndarray = sy.spatial.separate(self.instances, connectivity=2, batch=True)
        return found


def arms(parted: np.ndarray) -> dict[str, tuple[sy.CrossEntropy, Tensor | None]]:
    """{name: (loss, pixel weights [N, H, W])}. The mean weight of the training pixels is 1 in all, so no arm has another step size."""
    target = np.minimum(parted, 1)
    by_class = sy.inverse_frequency(sy.count(target.ravel()))
    plain, weighted = sy.CrossEntropy(), sy.CrossEntropy(by_class)
    balance = by_class.class_weight.numpy()[target]
    made: dict[str, tuple[sy.CrossEntropy, Tensor | None]] = {PLAIN: (plain, None), CLASSES: (weighted, None)}
    for kind in KINDS:
        for share in SHARES:
            w = pixel_weights(kind, parted, share)
            made[f"{kind} {share:.0%}"] = plain, torch.from_numpy(w / w.mean(dtype=np.float64)).float()
            if share == 0.3:
                mean = (w * balance).mean(dtype=np.float64)
                made[f"class weights and {kind} {share:.0%}"] = weighted, torch.from_numpy(w / mean).float()
    return made


def pixel_weights(kind: str, parted: np.ndarray, share: float) -> np.ndarray:
    """The map that carries this share of the weight of all training pixels, with one w0 for all pictures."""
    if kind == "border":
        return sy.spatial.border(parted, sigma=4.0, share=share, batch=True)
    if kind == "contour":
        return sy.spatial.contour(parted, width=2.0, share=share, batch=True)
    return sy.spatial.dilate(parted, outer=3.0, share=share, batch=True)


def train(part: Part, steps: int, size: int, seed: int) -> dict[str, UNet]:
    """A net for each arm: the same first weights, and at every step the same crops of `size` pixels, turned the same way."""
    rng = np.random.default_rng(seed)
    parted = part.parted
    n, h, w = parted.shape
    grey, target = torch.from_numpy(part.grey), torch.from_numpy(np.minimum(parted, 1))
    crops = [
        [
            (
                int(rng.integers(n)),
                int(rng.integers(h - size + 1)),
                int(rng.integers(w - size + 1)),
                int(rng.integers(4)),
            )
            for _ in range(BATCH)
        ]
        for _ in range(steps)
    ]

    def cut(images: Tensor, chosen: Sequence[tuple[int, int, int, int]]) -> Tensor:
        return torch.stack([torch.rot90(images[i, y : y + size, x : x + size], k) for i, y, x, k in chosen])

    torch.manual_seed(seed)
    first = UNet(WIDTH).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    nets: dict[str, UNet] = {}
    for name, (loss, weight) in arms(parted).items():
        net = nets[name] = copy.deepcopy(first)
        optimizer = torch.optim.Adam(net.parameters())
        rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=steps + 1)
        for chosen in crops:
            optimizer.zero_grad()
            logits = net(cut(grey, chosen)[:, None])
            loss(logits, cut(target, chosen), weight=None if weight is None else cut(weight, chosen)).backward()
            optimizer.step()
            rate.step()
    return nets


@torch.inference_mode()
def probabilities(net: UNet, part: Part) -> Tensor:
    """[N, H, W]"""
    net.eval()
    return torch.cat([net(g[:, None]).softmax(dim=1)[:, 1] for g in torch.from_numpy(part.grey).split(16)])


@dataclass(frozen=True)
class Truth:
    """A part as it is measured: every pixel belongs to the nearest blob of objects, and that is of one object or of several that touch."""

    mask: Tensor
    parted: np.ndarray
    touching: Tensor
    crowded: list[set[int]]  # numbers of the objects that touch, of each picture

    @classmethod
    def of(cls, part: Part) -> "Truth":
        parted, touching, crowded = part.parted, np.zeros(part.instances.shape, bool), []
        for i, instances in enumerate(part.instances):
            blobs = sy.spatial.objects(instances > 0)
            names = [np.unique(instances[blobs == b]) for b in range(1, blobs.max() + 1)]
            several = np.array([False, *(len(n) > 1 for n in names)])
            nearest = distance_transform_edt(blobs == 0, return_distances=False, return_indices=True)
            touching[i] = several[blobs[tuple(nearest)]]
            crowded.append({int(k) for n in names if len(n) > 1 for k in n})
        return cls(torch.from_numpy(parted > 0), parted, torch.from_numpy(touching), crowded)


def measures(said: Tensor, truth: Truth) -> dict[str, float]:
    """Of one cut: Dice, IoU and boundary F around single objects and around touching ones (counts summed over the pictures), and all of it."""
    found = {}
    edges, true_edges = boundary(said), boundary(truth.mask)
    near, true_near = grown(edges), grown(true_edges)
    for name, where in (
        ("single", ~truth.touching),
        ("touching", truth.touching),
        ("all", torch.ones_like(truth.mask)),
    ):
        both, either = int((said & truth.mask & where).sum()), int(((said | truth.mask) & where).sum())
        precision = ratio(int((edges & true_near & where).sum()), int((edges & where).sum()))
        recall = ratio(int((true_edges & near & where).sum()), int((true_edges & where).sum()))
        found[f"Dice, {name}"] = ratio(2 * both, both + either)
        found[f"IoU, {name}"] = ratio(both, either)
        found[f"boundary F, {name}"] = ratio(2 * precision * recall, precision + recall)
    return found | objects_found(said, truth)


def objects_found(said: Tensor, truth: Truth) -> dict[str, float]:
    """Objects with a component of their own at IoU above 1/2: F1 of all, and the share of the touching ones."""
    hits = drawn = real = touching_hits = touching = 0
    for mask, instances, crowded in zip(said.numpy(), truth.parted, truth.crowded, strict=True):
        components = sy.spatial.objects(mask)
        k, m = int(instances.max()) + 1, int(components.max()) + 1
        shared = np.bincount(instances.ravel() * m + components.ravel(), minlength=k * m).reshape(k, m)
        union = shared.sum(axis=1, keepdims=True) + shared.sum(axis=0, keepdims=True) - shared
        own = np.zeros(k, bool)
        if k > 1 and m > 1:
            own[1:] = (shared[1:, 1:] / np.maximum(union[1:, 1:], 1)).max(axis=1) > 0.5
        there = {int(i) for i in np.unique(instances)} - {0}
        hits += int(own.sum())
        drawn += m - 1
        real += len(there)
        touching += len(there & crowded)
        touching_hits += sum(bool(own[i]) for i in there & crowded)
    return {"object F1": ratio(2 * hits, drawn + real), "touching objects found": ratio(touching_hits, touching)}


def boundary(mask: Tensor) -> Tensor:
    """Pixels of the mask beside one that is none of it."""
    return mask & (F.max_pool2d((~mask)[:, None].float(), 3, 1, 1)[:, 0] > 0)


def grown(edges: Tensor) -> Tensor:
    return F.max_pool2d(edges[:, None].float(), 2 * NEAR + 1, 1, NEAR)[:, 0] > 0


def ratio(a: float, b: float) -> float:
    return a / b if b else 0.0


def at_own_cuts(net: UNet, validation: Part, test: Part) -> dict[str, float]:
    """Measures on the test pictures, each at the cut that is best for it on the validation pictures: Dice and IoU at that of Dice, boundary F
    at its own, objects at that of their F1."""
    p, truth = probabilities(net, validation), Truth.of(validation)
    each = {cut: measures(p >= cut, truth) for cut in CUTS}
    p, truth = probabilities(net, test), Truth.of(test)
    found = {}
    for judge, kept in (
        ("Dice, all", ("Dice", "IoU")),
        ("boundary F, all", ("boundary F",)),
        ("object F1", ("object F1", "touching objects")),
    ):
        cut = max(CUTS, key=lambda c, judge=judge: (each[c][judge], -abs(c - 0.5)))
        of_test = measures(p >= cut, truth)
        found |= {name: value for name, value in of_test.items() if name.startswith(kept)} | {f"cut for {judge}": cut}
    return found
