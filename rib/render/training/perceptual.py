"""Distance of two pictures in the features of an ImageNet classifier (Johnson et al., ECCV 2016)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rib.io.errors import RibError
from rib.io.settings.ranges import NonNegative, Range
from rib.io.weights.net_files import check_weights, read_torch_file
from rib.metrics.lpips import IMAGENET_MEAN, IMAGENET_STD, SMALLEST_PX, ImageNetFeatures

CONVOLUTIONS = {
    "vgg16": ("1_1", "1_2", "2_1", "2_2", "3_1", "3_2", "3_3", "4_1", "4_2", "4_3", "5_1", "5_2", "5_3"),
    "vgg19": (
        "1_1", "1_2", "2_1", "2_2", "3_1", "3_2", "3_3", "3_4", "4_1", "4_2", "4_3", "4_4", "5_1", "5_2",
        "5_3", "5_4",
    ),
}  # fmt: skip
VGG19_REMEDY = "give the path of torchvision's vgg19 state_dict"
MAX_CHANNELS = 512
_WEIGHT = re.compile(r"features\.(\d{1,3})\.weight")


class PerceptualLoss:
    """Weighted mean absolute differences of activations.

    The classifier is read when it is first needed, follows the pictures' device, and is no part of any
    checkpoint.

    Args:
        layers: Weight of each activation, by its name, such as relu3_1.
        scale: Size at which pictures are compared, in parts of their own; 0.5 costs a quarter.
        vgg19: Path of torchvision's `vgg19` weights (a state_dict), or None for the VGG16 that
            `rib download` installs.

    Raises:
        RibError: There is no such layer.
    """

    def __init__(
        self,
        layers: Mapping[str, NonNegative],
        scale: Annotated[float, Range(above=0, most=4)],
        vgg19: str | None,
    ) -> None:
        names = [f"relu{name}" for name in CONVOLUTIONS["vgg19" if vgg19 else "vgg16"]]
        if unknown := [layer for layer in layers if layer not in names]:
            raise RibError(f"there is no layer {unknown[0]!r}", f"choose among: {', '.join(names)}")
        self.outputs = sorted(names.index(layer) for layer in layers)
        self.weights = [layers[names[number]] for number in self.outputs]
        self.scale, self.vgg19 = scale, vgg19
        self._features: nn.Module | None = None

    def __call__(self, made: Tensor, true: Tensor) -> Tensor:
        """The distance, a scalar, of RGB (N, 3, H, W) in 0..1; sides are at least 32 px after scaling."""
        if self._features is None:
            outputs = tuple(self.outputs)
            self._features = (
                read_vgg19_weights(self.vgg19, outputs) if self.vgg19 else ImageNetFeatures("vgg16", outputs)
            )
        features = self._features.to(made.device)
        made, true = (self._scaled(pictures) for pictures in (made, true))
        with torch.no_grad():
            wanted = features(true)
        terms = [
            weight * (a.float() - b.float()).abs().mean()
            for weight, a, b in zip(self.weights, features(made), wanted, strict=True)
        ]
        return torch.stack(terms).sum()

    def _scaled(self, pictures: Tensor) -> Tensor:
        """At the size for comparison, but with sides of no less than the classifier needs."""
        H, W = pictures.shape[-2:]
        scale = max(self.scale, SMALLEST_PX / min(H, W))
        if scale == 1:
            return pictures
        size = (round(H * scale), round(W * scale))
        return F.interpolate(pictures, size=size, mode="bilinear", align_corners=False, antialias=scale < 1)


class _Vgg19Features(ImageNetFeatures):
    """`ImageNetFeatures` from other weights."""

    def __init__(self, convolutions: list[nn.Conv2d], pools: list[int], outputs: tuple[int, ...]) -> None:
        nn.Module.__init__(self)
        self.outputs, self.pools = outputs, pools
        self.convolutions = nn.ModuleList(convolutions)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))
        self.requires_grad_(False)


def read_vgg19_weights(path: str | Path, outputs: tuple[int, ...]) -> nn.Module:
    """VGG19's features from torchvision's state_dict.

    Args:
        path: The file.
        outputs: Numbers, from 0, of the convolutions whose activations are given.

    Raises:
        RibError: The file is absent or holds something else, or weights of no net that works.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise RibError(f"there are no VGG19 weights at {path}", VGG19_REMEDY)
    state = read_torch_file(path)
    names = map(str, state) if isinstance(state, Mapping) else ()
    places = sorted(int(found[1]) for name in names if (found := _WEIGHT.fullmatch(name)))
    if len(places) != len(CONVOLUTIONS["vgg19"]):
        raise RibError(f"{path} holds {len(places)} convolutions, but VGG19 has 16", VGG19_REMEDY)
    convolutions: list[nn.Conv2d] = []
    for place in places[: max(outputs) + 1]:
        inside = convolutions[-1].out_channels if convolutions else 3
        convolutions.append(_loaded(state, f"features.{place}", inside, path))
    blocks = [name[0] for name in CONVOLUTIONS["vgg19"]]
    pools = [2 if i and blocks[i] != blocks[i - 1] else 0 for i in range(len(blocks))]
    return _Vgg19Features(convolutions, pools, outputs)


def _loaded(state: Mapping[str, Any], place: str, in_channels: int, path: Path) -> nn.Conv2d:
    weight = state[f"{place}.weight"]
    out_channels = len(weight) if isinstance(weight, Tensor) and weight.dim() else 1
    if out_channels > MAX_CHANNELS:
        raise RibError(f"{path}: {place} has {out_channels} channels, VGG19 at most 512", VGG19_REMEDY)
    convolution = nn.Conv2d(in_channels, out_channels, 3, padding=1)
    own = {f"{place}.{name}": tensor for name, tensor in convolution.state_dict().items()}
    given = {name: state.get(name) for name in own}
    check_weights(own, given, path, VGG19_REMEDY)
    convolution.load_state_dict({name.rpartition(".")[2]: tensor for name, tensor in given.items()})
    return convolution
