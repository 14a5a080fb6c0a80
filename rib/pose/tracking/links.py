"""Log-likelihood that two tracklets are one person: evidence of motion, size, pose and appearance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from rib.io.settings.ranges import NonNegative, Positive, Share
from rib.pose.detectors.appearance import appearance_likeness
from rib.pose.detectors.plausible import detection_size_px as plain_size
from rib.pose.tracking.observations import TrackerObservation, Tracklet, pose_change, tracklet_displacement

NEVER = -1e3
"""Evidence (nats) of a link that cannot be."""
_DENSEST = 4.0
"""Nats: what is found near a person by mistake is not spread evenly over the picture."""
_SIZE_SPREAD = 0.6
"""Standard deviation of the logarithm of the size, from one person to another."""
_POSE_SPREAD = 0.45
"""Root mean square by which the poses of two people differ, in trunk lengths an axis."""
_POSE_FREEDOM = 4
"""A pose counts as so many independent measurements."""


_FEW = 2
"""Among more people than this, somebody is missed or newly found all the time."""


class TrackingScene(NamedTuple):
    """Scene that links are scored in.

    Attributes:
        size_px: Width and height of the picture.
        people: How many are found in a keyframe of the shot, on the mean.
    """

    size_px: tuple[int, int]
    people: float


@dataclass(frozen=True)
class LinkEvidence:
    """Sum of log likelihood ratios (nats): one person, against two who have nothing to do with each other.

    Attributes:
        jitter: Standard deviation of a detection's place, in trunk lengths.
        drift_per_s: How fast the place grows uncertain (trunk lengths a second) along two known velocities.
        drift_per_s2: How fast that speeds up (trunk lengths a second squared): velocities change.
        blind_drift_per_s: The same as `drift_per_s` where no velocity is known, as after one observation.
        appearance_gain: Nats for each unit by which appearances are more alike than `appearance_neutral`.
        appearance_neutral: Likeness (0..1) of two descriptions that speaks neither for nor against.
        appearance_most: At most so many nats come from appearance: light changes, and limbs hide clothes.
        unseen: Nats that each keyframe between costs in which the person was not found.
        unseen_most: At most so many nats.
        vanished: Nats for a track that ends inside the picture and another that begins there: people come and
            go at its sides. Among many people it counts less.
        hidden_s: Seconds after which `vanished` counts 1/e: few stay hidden for long.
        left: Nats against a link where one of the two is at a side of the picture.
    """

    jitter: Positive
    drift_per_s: NonNegative
    drift_per_s2: NonNegative
    blind_drift_per_s: NonNegative
    appearance_gain: NonNegative
    appearance_neutral: Share
    appearance_most: NonNegative
    unseen: NonNegative
    unseen_most: NonNegative
    vanished: NonNegative
    hidden_s: Positive
    left: NonNegative

    def __call__(self, a: Tracklet, b: Tracklet, scene: TrackingScene) -> float:
        """Weigh the link from the end of `a` to the start of `b`."""
        dt = b.first.time_s - a.last.time_s
        sizes = a.size_px(at_end=True), b.size_px(at_end=False)
        size = float(np.sqrt(sizes[0] * sizes[1]))
        motion = self._motion(a, b, dt, size, float(scene.size_px[0] * scene.size_px[1]))
        if motion < -20:
            return NEVER
        unseen = self.unseen * (b.first.moment - a.last.moment - 1)
        shape = _scale(sizes, dt) + _pose(a, b, dt)
        inside = min(_inside(a.last, scene.size_px), _inside(b.first, scene.size_px))
        hidden = self.vanished * float(np.exp(-dt / self.hidden_s)) / max(1.0, scene.people / _FEW)
        prior = hidden * inside - self.left * (1 - inside) - min(unseen, self.unseen_most)
        return motion + shape + self._appearance(a, b) + prior

    def _motion(self, a: Tracklet, b: Tracklet, dt: float, size: float, area_px2: float) -> float:
        """Seen from the moving camera or in the scene, whichever fits: some cameras go with a person."""
        best = -np.inf
        for in_scene in (True, False):
            velocities = [a.velocity(True, in_scene), b.velocity(False, in_scene)]
            known = [v for v in velocities if v is not None]
            blind = self.blind_drift_per_s * dt
            drift = min(self.drift_per_s * dt + self.drift_per_s2 * dt**2, blind) if known else blind
            sigma = size * (self.jitter + (drift if len(known) == 2 else (drift + blind) / 2))
            travel = tracklet_displacement(a.last, b.first, in_scene)
            misses = [travel - dt * v for v in known] or [travel]  # one velocity speaks forward, one back
            apart2 = float(np.mean([miss @ miss for miss in misses])) / sigma**2
            density = np.clip(np.log(area_px2 / (2 * np.pi * sigma**2)), 0, _DENSEST)
            best = max(best, float(density - apart2 / 2))
        return best

    def _appearance(self, a: Tracklet, b: Tracklet) -> float:
        likeness = appearance_likeness(a.appearance(at_end=True), b.appearance(at_end=False))
        if likeness is None:
            return 0.0
        nats = self.appearance_gain * (likeness - self.appearance_neutral)
        return float(np.clip(nats, -self.appearance_most, self.appearance_most))


def _inside(seen: TrackerObservation, size_px: tuple[int, int]) -> float:
    """Measure the distance to the picture's sides, (0..1): 0 at a side, 1 from a trunk's length on."""
    left, _, right, _ = seen.detection.box_xyxy
    return float(np.clip(min(left, size_px[0] - right) / plain_size(seen.detection), 0, 1))


def _scale(sizes: tuple[float, float], dt: float) -> float:
    ratio, sigma = np.log(sizes[1] / sizes[0]), min(0.15 + 0.3 * dt, _SIZE_SPREAD)
    return float(np.log(_SIZE_SPREAD / sigma) - ratio**2 / 2 * (sigma**-2 - _SIZE_SPREAD**-2))


def _pose(a: Tracklet, b: Tracklet, dt: float) -> float:
    change, sigma = pose_change(a.last, b.first), min(0.12 + 1.0 * dt, _POSE_SPREAD)
    if change is None:
        return 0.0
    nats = np.log(_POSE_SPREAD / sigma) - change**2 / 2 * (sigma**-2 - _POSE_SPREAD**-2)
    return float(_POSE_FREEDOM * max(nats, -0.75))


def certain_tracklet_links(evidence: np.ndarray, margin: float) -> list[tuple[int, int]]:
    """The pairs of the assignment of greatest total evidence that no other assignment puts in question.

    A pair stands if its own evidence is positive and the best assignment without it is worth less by at
    least `margin`; where neither of the two could go with anybody else the margin is not asked for.

    Args:
        evidence: (A, B) nats.
        margin: Nats.

    Returns:
        (row, column) of each link made.
    """
    worth = np.maximum(evidence, 0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    total = worth[rows, columns].sum()
    made = []
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if evidence[row, column] <= 0:
            continue
        if (worth[row] > 0).sum() > 1 or (worth[:, column] > 0).sum() > 1:
            without = worth.copy()
            without[row, column] = 0
            if total - without[linear_sum_assignment(without, maximize=True)].sum() < margin:
                continue
        made.append((row, column))
    return made
