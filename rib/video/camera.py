"""Estimate the camera's motion between two pictures from what is not a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np

STILL = np.eye(2, 3)
"""The affine map of a camera that does not move."""
MOST_CORNERS = 300
FEWEST_CORNERS = 12
STILL_PX = 0.3
"""A map that moves no corner of the picture further than this is none."""
RETURN_PX = 0.5
"""A corner followed to the other picture and back must end this close to where it began."""
FIT_PX = 1.5
EXPLAINED = 0.7
"""A motion counts if it leaves less than this share of the pictures' difference."""


class MaskedGrey(NamedTuple):
    """A picture for the search of its corners.

    Attributes:
        grey: (H, W) uint8.
        free: (H, W) bool, True where it shows the scene.
        smoothed: The grey picture with the rest painted over, where somebody keeps it (`paint_over_people`).
    """

    grey: np.ndarray
    free: np.ndarray
    smoothed: np.ndarray | None = None


@dataclass(frozen=True)
class CameraMotion:
    """The map that carries the scene of one picture onto another's.

    Attributes:
        matrix: (2, 3): place in b = matrix[:, :2] place in a + matrix[:, 2], in OpenCV's pixels; the object
            `STILL` for a camera that stands still.
        confidence: Share (0..1) of the corners of `a` that were followed and agree; 0 where the motion cannot
            be told and the camera counts as still.
    """

    matrix: np.ndarray
    confidence: float


UNKNOWN = CameraMotion(STILL, 0.0)
"""What is told where nothing can be followed."""


class CameraMotionEstimator:
    """Estimate the camera's motion from each picture of a walk to the next, on small grey copies.

    Args:
        long_side_px: Size of the copies; corners of the scene are told well enough at a few hundred pixels.
    """

    def __init__(self, long_side_px: int) -> None:
        self._long_side_px = long_side_px
        self.forget()

    def forget(self) -> None:
        """Begin anew, as at a scene cut."""
        self._last: MaskedGrey | None = None
        self._scale = 1.0

    def __call__(self, picture: np.ndarray) -> CameraMotion:
        """Estimate the motion from the picture before to this one, (H, W, 3) uint8 RGB.

        Returns:
            The map between points in the pictures' pixels with pixel centres at .5; `UNKNOWN` at first.
        """
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        self._scale = max(1.0, max(grey.shape) / self._long_side_px)
        if self._scale > 1:
            size = round(grey.shape[1] / self._scale), round(grey.shape[0] / self._scale)
            grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        last, self._last = self._last, MaskedGrey(grey, np.ones(grey.shape, bool))
        if last is None or last.grey.shape != grey.shape:
            return UNKNOWN
        motion = estimate_camera_motions(last, [self._last])[0]
        return motion if motion.matrix is STILL else replace(motion, matrix=self._full_size(motion.matrix))

    def leave_out(self, boxes_xyxy: Sequence[np.ndarray]) -> None:
        """Say where people are in the picture just seen: their own motion is not the camera's."""
        assert self._last is not None
        for box in boxes_xyxy:
            margin = 0.1 * (box[2:] - box[:2])
            low = np.maximum((box[:2] - margin) / self._scale, 0).astype(int)
            high = np.maximum(np.ceil((box[2:] + margin) / self._scale), 0).astype(int)
            self._last.free[low[1] : high[1], low[0] : high[0]] = False

    def _full_size(self, small: np.ndarray) -> np.ndarray:
        """A map between small pictures in OpenCV's pixels, for the large ones with pixel centres at .5."""
        shift = small[:, 2] + 0.5 - small[:, :2] @ np.full(2, 0.5)
        return np.column_stack([small[:, :2], self._scale * shift])


def carry_points(motion: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Move points (..., 2) by a map (2, 3)."""
    return points @ motion[:, :2].T + motion[:, 2]


def estimate_camera_motion(
    a: np.ndarray, b: np.ndarray, free_a: np.ndarray, free_b: np.ndarray
) -> CameraMotion:
    """Estimate the shift, turn and zoom that carry the scene of one picture onto another's.

    Corners outside the person are followed there and back (Lucas and Kanade in pyramids; Bouguet 2001) and a
    similarity is fitted to those that return (RANSAC). Where too few agree the camera counts as still.

    Args:
        a: (H, W) uint8 grey.
        b: The other picture.
        free_a: (H, W) bool, True where `a` shows the scene.
        free_b: The same of `b`.
    """
    return estimate_camera_motions(MaskedGrey(a, free_a), [MaskedGrey(b, free_b)])[0]


def estimate_camera_motions(a: MaskedGrey, others: Sequence[MaskedGrey]) -> list[CameraMotion]:
    """`estimate_camera_motion` from one picture to each of several; the corners are looked for once."""
    picture = paint_over_people(a)
    corners = cv2.goodFeaturesToTrack(picture, MOST_CORNERS, 0.01, 5, mask=a.free.astype(np.uint8))
    return [_followed(picture, a.free, corners, paint_over_people(other), other.free) for other in others]


def _followed(
    a: np.ndarray, free_a: np.ndarray, corners: np.ndarray | None, b: np.ndarray, free_b: np.ndarray
) -> CameraMotion:
    """Fit the motion to the corners of `a` that are found in `b`."""
    if corners is None or len(corners) < FEWEST_CORNERS:
        return UNKNOWN
    there, found, _ = cv2.calcOpticalFlowPyrLK(a, b, corners, None)  # type: ignore[call-overload]
    back, found_back, _ = cv2.calcOpticalFlowPyrLK(b, a, there, None)  # type: ignore[call-overload]
    corners, there, back = (points[:, 0] for points in (corners, there, back))
    returned = np.linalg.norm(back - corners, axis=1) < RETURN_PX
    good = (found[:, 0] > 0) & (found_back[:, 0] > 0) & returned & _lie_in(there, free_b)
    if good.sum() < FEWEST_CORNERS:
        return UNKNOWN
    motion, inliers = cv2.estimateAffinePartial2D(corners[good], there[good], ransacReprojThreshold=FIT_PX)
    if motion is None or inliers.sum() < max(FEWEST_CORNERS, good.sum() / 2):
        return UNKNOWN
    confidence = float(inliers.sum() / len(corners))
    if _travel_px(motion, a.shape) < STILL_PX:
        return CameraMotion(STILL, confidence)
    if not _explains(motion, a, b, free_a & free_b):
        return UNKNOWN
    return CameraMotion(np.asarray(motion), confidence)


def fraction_of_camera_motion(motion: np.ndarray, fraction: float) -> np.ndarray:
    """The map (2, 3) after a fraction (0..1) of an even camera motion."""
    return STILL + fraction * (motion - STILL)


def chain_camera_motions(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The map (2, 3) of `first` and then `second`."""
    return np.column_stack([second[:, :2] @ first[:, :2], second[:, :2] @ first[:, 2] + second[:, 2]])


def _explains(motion: np.ndarray, a: np.ndarray, b: np.ndarray, free: np.ndarray) -> bool:
    """Whether the pictures differ clearly less once the motion is undone."""
    back = cv2.invertAffineTransform(motion)
    size = a.shape[1], a.shape[0]
    moved = cv2.warpAffine(b, back, size)
    seen = free & (cv2.warpAffine(np.full_like(b, 255), back, size) == 255)
    return float(cv2.absdiff(a, moved)[seen].sum()) < EXPLAINED * float(cv2.absdiff(a, b)[seen].sum())


def paint_over_people(masked: MaskedGrey) -> np.ndarray:
    """Paint what is no scene with what lies around: coarse levels of the pyramid would follow people."""
    if masked.smoothed is not None:
        return masked.smoothed
    picture, free, _ = masked
    side = picture.shape[0] // 4 * 2 + 1
    weight = cv2.blur(free.astype(np.float32), (side, side))
    around = cv2.blur(picture * free.astype(np.float32), (side, side)) / np.maximum(weight, 1e-3)
    return np.where(free, picture, around).astype(np.uint8)


def _lie_in(points: np.ndarray, region: np.ndarray) -> np.ndarray:
    x, y = np.round(points).astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < region.shape[1]) & (y < region.shape[0])
    return inside & region[np.clip(y, 0, region.shape[0] - 1), np.clip(x, 0, region.shape[1] - 1)]


def _travel_px(motion: np.ndarray, shape: tuple[int, ...]) -> float:
    """Measure how far the map moves the corner of the picture that it moves furthest."""
    height, width = shape
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], float)
    return float(np.linalg.norm(corners @ motion[:, :2].T + motion[:, 2] - corners, axis=1).max())
