"""Linear blend skinning: bones move rigidly, skin between them softly.

Every bone gives an affine map from the wanted pose back to the keyframe: rotation, a change of length between
its joints, width kept. Inside a layer the maps are mixed by distance (linear blend skinning).
Letters: N wanted poses, B bones, H and W the size of a region's grid.
"""

from __future__ import annotations

from typing import NamedTuple

import torch

SHORTEST_PX = 3.0
"""A bone pointing at the camera has no direction: lengths are softened by this when they are compared."""
FAR = 1e3
"""Distance of a bone that was not found."""
STRETCH = 2.5
"""A bone's length changes at most by this factor."""


def bone_distance_maps(
    ends_px: torch.Tensor, radius_px: torch.Tensor, valid: torch.Tensor, xy: torch.Tensor
) -> torch.Tensor:
    """Distance of every pixel to every bone, in the bone's radii.

    Args:
        ends_px: (N, B, 2, 2) start and end of each bone.
        radius_px: (B,).
        valid: (N, B) bool.
        xy: (2, H, W) pixel centres.

    Returns:
        (N, B, H, W); `FAR` for bones that were not found.
    """
    start, along = ends_px[:, :, 0], ends_px[:, :, 1] - ends_px[:, :, 0]
    length2 = along.square().sum(-1).clamp_min(1e-6)
    x, y = (xy[i] - start[..., i, None, None] for i in (0, 1))
    ax, ay = (along[..., i, None, None] for i in (0, 1))
    # in place: there are as many maps as bones
    share = (x * ax).addcmul_(y, ay).div_(length2[..., None, None]).clamp_(0, 1)
    x.addcmul_(share, ax, value=-1)
    y.addcmul_(share, ay, value=-1)
    distance = torch.hypot(x, y, out=share).div_(radius_px[:, None, None])
    return distance.masked_fill_(~valid[..., None, None], FAR)


class BoneMaps(NamedTuple):
    """From the wanted poses to a keyframe, bone by bone.

    Attributes:
        affine: (N, B, 2, 3), source = affine[:, :2] target + affine[:, 2] between the joints.
        along: (N, B, 3), how far a place (x, y, 1) of the wanted pose lies along the bone, in pixels.
        span: (N, B, 2), where along it the stretch begins and ends.
        shift: (N, B, 2), by which a source place moves for every pixel before or beyond that.
    """

    affine: torch.Tensor
    along: torch.Tensor
    span: torch.Tensor
    shift: torch.Tensor


def bone_affine_maps(target_px: torch.Tensor, source_px: torch.Tensor, elastic: torch.Tensor) -> BoneMaps:
    """The map of each bone from a wanted pose to a keyframe: stretched between its joints, rigid beyond.

    Args:
        target_px: (N, B, 2, 2).
        source_px: (B, 2, 2).
        elastic: (B, 2), the part of the bone between its joints: shares (0..1) of its length from its start
            on. A bone whose part has no length is rigid about that place.
    """
    v, w = (
        target_px[:, :, 1] - target_px[:, :, 0],
        (source_px[:, 1] - source_px[:, 0]).expand(len(target_px), -1, -1),
    )
    v_length, w_length = v.norm(dim=-1, keepdim=True), w.norm(dim=-1, keepdim=True)
    u, s = v / v_length.clamp_min(1e-3), w / w_length.clamp_min(1e-3)
    stretch = torch.hypot(w_length, w_length.new_tensor(SHORTEST_PX)) / torch.hypot(
        v_length, v_length.new_tensor(SHORTEST_PX)
    )
    stretch = stretch.clamp(1 / STRETCH, STRETCH)
    across_u, across_s = (torch.stack([-d[..., 1], d[..., 0]], -1) for d in (u, s))
    turn = stretch[..., None] * s[..., :, None] * u[..., None, :]
    turn = turn + across_s[..., :, None] * across_u[..., None, :]
    start = target_px[:, :, 0]
    shift = source_px[:, 0] - (turn @ start[..., None])[..., 0]
    along = torch.cat([u, -(u * start).sum(-1, keepdim=True)], -1)
    return BoneMaps(torch.cat([turn, shift[..., None]], -1), along, elastic * v_length, (1 - stretch) * s)


def linear_blend_skinning(
    maps: BoneMaps, distance: torch.Tensor, stiffness: float, xy: torch.Tensor
) -> torch.Tensor:
    """Mix the maps of one layer's bones by distance and say where each pixel comes from.

    Args:
        maps: Of the layer's B bones, in N poses.
        distance: (N, B, H, W) in radii.
        stiffness: Weights fall by exp(-stiffness) a radius.
        xy: (2, H, W) pixel centres.

    Returns:
        (N, 2, H, W) places in the keyframe, in pixels.
    """
    n, _, h, w = distance.shape
    weights = torch.softmax(-stiffness * distance, dim=1).flatten(2)
    mixed = (maps.affine.flatten(2).transpose(1, 2) @ weights).view(n, 2, 3, h, w)
    places = mixed[:, :, 0] * xy[0] + mixed[:, :, 1] * xy[1] + mixed[:, :, 2]
    far = maps.along[..., :2] @ xy.flatten(1) + maps.along[..., 2:]
    first, last = maps.span.split(1, dim=-1)
    beyond = (far - last).clamp_min_(0) + (far - first).clamp_max_(0)
    return places + (maps.shift.transpose(1, 2) @ beyond.mul_(weights)).view(n, 2, h, w)
