"""Left-right swaps of a pose detector, corrected by the moments around them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from rib.structures.keypoints import LAYERS, PoseSequence
from rib.structures.skeleton import joint_set_named

_TRUNK = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
_OTHER_LAYER = [
    LAYERS.index({"left": "right", "right": "left"}.get(side, side) + rest + name)
    for side, rest, name in (layer.partition("_") for layer in LAYERS)
]


def fix_left_right_swaps(
    poses: PoseSequence, cuts: frozenset[int], cost: float, longest_step_s: float
) -> PoseSequence:
    """Swap the whole body's left and right at moments where the trunk then moves on smoothly.

    Shoulders and hips change places only when a person turns, which takes many moments; a trunk that flips
    and flips back does not. The swaps of a clip are chosen together, by the cheapest path (Viterbi) over
    {as found, swapped}: a step costs the travel of the four joints about their centre, in trunk lengths,
    and each swapped moment costs `cost`, so that a person who really turns round is left alone. Arms and
    legs alone are never
    swapped: at a stride, legs do change places.

    Args:
        poses: T moments in a joint set with shoulders and hips.
        cuts: Moments that begin a new shot.
        cost: Price of one swapped moment, in trunk lengths.
        longest_step_s: Moments further apart than this (seconds) say nothing about each other.
    """
    joints = joint_set_named(poses.joint_set)
    moments = np.flatnonzero((poses.confidence[:, [joints.index(n) for n in _TRUNK]] > 0).all(axis=1))
    if len(moments) < 2:
        return poses
    trunk = _centred_trunk(poses.keypoints_px[moments][:, [joints.index(n) for n in _TRUNK]])
    both = np.stack([trunk, trunk[:, [1, 0, 3, 2]]], axis=1)
    travel = np.linalg.norm(both[1:, :, None] - both[:-1, None], axis=-1).sum(axis=-1)
    steps_s = np.diff(poses.times_s[moments])
    apart = [any(a < cut <= b for cut in cuts) for a, b in pairwise(moments)]
    travel[(steps_s > longest_step_s) | np.array(apart)] = 0
    swapped = moments[_cheapest_path(travel, np.array([0.0, cost]))]
    return _swap(poses, swapped, joints.flip_index)


def _centred_trunk(corners_px: np.ndarray) -> np.ndarray:
    """(T, 4, 2) about their centre, in trunk lengths."""
    centred = corners_px - corners_px.mean(axis=1, keepdims=True)
    length = np.linalg.norm(corners_px[:, :2].mean(axis=1) - corners_px[:, 2:].mean(axis=1), axis=-1)
    return centred / np.maximum(np.median(length), 1e-6)


def _cheapest_path(step: np.ndarray, state: np.ndarray) -> np.ndarray:
    """(T,) bool: in state 1 on the path of least cost; step is (T - 1, to, from) and state (2,)."""
    total, came_from = state, []
    for cost in step:
        reach = total[None] + cost
        came_from.append(reach.argmin(axis=1))
        total = reach.min(axis=1) + state
    path = [int(total.argmin())]
    for best in reversed(came_from):
        path.append(int(best[path[-1]]))
    return np.array(path[::-1], dtype=bool)


def _swap(poses: PoseSequence, moments: np.ndarray, flip_index: np.ndarray) -> PoseSequence:
    keypoints_px, confidence = poses.keypoints_px.copy(), poses.confidence.copy()
    keypoints_px[moments] = keypoints_px[moments][:, flip_index]
    confidence[moments] = confidence[moments][:, flip_index]
    depth = None if poses.depth_order is None else poses.depth_order.copy()
    if depth is not None:
        depth[moments] = depth[moments][:, _OTHER_LAYER]
    return replace(poses, keypoints_px=keypoints_px, confidence=confidence, depth_order=depth)
