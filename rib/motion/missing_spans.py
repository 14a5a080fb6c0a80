"""Missing spans of a track: segments that may be interpolated, and how far a joint is extrapolated.

Letters: K keyframes, N moments wanted, J joints, D values a joint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rib.structures.keypoints import PoseSequence

SAME_MOMENT_S = 1e-6
"""Two times nearer than this are the same moment."""

Interpolator = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Called with sample times (n,), samples (n, C), n >= 2, and moments (N,) in their range: values (N, C)."""


@dataclass(frozen=True)
class SegmentBetweenMissingSpans:
    """A run of keyframes without a cut or a long missing span, and the times that belong to it.

    Attributes:
        keyframes: Their numbers.
        begin_s: The first moment that belongs to the segment.
        end_s: The first moment that no longer does.
    """

    keyframes: slice
    begin_s: float
    end_s: float


def segments_between_missing_spans(
    times_s: np.ndarray, present: np.ndarray, cuts: Sequence[int], max_absence_s: float
) -> Iterator[SegmentBetweenMissingSpans]:
    """Split a track at cuts and long missing spans; moments between go to the nearer segment.

    Args:
        times_s: (K,) seconds, strictly increasing.
        present: (K,) bool, where the person was found.
        cuts: Keyframes that begin a new shot.
        max_absence_s: Seconds between two observations of the person, with keyframes between them that do not
            show the person, beyond which the motion is not carried across.
    """
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(times_s)}), len(times_s)]
    middles = [-np.inf, *((times_s[cut - 1] + times_s[cut]) / 2 for cut in edges[1:-1]), np.inf]
    for first, end, begin_s, end_s in zip(edges, edges[1:], middles, middles[1:], strict=False):
        seen = first + np.flatnonzero(present[first:end])
        if len(seen) == 0:
            continue
        away = (np.diff(seen) > 1) & (np.diff(times_s[seen]) > max_absence_s)
        for run in np.split(seen, np.flatnonzero(away) + 1):
            after = seen[seen > run[-1]]
            stop_s = (times_s[run[-1]] + times_s[after[0]]) / 2 if len(after) else end_s
            yield SegmentBetweenMissingSpans(slice(int(run[0]), int(run[-1]) + 1), begin_s, stop_s)
            begin_s = stop_s


@dataclass(frozen=True)
class MotionExtrapolationLimit:
    """Limit and confidence of extrapolation from the nearest observation.

    Attributes:
        hold_s: Seconds before its first and after its last observation for which a joint stays where it is.
        half_life_s: Seconds to the nearest observation that halve the confidence.
    """

    hold_s: float
    half_life_s: float


def fill_missing_spans(
    interpolate: Interpolator,
    times_s: np.ndarray,
    values: np.ndarray,
    confidence: np.ndarray,
    wanted_s: np.ndarray,
    limit: MotionExtrapolationLimit,
) -> tuple[np.ndarray, np.ndarray]:
    """Interpolate every joint over its own missing spans.

    Joints that were found at the same keyframes are interpolated together. At a keyframe where a joint was
    found, it keeps its value and its confidence.

    Args:
        interpolate: Between the samples of a joint.
        times_s: (K,) seconds, strictly increasing.
        values: (K, J, D).
        confidence: (K, J), 0 where missing.
        wanted_s: (N,) seconds, in any order.
        limit: How far observations reach.

    Returns:
        (N, J, D) and (N, J); 0 and 0 where a joint is unknown.
    """
    num_joints, depth = values.shape[1:]
    filled = np.zeros((len(wanted_s), num_joints, depth))
    belief = np.zeros((len(wanted_s), num_joints))
    alike: dict[bytes, list[int]] = {}
    for joint, found in enumerate((confidence > 0).T):
        if found.any():
            alike.setdefault(found.tobytes(), []).append(joint)
    for joints in map(np.array, alike.values()):
        found = np.flatnonzero(confidence[:, joints[0]] > 0)
        t = times_s[found]
        samples = values[np.ix_(found, joints)].reshape(len(found), -1)
        scores = confidence[np.ix_(found, joints)]
        nearest, away_s = _nearest(t, wanted_s)
        beyond = (wanted_s < t[0]) | (wanted_s > t[-1])
        copied = (away_s < SAME_MOMENT_S) | beyond | (len(t) == 1)
        moved, scored = samples[nearest], scores[nearest]
        if not copied.all():
            moved[~copied] = interpolate(t, samples, wanted_s[~copied])
            scored[~copied] = interpolate_linearly(t, scores, wanted_s[~copied])
        shade = 0.5 ** (np.where(away_s < SAME_MOMENT_S, 0.0, away_s) / limit.half_life_s)
        known = ~beyond | (away_s <= limit.hold_s + SAME_MOMENT_S)
        filled[np.ix_(known, joints)] = moved[known].reshape(-1, len(joints), depth)
        belief[np.ix_(known, joints)] = (scored * shade[:, None])[known]
    return filled, belief


def depth_order_at_moments(
    poses: PoseSequence, wanted_s: np.ndarray, limit: MotionExtrapolationLimit
) -> np.ndarray | None:
    """`depth_order` at moments (N,) on straight lines, (N, layers), NaN where unknown; None without any."""
    if poses.depth_order is None:
        return None
    known = np.isfinite(poses.depth_order)
    values = np.where(known, poses.depth_order, 0.0)[..., None]
    depth, belief = fill_missing_spans(
        interpolate_linearly, poses.times_s, values, known.astype(float), wanted_s, limit
    )
    return np.where(belief > 0, depth[..., 0], np.nan)


def interpolate_linearly(times_s: np.ndarray, samples: np.ndarray, wanted_s: np.ndarray) -> np.ndarray:
    """Straight lines between samples (n, C) at times (n,), n >= 2, as (N, C)."""
    index = np.clip(np.searchsorted(times_s, wanted_s, side="right") - 1, 0, len(times_s) - 2)
    share = (wanted_s - times_s[index]) / (times_s[index + 1] - times_s[index])
    return samples[index] + share[:, None] * (samples[index + 1] - samples[index])


def _nearest(times_s: np.ndarray, wanted_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The number (N,) of the sample nearest to each moment, and how far away (N,) it is."""
    after = np.searchsorted(times_s, wanted_s).clip(max=len(times_s) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(wanted_s - times_s[before] <= times_s[after] - wanted_s, before, after)
    return nearest, np.abs(wanted_s - times_s[nearest])
