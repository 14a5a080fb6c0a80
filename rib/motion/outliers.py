"""Detections that cannot be part of the motion around them.

A Hampel test in time: a joint is compared with the straight lines through its neighbours before and after,
and rejected where none of them explains it. What counts as far is measured by three yardsticks: the person's
height, the joint's own usual residual near by (1.4826 x the median absolute one, Hampel 1974), and how far
the joint travels there, because fast motion bends away from straight lines too. Several equal outliers in a
row look like a change of place and are believed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter

from rib.io.settings.ranges import NonNegative, Positive
from rib.structures.skeleton import convert_joints, joint_set_named

_FEWEST = 5
_MAD = 1.4826
_HEIGHT_SHARES = {
    ("neck", "mid_hip"): 0.288,
    ("right_hip", "right_knee"): 0.245,
    ("left_hip", "left_knee"): 0.245,
    ("right_knee", "right_ankle"): 0.246,
    ("left_knee", "left_ankle"): 0.246,
}
"""Parts of the standing height: Drillis and Contini, "Body segment parameters", 1966."""


@dataclass(frozen=True)
class MotionOutliers:
    """The test's thresholds.

    Attributes:
        min_height: Share of the person's height below which nothing is rejected.
        min_deviations: The same in robust standard deviations of the joint's residual.
        min_travel: The same in lengths of the way between the joint's neighbours.
        window_s: Seconds over which the usual residual is taken.
    """

    min_height: NonNegative
    min_deviations: NonNegative
    min_travel: NonNegative
    window_s: Positive

    def __call__(
        self, times_s: np.ndarray, keypoints_px: np.ndarray, valid: np.ndarray, name: str
    ) -> np.ndarray:
        """Mark the outliers.

        Args:
            times_s: (K,) seconds, strictly increasing.
            keypoints_px: (K, J, 2).
            valid: (K, J) bool, where a joint was found.
            name: The joint set.

        Returns:
            (K, J) bool; a joint found fewer than five times has none.
        """
        outliers = np.zeros_like(valid)
        floor_px = self.min_height * motion_body_height_px(keypoints_px, valid, name)
        for joint in np.flatnonzero(valid.sum(axis=0) >= _FEWEST):
            found = np.flatnonzero(valid[:, joint])
            outliers[found, joint] = self._of_joint(times_s[found], keypoints_px[found, joint], floor_px)
        return outliers

    def _of_joint(self, t: np.ndarray, y: np.ndarray, floor_px: float) -> np.ndarray:
        residual, travel = _residual(t, y)
        spacing = float(np.median(np.diff(t)))
        width = int(np.clip(round(self.window_s / spacing), _FEWEST, len(t))) | 1
        usual = _MAD * median_filter(residual, width, mode="reflect")
        return residual > np.maximum(self.min_deviations * usual, floor_px) + self.min_travel * travel


def _residual(t: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least distance (n,) to what two neighbours predict, and the way (n,) between the nearest two."""
    residual = np.full(len(t), np.inf)
    for before, after in ((1, 1), (2, 2), (2, 1), (1, 2)):
        a, b = _neighbours(len(t), before, after)
        share = ((t - t[a]) / (t[b] - t[a]))[:, None]
        residual = np.minimum(residual, np.linalg.norm(y[a] + share * (y[b] - y[a]) - y, axis=-1))
    # an end is told from one side only: standing still explains it too, and a line carried beyond its points
    # has twice the error of one between them, from noise and from acceleration alike
    ends = np.minimum(residual[[0, -1]], np.linalg.norm(y[[0, -1]] - y[[1, -2]], axis=-1))
    residual[[0, -1]] = ends / 2
    a, b = _neighbours(len(t), 1, 1)
    return residual, np.linalg.norm(y[b] - y[a], axis=-1)


def _neighbours(n: int, before: int, after: int) -> tuple[np.ndarray, np.ndarray]:
    """For each of n samples one that many before and one that many after; near the ends, two on one side."""
    index = np.arange(n)
    a, b = index - before, index + after
    first, last = a < 0, b > n - 1
    a[first], b[first] = b[first], b[first] + before
    a[last], b[last] = a[last] - after, a[last]
    return a.clip(0, n - 2), b.clip(1, n - 1)


def motion_body_height_px(keypoints_px: np.ndarray, valid: np.ndarray, name: str) -> float:
    """The person's standing height in pixels, from limbs seen at their longest (upper quartile over time).

    Args:
        keypoints_px: (K, J, 2).
        valid: (K, J) bool.
        name: The joint set.

    Returns:
        Pixels; the upper quartile of the body's extent where no such limb was found, 0 where nothing was.
    """
    joints, there = convert_joints(keypoints_px, valid.astype(float), name, "body19")
    length = share = 0.0
    for (a, b), part in _HEIGHT_SHARES.items():
        i, j = joint_set_named("body19").index(a), joint_set_named("body19").index(b)
        both = (there[:, i] > 0) & (there[:, j] > 0)
        if both.any():
            length += float(np.percentile(np.linalg.norm(joints[both, i] - joints[both, j], axis=-1), 75))
            share += part
    if share:
        return length / share
    seen = valid.any(axis=1)
    if not seen.any():
        return 0.0
    low = np.where(valid[seen][..., None], keypoints_px[seen], np.inf).min(axis=1)
    high = np.where(valid[seen][..., None], keypoints_px[seen], -np.inf).max(axis=1)
    return float(np.percentile((high - low).max(axis=1), 75))
