"""`net=renderer_base`: a compact U-Net that refines a person rendered from the keyframes' own pixels.

It starts as the identity: the last layer is zero, and every change is a departure from what was rendered.
Letters: N moments, C channels, H and W the size of the person's box.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from itertools import pairwise
from typing import Annotated, Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rib.io.precision import bfloat16_in_use
from rib.io.settings.ranges import AsManyAs, ListSize, OneOf, Range
from rib.render.clip_batch import RendererClipBatch, RendererClipOutput
from rib.render.nets.source_choice import (
    DRAWN,
    NUM_DETAILS,
    NUM_DRAWN,
    SOURCES,
    drawing_shares,
    refined_by_choice,
    source_shares,
)
from rib.render.refine.clip_input import ClipRefinerInput
from rib.render.refine.refiner_input import CHANNELS, NUM_CHANNELS, RefinerInput, RefinerOutput
from rib.structures.box import Box, row_strips
from rib.structures.windows import largest_around, mean_around

CELL = 2
"""The net works on cells of so many pixels a side, which become channels."""
STEPS, CHOICE, DRAWING = HEADS = ("steps", "choice", "drawing")
"""What the last layer says: steps away from what was rendered, a choice among all that is at hand, or one in
which only what can be drawn has a say."""
CHOSEN_AMONG = {CHOICE: len(SOURCES), DRAWING: NUM_DRAWN}
OUTPUTS = {STEPS: 8, **{head: count + NUM_DETAILS for head, count in CHOSEN_AMONG.items()}}
"""Of steps: residual colour (3), share of keyframe a's and of keyframe b's colour, detail, alpha, trust."""
SEEN_BY_STEPS = NUM_CHANNELS - CHANNELS["carried"] - CHANNELS["evidence"]
LEAST_POWER = 1e-4
"""Added to the mean square of the last features of a head that chooses, which are brought to a mean square
of 1: else a direction that pays a little everywhere is taken ever faster by every layer, until nothing comes
back."""
STRIP = 8
"""Rows of the coarsest level that enter at once where nothing is learned."""
EDGE = 0.05
"""Nearness to a limb (limb maps; 2.4 radii away) from which on alpha and trust are left as they are."""
AROUND_PX = 9
"""How far a choice reaches around the person as the interpolator's flow carries them, and the width of its
soft rim."""
LARGEST_RESIDUAL = 0.1
"""A net that may paint what it likes learns to paint over its own mistakes, which serves no other clip."""


class ResidualBlock(nn.Module):
    """Two convolutions beside a way past them (He et al., CVPR 2016); it starts close to doing nothing."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        with torch.no_grad():
            self.second.weight.mul_(0.1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, h, w) to the same."""
        return x + self.second(F.relu(self.first(F.relu(x))))


class RendererBase(nn.Module):
    """Refines a rendered person; sees `rib.render.refine.refiner_input.RefinerInput`.

    All moments of an interval go as one batch, and no moment sees another: non-autoregressive.

    Args:
        widths: Channels at 1/2, 1/4, 1/8, ... of the picture's size.
        blocks: Residual blocks a level, on the way down and on the way up.
        renderer: Recipe of the renderer whose people it refines (`rib.render.warp.WarpRenderer`).
        head: "drawing" or "choice", see `rib.render.nets.source_choice`; "steps" is the head of the first
            weights.

    Attributes:
        weighs_trust: Whether the trust that it is given is all of the interval's (`TrustMap.around` too) and
            what it answers is final; else the latter still counts afterwards.
        in_bfloat16: Whether convolutions, but the last, are computed in bfloat16 where no gradient is wanted.
    """

    in_bfloat16 = False

    def __init__(
        self,
        widths: Annotated[Sequence[Annotated[int, Range(1, 8192)]], ListSize(1, 12)],
        blocks: Annotated[Sequence[Annotated[int, Range(0, 100)]], AsManyAs("widths")],
        renderer: Mapping[str, Any],
        head: Annotated[str, OneOf(*HEADS)] = STEPS,
    ) -> None:
        super().__init__()
        self.head, self.weighs_trust = head, head in CHOSEN_AMONG
        self.renderer = dict(renderer)
        self._draw: ClipRefinerInput | None = None
        self.multiple = CELL * 2 ** (len(widths) - 1)
        self.seen = NUM_CHANNELS if self.weighs_trust else SEEN_BY_STEPS
        self.enter = nn.Conv2d(self.seen * CELL**2, widths[0], 1)
        self.down = nn.ModuleList(_blocks(w, n) for w, n in zip(widths, blocks, strict=True))
        self.up = nn.ModuleList(_blocks(w, n) for w, n in zip(widths[:-1], blocks[:-1], strict=True))
        pairs = list(pairwise(widths))
        self.shrink = nn.ModuleList(nn.Conv2d(fine, coarse, 2, 2) for fine, coarse in pairs)
        self.grow = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in pairs)
        self.leave = nn.Conv2d(widths[0], OUTPUTS[head], 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        assert self.leave.bias is not None
        nn.init.zeros_(self.leave.bias)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def drawing(self) -> Self:
        """The same net, for use, with the head `drawing`: what its `choice` says of what can be drawn."""
        assert self.head == CHOICE
        rows = [*range(len(SOURCES))[DRAWN], *range(len(SOURCES), OUTPUTS[CHOICE])]
        net = deepcopy(self)
        net.head, net.leave = DRAWING, nn.Conv2d(self.leave.in_channels, OUTPUTS[DRAWING], 3, padding=1)
        net.leave.load_state_dict({name: x[rows] for name, x in self.leave.state_dict().items()})
        net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return net.eval().requires_grad_(False)

    def forward(self, batch: RendererClipBatch) -> RendererClipOutput:
        """Frames 1 .. T - 2 of windows (B, T, ...), each rendered from its neighbours and refined.

        Windows rendered already (`rib.render.training.refiner_data.RefinerClipBatch`) are only refined.
        """
        if "channels" in batch:
            return self._mended(RefinerInput.of(batch["channels"]))  # type: ignore[typeddict-item]
        num_clips, num_frames = batch["frames"].shape[:2]
        made = [
            [self._frame(batch, clip, frame) for frame in range(1, num_frames - 1)]
            for clip in range(num_clips)
        ]
        channels = torch.stack([torch.stack(frames) for frames in made])
        picture, foreground, alpha = channels.split([3, 3, 1], 2)
        return RendererClipOutput(picture=picture, foreground=foreground, alpha=alpha)

    def _mended(self, inputs: RefinerInput) -> RendererClipOutput:
        refined = self.refine(inputs)
        picture, alpha = refined.over(inputs), refined.alpha * refined.trust
        return RendererClipOutput(
            picture=picture[:, None], foreground=refined.colour[:, None], alpha=alpha[:, None]
        )

    def _sketch(self, batch: RendererClipBatch, clip: int, frame: int) -> tuple[Box, RefinerInput] | None:
        """Built when it is first needed: weights can then be read whatever renderer they were made with."""
        if self._draw is None:
            self._draw = ClipRefinerInput(self.renderer["skinning"], self.renderer["trust"])
        return self._draw(batch, clip, frame)

    def _frame(self, batch: RendererClipBatch, clip: int, frame: int) -> Tensor:
        """(7, H, W): picture, foreground, and the share of the latter in the former."""
        interpolated = batch["backgrounds"][clip, frame - 1]
        channels = torch.cat([interpolated, interpolated, torch.zeros_like(interpolated[:1])])
        sketch = self._sketch(batch, clip, frame)
        if sketch is None:
            return channels
        box, inputs = sketch
        refined = self.refine(inputs)
        within = torch.cat([refined.over(inputs), refined.colour, refined.alpha * refined.trust], 1)
        box.of(channels).copy_(within[0])
        return channels

    def refine(self, inputs: RefinerInput) -> RefinerOutput:
        """Refine a rendered person; the identity, or nearly so, while the last layer is zero."""
        cells = self._cells(inputs)
        near = (inputs.limbs.amax(1, keepdim=True) / EDGE).clamp_max(1)
        if self.head in CHOSEN_AMONG:
            near = torch.maximum(near, _around(inputs.carried[:, 3::4].amax(1, keepdim=True)))
            soft = _soft(inputs.colour)
            strips = [
                self._chosen(inputs.rows(rows), _enlarged(cells, rows), near[:, :, rows], soft[:, :, rows])
                for rows in self._strips(inputs.size[0])
            ]
            return RefinerOutput(*(torch.cat(parts, 2) for parts in zip(*strips, strict=True)))
        change = self._whole(cells, inputs.size)
        mix_a, mix_b, detail = change[:, 3:6].tanh().split(1, 1)
        a, b = inputs.per_keyframe[:, :3], inputs.per_keyframe[:, 4:7]
        colour = (
            inputs.colour
            + mix_a * (a - inputs.colour)
            + mix_b * (b - inputs.colour)
            + detail * (inputs.colour - _soft(inputs.colour))
            + LARGEST_RESIDUAL * change[:, :3].tanh()
        )
        alpha, trust = change[:, 6:].tanh().split(1, 1)
        return RefinerOutput(colour, _moved(inputs.alpha, near * alpha), _moved(inputs.trust, near * trust))

    def _chosen(
        self, inputs: RefinerInput, change: Tensor, near: Tensor, soft: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Colour, alpha and trust of some rows."""
        change = change[..., : inputs.size[1]]
        offsets, details = change.split([CHOSEN_AMONG[self.head], NUM_DETAILS], 1)
        shares = (source_shares if self.head == CHOICE else drawing_shares)(inputs, offsets, near)
        refined = refined_by_choice(inputs, shares, details, near, soft)
        return refined.colour, refined.alpha, refined.trust

    def changes(self, inputs: RefinerInput) -> Tensor:
        """(N, outputs, H, W) of a person's box of any size: padded inside, cropped after.

        The head of the first weights sees the channels that there were then, which come first.

        Changes are smooth over cells: what may differ from pixel to pixel learns patterns that please the
        loss's features and no eye.
        """
        return self._whole(self._cells(inputs), inputs.size)

    def _whole(self, cells: Tensor, size: tuple[int, int]) -> Tensor:
        return _enlarged(cells, slice(0, size[0]))[..., : size[1]]

    def _cells(self, inputs: RefinerInput) -> Tensor:
        """(N, outputs, h, w) of cells, padded."""
        height, width = inputs.size
        pad = (-width % self.multiple, -height % self.multiple)
        with bfloat16_in_use(self.in_bfloat16, inputs.trust.device):
            x = self._features(inputs, pad)
        x = F.relu(x.float())
        if self.head in CHOSEN_AMONG:
            x = x * (x.square().mean(1, keepdim=True) + LEAST_POWER).rsqrt()
        cells: Tensor = self.leave(x)
        return cells

    def _features(self, inputs: RefinerInput, pad: tuple[int, int]) -> Tensor:
        """(N, C, h, w) at half the size: all layers but the last."""
        height = inputs.size[0]
        strips = self._strips(height + pad[1])
        x = torch.cat([self._entered(inputs.rows(rows), pad[0], rows.stop - height) for rows in strips], 2)
        x, passed = x.contiguous(memory_format=torch.channels_last), []
        for level, blocks in enumerate(self.down):
            x = blocks(x)
            if level < len(self.shrink):
                passed.append(x)
                x = self.shrink[level](x)
        for level in reversed(range(len(self.up))):
            x = F.interpolate(self.grow[level](x), scale_factor=2, mode="nearest")
            x = self.up[level](x + passed[level])
        return x

    def _strips(self, height: int) -> list[slice]:
        """Rows of a padded picture, to be taken in one after another."""
        return row_strips(height, height if self.training else self.multiple * STRIP)

    def _entered(self, inputs: RefinerInput, right: int, below: int) -> Tensor:
        """The first layer of some rows, of which the last are padded."""
        pad = (0, right, 0, max(below, 0))
        x = inputs.channels[:, : self.seen] - 0.5
        x = F.pad(x, pad, mode="replicate") if any(pad) else x
        return F.conv2d(x, self.enter.weight.view(-1, self.seen, CELL, CELL), self.enter.bias, CELL)


def _enlarged(cells: Tensor, rows: slice) -> Tensor:
    """(N, C, R, W), those rows of what cells (N, C, h, w) are at the size of the pixels."""
    first, last = max(rows.start // CELL - 1, 0), -(-rows.stop // CELL) + 1
    part = F.interpolate(cells[:, :, first:last], scale_factor=CELL, mode="bilinear", align_corners=False)
    return part[:, :, rows.start - first * CELL :][:, :, : rows.stop - rows.start]


def _around(matte: Tensor) -> Tensor:
    """A matte (N, 1, H, W) widened, its rim soft: 0 beyond."""
    wide = largest_around(matte, AROUND_PX)
    return mean_around(wide, AROUND_PX // 2)


def _blocks(width: int, num: int) -> nn.Sequential:
    return nn.Sequential(*(ResidualBlock(width) for _ in range(num)))


def _soft(colour: Tensor) -> Tensor:
    """A picture (N, 3, H, W) under a binomial of 3 x 3; what it loses is its detail."""
    wide = F.pad(colour, (1, 1, 1, 1), mode="replicate")
    rows = (wide[:, :, :-2] + 2 * wide[:, :, 1:-1] + wide[:, :, 2:]) / 4
    return (rows[..., :-2] + 2 * rows[..., 1:-1] + rows[..., 2:]) / 4


def _moved(share: Tensor, step: Tensor) -> Tensor:
    """A share in 0..1 moved towards 1 (step 0..1) or 0 (step -1..0); exactly itself where the step is 0."""
    return share + step.clamp_min(0) * (1 - share) + step.clamp_max(0) * share
