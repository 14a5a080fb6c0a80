"""The labels that the published renderer was trained on, pixel for pixel, so that its weights mean the same.

Ho et al., BMVC 2021. Letters: N poses, J joints, H and W the picture's height and width, K places on a limb.
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
        places = torch.arange(size, device=place_px.device, dtype=torch.float64)
        pixel = place_px.double().trunc()
        reach = int(TRUNCATED * self.sigma_px + 0.5)
        bell = places.new_zeros(())
        for mirrored in (pixel, -1 - pixel, 2 * size - 1 - pixel):
            distance = (places - mirrored).abs()
            bell = bell + torch.exp(-0.5 * (distance / self.sigma_px) ** 2) * (distance <= reach)
        inside = (pixel >= 0) & (pixel < size)
        return (bell / bell.amax(-1, keepdim=True).clamp(min=1e-12) * inside).to(place_px.dtype)

    def skeleton(self, poses: Tensor, size_hw: tuple[int, int]) -> Tensor:
        """(N, 3, H, W): the limbs of poses (N, 19, 3), whole numbers 0..255 as floats."""
        N, (H, W) = len(poses), size_hw
        present = self.present(poses)
        canvas = poses.new_zeros(N, 3, H * W + 1, dtype=torch.float32)
        for (a, b), colour in zip(LIMBS, COLOURS, strict=True):
            there = present[:, a] & present[:, b]
            ends = [torch.cat([poses[:, j, :2], there[:, None].to(poses)], 1) for j in (a, b)]
            _draw_limb(canvas, ends[0], ends[1], canvas.new_tensor(colour), size_hw)
        return canvas[..., :-1].view(N, 3, H, W)


def _draw_limb(canvas: Tensor, a: Tensor, b: Tensor, colour: Tensor, size_hw: tuple[int, int]) -> None:
    """Draw one limb, from a to b (N, 3), onto canvas (N, 3, H * W + 1), whose last place is waste."""
    x, y, valid = _places(a, b)
    windows = Windows.around(a, b, DISC + 1, size_hw)
    index = windows.index[:, None].expand(-1, 3, -1)
    under = canvas.gather(2, index)
    painted = _averaged(under, colour, _times_stamped(x, y, valid, windows))
    ends = _ends(x, y, valid)
    discs = [_in_disc(*end, windows) for end in ends]
    both = (painted.amax(1) > 0).float()
    painted = _averaged(painted, colour, discs[0].float() + discs[1].float())
    canvas.scatter_(2, index, painted)
    _whole_where_black(canvas, ends, both, windows, colour, size_hw)


def _averaged(under: Tensor, colour: Tensor, times: Tensor) -> Tensor:
    """What is left of `under` (N, 3, P) when a colour was averaged in `times` (N, P) times.

    Of n roundings down in a row, floor((v + c) / 2), there remains c + floor((v - c) / 2^n).
    """
    shift = (under - colour[:, None]) * torch.exp2(-times)[:, None]
    return shift.floor() + colour[:, None]


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
    times = F.avg_pool2d(line, STAMP, stride=1, divisor_override=1)
    # a pixel is reached by places up to 4 to its right and 3 to its left
    return times[:, 0, 1 : h + 1, 1 : w + 1].flatten(1)


def _ends(x: Tensor, y: Tensor, valid: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The limb's first and last place, x and y (N, 1); far outside where there is none."""
    last = (valid.sum(1, keepdim=True) - 1).clamp(min=0)
    far = -(10**6)
    any_ = valid[:, :1]
    first = (torch.where(any_, x[:, :1], far), torch.where(any_, y[:, :1], far))
    # one and the same place is drawn once
    other = any_ & (last > 0)
    return [first, (torch.where(other, x.gather(1, last), far), torch.where(other, y.gather(1, last), far))]


def _in_disc(x: Tensor, y: Tensor, windows: Windows) -> Tensor:
    """(N, h * w) bool: the window's pixels nearer than the disc's radius to (x, y), each (N, 1)."""
    dx, dy = windows.x - x, windows.y - y
    return (dy.square()[:, :, None] + dx.square()[:, None, :] < DISC**2).flatten(1)


def _whole_where_black(
    canvas: Tensor, ends: list[tuple[Tensor, Tensor]], touched: Tensor, windows: Windows, colour: Tensor,
    size_hw: tuple[int, int],
) -> None:  # fmt: skip
    """Give the discs' pixels the whole colour where the same pixel of both discs was black (`touched` 0)."""
    H, W = size_hw
    before = canvas.new_zeros(len(canvas), H * W + 1).scatter_(1, windows.index, touched)
    offsets = torch.arange(-DISC + 1, DISC, device=canvas.device)
    dy, dx = (v.flatten() for v in torch.meshgrid(offsets, offsets, indexing="ij"))
    keep = dx.square() + dy.square() < DISC**2
    places = []
    for x, y in ends:
        column, row = x + dx[keep], y + dy[keep]
        inside = (column >= 0) & (column < W) & (row >= 0) & (row < H)
        places.append(torch.where(inside, row * W + column, H * W))
    black = (before.gather(1, places[0]) == 0) & (before.gather(1, places[1]) == 0)
    for place in places:
        waste = torch.where(black, place, H * W)
        canvas.scatter_(
            2, waste[:, None].expand(-1, 3, -1), colour[:, None].expand(len(canvas), 3, waste.shape[1])
        )
