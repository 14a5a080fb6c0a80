"""Candidates that need a whole track: looks as keyframes of the motion net, and bones that turn in depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from looks import BODY, Looker
from scipy.interpolate import CubicSpline

from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.stages import MotionStage
from rib.structures.keypoints import PoseSequence

NEAR = (0.1, 0.2, np.inf)
"""Torso lengths from the motion net's joint up to which a look becomes a keyframe."""
BONES = ((2, 3), (3, 4), (5, 6), (6, 7), (9, 10), (10, 11), (12, 13), (13, 14))
"""Upper and lower arms and legs, each after what it hangs on."""
SURE_DEPTH = 0.15
"""Bone lengths of depth between its ends from which the side that a bone turns to is believed."""


def fed(
    motion: MotionStage, track: PoseSequence, moments_s: np.ndarray, rows: Sequence[dict[str, Any]]
) -> None:
    """Add to one person's rows what the motion net makes of the looks at RIFE's frames as keyframes.

    Args:
        motion: The stage.
        track: The person at all keyframes.
        moments_s: (n,) the rows' moments.
        rows: With `seen_in_rife`; `fed_0.1` and so on are added.
    """
    looks, net = np.stack([r["seen_in_rife"] for r in rows]), np.stack([r["net"] for r in rows])
    torso = np.array([r["torso"] for r in rows])[:, None]
    with np.errstate(invalid="ignore"):
        far = np.linalg.norm(looks[..., :2] - net, axis=-1) / torso
    for near in NEAR:
        taken = far < near
        joints = np.zeros((len(rows), *track.keypoints_px.shape[1:]))
        confidence = np.zeros(joints.shape[:2])
        joints[:, :BODY] = np.where(taken[..., None], looks[..., :2], 0.0)
        confidence[:, :BODY] = np.where(taken, looks[..., 2], 0.0)
        times_s = np.concatenate([track.times_s, moments_s])
        order = np.argsort(times_s)
        both = replace(
            track,
            keypoints_px=np.concatenate([track.keypoints_px, joints])[order],
            confidence=np.concatenate([track.confidence, confidence])[order],
            times_s=times_s[order],
            depth_order=None,
        )
        with torch.inference_mode():
            moved = motion(both, moments_s)
        known = moved.confidence[:, :BODY, None] > 0
        for row, joint in zip(rows, np.where(known, moved.keypoints_px[:, :BODY], net), strict=True):
            row[f"fed_{near:g}"] = joint


def in_depth(
    analysis: ClipAnalysis,
    pictures: Sequence[np.ndarray],
    look: Looker,
    motion: MotionStage,
    column: int,
    moments_s: np.ndarray,
) -> np.ndarray:
    """(n, 25, 2) how a bone that turns in space, its length kept, differs from one that turns on the screen.

    A bone is as long as it ever looks; it turns to the side that the net's depth tells. Its course is the
    natural cubic spline of its vectors at the keyframes, brought to its length.
    """
    track = analysis.keyframe_tracks.person(analysis.keyframe_tracks.track_ids[column])
    with torch.inference_mode():
        joints = motion(track, track.times_s, analysis.cuts).keypoints_px[:, :BODY]
    depth = np.stack([
        look.depth(picture, track.keypoints_px[k, :BODY], track.confidence[k, :BODY] > 0)
        for k, picture in enumerate(pictures)
    ])  # fmt: skip
    known, offsets = np.isfinite(depth).all(1), np.zeros((len(moments_s), BODY, 2))
    if known.sum() < 3:
        return offsets
    for upper, lower in BONES:
        flat = (joints[:, lower] - joints[:, upper])[known]
        length = np.linalg.norm(flat, axis=1)
        longest = 1.02 * length.max()
        side = np.tanh((depth[:, lower] - depth[:, upper])[known] / (SURE_DEPTH * longest))
        solid = np.column_stack([flat, side * np.sqrt(longest**2 - length**2)])
        course = CubicSpline(track.times_s[known], solid, bc_type="natural")(moments_s)
        kept = np.interp(moments_s, track.times_s[known], np.linalg.norm(solid, axis=1))
        turned = course * (kept / np.linalg.norm(course, axis=1))[:, None]
        offsets[:, lower] = offsets[:, upper] + (turned - course)[:, :2]
    return offsets
