"""The person detector's output: boxes on a grid of anchors, and one person of all that overlap.

BlazeFace's heads and its blending of overlapping boxes: Bazarevsky et al., 2019, section 3.
"""

from __future__ import annotations

import numpy as np

SIZE_PX = 224
"""Side of the pictures that the detector sees."""
_MIN_SCORE = 0.5
_SAME_PERSON = 0.3
"""Intersection over union of boxes that are of one person."""
_GRIDS = ((28, 2), (14, 2), (7, 6))
"""Cells along a side, and anchors a cell, of each of the detector's heads."""


def _anchors() -> np.ndarray:
    """(2254, 2) x and y of the anchors, in shares of the picture's side."""
    found = []
    for cells, anchors in _GRIDS:
        rows, columns = np.indices((cells, cells)) + 0.5
        found.append(np.repeat(np.stack([columns, rows], axis=-1).reshape(-1, 2) / cells, anchors, axis=0))
    return np.concatenate(found)


def persons_in(boxes: np.ndarray, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Everybody whom the detector saw in one picture.

    Args:
        boxes: (2254, 12) the first output: centre, size and four points, in pixels from the anchor.
        logits: (2254, 1) the second.

    Returns:
        (N, 4, 2) points, in shares of the picture's side, the most certain first, and (N,) their scores.
        The points are the hips' middle, the rim of the circle around the body, and those of the upper body.
    """
    scores = 1 / (1 + np.exp(-np.clip(logits[:, 0].astype(np.float64), -100, 100)))
    kept = np.flatnonzero((scores >= _MIN_SCORE) & (boxes[:, 2:4] >= 0).all(axis=1))
    kept = kept[np.argsort(-scores[kept], kind="stable")]
    scores = scores[kept]
    points = boxes[kept].reshape(-1, 6, 2).astype(np.float64) / SIZE_PX
    points[:, [0, 2, 3, 4, 5]] += _anchors()[kept][:, None]
    corners = np.concatenate([points[:, 0] - points[:, 1] / 2, points[:, 0] + points[:, 1] / 2], axis=1)
    blended, certain = [], []
    while len(scores):
        same = _overlap(corners, corners[0]) > _SAME_PERSON
        same[0] = True
        blended.append(np.average(points[same, 2:], axis=0, weights=scores[same]))
        certain.append(scores[0])
        points, corners, scores = points[~same], corners[~same], scores[~same]
    return np.array(blended).reshape(-1, 4, 2), np.array(certain)


def _overlap(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """(N,) intersection over union of boxes (left, top, right, bottom) with one."""
    low, high = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, 2:], box[2:])
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    union = areas + np.prod(box[2:] - box[:2]) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
