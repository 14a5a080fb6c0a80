"""One person found in one frame: what a detector or a file gives, and what the tracker follows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rib.structures.skeleton import BODY25_HANDS

_BODY = slice(0, 25)
_TORSO = [BODY25_HANDS.index(name) for name in ("right_shoulder", "left_shoulder", "left_hip", "right_hip")]


@dataclass(frozen=True)
class Detection:
    """One person in one frame, in the joint set `body25_hands`.

    Attributes:
        keypoints_px: (67, 2) float64, pixel centres at .5; 0 where missing.
        confidence: (67,) float64 in 0..1; 0 means missing.
        box_xyxy: (4,) float64 left, top, right, bottom in pixels.
        appearance: A histogram that sums to 1 (`torso_histogram`), or None where no picture was at hand.
        depth: (5,) relative depth of each of `rib.structures.keypoints.LAYERS`, smaller is nearer, or None.
    """

    keypoints_px: np.ndarray
    confidence: np.ndarray
    box_xyxy: np.ndarray
    appearance: np.ndarray | None = None
    depth: np.ndarray | None = None

    @classmethod
    def from_keypoints(
        cls,
        keypoints_px: np.ndarray,
        confidence: np.ndarray,
        appearance: np.ndarray | None = None,
        depth: np.ndarray | None = None,
    ) -> Detection | None:
        """A detection whose box spans the body's points that were found; None where there are none."""
        found = keypoints_px[_BODY][confidence[_BODY] > 0]
        if len(found) == 0:
            return None
        box = np.concatenate([found.min(axis=0), found.max(axis=0)])
        return cls(keypoints_px, confidence, box, appearance, depth)

    @property
    def area_px2(self) -> float:
        """The box's area."""
        left, top, right, bottom = self.box_xyxy
        return float((right - left) * (bottom - top))

    @property
    def mean_confidence(self) -> float:
        """Mean over the 25 body points; missing ones count as 0."""
        return float(self.confidence[_BODY].mean())


def torso_histogram(
    picture: np.ndarray, keypoints_px: np.ndarray, confidence: np.ndarray, bins: int = 6
) -> np.ndarray | None:
    """What a person wears: the colours between the shoulders and hips.

    Args:
        picture: (H, W, 3) uint8 RGB.
        keypoints_px: (67, 2) in the joint set `body25_hands`.
        confidence: (67,).
        bins: Steps a colour channel.

    Returns:
        (bins ** 3,) float64 that sums to 1, or None where less than three of the four corners lie in it.
    """
    import cv2

    height, width = picture.shape[:2]
    corners = keypoints_px[_TORSO]
    inside = (corners >= 0).all(axis=1) & (corners[:, 0] < width) & (corners[:, 1] < height)
    corners = corners[inside & (confidence[_TORSO] > 0)]
    if len(corners) < 3:
        return None
    left, top = np.floor(corners.min(axis=0)).astype(int)
    right, bottom = np.floor(corners.max(axis=0)).astype(int) + 1
    crop = np.ascontiguousarray(picture[top:bottom, left:right])
    mask = np.zeros(crop.shape[:2], np.uint8)
    hull = cv2.convexHull(np.floor(corners - (left, top)).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 1)
    counts = cv2.calcHist([crop], [0, 1, 2], mask, [bins] * 3, [0, 256] * 3).astype(np.float64).ravel()
    return counts / counts.sum()
