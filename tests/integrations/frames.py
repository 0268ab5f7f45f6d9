"""Each framework's sample, pipeline and answer behind one face. Workers of a DataLoader import this file, too."""

import os

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import numpy as np
import torch
from tests.integrations import torchvision_on_cpu  # noqa: F401


class Monai:
    def __init__(self, map, flip=False, **options):
        from monai.transforms import Compose, Flipd

        from steelyard.integrations.monai import WeightMapd

        first = [Flipd(["label"], spatial_axis=1)] if flip else []
        self.pipeline = Compose([*first, WeightMapd("label", map, **options)])

    def __call__(self, mask):
        """(the mask as it came out, its weights), both [H, W]"""
        found = self.pipeline({"label": torch.from_numpy(mask)[None], "name": "kept"})
        assert found["name"] == "kept"
        return np.asarray(found["label"][0]), np.asarray(found["weight"][0])


class Albumentations:
    def __init__(self, map, flip=False, **options):
        import albumentations as A

        from steelyard.integrations.albumentations import WeightMap

        first = [A.HorizontalFlip(p=1.0)] if flip else []
        self.pipeline = A.Compose([*first, WeightMap(map, **options)])

    def __call__(self, mask):
        found = self.pipeline(image=np.zeros((*mask.shape, 3), np.uint8), mask=mask.astype(np.int32))
        return found["mask"], found["weight"]


class Torchvision:
    def __init__(self, map, flip=False, **options):
        from torchvision.transforms import v2

        from steelyard.integrations.torchvision import WeightMap

        first = [v2.RandomHorizontalFlip(p=1.0)] if flip else []
        self.pipeline = v2.Compose([*first, WeightMap(map, **options)])

    def __call__(self, mask):
        from torchvision import tv_tensors

        image = tv_tensors.Image(torch.zeros(3, *mask.shape))
        found = self.pipeline(image, tv_tensors.Mask(torch.from_numpy(mask)))
        assert len(found) == 3
        assert isinstance(found[2], tv_tensors.Mask)
        return np.asarray(found[1]), np.asarray(found[2])


FRAMES = {"monai": Monai, "albumentations": Albumentations, "torchvision": Torchvision}


class Samples(torch.utils.data.Dataset):
    """The weights of the masks, made where the item is asked for."""

    def __init__(self, frame, masks):
        self.frame, self.masks = frame, masks

    def __len__(self):
        return len(self.masks)

    def __getitem__(self, i):
        return torch.from_numpy(self.frame(self.masks[i])[1].copy())
