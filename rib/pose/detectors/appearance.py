"""Describe what a person looks like by the colours of head, chest, belly, thighs and shanks."""

from __future__ import annotations

import numpy as np

from rib.structures.skeleton import BODY25_HANDS

PARTS = ("head", "chest", "belly", "thighs", "shanks")
"""Rows of a description."""
WEIGHTS = np.array([0.15, 0.3, 0.2, 0.2, 0.15])
"""Share of each of `PARTS` in how alike two people look."""
BINS = 16
"""Steps of lightness, and of either colour axis."""
CHROMA = 32
"""Largest distance from grey along a colour axis of CIE Lab that is told apart: most clothes are dull."""
BLUR = 0.6
"""Standard deviation, in steps, by which histograms are smoothed."""
SHRUNK_PX = 48
"""A trunk is shrunk to this length before its colours are counted."""

_FACE = [BODY25_HANDS.index(name) for name in ("nose", "left_eye", "right_eye", "left_ear", "right_ear")]
_TORSO = [BODY25_HANDS.index(name) for name in ("right_shoulder", "left_shoulder", "left_hip", "right_hip")]
_THIGHS, _SHANKS = (
    [(BODY25_HANDS.index(f"{side}_{a}"), BODY25_HANDS.index(f"{side}_{b}")) for side in ("left", "right")]
    for a, b in (("hip", "knee"), ("knee", "ankle"))
)
_SEEN = 0.3
_FEWEST_PIXELS = 8

Masks = list[np.ndarray]
"""(h, w) uint8 each, 1 where a part of the body is seen."""


def describe_appearance(
    picture: np.ndarray, keypoints_px: np.ndarray, confidence: np.ndarray, trunk_px: float
) -> np.ndarray | None:
    """Count the colours of each body part in CIE Lab: lightness, and both colour axes together.

    Args:
        picture: (H, W, 3) uint8 RGB.
        keypoints_px: (67, 2) in the joint set `body25_hands`.
        confidence: (67,).
        trunk_px: Distance between the middles of the shoulders and of the hips, seen or guessed.

    Returns:
        (5, B) float64, a row for each of `PARTS` that sums to 1, or NaN where the part is not seen; None
        where no part is.
    """
    import cv2

    seen = confidence > _SEEN
    if trunk_px < 1 or not seen[:25].any():
        return None
    scale = min(1.0, SHRUNK_PX / trunk_px)
    crop, origin = _crop(picture, keypoints_px[:25][seen[:25]], trunk_px)
    if min(crop.shape[:2]) < 2:
        return None
    size = max(2, round(crop.shape[1] * scale)), max(2, round(crop.shape[0] * scale))
    crop = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    points = (keypoints_px - origin) * scale
    lab = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB)
    masks = [
        _head(points, seen, size),
        *_torso_halves(points, seen, size, trunk_px * scale),
        *(_bones(points, seen, size, trunk_px * scale, bones) for bones in (_THIGHS, _SHANKS)),
    ]
    rows = [_histogram(lab, mask) for mask in masks]
    return None if all(np.isnan(row).all() for row in rows) else np.stack(rows)


def appearance_likeness(a: np.ndarray | None, b: np.ndarray | None) -> float | None:
    """Compare two descriptions: the Bhattacharyya coefficient (0..1) averaged over the parts seen in both.

    None where no part below the head is seen in both.
    """
    if a is None or b is None:
        return None
    shared = ~(np.isnan(a).any(axis=1) | np.isnan(b).any(axis=1))
    if not shared[1:].any():
        return None
    coefficient = np.sqrt(a[shared] * b[shared]).sum(axis=1)
    return float((coefficient * WEIGHTS[shared]).sum() / WEIGHTS[shared].sum())


def typical_appearance(descriptions: list[np.ndarray | None]) -> np.ndarray | None:
    """The mean (5, B) of the descriptions in which each part is seen; None where nothing is."""
    known = [description for description in descriptions if description is not None]
    if not known:
        return None
    stacked = np.stack(known)
    count = (~np.isnan(stacked)).sum(axis=0)
    total = np.nansum(stacked, axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _crop(picture: np.ndarray, points: np.ndarray, margin_px: float) -> tuple[np.ndarray, np.ndarray]:
    """The part of the picture around the points, and its left top corner."""
    size = np.array([picture.shape[1], picture.shape[0]])
    low = np.clip(np.floor(points.min(axis=0) - margin_px / 2), 0, size).astype(int)
    high = np.clip(np.ceil(points.max(axis=0) + margin_px / 2), 0, size).astype(int)
    return np.ascontiguousarray(picture[low[1] : high[1], low[0] : high[0]]), low


def _torso_halves(points: np.ndarray, seen: np.ndarray, size: tuple[int, int], trunk_px: float) -> Masks:
    """Above and below the middle between shoulders and hips, of which at least three are seen.

    From the side the four lie on a line, so a stripe down the middle is counted too.
    """
    import cv2

    masks = [np.zeros(size[::-1], np.uint8) for _ in range(2)]
    if seen[_TORSO].sum() < 3:
        return masks
    shoulders, hips = points[_TORSO[:2]], points[_TORSO[:1:-1]]
    middle = (shoulders + hips) / 2
    for mask, (top, bottom) in zip(masks, ((shoulders, middle), (middle, hips)), strict=True):
        corners = np.floor(np.concatenate([top, bottom])).astype(np.int32)
        cv2.fillConvexPoly(mask, cv2.convexHull(corners), 1)
        _stripe(mask, top.mean(axis=0), bottom.mean(axis=0), 0.2 * trunk_px)
    return masks


def _stripe(mask: np.ndarray, a: np.ndarray, b: np.ndarray, width_px: float) -> None:
    import cv2

    ends = np.floor([a, b]).astype(int).tolist()
    cv2.line(mask, tuple(ends[0]), tuple(ends[1]), 1, max(1, round(width_px)))


def _head(points: np.ndarray, seen: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A disc about the face, from the crown to the chin."""
    import cv2

    mask = np.zeros(size[::-1], np.uint8)
    face, neck = points[_FACE][seen[_FACE]], points[BODY25_HANDS.index("neck")]
    if len(face) >= 2 and seen[_TORSO[:2]].any():
        centre = face.mean(axis=0)
        radius = 0.5 * float(np.linalg.norm(centre - neck))
        cv2.circle(mask, tuple(np.floor(centre).astype(int).tolist()), max(1, round(radius)), 1, -1)
    return mask


def _bones(
    points: np.ndarray,
    seen: np.ndarray,
    size: tuple[int, int],
    trunk_px: float,
    bones: list[tuple[int, int]],
) -> np.ndarray:
    """Along some of the legs' bones."""
    mask = np.zeros(size[::-1], np.uint8)
    for a, b in bones:
        if seen[a] and seen[b]:
            _stripe(mask, points[a], points[b], 0.15 * trunk_px)
    return mask


def _histogram(lab: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(BINS + BINS**2,) that sums to 1, smoothed so that a change of light moves it little; NaN if unseen."""
    import cv2

    if int(mask.sum()) < _FEWEST_PIXELS:
        return np.full(BINS + BINS**2, np.nan)
    light = cv2.calcHist([lab], [0], mask, [BINS], [0, 256])
    near = [128 - CHROMA, 128 + CHROMA]
    clipped = np.clip(lab[..., 1:], near[0], near[1] - 1)
    colour = cv2.calcHist([np.ascontiguousarray(clipped)], [0, 1], mask, [BINS, BINS], near + near)
    parts = [cv2.GaussianBlur(light, (1, 5), BLUR), cv2.GaussianBlur(colour, (5, 5), BLUR)]
    return np.concatenate([part.ravel().astype(np.float64) / part.sum() / 2 for part in parts])
