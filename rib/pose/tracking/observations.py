"""Observations of each detection for the tracker: place in the scene, size, and appearance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from rib.pose.detectors.appearance import typical_appearance
from rib.pose.detectors.detection import ClipDetections, PersonDetection
from rib.pose.detectors.plausible import detection_size_px, plausible_detections
from rib.video.camera import carry_points

BODY = slice(0, 25)
_SEEN = 0.3
_FEWEST_COMMON_JOINTS = 3
RECENT_OBSERVATIONS = 8
"""So many observations tell what somebody looks like now."""
FEWEST_OBSERVATIONS = 3
"""So many observations tell a tracklet's velocity well, and that somebody is a person at all."""
_VELOCITY_S = 0.25
"""A velocity is the travel over at least this long, where a track has it."""


@dataclass(frozen=True)
class TrackerObservation:
    """One detection as the tracker sees it.

    Attributes:
        moment: Number of the keyframe.
        index: Number of the detection in its keyframe.
        time_s: Its time.
        detection: As found.
        scene_px: (25, 2) body points where the shot's first picture would show them, were the camera still.
        size_px: Length of a trunk in the scene, told by the longest bone seen.
    """

    moment: int
    index: int
    time_s: float
    detection: PersonDetection
    scene_px: np.ndarray
    size_px: float

    @classmethod
    def of(
        cls, moment: int, index: int, time_s: float, detection: PersonDetection, back: np.ndarray
    ) -> TrackerObservation:
        """Describe a detection, given the map (2, 3) from its picture back to the shot's first one."""
        scene_px = carry_points(back, detection.keypoints_px[BODY])
        zoom = float(np.sqrt(abs(np.linalg.det(back[:, :2]))))
        return cls(moment, index, time_s, detection, scene_px, detection_size_px(detection) * zoom)


@dataclass
class Tracklet:
    """Observations of one person in one shot, in order of time; all links between them are certain."""

    seen: list[TrackerObservation] = field(default_factory=list)
    _looks: tuple[np.ndarray | None, np.ndarray | None] = (None, None)
    _known: int = 0

    @property
    def first(self) -> TrackerObservation:
        """The earliest observation."""
        return self.seen[0]

    @property
    def last(self) -> TrackerObservation:
        """The latest observation."""
        return self.seen[-1]

    @property
    def score(self) -> float:
        """Size x presence x confidence, in pixels."""
        return float(sum(np.sqrt(o.detection.area_px2) * o.detection.mean_confidence for o in self.seen))

    def size_px(self, at_end: bool) -> float:
        """Median size near the track's end or its start."""
        near = self.seen[-5:] if at_end else self.seen[:5]
        return float(np.median([o.size_px for o in near]))

    def appearance(self, at_end: bool) -> np.ndarray | None:
        """Average the person's appearance near the track's end or its start."""
        if self._known != len(self.seen):
            looks = [o.detection.appearance for o in self.seen]
            self._looks, self._known = (
                (
                    typical_appearance(looks[:RECENT_OBSERVATIONS]),
                    typical_appearance(looks[-RECENT_OBSERVATIONS:]),
                ),
                len(self.seen),
            )
        return self._looks[at_end]

    def velocity(self, at_end: bool, in_scene: bool) -> np.ndarray | None:
        """Pixels a second near the track's end or its start; None for a single observation."""
        if len(self.seen) < 2:
            return None
        order = self.seen[::-1] if at_end else self.seen
        far = next((o for o in order[1:] if abs(o.time_s - order[0].time_s) >= _VELOCITY_S), order[-1])
        a, b = (far, order[0]) if at_end else (order[0], far)
        return tracklet_displacement(a, b, in_scene) / (b.time_s - a.time_s)


def tracklet_displacement(a: TrackerObservation, b: TrackerObservation, in_scene: bool) -> np.ndarray:
    """Median travel (2,) of the body joints found twice, in pixels; that of the boxes where there are few."""
    common = (a.detection.confidence[BODY] > _SEEN) & (b.detection.confidence[BODY] > _SEEN)
    if common.sum() < _FEWEST_COMMON_JOINTS:
        if in_scene:
            return _middle(b.scene_px, b) - _middle(a.scene_px, a)
        return (b.detection.box_xyxy - a.detection.box_xyxy).reshape(2, 2).mean(axis=0)
    points = [o.scene_px if in_scene else o.detection.keypoints_px[BODY] for o in (a, b)]
    return np.median((points[1] - points[0])[common], axis=0)


def pose_change(a: TrackerObservation, b: TrackerObservation) -> float | None:
    """Root mean square (per axis, in trunk lengths) by which joints moved about the body as a whole.

    None where too few joints are found twice.
    """
    common = (a.detection.confidence[BODY] > _SEEN) & (b.detection.confidence[BODY] > _SEEN)
    if common.sum() < 2 * _FEWEST_COMMON_JOINTS:
        return None
    moved = (b.scene_px / b.size_px - a.scene_px / a.size_px)[common]
    return float(np.sqrt(((moved - np.median(moved, axis=0)) ** 2).mean()))


def _middle(points: np.ndarray, seen: TrackerObservation) -> np.ndarray:
    return points[seen.detection.confidence[BODY] > 0].mean(axis=0)


def observe_people_for_tracker(
    clip: ClipDetections, moments: Sequence[int], back: Sequence[np.ndarray]
) -> list[list[TrackerObservation]]:
    """Everybody believed at some moments, in an order that does not depend on that of the detections.

    Args:
        clip: Everybody found.
        moments: Which frames.
        back: (2, 3) for each of them, the map from its picture to the first one of its shot.
    """
    observed = []
    for k, motion in zip(moments, back, strict=True):
        seen = [
            TrackerObservation.of(k, index, float(clip.times_s[k]), clip.people[k][index], motion)
            for index in plausible_detections(clip.people[k], clip.size_px)
        ]
        seen.sort(key=lambda o: (-o.detection.area_px2, *o.detection.keypoints_px[BODY].ravel().tolist()))
        observed.append(seen)
    return observed
