"""Small detectors of torchvision with random weights, and two images with boxes of classes 1 and 2."""

from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator
from torchvision.models.detection.faster_rcnn import FasterRCNN
from torchvision.models.detection.fcos import FCOS
from torchvision.models.detection.mask_rcnn import MaskRCNN
from torchvision.models.detection.retinanet import RetinaNet
from torchvision.models.detection.ssd import SSD
from torchvision.models.detection.ssdlite import SSDLiteHead

CLASSES = 4  # the background among them; no box of class 3
SIZE = 64


class Backbone(nn.Module):
    """Features at two strides."""

    def __init__(self, levels: int = 2, *, listed: bool = False):
        super().__init__()
        self.out_channels: Any = [32] * levels if listed else 32  # SSD wants them level by level
        self.first = nn.Conv2d(3, 32, 7, stride=8, padding=3)
        self.second = nn.Conv2d(32, 32, 3, stride=2, padding=1)
        self.levels = levels

    def forward(self, x: Tensor) -> Any:
        a = self.first(x).tanh()
        return OrderedDict(zip("01", (a, self.second(a).tanh()), strict=True)) if self.levels == 2 else a


class Pooled(nn.Module):
    """A region as the mean of its features, in place of roi_align, whose Python takes a minute for this."""

    def __init__(self, size: int):
        super().__init__()
        self.size = size
        self.output_size = (size, size)

    def forward(self, features: Any, boxes: list[Tensor], shapes: Any) -> Tensor:
        found = []
        for image, own in enumerate(boxes):
            plane = next(iter(features.values()))[image]
            for box in own.detach() / SIZE * plane.shape[-1]:
                x, y = (int(v.clamp(0, plane.shape[-1] - 1)) for v in box[:2])
                found.append(nn.functional.adaptive_avg_pool2d(plane[:, y:, x:], self.size))
        return torch.stack(found) if found else torch.zeros(0, 32, self.size, self.size)


def ssd() -> SSD:
    sizes = DefaultBoxGenerator([[2], [2]], scales=[0.2, 0.4, 0.7])
    return SSD(Backbone(listed=True), sizes, (SIZE, SIZE), CLASSES)


def ssdlite() -> SSD:
    sizes = DefaultBoxGenerator([[2], [2]], scales=[0.2, 0.4, 0.7])
    head = SSDLiteHead([32, 32], sizes.num_anchors_per_location(), CLASSES, nn.BatchNorm2d)
    return SSD(Backbone(), sizes, (SIZE, SIZE), CLASSES, head=head)


def retinanet() -> RetinaNet:
    anchors = AnchorGenerator(((12,), (24,)), ((0.5, 1.0, 2.0),) * 2)
    return RetinaNet(Backbone(), CLASSES, min_size=SIZE, max_size=SIZE, anchor_generator=anchors)


def fcos() -> FCOS:
    anchors = AnchorGenerator(((8,), (16,)), ((1.0,),) * 2)
    return FCOS(Backbone(), CLASSES, min_size=SIZE, max_size=SIZE, anchor_generator=anchors)


def rcnn(kind: Any = FasterRCNN) -> Any:
    model = kind(
        Backbone(1),
        CLASSES,
        min_size=SIZE,
        max_size=SIZE,
        rpn_anchor_generator=AnchorGenerator(((16, 32),), ((1.0,),)),
        rpn_pre_nms_top_n_train=50,
        rpn_post_nms_top_n_train=20,
        box_batch_size_per_image=24,
    )
    model.roi_heads.box_roi_pool = Pooled(7)
    if kind is MaskRCNN:
        model.roi_heads.mask_roi_pool = Pooled(14)
    return model


def mask_rcnn() -> MaskRCNN:
    return rcnn(MaskRCNN)


SOFTMAX = {"ssd": ssd, "ssdlite": ssdlite, "faster": rcnn}
SIGMOID = {"retinanet": retinanet, "fcos": fcos}
ALL = {**SOFTMAX, "mask": mask_rcnn, **SIGMOID}
NAME = {"faster": "loss_classifier", "mask": "loss_classifier"}


def batch() -> tuple[list[Tensor], list[dict[str, Tensor]]]:
    random = torch.Generator().manual_seed(3)
    images = [torch.rand(3, SIZE, SIZE, generator=random) for _ in range(2)]
    boxes = [torch.tensor([[4.0, 4, 20, 24], [30, 30, 50, 60]]), torch.tensor([[10.0, 8, 40, 34]])]
    labels = [torch.tensor([1, 2]), torch.tensor([1])]
    masks = [torch.zeros(len(y), SIZE, SIZE, dtype=torch.uint8) for y in labels]
    for mask, own in zip(masks, boxes, strict=True):
        for plane, (x0, y0, x1, y1) in zip(mask, own.int().tolist(), strict=True):
            plane[y0:y1, x0:x1] = 1
    return images, [{"boxes": b, "labels": y, "masks": m} for b, y, m in zip(boxes, labels, masks, strict=True)]


def losses(model: Any, seed: int = 0, *, empty: bool = False) -> dict[str, Tensor]:
    """Of the batch; the samplers of R-CNN draw at random."""
    images, targets = batch()
    if empty:
        targets = [{k: v[:0] for k, v in t.items()} for t in targets]
    torch.manual_seed(seed)
    return model.train()(images, targets)
