"""People who were never recorded: limbs of another recording, limbs that sway, bodies that turn.

A few minutes of motion capture hold few combinations of what arms and legs do. Everything happens on bone
vectors, so bone lengths stay as they are and the body stays in one piece.
Letters: B clips, N moments, J joints. Metres, y up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from rib.structures.skeleton import BODY19

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
UPPER = [BODY19.index(n) for n in ("nose", "neck", "right_shoulder", "left_shoulder")]
UPPER += [*_of("left", ARMS), *_of("right", ARMS)]
"""Bones above the hips."""


def recombine_limbs(bones: Tensor, joints: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Give some clips the arms or the legs of another clip of the batch, turned to face where they face.

    Args:
        bones: (B, 19, N, 3), vectors from each joint's parent.
        joints: (B, 19, N, 3), where they are.
        share: Share of clips.
        generator: Draws.

    Returns:
        (B, 19, N, 3) bones.
    """
    B = len(bones)
    uniform = lambda: torch.rand(B, generator=generator, device=generator.device)  # noqa: E731
    apart = 1 + (torch.rand(1, generator=generator, device=generator.device) * max(B - 1, 1)).long()
    other = (torch.arange(B, device=generator.device) + apart) % B
    kind = (uniform() * len(CARRIED)).long()
    kind = torch.where(uniform() < share, kind, -1)
    mixed = bones.clone()
    for number, (carried, (left, right)) in enumerate(CARRIED):
        rows = (kind == number).nonzero()
        turn = _heading(joints, rows[:, 0], left, right) - _heading(joints, other[rows[:, 0]], left, right)
        limbs = torch.tensor(carried, device=bones.device)
        x, y, z = bones[other[rows], limbs].unbind(-1)
        cos, sin = turn.cos()[:, None], turn.sin()[:, None]
        turned = torch.stack([cos * x + sin * z, y, cos * z - sin * x], -1)
        lengths = bones[rows, limbs].norm(dim=-1, keepdim=True)
        mixed[rows, limbs] = turned * lengths / turned.norm(dim=-1, keepdim=True).clamp_min(1e-6)
    return mixed


def _heading(joints: Tensor, rows: Tensor, left: str, right: str) -> Tensor:
    """(R, N) rad, where the line from one joint to the other points, seen from above."""
    line = joints[rows, BODY19.index(left)] - joints[rows, BODY19.index(right)]
    return torch.atan2(line[..., 0], line[..., 2])


def sway_limbs(
    bones: Tensor,
    times_s: Tensor,
    share: float,
    angle_deg: float,
    hz: tuple[float, float],
    generator: torch.Generator,
) -> Tensor:
    """Let the limbs of some clips turn about their upper ends, smoothly and at random.

    They turn by Cayley's transform v + 2 / (1 + w^2) (w x v + w x (w x v)), a rotation about w by 2 atan |w|.

    Args:
        bones: (B, 19, N, 3), vectors from each joint's parent.
        times_s: (B, N) seconds.
        share: Share of clips.
        angle_deg: Standard deviation of the turn about each axis; it varies between clips from 0 on.
        hz: Least and greatest frequency of the waves.
        generator: Draws.
    """
    rows = (torch.rand(len(bones), generator=generator, device=generator.device) < share).nonzero()
    angle = _waves(times_s[rows[:, 0]].float(), len(SWAYING), math.radians(angle_deg), hz, generator)
    bones = bones.clone()
    for number, limb in enumerate(SWAYING):
        place = rows, torch.tensor(limb, device=bones.device)
        bones[place] = _rotated(bones[place], angle[:, number, None])
    return bones


def turn_bodies(
    bones: Tensor,
    times_s: Tensor,
    share: float,
    rate_deg_s: float,
    lean_deg: float,
    hz: tuple[float, float],
    generator: torch.Generator,
) -> Tensor:
    """Let some people turn about the vertical, as dancers do, and lean with all that is above their hips.

    Args:
        bones: (B, 19, N, 3), vectors from each joint's parent; the root's row, a place, stays.
        times_s: (B, N) seconds.
        share: Share of clips.
        rate_deg_s: Greatest steady turn, degrees a second, either way; on top it changes by waves of a third
            of that.
        lean_deg: Standard deviation of the lean about each axis, degrees; it varies between clips from 0 on.
        hz: Least and greatest frequency of the waves.
        generator: Draws.
    """
    rows = (torch.rand(len(bones), generator=generator, device=generator.device) < share).nonzero()
    times = times_s[rows[:, 0]].float()
    uniform = torch.rand(len(rows), 1, generator=generator, device=generator.device)
    steady = math.radians(rate_deg_s) * (2 * uniform - 1) * times
    lean = _waves(times, 1, math.radians(lean_deg), hz, generator)
    middle_hz = math.sqrt(hz[0] * hz[1])
    uneven = _waves(times, 1, math.radians(rate_deg_s / 3) / (2 * math.pi * middle_hz), hz, generator)
    yaw = (steady + uneven[:, 0, :, 0])[:, None]
    bones = bones.clone()
    place = rows, torch.tensor(UPPER, device=bones.device)
    bones[place] = _rotated(bones[place], lean)
    place = (
        rows,
        torch.tensor([j for j in range(len(BODY19)) if j != BODY19.index("mid_hip")], device=bones.device),
    )
    x, y, z = bones[place].unbind(-1)
    cos, sin = yaw.cos(), yaw.sin()
    bones[place] = torch.stack([cos * x + sin * z, y, cos * z - sin * x], -1)
    return bones


def _waves(
    times_s: Tensor, num: int, size: float, hz: tuple[float, float], generator: torch.Generator
) -> Tensor:
    """(R, num, N, 3) sums of sine waves at (R, N) seconds; standard deviation 0..`size` by row and number."""
    uniform = lambda *s: torch.rand(s, generator=generator, device=generator.device)  # noqa: E731
    shape = (len(times_s), num, NUM_WAVES, 1, 3)
    low, high = hz
    speed = 2 * math.pi * low * (high / low) ** uniform(*shape)
    phase = torch.addcmul(2 * math.pi * uniform(*shape), speed, times_s[:, None, None, :, None])
    scale = size * math.sqrt(2 / NUM_WAVES) * uniform(len(times_s), num, 1, 1)
    return phase.sin_().sum(2) * scale


def _rotated(vectors: Tensor, angle: Tensor) -> Tensor:
    """Turn (R, L, N, 3) vectors about (R, 1, N, 3) axes, their length nearly the angle in rad."""
    axis = (0.5 * angle).expand_as(vectors)
    across = torch.linalg.cross(axis, vectors)
    shrink = 2 / (1 + axis.square().sum(-1, keepdim=True))
    return vectors + shrink * (across + torch.linalg.cross(axis, across))
