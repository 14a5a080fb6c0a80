"""People who were never recorded: limbs of one recording on the body of another, and limbs that sway.

A few minutes of motion capture hold few combinations of what arms and legs do. Everything happens on bone
vectors, so bone lengths stay as they are and the body stays in one piece.
Letters: B clips, N moments, J joints. Metres, y up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from kornia.geometry.conversions import axis_angle_to_rotation_matrix
from torch import Tensor

from rib.skeleton import BODY19

ARMS, LEGS = ("elbow", "wrist", "hand"), ("knee", "ankle", "big_toe")
NUM_WAVES = 3
"""Sine waves that a swaying limb's rotation is the sum of."""


def _of(side: str, names: Sequence[str]) -> list[int]:
    return [BODY19.index(f"{side}_{name}") for name in names]


CARRIED = (
    ([*_of("left", ARMS), *_of("right", ARMS)], ("left_shoulder", "right_shoulder")),
    ([*_of("left", LEGS), *_of("right", LEGS)], ("left_hip", "right_hip")),
    (_of("left", ARMS), ("left_shoulder", "right_shoulder")),
    (_of("right", ARMS), ("left_shoulder", "right_shoulder")),
)
"""Bones, by the joint at their end, that are exchanged together, and the line that tells where they face."""
SWAYING = tuple(
    _of(side, names[start:]) for side in ("left", "right") for names in (ARMS, LEGS) for start in (0, 1)
)
"""Bones that turn together: a whole limb, or its lower part."""


def recombined(joints: Tensor, bones: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Give some clips the arms or the legs of another clip of the batch, turned to face where they face.

    Args:
        joints: (B, N, 19, 3), recorded.
        bones: (B, N, 19, 3), the same as vectors from each joint's parent.
        share: Share of clips.
        generator: Draws.

    Returns:
        (B, N, 19, 3) bones.
    """
    B = len(bones)
    uniform = lambda: torch.rand(B, generator=generator, device=generator.device)  # noqa: E731
    apart = 1 + (torch.rand(1, generator=generator, device=generator.device) * max(B - 1, 1)).long()
    other = (torch.arange(B, device=generator.device) + apart) % B
    kind = (uniform() * len(CARRIED)).long()
    kind = torch.where(uniform() < share, kind, -1)
    for number, (carried, (left, right)) in enumerate(CARRIED):
        rows = (kind == number).nonzero()[:, 0]
        line = joints[..., BODY19.index(left), :] - joints[..., BODY19.index(right), :]
        heading = torch.atan2(line[..., 0], line[..., 2])
        turn = heading[rows] - heading[other[rows]]
        there = bones[other[rows]][:, :, carried]
        x, y, z = there.unbind(-1)
        cos, sin = turn.cos()[..., None], turn.sin()[..., None]
        turned = torch.stack([cos * x + sin * z, y, cos * z - sin * x], -1)
        lengths = bones[rows][:, :, carried].norm(dim=-1, keepdim=True)
        turned = turned * lengths / turned.norm(dim=-1, keepdim=True).clamp_min(1e-6)
        bones = bones.clone()
        bones[rows[:, None], :, torch.tensor(carried, device=bones.device)] = turned.transpose(1, 2)
    return bones


def swayed(
    bones: Tensor,
    times_s: Tensor,
    share: float,
    angle_deg: float,
    hz: tuple[float, float],
    generator: torch.Generator,
) -> Tensor:
    """Let the limbs of some clips turn about their upper ends, smoothly and at random.

    Args:
        bones: (B, N, 19, 3), vectors from each joint's parent.
        times_s: (B, N) seconds.
        share: Share of clips.
        angle_deg: Standard deviation of the turn about each axis; it varies between clips from 0 on.
        hz: Least and greatest frequency of the waves.
        generator: Draws.
    """
    rows = (torch.rand(len(bones), generator=generator, device=generator.device) < share).nonzero()[:, 0]
    shape = (len(rows), 1, len(SWAYING), 3, NUM_WAVES)
    uniform = lambda *s: torch.rand(s, generator=generator, device=generator.device)  # noqa: E731
    low, high = hz
    speed = 2 * math.pi * low * (high / low) ** uniform(*shape)
    phase = speed * times_s[rows].float()[:, :, None, None, None] + 2 * math.pi * uniform(*shape)
    size = math.radians(angle_deg) * math.sqrt(2 / NUM_WAVES) * uniform(len(rows), 1, len(SWAYING), 1)
    angle = phase.sin().sum(-1) * size
    turn = axis_angle_to_rotation_matrix(angle.flatten(0, 2)).unflatten(0, angle.shape[:3])
    bones = bones.clone()
    for number, limb in enumerate(SWAYING):
        some = bones[rows][:, :, limb]
        bones[rows[:, None], :, torch.tensor(limb, device=bones.device)] = torch.einsum(
            "bnij,bnkj->bkni", turn[:, :, number], some
        )
    return bones
