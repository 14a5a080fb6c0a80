"""The pose net at a person whose square is known, and joints that flows carry."""

from __future__ import annotations

import numpy as np

from rib.pose.detectors.flip_augmentation import average_landmarks, landmarks_in_mirror
from rib.pose.detectors.networks import BodyNetwork, PoseRuntime
from rib.pose.detectors.people_detector import filter_detection
from rib.pose.detectors.regions import BodyLandmarks
from rib.pose.mask import matte_roi_of_body
from rib.structures.skeleton import BLAZEPOSE33, BODY25

BODY, NECK, MID_HIP = len(BODY25), 1, 8
DISC = 0.12
"""Torso lengths around a joint whose pixels carry it."""


def torso_px(joints: np.ndarray) -> np.ndarray:
    """(...) length of the trunk of joints (..., 25, 2)."""
    return np.maximum(np.linalg.norm(joints[..., NECK, :] - joints[..., MID_HIP, :], axis=-1), 1.0)


class Looker:
    """Sees a person twice, as they are and mirrored, like the second walk of the pose stage."""

    def __init__(self) -> None:
        runtime = PoseRuntime("mediapipe", "cpu")
        self.nets: list[BodyNetwork] = [runtime.body_network(False, False, 512) for _ in range(2)]

    def _looks(self, picture: np.ndarray, joints: np.ndarray, found: np.ndarray) -> list[BodyLandmarks]:
        roi = matte_roi_of_body(joints, found)
        if roi is None:
            return []
        looks = [self.nets[0](picture, roi), *landmarks_in_mirror(self.nets[1], picture, [roi])]
        return [one for one in looks if one is not None]

    def __call__(self, picture: np.ndarray, joints: np.ndarray, found: np.ndarray) -> np.ndarray:
        """(25, 3) x, y and visibility in a picture (H, W, 3) uint8, NaN where nobody is seen.

        Args:
            picture: Where to look.
            joints: (25, 2) about where the person is.
            found: (25,) bool.
        """
        missing, seen = np.full((BODY, 3), np.nan), self._looks(picture, joints, found)
        if not seen:
            return missing
        body = seen[0] if len(seen) == 1 else average_landmarks(seen[0], seen[1], seen[0], 0.3)
        candidate = filter_detection(body, picture, 0.5, appearance=False)
        if candidate is None:
            return missing
        places, confidence = candidate.detection.keypoints_px[:BODY], candidate.detection.confidence[:BODY]
        return np.where(confidence[:, None] > 0, np.column_stack([places, confidence]), np.nan)

    def depth(self, picture: np.ndarray, joints: np.ndarray, found: np.ndarray) -> np.ndarray:
        """(25,) depth in pixels; 0 where the net has no such joint, NaN where nobody is seen."""
        seen = self._looks(picture, joints, found) if found.any() else []
        if not seen:
            return np.full(BODY, np.nan)
        mean = np.mean([one.points[:, 2] for one in seen], axis=0)
        return np.array([mean[BLAZEPOSE33.index(name)] if name in BLAZEPOSE33 else 0.0 for name in BODY25])


def carried(flow: np.ndarray, joint: np.ndarray, guess: np.ndarray, torso: float) -> np.ndarray:
    """(4,) where a keyframe's joint lies at the moment of `flow`, spread (torsos), and share of a disc.

    Args:
        flow: (2, H, W) from the moment to the keyframe.
        joint: (2,) in the keyframe.
        guess: (2,) at the moment; pixels up to a torso from it are looked at.
        torso: Length of the trunk in pixels.
    """
    height, width = flow.shape[1:]
    low = np.clip(np.floor(np.minimum(guess, joint) - torso), 0, [width, height]).astype(int)
    high = np.clip(np.ceil(np.maximum(guess, joint) + torso), 0, [width, height]).astype(int)
    if (high <= low).any():
        return np.full(4, np.nan)
    part = flow[:, low[1] : high[1], low[0] : high[0]]
    y, x = np.mgrid[low[1] : high[1], low[0] : high[0]] + 0.5
    landed = np.stack([x + part[0], y + part[1]], -1)
    near = np.linalg.norm(landed - joint, axis=-1) < DISC * torso
    if near.sum() < 3:
        return np.full(4, np.nan)
    places = joint - np.stack([part[0][near], part[1][near]], -1)
    middle = np.median(places, axis=0)
    spread = np.median(np.linalg.norm(places - middle, axis=-1)) / torso
    return np.array([*middle, spread, near.sum() / (np.pi * (DISC * torso) ** 2)])


def sampled(plane: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n,) a plane (H, W) at points (n, 2), NaN where there is none."""
    known = np.isfinite(points).all(-1)
    x, y = np.where(known[:, None], points, 0).astype(int).T
    height, width = plane.shape
    return np.where(known, plane[y.clip(0, height - 1), x.clip(0, width - 1)], np.nan)
