"""Other views of the same windows: moved, turned, mirrored, recoloured, with limbs lost and parts blurred.

Every draw is one for a whole window, so that its frames still follow each other.
Letters: B windows, T frames.
"""

from __future__ import annotations

import math
from typing import Annotated

import torch
import torch.nn.functional as F
from kornia.filters import gaussian_blur2d
from kornia.geometry.conversions import axis_angle_to_rotation_matrix
from torch import Tensor

from rib.io.settings.ranges import NonNegative, Range, Share
from rib.render.clip_batch import RendererClipBatch
from rib.structures.skeleton import BODY19, joint_set_named

LIMBS = joint_set_named("body19").limbs
FLIP = joint_set_named("body19").flip_index.copy()
TRUNK = [BODY19.index("neck"), BODY19.index("mid_hip")]


class ClipAugmentation:
    """The reference's augmentations, a mirror and colours, for a whole batch on its device.

    Args:
        shift: Greatest shift along x and y, as a share of the width and height.
        rotation_deg: Greatest rotation either way.
        scale: Greatest change of size either way; 0.1 gives 0.9 to 1.1.
        flip: Share of windows that are mirrored; left and right joints change names.
        limb_drop: Share of limbs whose far joint is missing throughout a window.
        part_blur: Share of limbs that are blurred in the backgrounds of a window.
        blur_radius: How far around a limb, in torso lengths.
        blur_sigma: Width of the blur, in torso lengths.
        brightness: Greatest change either way, in 0..1.
        contrast: Greatest change either way; 0.2 gives 0.8 to 1.2.
        saturation: Greatest change either way.
        hue_deg: Greatest turn of the colours about grey either way.
    """

    def __init__(
        self,
        shift: Share,
        rotation_deg: Annotated[float, Range(0, 180)],
        scale: Annotated[float, Range(0, below=1)],
        flip: Share,
        limb_drop: Share,
        part_blur: Share,
        blur_radius: NonNegative,
        blur_sigma: NonNegative,
        brightness: Share,
        contrast: Share,
        saturation: Share,
        hue_deg: Annotated[float, Range(0, 180)],
    ) -> None:
        self.shift, self.rotation_rad, self.scale = shift, math.radians(rotation_deg), scale
        self.flip, self.limb_drop = flip, limb_drop
        self.part_blur, self.blur_radius, self.blur_sigma = part_blur, blur_radius, blur_sigma
        self.brightness, self.contrast, self.saturation = brightness, contrast, saturation
        self.hue_rad = math.radians(hue_deg)

    def __call__(self, batch: RendererClipBatch, generator: torch.Generator) -> RendererClipBatch:
        """Draw for every window, and apply to its pictures, poses, masks and backgrounds alike.

        Args:
            batch: On any device.
            generator: On the CPU, so that every device sees the same draws.
        """
        size = len(batch["frames"])
        matrix, flipped = self._geometry(size, batch["frames"].shape[-2:], generator)
        blurred = torch.rand(size, len(LIMBS), generator=generator) < self.part_blur
        dropped = torch.rand(size, len(LIMBS), generator=generator) < self.limb_drop
        colour = self._colour(size, generator)
        batch = blur_clip_limbs(batch, blurred, self.blur_radius, self.blur_sigma)
        batch = warp_clip_windows(batch, matrix, flipped)
        return recolour_clip(drop_clip_limbs(batch, dropped), *colour)

    def _geometry(
        self, size: int, height_width: tuple[int, ...], generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """(B, 2, 3) from old to new pixels, and (B,) which are mirrored."""
        height, width = height_width
        x, y, turn, zoom = _around_zero((size, 4), generator).mT
        flipped = torch.rand(size, generator=generator) < self.flip
        factor, angle = 1 + self.scale * zoom, self.rotation_rad * turn
        cos, sin = factor * angle.cos(), factor * angle.sin()
        mirror = torch.where(flipped, -1.0, 1.0)
        linear = torch.stack([torch.stack([cos * mirror, -sin], 1), torch.stack([sin * mirror, cos], 1)], 1)
        centre = torch.tensor([width / 2, height / 2])
        moved = centre + self.shift * torch.stack([x * width, y * height], 1)
        return torch.cat([linear, (moved - linear @ centre)[..., None]], 2), flipped

    def _colour(self, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """(B, 3, 3) and (B, 3): colours become `matrix @ colour + offset`."""
        bright, contrast, saturation, hue = _around_zero((size, 4), generator).mT
        axis = torch.full((size, 3), 1 / math.sqrt(3)) * (self.hue_rad * hue)[:, None]
        grey = torch.tensor([0.299, 0.587, 0.114]).expand(3, 3)
        share = (1 + self.saturation * saturation)[:, None, None]
        gain = (1 + self.contrast * contrast)[:, None, None]
        matrix = gain * (axis_angle_to_rotation_matrix(axis) @ (share * torch.eye(3) + (1 - share) * grey))
        offset = 0.5 * (1 - gain[:, 0]) + (self.brightness * bright)[:, None]
        return matrix, offset.expand(size, 3)


def warp_clip_windows(batch: RendererClipBatch, matrix: Tensor, flipped: Tensor) -> RendererClipBatch:
    """Warp every picture, matte and pose of a window by one affine map; what enters is mirrored from inside.

    Args:
        batch: On any device.
        matrix: (B, 2, 3), from old to new px, pixel centres at .5.
        flipped: (B,) bool, whose left and right joints change names.
    """
    device = batch["frames"].device
    matrix, flipped = matrix.to(device), flipped.to(device)
    keys = ("frames", "masks", "backgrounds")
    parts = [batch[key].flatten(1, 2) for key in keys]  # type: ignore[literal-required]
    warped = _warp(torch.cat(parts, 1), matrix).split([part.shape[1] for part in parts], 1)
    pictures = {key: new.reshape(batch[key].shape) for key, new in zip(keys, warped, strict=True)}  # type: ignore[literal-required]
    poses = batch["poses"]
    poses = torch.where(flipped[:, None, None, None], poses[:, :, FLIP], poses)
    places = torch.einsum("bij,btkj->btki", matrix[..., :2], poses[..., :2]) + matrix[:, None, None, :, 2]
    confidence = poses[..., 2:]
    poses = torch.cat([torch.where(confidence > 0, places, 0.0), confidence], -1)
    return RendererClipBatch(**{**batch, **pictures, "poses": poses})  # type: ignore[typeddict-item]


def _warp(pictures: Tensor, matrix: Tensor) -> Tensor:
    """Sample (B, C, H, W) where each new pixel came from; a map that keeps everything changes nothing."""
    height, width = pictures.shape[-2:]
    half = pictures.new_tensor([width / 2, height / 2])
    back = torch.linalg.inv(matrix[..., :2])
    # the same map between coordinates that run from -1 to 1 across the picture
    offset = (back @ (half[:, None] - matrix[..., 2:])).squeeze(-1) - half
    theta = torch.cat([back * half / half[:, None], (offset / half)[..., None]], 2)
    grid = F.affine_grid(theta, list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def drop_clip_limbs(batch: RendererClipBatch, dropped: Tensor) -> RendererClipBatch:
    """Lose the far joint of limbs, (B, 18) bool, in all frames of a window."""
    gone = torch.zeros(len(dropped), len(BODY19), dtype=torch.bool)
    gone[:, [b for _, b in LIMBS]] = dropped
    poses = batch["poses"].masked_fill(gone.to(batch["poses"].device)[:, None, :, None], 0.0)
    return RendererClipBatch(**{**batch, "poses": poses})  # type: ignore[typeddict-item]


def blur_clip_limbs(
    batch: RendererClipBatch, blurred: Tensor, radius: float, sigma: float
) -> RendererClipBatch:
    """Blur the backgrounds around limbs, (B, 18) bool; radius and sigma in torso lengths."""
    backgrounds, poses = batch["backgrounds"], batch["poses"][:, 1:-1]
    windows = blurred.any(1).nonzero()[:, 0].tolist()
    if not windows or not backgrounds.shape[1]:
        return batch
    backgrounds = backgrounds.clone()
    for window in windows:
        pose, pictures = poses[window], backgrounds[window]
        torso_px = _torso_px(batch["poses"][window])
        limbs = blurred[window].nonzero()[:, 0].tolist()
        share = torch.stack([_capsule(pose, LIMBS[i], radius * torso_px, pictures.shape[-2:]) for i in limbs])
        width = max(0.5, sigma * torso_px)
        side = 2 * min(math.ceil(3 * width), min(pictures.shape[-2:]) - 1) + 1
        soft = gaussian_blur2d(pictures, (side, side), (width, width), border_type="reflect")
        backgrounds[window] = torch.lerp(pictures, soft, share.amax(0))
    return RendererClipBatch(**{**batch, "backgrounds": backgrounds})  # type: ignore[typeddict-item]


def _torso_px(poses: Tensor) -> float:
    """The longest trunk that a window (T, 19, 3) shows, or a tenth of what the joints span."""
    both = (poses[:, TRUNK, 2] > 0).all(1)
    if both.any():
        return float((poses[both, TRUNK[0], :2] - poses[both, TRUNK[1], :2]).norm(dim=-1).amax())
    return 0.1 * float(poses[..., :2].amax())


def _capsule(poses: Tensor, limb: tuple[int, int], radius_px: float, size: tuple[int, ...]) -> Tensor:
    """(T, 1, H, W), 1 around a limb of poses (T, 19, 3) and 0 beyond; 0 where one of its joints lacks."""
    height, width = size
    y = torch.arange(height, device=poses.device)[:, None] + 0.5
    x = torch.arange(width, device=poses.device)[None] + 0.5
    a, b = (poses[:, joint, :2, None, None] for joint in limb)
    along = b - a
    from_a = torch.stack(torch.broadcast_tensors(x, y))[None] - a
    share = ((from_a * along).sum(1) / (along * along).sum(1).clamp_min(1e-6)).clamp(0, 1)
    distance = (from_a - share[:, None] * along).norm(dim=1)
    there = (poses[:, list(limb), 2] > 0).all(1)[:, None, None]
    return ((radius_px - distance + 0.5).clamp(0, 1) * there)[:, None]


def recolour_clip(batch: RendererClipBatch, matrix: Tensor, offset: Tensor) -> RendererClipBatch:
    """Change the colours of frames and backgrounds alike, (B, 3, 3) and (B, 3), and keep them in 0..1."""

    def turned(pictures: Tensor) -> Tensor:
        new = torch.einsum("bij,btjhw->btihw", matrix.to(pictures), pictures)
        return (new + offset.to(pictures)[:, None, :, None, None]).clamp(0, 1)

    changed = {key: turned(batch[key]) for key in ("frames", "backgrounds")}  # type: ignore[literal-required]
    return RendererClipBatch(**{**batch, **changed})  # type: ignore[typeddict-item]


def _around_zero(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return 2 * torch.rand(shape, generator=generator) - 1
