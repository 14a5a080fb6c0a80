"""How the camera moved between two keyframes, from what is not the person."""

from __future__ import annotations

from collections.abc import Sequence

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


Sight = tuple[np.ndarray, np.ndarray]
"""(H, W) uint8 grey, and (H, W) bool, True where it shows the scene."""


def camera_motion(a: np.ndarray, b: np.ndarray, free_a: np.ndarray, free_b: np.ndarray) -> np.ndarray:
    """Shift, turn and zoom that carry the scene of one picture onto another's.

    Corners outside the person are followed there and back (Lucas and Kanade in pyramids; Bouguet 2001) and a
    similarity is fitted to those that return (RANSAC). Where too few agree the camera counts as still.

    Args:
        a: (H, W) uint8 grey.
        b: The other picture.
        free_a: (H, W) bool, True where `a` shows the scene.
        free_b: The same of `b`.

    Returns:
        (2, 3): place in b = M[:, :2] place in a + M[:, 2], in OpenCV's pixels; the object `STILL` for a
        camera that stands still.
    """
    return camera_motions((a, free_a), [(b, free_b)])[0]


def camera_motions(a: Sight, others: Sequence[Sight]) -> list[np.ndarray]:
    """`camera_motion` from one picture to each of several; the corners are looked for once."""
    picture = _smoothed_over(*a)
    corners = cv2.goodFeaturesToTrack(picture, MOST_CORNERS, 0.01, 5, mask=a[1].astype(np.uint8))
    return [_followed(picture, a[1], corners, _smoothed_over(*other), other[1]) for other in others]


def _followed(
    a: np.ndarray, free_a: np.ndarray, corners: np.ndarray | None, b: np.ndarray, free_b: np.ndarray
) -> np.ndarray:
    """The motion that the corners of `a` tell."""
    if corners is None or len(corners) < FEWEST_CORNERS:
        return STILL
    there, found, _ = cv2.calcOpticalFlowPyrLK(a, b, corners, None)  # type: ignore[call-overload]
    back, found_back, _ = cv2.calcOpticalFlowPyrLK(b, a, there, None)  # type: ignore[call-overload]
    corners, there, back = (points[:, 0] for points in (corners, there, back))
    returned = np.linalg.norm(back - corners, axis=1) < RETURN_PX
    good = (found[:, 0] > 0) & (found_back[:, 0] > 0) & returned & _lie_in(there, free_b)
    if good.sum() < FEWEST_CORNERS:
        return STILL
    motion, inliers = cv2.estimateAffinePartial2D(corners[good], there[good], ransacReprojThreshold=FIT_PX)
    if motion is None or inliers.sum() < max(FEWEST_CORNERS, good.sum() / 2):
        return STILL
    if _travel_px(motion, a.shape) < STILL_PX or not _explains(motion, a, b, free_a & free_b):
        return STILL
    return np.asarray(motion)


def part_of(motion: np.ndarray, fraction: float) -> np.ndarray:
    """The map (2, 3) after a fraction (0..1) of an even camera motion."""
    return STILL + fraction * (motion - STILL)


def follow(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The map (2, 3) of `first` and then `second`."""
    return np.column_stack([second[:, :2] @ first[:, :2], second[:, :2] @ first[:, 2] + second[:, 2]])


def _explains(motion: np.ndarray, a: np.ndarray, b: np.ndarray, free: np.ndarray) -> bool:
    """Whether the pictures differ clearly less once the motion is undone."""
    back = cv2.invertAffineTransform(motion)
    size = a.shape[1], a.shape[0]
    moved = cv2.warpAffine(b, back, size)
    seen = free & (cv2.warpAffine(np.full_like(b, 255), back, size) == 255)
    return float(cv2.absdiff(a, moved)[seen].sum()) < EXPLAINED * float(cv2.absdiff(a, b)[seen].sum())


def _smoothed_over(picture: np.ndarray, free: np.ndarray) -> np.ndarray:
    """The person painted over by what lies around: coarse levels of the pyramid would follow them."""
    side = picture.shape[0] // 4 * 2 + 1
    weight = cv2.blur(free.astype(np.float32), (side, side))
    around = cv2.blur(picture * free.astype(np.float32), (side, side)) / np.maximum(weight, 1e-3)
    return np.where(free, picture, around).astype(np.uint8)


def _lie_in(points: np.ndarray, region: np.ndarray) -> np.ndarray:
    x, y = np.round(points).astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < region.shape[1]) & (y < region.shape[0])
    return inside & region[np.clip(y, 0, region.shape[0] - 1), np.clip(x, 0, region.shape[1] - 1)]


def _travel_px(motion: np.ndarray, shape: tuple[int, ...]) -> float:
    """How far the map moves the corner of the picture that it moves furthest."""
    height, width = shape
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], float)
    return float(np.linalg.norm(corners @ motion[:, :2].T + motion[:, 2] - corners, axis=1).max())
