"""Forward kinematics over T frames at once.

A chain of J joints is an array of parents, -1 for a root; parents stand before their children.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def global_rotations(local_TJ33: np.ndarray, parents: Sequence[int]) -> np.ndarray:
    """Rotations to the world's axes from rotations to the parent's axes, (T, J, 3, 3) both."""
    world = np.empty_like(local_TJ33)
    for joint, parent in enumerate(parents):
        world[:, joint] = local_TJ33[:, joint] if parent < 0 else world[:, parent] @ local_TJ33[:, joint]
    return world


def chain_positions(bones_TJ3: np.ndarray, parents: Sequence[int]) -> np.ndarray:
    """Positions from the vectors that lead to each joint from its parent, (T, J, 3) both, in world axes."""
    positions = bones_TJ3.copy()
    for joint, parent in enumerate(parents):
        if parent >= 0:
            positions[:, joint] += positions[:, parent]
    return positions


def forward_kinematics(local_TJ33: np.ndarray, offsets: np.ndarray, parents: Sequence[int]) -> np.ndarray:
    """Positions of joints that hang at `offsets`, in their parents' axes.

    Args:
        local_TJ33: (T, J, 3, 3) rotations to the parent's axes.
        offsets: (J, 3) or (T, J, 3); a root's offset is its position.
        parents: J parents.

    Returns:
        (T, J, 3), in the unit of `offsets`.
    """
    world = global_rotations(local_TJ33, parents)
    bones = np.broadcast_to(offsets, (len(world), *np.shape(offsets)[-2:])).copy()
    for joint, parent in enumerate(parents):
        if parent >= 0:
            bones[:, joint] = (world[:, parent] @ bones[:, joint, :, None])[..., 0]
    return chain_positions(bones, parents)


def to_y_up(points: np.ndarray, up: str) -> np.ndarray:
    """Turn points whose `up` axis ("y" or "z") points upwards to the house's axes, (..., 3) both.

    From z up the turn is a quarter about x: (x, y, z) becomes (x, z, -y), still right-handed.
    """
    return points if up == "y" else np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def to_z_up(points: np.ndarray) -> np.ndarray:
    """Turn points from the house's axes to z up, (..., 3) both: the inverse of `to_y_up(points, "z")`."""
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], axis=-1)
