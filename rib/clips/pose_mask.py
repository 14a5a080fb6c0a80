"""A person's mask drawn from the pose alone, for clips that come without one."""

from __future__ import annotations

import cv2
import numpy as np

from rib.render.skinning.bones import BONES, bone_segments, skinning_torso_length_px
from rib.structures.keypoints import PoseSequence

FRACTION_BITS = 4
"""OpenCV draws at sixteenths of a pixel."""
FAR_PX = 1e6
"""Bones that end farther away than this are a detector's slip (and would overflow OpenCV's coordinates)."""


def masks_from_clip_poses(poses: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """The union of capsules around the bones.

    Args:
        poses: (T, 19, 3) px and confidence, in `BODY19`'s order.
        size_wh: Width and height of the pictures.

    Returns:
        (T, H, W) uint8, 255 inside; 0 throughout where nobody was found.
    """
    people = PoseSequence(
        poses[..., :2], poses[..., 2], np.arange(float(len(poses))), "body19", (size_wh[0], size_wh[1])
    )
    masks = np.zeros((len(poses), size_wh[1], size_wh[0]), np.uint8)
    torso_px = skinning_torso_length_px(people)
    bones = bone_segments(people)
    for mask, ends, valid in zip(masks, bones.ends_px.numpy(), bones.valid.numpy(), strict=True):
        for bone, (a, b), there in zip(BONES, ends, valid, strict=True):
            if there and np.abs([a, b]).max() < FAR_PX:
                thickness = max(1, round(2 * bone.radius * torso_px))
                cv2.line(mask, _fixed(a), _fixed(b), 255, thickness, cv2.LINE_AA, FRACTION_BITS)
    return masks


def _fixed(point_px: np.ndarray) -> tuple[int, int]:
    x, y = np.round((point_px - 0.5) * 2**FRACTION_BITS).astype(int)
    return int(x), int(y)
