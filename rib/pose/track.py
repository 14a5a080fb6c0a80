"""Follow one person through a clip.

Detections are linked over the whole clip before anybody is chosen: frame after frame, the people found are
assigned to the tracks so far by how well they overlap with where each track should be now (constant velocity)
and by what they wear. Then one track is chosen by size, presence and confidence together, never frame by
frame. The overlap of keypoints is COCO's object keypoint similarity with one width for all joints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from scipy.optimize import linear_sum_assignment

from rib.io.ranges import Positive, Range, Seconds, Share
from rib.pose.detection import Detection
from rib.structures.keypoints import LAYERS, PoseSequence
from rib.structures.skeleton import BODY25, BODY25_HANDS

_BODY = slice(0, len(BODY25))
_FEWEST_COMMON_JOINTS = 3


@dataclass
class _Track:
    """One person between two cuts: the frames they were found in, and where they head."""

    shot: int
    moments: list[int] = field(default_factory=list)
    found: list[Detection] = field(default_factory=list)
    time_s: float = 0.0
    velocity: np.ndarray = field(default_factory=lambda: np.zeros(2))
    appearance: np.ndarray | None = None

    def add(self, moment: int, time_s: float, person: Detection) -> None:
        """The person was found once more; the newest step counts half in the velocity, as in appearance."""
        if self.found:
            step = _displacement(self.found[-1], person) / (time_s - self.time_s)
            self.velocity = step if len(self.found) == 1 else (self.velocity + step) / 2
        if person.appearance is not None:
            known = self.appearance is not None
            self.appearance = (self.appearance + person.appearance) / 2 if known else person.appearance
        self.moments.append(moment)
        self.found.append(person)
        self.time_s = time_s

    @property
    def size_px(self) -> float:
        return float(np.median([np.sqrt(person.area_px2) for person in self.found]))

    @property
    def confidence(self) -> float:
        return float(np.mean([person.mean_confidence for person in self.found]))

    @property
    def score(self) -> float:
        """Size x presence x confidence."""
        return sum(np.sqrt(person.area_px2) * person.mean_confidence for person in self.found)


@dataclass(frozen=True)
class Tracker:
    """Choose one person of a clip and follow them.

    Attributes:
        max_gap_s: Seconds that a track may go unseen and still be continued by overlap.
        min_overlap: Least overlap (0..1) of a detection with where its track should be.
        joint_width: Distance at which two joints agree by exp(-1/2), in roots of the box's area.
        appearance_weight: Share (0..1) of appearance beside overlap, where both have one.
        rejoin_ratio: A person who comes back after longer joins the track again if size and confidence
            differ by at most this factor and, where known, appearances overlap by at least its inverse.
    """

    max_gap_s: Seconds
    min_overlap: Share
    joint_width: Positive
    appearance_weight: Share
    rejoin_ratio: Annotated[float, Range(1, infinite=True)]

    def follow(
        self,
        people: Sequence[Sequence[Detection]],
        times_s: np.ndarray,
        size_px: tuple[int, int],
        cuts: Sequence[int] = (),
    ) -> PoseSequence:
        """The clip's main person; a moment at which they were not found has confidence 0 throughout.

        Args:
            people: Everybody found in each of the K frames.
            times_s: (K,) seconds, strictly increasing.
            size_px: Width and height of the picture.
            cuts: Frames that begin a new shot; no track crosses one.

        Returns:
            K moments in the joint set `body25_hands`.
        """
        tracks = self._link(people, times_s, set(cuts))
        chosen: dict[int, Detection] = {}
        if tracks:
            main = max(tracks, key=lambda track: track.score)
            for shot in sorted({track.shot for track in tracks}):
                chosen |= self._choose([track for track in tracks if track.shot == shot], main)
        return _sequence(chosen, times_s, size_px)

    def _link(
        self, people: Sequence[Sequence[Detection]], times_s: np.ndarray, cuts: set[int]
    ) -> list[_Track]:
        tracks: list[_Track] = []
        active: list[_Track] = []
        shot = 0
        for moment, (found, time_s) in enumerate(zip(people, np.asarray(times_s, float), strict=True)):
            if moment in cuts:
                shot, active = shot + 1, []
            active = [track for track in active if time_s - track.time_s <= self.max_gap_s + 1e-9]
            owners = self._assign(active, found, time_s)
            for number, person in enumerate(found):
                track = owners.get(number)
                if track is None:
                    track = _Track(shot)
                    tracks.append(track)
                    active.append(track)
                track.add(moment, float(time_s), person)
        return tracks

    def _assign(
        self, tracks: Sequence[_Track], found: Sequence[Detection], time_s: float
    ) -> dict[int, _Track]:
        """Which track each person continues: the assignment of greatest total similarity."""
        if not tracks or not found:
            return {}
        overlap = np.array([[self._overlap(track, person, time_s) for person in found] for track in tracks])
        similarity = overlap.copy()
        for row, track in enumerate(tracks):
            for column, person in enumerate(found):
                alike = _alike(track.appearance, person.appearance)
                if alike is not None:
                    similarity[row, column] += self.appearance_weight * (alike - overlap[row, column])
        similarity[overlap < self.min_overlap] = 0
        rows, columns = linear_sum_assignment(similarity, maximize=True)
        return {
            int(column): tracks[row]
            for row, column in zip(rows, columns, strict=True)
            if overlap[row, column] >= self.min_overlap
        }

    def _overlap(self, track: _Track, person: Detection, time_s: float) -> float:
        """Mean of box IoU and keypoint similarity (0..1) with the track carried on to this time."""
        last = track.found[-1]
        shift = track.velocity * (time_s - track.time_s)
        iou = _iou(last.box_xyxy + np.tile(shift, 2), person.box_xyxy)
        common = (last.confidence[_BODY] > 0) & (person.confidence[_BODY] > 0)
        if common.sum() < _FEWEST_COMMON_JOINTS:
            return iou
        apart = (last.keypoints_px[_BODY] + shift - person.keypoints_px[_BODY])[common]
        width = self.joint_width * max(np.sqrt(max(last.area_px2, person.area_px2)), 1.0)
        return float((iou + np.exp(-0.5 * (apart**2).sum(axis=1) / width**2).mean()) / 2)

    def _choose(self, tracks: list[_Track], main: _Track) -> dict[int, Detection]:
        """The best track of a shot, and those before and after it that seem to be the same person."""

        def rank(track: _Track) -> float:
            alike = _alike(track.appearance, main.appearance)
            return track.score * (1 - self.appearance_weight * (1 - (1.0 if alike is None else alike)))

        best, *others = sorted(tracks, key=rank, reverse=True)
        chosen = dict(zip(best.moments, best.found, strict=True))
        for track in others:
            if chosen.keys().isdisjoint(range(track.moments[0], track.moments[-1] + 1)) and self._same(
                best, track
            ):
                chosen |= dict(zip(track.moments, track.found, strict=True))
        return chosen

    def _same(self, a: _Track, b: _Track) -> bool:
        alike = _alike(a.appearance, b.appearance)
        ratios = np.array([a.size_px / max(b.size_px, 1e-9), a.confidence / b.confidence])
        return bool(
            (np.maximum(ratios, 1 / np.maximum(ratios, 1e-9)) <= self.rejoin_ratio).all()
            and (alike is None or alike >= 1 / self.rejoin_ratio)
        )


def _displacement(before: Detection, after: Detection) -> np.ndarray:
    """Median travel (2,) of the body joints found twice, in pixels; that of the boxes where there are few."""
    common = (before.confidence[_BODY] > 0) & (after.confidence[_BODY] > 0)
    if common.sum() < _FEWEST_COMMON_JOINTS:
        return (after.box_xyxy - before.box_xyxy).reshape(2, 2).mean(axis=0)
    return np.median((after.keypoints_px[_BODY] - before.keypoints_px[_BODY])[common], axis=0)


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes left, top, right, bottom."""
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    if (sides <= 0).any():
        return 0.0
    shared = float(sides.prod())
    return shared / (float((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod()) - shared)


def _alike(a: np.ndarray | None, b: np.ndarray | None) -> float | None:
    """Intersection (0..1) of two histograms; None where one is unknown."""
    return None if a is None or b is None else float(np.minimum(a, b).sum())


def _sequence(chosen: dict[int, Detection], times_s: np.ndarray, size_px: tuple[int, int]) -> PoseSequence:
    num_frames, num_joints = len(times_s), len(BODY25_HANDS)
    keypoints_px, confidence = np.zeros((num_frames, num_joints, 2)), np.zeros((num_frames, num_joints))
    depth = np.full((num_frames, len(LAYERS)), np.nan)
    for moment, person in chosen.items():
        found = person.confidence > 0
        keypoints_px[moment, found] = person.keypoints_px[found]
        confidence[moment] = person.confidence
        if person.depth is not None:
            depth[moment] = person.depth
    known = any(person.depth is not None for person in chosen.values())
    return PoseSequence(
        keypoints_px=keypoints_px,
        confidence=confidence,
        times_s=np.asarray(times_s, float),
        joint_set="body25_hands",
        size_px=size_px,
        depth_order=depth if known else None,
    )
