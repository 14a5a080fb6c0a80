"""Heatmaps and a coloured skeleton, sub-pixel and continuous in the pose.

Letters: N poses, J joints, L limbs of all poses, H and W the picture's height and width, h and w a window's.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rib.io.settings.ranges import NonNegative, Positive
from rib.render.conditioning.limbs import COLOURS, LIMBS, NUM_CHANNELS, NUM_JOINTS
from rib.render.conditioning.windows import ConditioningLimbWindows


class SkeletonConditioning:
    """The 22 channels of a pose: RGB of its limbs, then a gaussian a joint.

    A pixel is compared with the pose at its centre (.5), limbs have soft edges, and where limbs cross their
    colours mix in equal parts, so that a map changes continuously with the pose and has a gradient.

    Args:
        sigma_px: Standard deviation of a joint's gaussian.
        radius_px: Half the width of a limb.
    """

    num_channels = NUM_CHANNELS

    def __init__(self, sigma_px: Positive, radius_px: NonNegative) -> None:
        self.sigma_px, self.radius_px = sigma_px, radius_px

    def __call__(self, poses: Tensor, size_hw: tuple[int, int]) -> Tensor:
        """Draw poses.

        Args:
            poses: (..., 19, 3), x and y in px and confidence (0 = missing), in `BODY19`'s order.
            size_hw: Height and width of the picture.

        Returns:
            (..., 22, H, W) in 0..1, of the poses' dtype and device; a missing joint leaves its map empty and
            its limbs away.
        """
        flat = poses.reshape(-1, NUM_JOINTS, 3)
        drawn = stack_conditioning_maps(flat, self.skeleton(flat, size_hw), self.bells(flat, size_hw))
        return drawn.view(*poses.shape[:-2], *drawn.shape[1:])

    def heatmaps(self, poses: Tensor, size_hw: tuple[int, int]) -> Tensor:
        """(N, 19, H, W): exp(-d^2 / (2 sigma^2)) of poses (N, 19, 3), as a product of a row and a column."""
        columns, rows = self.bells(poses, size_hw)
        return columns * rows

    def bells(self, poses: Tensor, size_hw: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """The factors of the heatmaps: (N, 19, H, 1), 0 for missing joints, and (N, 19, 1, W)."""
        columns = self._bell(poses[..., 1:2], size_hw[0]) * (poses[..., 2:] > 0)
        return columns[..., :, None], self._bell(poses[..., 0:1], size_hw[1])[..., None, :]

    def _bell(self, place_px: Tensor, size: int) -> Tensor:
        """(N, J, size) of places (N, J, 1)."""
        centres = torch.arange(size, device=place_px.device, dtype=place_px.dtype) + 0.5
        return torch.exp((centres - place_px).square() * (-0.5 / self.sigma_px**2))

    def skeleton(self, poses: Tensor, size_hw: tuple[int, int]) -> Tensor:
        """(N, 3, H, W): the limbs of poses (N, 19, 3) in their colours."""
        (N, H, W), limbs = (len(poses), *size_hw), torch.tensor(LIMBS, device=poses.device)
        a, b = (poses[:, limbs[:, end]].flatten(0, 1) for end in (0, 1))
        windows = ConditioningLimbWindows.around(a, b, self.radius_px + 1, size_hw)
        cover = self._cover(a, b, windows).unflatten(0, (N, len(LIMBS)))
        # three of colour and one of how much was painted
        paint = torch.tensor([(*colour, 255) for colour in COLOURS], device=poses.device) / 255
        painted = (cover[:, None] * paint.to(poses.dtype).T[:, :, None]).flatten(2)
        index = windows.index.unflatten(0, (N, len(LIMBS))).flatten(1)[:, None].expand(-1, 4, -1)
        canvas = poses.new_zeros(N, 4, H * W).scatter_add(2, index, painted)
        return (canvas[:, :3] / canvas[:, 3:].clamp(min=1)).view(N, 3, H, W)

    def _cover(self, a: Tensor, b: Tensor, windows: ConditioningLimbWindows) -> Tensor:
        """(L, h * w) in 0..1: how much of each of a window's pixels the limb from a to b (L, 3) covers."""
        x, y = windows.x + 0.5 - a[:, :1], windows.y + 0.5 - a[:, 1:2]
        way = b[:, :2] - a[:, :2]
        length = way.square().sum(-1, keepdim=True).clamp(min=1e-6).sqrt()
        u, v = (way / length)[:, :1], (way / length)[:, 1:]
        # how far along and aside of the limb: sums of a row and a column
        along = (y * v)[:, :, None] + (x * u)[:, None, :]
        aside = (y * u)[:, :, None] - (x * v)[:, None, :]
        beyond = (along - 0.5 * length[..., None]).abs() - 0.5 * length[..., None]
        # the small number keeps the root's gradient finite on the limb itself
        distance = torch.addcmul(aside.square() + 1e-6, beyond.clamp(min=0), beyond.clamp(min=0)).sqrt()
        there = ((a[:, 2] > 0) & (b[:, 2] > 0))[:, None, None]
        return ((self.radius_px + 0.5 - distance).clamp(0, 1) * there).flatten(1)


def stack_conditioning_maps(poses: Tensor, skeleton: Tensor, bells: tuple[Tensor, Tensor]) -> Tensor:
    """Skeleton pictures (N, 3, H, W) and heatmaps by their factors, one after the other: (N, 22, H, W)."""
    columns, rows = bells
    if torch.is_grad_enabled() and poses.requires_grad:
        return torch.cat([skeleton, columns * rows], 1)
    N, _, H, W = skeleton.shape
    # the large product is written where it belongs, not copied there
    drawn = skeleton.new_empty(N, NUM_CHANNELS, H, W)
    drawn[:, :3] = skeleton
    torch.mul(columns, rows, out=drawn[:, 3:])
    return drawn
