"""Draw the conditioning maps that the published renderer was trained on, so that its weights mean the same.

Ho et al., BMVC 2021. Letters: N poses, J joints, L limbs of all poses, H and W the picture's
height and width, K places on a limb.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rib.io.settings.ranges import Positive, Share
from rib.render.conditioning.limbs import COLOURS, LIMBS, NUM_CHANNELS, NUM_JOINTS
from rib.render.conditioning.native import stack_conditioning_maps

STAMP = 8
"""A limb is a run of squares this wide, from -4 to 3 around each of its places."""
BAND = 2 * STAMP + 1
"""Pixels across a limb that squares may reach at one place along it: it slopes by 45 degrees at most."""
DISC = 8
"""Radius of the discs at a limb's ends."""
TRUNCATED = 4
"""The gaussian ends after this many standard deviations."""
FAR = -(10**6)
"""A place outside of every picture."""


class ReferenceConditioning:
    """The published design's 22 channels: RGB of the limbs, then a gaussian a joint around its whole pixel.

    A limb's squares are laid one after the other and each is averaged with what is under it, in whole
    numbers; so are the discs at its ends, except where both lie on black. At the picture's edge squares are
    cut off. There is no gradient.

    Args:
        sigma_px: Standard deviation of a joint's gaussian.
        threshold: A joint below this confidence is missing; so is one at x = 0 or y < 0.
    """

    num_channels = NUM_CHANNELS

    def __init__(self, sigma_px: Positive, threshold: Share) -> None:
        self.sigma_px, self.threshold = sigma_px, threshold

    @torch.no_grad()
    def __call__(self, poses: Tensor, size_hw: tuple[int, int]) -> Tensor:
        """Draw poses; see `rib.render.conditioning.native.SkeletonConditioning`."""
        flat = poses.reshape(-1, NUM_JOINTS, 3)
        skeleton = self.skeleton(flat, size_hw).div_(255).to(flat.dtype)
        drawn = stack_conditioning_maps(flat, skeleton, self.bells(flat, size_hw))
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
        squares, left, discs, disc_left = (
            part.unflatten(0, (N, len(LIMBS))) for part in _strokes(a, b, size_hw)
        )
        strokes = (
            *(part[:, :, None].expand(-1, -1, 3, -1).unbind(1) for part in (squares, discs.flatten(2))),
            *(part.unbind(1) for part in (left[:, :, None], disc_left.flatten(2)[:, :, None], discs)),
        )
        canvas = poses.new_zeros(N, 3, H * W + 2, dtype=torch.float32)
        colours = torch.tensor(COLOURS, device=poses.device, dtype=torch.float32)[:, :, None].unbind(0)
        for limb in zip(colours, *strokes, strict=True):
            _draw_limb(canvas, *limb)
        return canvas[..., :-2].view(N, 3, H, W)


def _strokes(a: Tensor, b: Tensor, size_hw: tuple[int, int]) -> list[Tensor]:
    """List the pixels of limbs from a to b, (L, 3) each, as places in a picture and two for waste behind it.

    Returns:
        (L, P) places of the squares, (L, P) what is left there of what was under them, as a share; (L, 2, D)
        places of the discs at both ends, (L, 2, D) what is left there.
    """
    major, minor, valid, upright = _places(a, b)
    x, y = torch.where(upright, minor, major), torch.where(upright, major, minor)
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
    squares, times = _band(major, minor, upright, valid, size_hw)
    return [squares, torch.exp2(-times), discs, torch.where(other < DISC**2, 0.25, 0.5)]


def _draw_limb(
    canvas: Tensor, colour: Tensor, squares: Tensor, ends: Tensor, left: Tensor, ends_left: Tensor,
    discs: Tensor,
) -> None:  # fmt: skip
    """Draw one limb of each of N poses onto canvas (N, 3, H * W + 2).

    Args:
        canvas: Whole numbers 0..255.
        colour: (3, 1).
        squares: (N, 3, P) places of the squares.
        ends: (N, 3, 2 * D) places of the discs, the same for each of the three.
        left: (N, 1, P), see `_strokes`.
        ends_left: (N, 1, 2 * D), see `_strokes`.
        discs: (N, 2, D), see `_strokes`.
    """
    canvas.scatter_(2, squares, _averaged(canvas.gather(2, squares), colour, left))
    under = canvas.gather(2, ends)
    # the whole colour where the same pixel of both discs is black
    black = (under.amax(1) == 0).view_as(discs).all(1, keepdim=True)
    canvas.scatter_(2, ends, _averaged(under, colour, ends_left))
    waste = torch.where(black, discs, canvas.shape[2] - 2).flatten(1)[:, None].expand_as(ends)
    canvas.scatter_(2, waste, colour.expand(len(canvas), -1, waste.shape[2]))


def _averaged(under: Tensor, colour: Tensor, left: Tensor) -> Tensor:
    """`under` (N, 3, P) after a colour (3, 1) is averaged in n times, `left` (N, 1, P) being 2^-n.

    Of n roundings down in a row, floor((v + c) / 2), there remains c + floor((v - c) / 2^n).
    """
    return (under - colour).mul_(left).floor_().add_(colour)


def _places(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The limb's whole pixels along its longer and its shorter axis.

    One place a pixel of the longer axis, as many as its length rounds to, spread from one whole pixel to
    the other; the shorter axis follows the exact line, rounded down.

    Returns:
        Places (L, K) int64 on the longer axis, rising, and on the shorter; (L, K) bool, which there are;
        (L, 1) bool, whether the longer axis is y.
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
    return *_once(major.trunc().long(), minor.trunc().long(), steps < count[:, None]), upright[:, None]


def _once(major: Tensor, minor: Tensor, valid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The places without the second of two that fall together, as may be once: on both sides of 0."""
    again = torch.zeros_like(valid)
    again[:, 1:] = (major[:, 1:] == major[:, :-1]) & (minor[:, 1:] == minor[:, :-1]) & valid[:, 1:]
    passed, number = again.cumsum(1), torch.arange(valid.shape[1], device=valid.device)
    kept = (number + passed).clamp(max=valid.shape[1] - 1)
    return major.gather(1, kept), minor.gather(1, kept), number < (valid.sum(1) - passed[:, -1])[:, None]


def _band(
    major: Tensor, minor: Tensor, upright: Tensor, valid: Tensor, size_hw: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """The pixels around a limb and how many of its squares lie on each, (L, P) both; see `_places`.

    Along a limb neither coordinate turns back: the places whose squares reach a row are neighbours, so are
    those that reach a column, and a pixel is reached by what both have in common.
    """
    (H, W), device = size_hw, major.device
    along = major[:, :1] - STAMP // 2 + torch.arange(major.shape[1] + STAMP + 1, device=device)
    first, end = _reaching(major, valid, along)
    most = major.shape[1] - 1
    lowest = torch.minimum(*(minor.gather(1, k.clamp(0, most)) for k in (first, end - 1))) - STAMP // 2
    aside = lowest[:, :, None] + torch.arange(BAND, device=device)
    low, high = (k.view_as(aside) for k in _reaching(minor, valid, aside.flatten(1)))
    times = torch.minimum(end[:, :, None], high) - torch.maximum(first[:, :, None], low)
    along = along[:, :, None].expand_as(aside)
    x, y = torch.where(upright[:, :, None], aside, along), torch.where(upright[:, :, None], along, aside)
    inside = (x >= 0) & (x < W) & (y >= 0) & (y < H)
    return torch.where(inside, y * W + x, H * W + 1).flatten(1), times.clamp_(min=0).flatten(1).float()


def _reaching(places: Tensor, valid: Tensor, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """The first of places (L, K) whose square reaches each of pixels (L, P), and the one after the last.

    A pixel is reached by places up to 4 above it and 3 below it.
    """
    last = (valid.sum(1, keepdim=True) - 1).clamp(min=0)
    sign = 1 - 2 * (places.gather(1, last) < places[:, :1]).long()
    rising = (places * sign).masked_fill(~valid, -FAR)
    ends = (pixels - (STAMP // 2 - 1)) * sign, (pixels + STAMP // 2) * sign
    low, high = torch.minimum(*ends), torch.maximum(*ends)
    return torch.searchsorted(rising, low), torch.searchsorted(rising, high, right=True)


def _ends(x: Tensor, y: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """The limb's first and last place, x (L, 2) and y (L, 2); far outside where there is none."""
    last = (valid.sum(1, keepdim=True) - 1).clamp(min=0)
    # one and the same place is drawn once
    there = torch.cat([valid[:, :1], last > 0], 1)
    ends = (torch.cat([part[:, :1], part.gather(1, last)], 1) for part in (x, y))
    far_x, far_y = (torch.where(there, part, FAR) for part in ends)
    return far_x, far_y
