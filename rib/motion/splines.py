"""Poses at any moment from keyframe poses, without training: straight lines and natural cubic splines.

Every joint is interpolated over the keyframes at which it was found, in seconds, so keyframes may lie at any
times and missing spans close by themselves. Keyframes keep what was found unless it cannot be part of
the motion.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from rib.io.recipe import build_recipe
from rib.io.settings.ranges import Seconds, Share
from rib.motion.missing_spans import (
    MotionExtrapolationLimit,
    depth_order_at_moments,
    fill_missing_spans,
    interpolate_linearly,
    segments_between_missing_spans,
)
from rib.motion.outliers import MotionOutliers
from rib.structures.keypoints import PoseSequence


class SplineMotion(ABC):
    """Base of the linear and the cubic spline.

    Args:
        hold_s: Seconds before its first and after its last observation for which a joint stays where it is.
        half_life_s: Seconds to the nearest observation that halve a joint's confidence.
        max_absence_s: Seconds for which the whole person may be away and still be interpolated.
        min_confidence: A joint below it (0..1) counts as missing.
        outliers: The recipe of a `rib.motion.outliers.MotionOutliers`, or None to believe every detection.
    """

    def __init__(
        self,
        hold_s: Seconds,
        half_life_s: Seconds,
        max_absence_s: Seconds,
        min_confidence: Share,
        outliers: Mapping[str, Any] | None,
    ) -> None:
        self.hold = MotionExtrapolationLimit(hold_s, half_life_s)
        self.max_absence_s = max_absence_s
        self.min_confidence = min_confidence
        self.outliers: MotionOutliers | None = None if outliers is None else build_recipe(outliers)

    @abstractmethod
    def interpolate(self, times_s: np.ndarray, samples: np.ndarray, wanted_s: np.ndarray) -> np.ndarray:
        """Samples (n, C) at times (n,), n >= 2, carried to moments (N,) between them, as (N, C)."""

    def __call__(self, poses: PoseSequence, times_s: np.ndarray, cuts: Sequence[int] = ()) -> PoseSequence:
        """The person at other moments.

        Args:
            poses: K keyframes, in any joint set.
            times_s: (N,) seconds wanted, in any order, also beyond the keyframes.
            cuts: Keyframes that begin a new shot; nothing is interpolated across them.

        Returns:
            N moments. At a keyframe's time its joints are kept exactly, save outliers. A joint that was not
            found carries a confidence that falls with the seconds to its nearest observation; an
            unknown one has 0.
        """
        times_s = np.asarray(times_s, dtype=np.float64)
        num_joints = poses.keypoints_px.shape[1]
        keypoints_px, confidence = (
            np.zeros((len(times_s), num_joints, 2)),
            np.zeros((len(times_s), num_joints)),
        )
        depth = (
            None if poses.depth_order is None else np.full((len(times_s), poses.depth_order.shape[1]), np.nan)
        )
        sure = np.where(poses.confidence >= self.min_confidence, poses.confidence, 0.0)
        present = np.asarray((sure > 0).any(axis=1))
        for segment in segments_between_missing_spans(poses.times_s, present, cuts, self.max_absence_s):
            here = (times_s >= segment.begin_s) & (times_s < segment.end_s)
            part = replace(poses, confidence=sure)[segment.keyframes]
            keypoints_px[here], confidence[here] = self._move(part, times_s[here])
            if depth is not None:
                depth[here] = depth_order_at_moments(part, times_s[here], self.hold)
        return replace(
            poses, keypoints_px=keypoints_px, confidence=confidence, times_s=times_s, depth_order=depth
        )

    def _move(self, poses: PoseSequence, times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Joints (N, J, 2) and confidence (N, J) within one stretch, counted from its beginning."""
        start_s = poses.times_s[0]
        t, confidence = poses.times_s - start_s, poses.confidence
        if self.outliers is not None:
            wrong = self.outliers(t, poses.keypoints_px, confidence > 0, poses.joint_set)
            confidence = np.where(wrong, 0.0, confidence)
        return fill_missing_spans(
            self.interpolate, t, poses.keypoints_px, confidence, times_s - start_s, self.hold
        )


class LinearMotion(SplineMotion):
    """Straight lines between the observations of a joint."""

    def interpolate(self, times_s: np.ndarray, samples: np.ndarray, wanted_s: np.ndarray) -> np.ndarray:
        """See `SplineMotion.interpolate`."""
        return interpolate_linearly(times_s, samples, wanted_s)


class CubicMotion(SplineMotion):
    """Natural cubic splines through the observations of a joint: twice continuously differentiable."""

    def interpolate(self, times_s: np.ndarray, samples: np.ndarray, wanted_s: np.ndarray) -> np.ndarray:
        """See `SplineMotion.interpolate`; two samples give a straight line."""
        if len(times_s) == 2:
            return interpolate_linearly(times_s, samples, wanted_s)
        return CubicSpline(times_s, samples, bc_type="natural")(wanted_s)
