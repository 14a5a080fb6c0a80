"""The labels that the published renderer was trained on, pixel for pixel, so that its weights mean the same.

Ho et al., BMVC 2021. Letters: N poses, J joints, L limbs of all poses, H and W the picture's
height and width, K places on a limb.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from rib.render.labels.limbs import COLOURS, LIMBS, NUM_CHANNELS, NUM_JOINTS
from rib.render.labels.native import stacked
from rib.render.labels.windows import Windows

STAMP = 8
"""A limb is a run of squares this wide, from -4 to 3 around each of its places."""
DISC = 8
"""Radius of the discs at a limb's ends."""
TRUNCATED = 4
"""The gaussian ends after this many standard deviations."""
FAR = -(10**6)
"""A place outside of every picture."""


class ReferenceLabels:
    """The published design's 22 channels: RGB of the limbs, then a gaussian a joint around its whole pixel.

    A limb's squares are laid one after the other and each is averaged with what is under it, in whole
    numbers; so are the discs at its ends, except where both lie on black. At the picture's edge squares are
    cut off. There is no gradient.

    Args:
        sigma_px: Standard deviation of a joint's gaussian.
        threshold: A joint below this confidence is missing; so is one at x = 0 or y < 0.
    """

    num_channels = NUM_CHANNELS

    def __init__(self, sigma_px: float, threshold: float) -> None:
        self.sigma_px, self.threshold = sigma_px, threshold

    @torch.no_grad()
    def __call__(self, poses: Tensor, size_hw: tuple[int, int]) -> Tensor:
        """Draw poses; see `rib.render.labels.native.SkeletonLabels`."""
        flat = poses.reshape(-1, NUM_JOINTS, 3)
        skeleton = (self.skeleton(flat, size_hw) / 255).to(flat.dtype)
        drawn = stacked(flat, skeleton, self.bells(flat, size_hw))
        return drawn.view(*poses.shape[:-2], *drawn.shape[1:])

    def present(self, poses: Tensor) -> Tensor:
        """(N, J) bool: which joints of poses (N, J, 3) are drawn."""
        x, y, confidence = poses.unbind(-1)
        return (x != 0) & (y >= 0) & (confidence > 0) & (confidence >= self.threshold)

    def heatmaps(self, poses: Tensor, size_hw: tuple[int, int]) -> Tensor:
        """(N, 19, H, W): a one on the joint's pixel, blurred with mirrored edges, its greatest value 1."""
        columns, rows = self.bells(poses, size_hw)
        return columns * rows

    def bells(self, poses: Tensor, size_hw: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """The factors of the heatmaps: (N, 19, H, 1), 0 for missing joints, and (N, 19, 1, W)."""
        columns = self._bell(poses[..., 1:2], size_hw[0]) * self.present(poses)[..., None]
        return columns[..., :, None], self._bell(poses[..., 0:1], size_hw[1])[..., None, :]

    def _bell(self, place_px: Tensor, size: int) -> Tensor:
        """(N, J, size) of places (N, J, 1), 0 for places outside."""
        places = torch.arange(size, device=place_px.device)
        pixel = place_px.nan_to_num(0).trunc().clamp(-size, 2 * size).long()
        reach = int(TRUNCATED * self.sigma_px + 0.5)
        steps = torch.arange(reach + 2, device=place_px.device, dtype=torch.float32)
        values = torch.exp(-0.5 * (steps / self.sigma_px) ** 2)
        values[-1] = 0
        bell = values.new_zeros(())
        for mirrored in (pixel, -1 - pixel, 2 * size - 1 - pixel):
            bell = bell + values[(places - mirrored).abs().clamp_(max=reach + 1)]
        inside = (pixel >= 0) & (pixel < size)
        return (bell / bell.amax(-1, keepdim=True).clamp(min=1e-12) * inside).to(place_px.dtype)

    def skeleton(self, poses: Tensor, size_hw: tuple[int, int]) -> Tensor:
        """(N, 3, H, W): the limbs of poses (N, 19, 3), whole numbers 0..255 as floats."""
        (N, H, W), limbs = (len(poses), *size_hw), torch.tensor(LIMBS, device=poses.device)
        known = torch.cat([poses[..., :2], self.present(poses)[..., None].to(poses.dtype)], -1)
        a, b = (known[:, limbs[:, end]].flatten(0, 1) for end in (0, 1))
        strokes = [part.unflatten(0, (N, len(LIMBS))) for part in _strokes(a, b, size_hw)]
        canvas = poses.new_zeros(N, 3, H * W + 1, dtype=torch.float32)
        colours = torch.tensor(COLOURS, device=poses.device, dtype=torch.float32)
        for number, colour in enumerate(colours[:, :, None]):
            _draw_limb(canvas, colour, *(part[:, number] for part in strokes))
        return canvas[..., :-1].view(N, 3, H, W)


def _strokes(a: Tensor, b: Tensor, size_hw: tuple[int, int]) -> list[Tensor]:
    """What is painted for limbs from a to b, (L, 3) each, as places in a picture and a last one for waste.

    Returns:
        (L, P) places of the squares, (L, P) what is left there of what was under them, as a share; (L, 2, D)
        places of the discs at both ends, (L, 2, D) what is left there.
    """
    x, y, valid = _places(a, b)
    windows = Windows.around(a, b, STAMP // 2 + 1, size_hw)
    ends_x, ends_y = _ends(x, y, valid)
    offsets = torch.arange(-DISC + 1, DISC, device=a.device)
    dy, dx = torch.meshgrid(offsets, offsets, indexing="ij")
    within = dx.square() + dy.square() < DISC**2
    column, row = ends_x[..., None] + dx[within], ends_y[..., None] + dy[within]
    H, W = size_hw
    inside = (column >= 0) & (column < W) & (row >= 0) & (row < H)
    discs = torch.where(inside, row * W + column, H * W)
    # a pixel of one disc lies on the other too where that one's middle is near
    other = (column - ends_x.flip(1)[..., None]).square() + (row - ends_y.flip(1)[..., None]).square()
    left = torch.exp2(-_times_stamped(x, y, valid, windows))
    return [windows.index, left, discs, torch.where(other < DISC**2, 0.25, 0.5)]


def _draw_limb(
    canvas: Tensor, colour: Tensor, squares: Tensor, left: Tensor, discs: Tensor, disc_left: Tensor
) -> None:
    """Draw one limb of each of N poses onto canvas (N, 3, H * W + 1); the rest is of `_strokes`."""
    index = squares[:, None].expand(-1, 3, -1)
    canvas.scatter_(2, index, _averaged(canvas.gather(2, index), colour, left))
    index = discs.flatten(1)[:, None].expand(-1, 3, -1)
    under = canvas.gather(2, index)
    canvas.scatter_(2, index, _averaged(under, colour, disc_left.flatten(1)))
    # the whole colour where the same pixel of both discs was black
    black = (under.amax(1) == 0).view_as(discs).all(1, keepdim=True)
    waste = torch.where(black, discs, canvas.shape[2] - 1).flatten(1)[:, None].expand(-1, 3, -1)
    canvas.scatter_(2, waste, colour.expand(len(canvas), -1, waste.shape[2]))


def _averaged(under: Tensor, colour: Tensor, left: Tensor) -> Tensor:
    """What `under` (N, 3, P) becomes when a colour (3, 1) is averaged in n times, `left` (N, P) being 2^-n.

    Of n roundings down in a row, floor((v + c) / 2), there remains c + floor((v - c) / 2^n).
    """
    return (under - colour).mul_(left[:, None]).floor_().add_(colour)


def _places(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The limb's whole pixels: x and y (N, K) int64, and which of the K there are.

    One place a pixel of the longer axis, as many as its length rounds to, spread from one whole pixel to
    the other; the shorter axis follows the exact line, rounded down.
    """
    start, end = a[:, :2].double(), b[:, :2].double()
    upright = (start[:, 0] - end[:, 0]).abs() < (start[:, 1] - end[:, 1]).abs()
    start, end = (torch.where(upright[:, None], p.flip(1), p) for p in (start, end))
    swapped = (start[:, 0] > end[:, 0])[:, None]
    start, end = torch.where(swapped, end, start), torch.where(swapped, start, end)
    length = end[:, 0] - start[:, 0]
    count = torch.where((a[:, 2] > 0) & (b[:, 2] > 0), length.round(), 0.0)
    steps = torch.arange(max(int(count.max()), 1) if len(a) else 1, device=a.device, dtype=torch.float64)
    first, last = start[:, 0].trunc(), end[:, 0].trunc()
    major = first[:, None] + steps * ((last - first) / (count - 1).clamp(min=1))[:, None]
    slope = (end[:, 1] - start[:, 1]) / length.clamp(min=1e-9)
    minor = start[:, 1:] + slope[:, None] * (major - start[:, :1])
    major, minor = major.trunc().long(), minor.trunc().long()
    x, y = torch.where(upright[:, None], minor, major), torch.where(upright[:, None], major, minor)
    return x, y, steps < count[:, None]


def _times_stamped(x: Tensor, y: Tensor, valid: Tensor, windows: Windows) -> Tensor:
    """(N, h * w): how many of the limb's squares lie on each of a window's pixels."""
    (N, h), w = windows.y.shape, windows.x.shape[1]
    # squares whose middle lies just outside the window reach into it
    wide, high = w + STAMP, h + STAMP
    column = x - windows.x[:, :1].long() + STAMP // 2
    row = y - windows.y[:, :1].long() + STAMP // 2
    inside = valid & (column >= 0) & (column < wide) & (row >= 0) & (row < high)
    place = torch.where(inside, row * wide + column, wide * high)
    line = windows.x.new_zeros(N, wide * high + 1, dtype=torch.float32).scatter_(1, place, 1.0)
    line = line[:, :-1].view(N, 1, high, wide)
    times = F.avg_pool2d(line, (STAMP, 1), stride=1, divisor_override=1)
    times = F.avg_pool2d(times, (1, STAMP), stride=1, divisor_override=1)
    # a pixel is reached by places up to 4 to its right and 3 to its left
    return times[:, 0, 1 : h + 1, 1 : w + 1].flatten(1)


def _ends(x: Tensor, y: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """The limb's first and last place, x (L, 2) and y (L, 2); far outside where there is none."""
    last = (valid.sum(1, keepdim=True) - 1).clamp(min=0)
    # one and the same place is drawn once
    there = torch.cat([valid[:, :1], last > 0], 1)
    ends = (torch.cat([part[:, :1], part.gather(1, last)], 1) for part in (x, y))
    far_x, far_y = (torch.where(there, part, FAR) for part in ends)
    return far_x, far_y
