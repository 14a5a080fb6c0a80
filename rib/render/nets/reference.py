"""`net=renderer_reference`: the published renderer, a SPADE generator that walks on its own output.

Ho et al., "Render In-between", BMVC 2021, written anew; parameters have the published names and shapes. The
generator draws the person from the pose, under the condition of [background, previous frame]; a mask network
decides where the rendered person stands before the background. Letters: N pictures, B clips, T frames
of a window.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rib.io.precision import bfloat16_in_use
from rib.io.recipe import build_recipe
from rib.io.settings.ranges import Range
from rib.render.clip_batch import RendererClipBatch, RendererClipOutput
from rib.render.conditioning.limbs import NUM_CHANNELS
from rib.render.nets.spade import ConvActivation, NormResidualBlock, PlainConv, SpadeBlock
from rib.render.nets.spectral import fold_spectral_norms

NUM_BLOCKS = 2
"""Residual blocks at the generator's coarsest level."""


class GeneratorFrame(NamedTuple):
    """A frame of each of N clips: finished and the person alone (N, 3, H, W), and the mask (N, 1, H, W)."""

    picture: Tensor
    foreground: Tensor
    mask: Tensor


class ConditionEmbedding(nn.Module):
    """Maps of a picture at the whole size, 1/2, 1/4, ..., as conditions."""

    def __init__(self, channels: int, width: int, max_channels: int, num_down: int) -> None:
        super().__init__()
        self.num_down = num_down
        self.conv_first = ConvActivation(channels, min(width, max_channels), 1, False)
        for level in range(num_down):
            in_channels, out_channels = (min(width * 2**i, max_channels) for i in (level, level + 1))
            setattr(self, f"down_{level}", ConvActivation(in_channels, out_channels, 2, False))

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, channels, H, W) to `num_down` + 1 maps."""
        maps = [self.conv_first(x)]
        for level in range(self.num_down):
            maps.append(getattr(self, f"down_{level}")(maps[-1]))
        return maps


class ForegroundMaskNetwork(nn.Module):
    """Predicts the foreground's mask from the pose and the pictures."""

    def __init__(self, width: int, num_down: int, num_blocks: int) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(num_down + 1)]
        self.down_lbl = _descent(NUM_CHANNELS, widths)
        self.down_img = _descent(9, widths)
        in_channels = [2 * widths[-1], *[widths[-1]] * (num_blocks - 1)]
        self.res_flow = nn.Sequential(*(NormResidualBlock(channels, widths[-1]) for channels in in_channels))
        steps: list[nn.Module] = []
        for level in reversed(range(num_down)):
            steps += [nn.Upsample(scale_factor=2), ConvActivation(widths[level + 1], widths[level], 1, True)]
        self.up_flow = nn.Sequential(*steps)
        self.conv_mask = nn.Sequential(PlainConv(width, 1, 3))

    def forward(self, maps: Tensor, pictures: Tensor) -> Tensor:
        """The mask (N, 1, H, W) in 0..1 of the pose's maps (N, 22, H, W) and three pictures (N, 9, H, W)."""
        x = torch.cat([self.down_lbl(maps), self.down_img(pictures)], 1)
        return self.conv_mask(self.up_flow(self.res_flow(x))).sigmoid()


def _descent(channels: int, widths: list[int]) -> nn.Sequential:
    """The whole size first, then every layer halves it."""
    pairs = pairwise([channels, *widths])
    return nn.Sequential(*(ConvActivation(a, b, 2 if n else 1, True) for n, (a, b) in enumerate(pairs)))


class RendererReference(nn.Module):
    """Makes frames one after the other, each from its pose, its background and the frame made before it.

    The published design also holds an embedding of the maps and a second mask layer that are never used;
    they are kept so that its weights fit.

    Args:
        width: Channels of the generator at the whole size; they double with every level.
        embedding: Channels of the condition at the whole size.
        max_channels: Greatest number of channels of either.
        num_down: Times that the generator halves the picture.
        mask_width: Channels of the mask network at the whole size.
        mask_down: Times that it halves the picture.
        mask_blocks: Residual blocks of the mask network.
        conditioning: Recipe of the conditioning maps.
        bfloat16: Whether frames are computed in bfloat16 where no gradient is wanted.
    """

    def __init__(
        self,
        width: Annotated[int, Range(1, 4096)],
        embedding: Annotated[int, Range(1, 4096)],
        max_channels: Annotated[int, Range(1, 65536)],
        num_down: Annotated[int, Range(1, 12)],
        mask_width: Annotated[int, Range(1, 4096)],
        mask_down: Annotated[int, Range(1, 12)],
        mask_blocks: Annotated[int, Range(0, 100)],
        conditioning: Mapping[str, Any],
        bfloat16: bool,
    ) -> None:
        super().__init__()
        self.num_down, self.multiple = num_down, 2 ** max(num_down, mask_down)
        self.conditioning, self.in_bfloat16 = build_recipe(conditioning), bfloat16
        widths = [min(width * 2**level, max_channels) for level in range(num_down + 2)]
        conditions = [min(embedding * 2**level, max_channels) for level in range(num_down + 1)]
        self.ref_embedding = ConditionEmbedding(6, embedding, max_channels, num_down)
        self.label_embedding = ConditionEmbedding(
            NUM_CHANNELS, embedding, max_channels, num_down
        ).requires_grad_(False)
        self.down_first = PlainConv(NUM_CHANNELS, width, 3)
        for level in range(num_down + 1):
            down = SpadeBlock(widths[level], widths[level + 1], conditions[level])
            up = SpadeBlock(widths[level + 1], widths[level], conditions[level])
            setattr(self, f"down_{level}", down)
            setattr(self, f"up_{level}", up)
        for block in range(NUM_BLOCKS):
            setattr(self, f"res_{block}", SpadeBlock(widths[-1], widths[-1], conditions[-1]))
        self.conv_img = PlainConv(width, 3, 3)
        self.conv_mask = PlainConv(width, 1, 3).requires_grad_(False)
        self.flow_network_temp = ForegroundMaskNetwork(mask_width, mask_down, mask_blocks)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, batch: RendererClipBatch) -> RendererClipOutput:
        """Frames 1 .. T - 2 of windows of any size; the first follows `frames[:, 0]`."""
        previous, made = batch["frames"][:, 0], []
        for frame in range(1, batch["frames"].shape[1] - 1):
            maps = self.maps(batch["poses"][:, frame], previous)
            made.append(self.frame(maps, batch["backgrounds"][:, frame - 1], previous))
            previous = made[-1].picture.detach()
        picture, foreground, mask = (torch.stack(part, 1) for part in zip(*made, strict=True))
        return RendererClipOutput(picture=picture, foreground=foreground, alpha=mask)

    def maps(self, poses: Tensor, like: Tensor) -> Tensor:
        """The conditioning maps (N, 22, H, W) of poses (N, 19, 3) for pictures such as `like`."""
        with torch.no_grad():
            return self.conditioning(poses, tuple(like.shape[-2:])).to(like)

    def frame(self, maps: Tensor, background: Tensor, previous: Tensor) -> GeneratorFrame:
        """One frame a clip.

        Args:
            maps: (N, 22, H, W), of `maps`.
            background: (N, 3, H, W) in 0..1, the frame as the interpolator sees it.
            previous: (N, 3, H, W) in 0..1, the frame before it.
        """
        H, W = background.shape[-2:]
        pad = (0, -W % self.multiple, 0, -H % self.multiple)
        place = lambda x: F.pad(x, pad, mode="replicate").contiguous(memory_format=torch.channels_last)  # noqa: E731
        maps, background, previous = place(maps), place(2 * background - 1), place(2 * previous - 1)
        with bfloat16_in_use(self.in_bfloat16, maps.device):
            drawn = self.render(maps, self.ref_embedding(torch.cat([background, previous], 1))).float()
            mask = self.flow_network_temp(maps, torch.cat([previous, background, drawn], 1)).float()
        picture = background + mask * (drawn - background)
        picture, drawn = ((x[..., :H, :W] + 1) / 2 for x in (picture, drawn))
        return GeneratorFrame(picture, drawn, mask[..., :H, :W])

    def render(self, maps: Tensor, conditions: list[Tensor]) -> Tensor:
        """The person (N, 3, H, W) in -1..1."""
        x = self.down_first(maps)
        for level in range(self.num_down + 1):
            x = getattr(self, f"down_{level}")(x, conditions[level])
            if level < self.num_down:
                x = F.avg_pool2d(x, 2)
        for block in range(NUM_BLOCKS):
            x = getattr(self, f"res_{block}")(x, conditions[-1])
        for level in reversed(range(self.num_down + 1)):
            x = getattr(self, f"up_{level}")(x, conditions[level])
            if level:
                x = F.interpolate(x, scale_factor=2, mode="nearest")
        return self.conv_img(F.leaky_relu(x, 0.2)).tanh()

    def for_inference(self) -> RendererReference:
        """Divide the spectral norms into the weights: the same net to within rounding, for inference."""
        fold_spectral_norms(self.eval().requires_grad_(False))
        return self
