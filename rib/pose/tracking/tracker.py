"""Link everybody in a clip, each person one track, however few keyframes a second there are.

Links are made between tracklets, the surest first: from each keyframe to the next, then over growing missing
spans within a shot, then from shot to shot by appearance. Each round solves an assignment over all tracklets
(Huang, Wu and Nevatia, "Robust Object Tracking by Hierarchical Association of Detection Responses", ECCV
2008). A link that another assignment puts in question is not made in that round; in the next, more is known
on both sides of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rib.io.recipe import build_recipe
from rib.io.settings.ranges import NonNegative, Seconds, Share
from rib.pose.detectors.appearance import appearance_likeness
from rib.pose.detectors.detection import ClipDetections
from rib.pose.tracking.changed_looks import looks_forbid_link, open_where_looks_change
from rib.pose.tracking.links import LinkEvidence, TrackingScene, certain_tracklet_links
from rib.pose.tracking.observations import (
    FEWEST_OBSERVATIONS,
    TrackerObservation,
    Tracklet,
    observe_people_for_tracker,
)
from rib.pose.tracking.outliers import without_track_contradictions
from rib.pose.tracking.sequences import detections_to_sequence, no_pose_tracks
from rib.structures.keypoints import PoseSequence, PoseTracks
from rib.video.camera import STILL, chain_camera_motions

_MISSED = 2
_MISSED_S = 1.0
"""Somebody missed in so many keyframes, or seconds, still competes for the detections of the next."""
SHORTEST_S = 0.2
"""Whoever is seen for less is nobody: at 30 keyframes a second a skeleton over two people lasts for three."""


@dataclass(frozen=True)
class PersonTrack:
    """One person in a clip.

    Attributes:
        track_id: From 1, in the order of size x presence x confidence.
        members: Keyframe -> number of the person's detection in it.
        score: Size x presence x confidence, in pixels; larger is more prominent.
        appearance: (5, B) what they look like, or None.
    """

    track_id: int
    members: Mapping[int, int]
    score: float
    appearance: np.ndarray | None


class Tracker:
    """Link the people of a clip.

    Args:
        evidence: Recipe of what speaks for a link (`rib.pose.tracking.links.LinkEvidence`).
        max_missing_s: Seconds over which motion continues a track; longer missing spans are closed last.
        margin: Nats by which a link must be worth more than any other way to link the people around it.
        rejoin_likeness: Likeness (0..1) of appearance above which somebody is known again after a cut.
        changed_likeness: Likeness (0..1) of what is seen before and after a place in a track below which
            these are two people; 0 opens no track. Results of before say nothing and are 0.
    """

    def __init__(
        self,
        evidence: Mapping[str, Any],
        max_missing_s: Seconds,
        margin: NonNegative,
        rejoin_likeness: Share,
        changed_likeness: Share = 0.0,
    ) -> None:
        self._evidence: LinkEvidence = build_recipe(evidence)
        self._max_missing_s, self._margin, self._rejoin_likeness = max_missing_s, margin, rejoin_likeness
        self._changed_likeness = changed_likeness

    def link(self, clip: ClipDetections) -> list[PersonTrack]:
        """Say which detections are one person. The order of detections in a frame plays no part.

        Returns:
            The tracks, most prominent first. A detection that contradicts its track belongs to none.
        """
        persons = self._link_shots([self._link_shot(clip, moments) for moments in clip.shots])
        persons.sort(key=lambda person: (-sum(t.score for t in person), _origin(person)))
        return [_track(number, person) for number, person in enumerate(persons, start=1)]

    def tracks(self, clip: ClipDetections) -> PoseTracks:
        """Everybody as they were found, in the joint set `body25_hands`."""
        everybody = [
            detections_to_sequence(clip.people, track.members, clip.times_s, clip.size_px, track.track_id)
            for track in lasting_tracks(self.link(clip), clip.times_s)
        ]
        return PoseTracks.of(everybody) if everybody else no_pose_tracks(clip.times_s, clip.size_px)

    def follow(self, clip: ClipDetections) -> PoseSequence:
        """The most prominent person.

        A shot in which they were not known again shows its own most prominent person, nearest in appearance.
        A moment at which nobody was found has confidence 0 throughout.
        """
        members = main_person(self.link(clip), clip.shots)
        return detections_to_sequence(clip.people, members, clip.times_s, clip.size_px)

    def _link_shot(self, clip: ClipDetections, moments: range) -> list[Tracklet]:
        """The tracklets of one shot, as few as are certain."""
        observed = observe_people_for_tracker(clip, moments, _back(moments, clip.camera))
        scene = TrackingScene(clip.size_px, float(np.mean([len(seen) for seen in observed])))
        tracklets = self._link_neighbours(observed, moments.start, scene)
        if len(moments) > 1:
            keyframe_s = float(np.median(np.diff(clip.times_s[moments.start : moments.stop])))
            for longest_s in (2.5 * keyframe_s, self._max_missing_s, np.inf):
                for fewest in (1, FEWEST_OBSERVATIONS):
                    tracklets = self._link_over_missing_spans(tracklets, longest_s, fewest, scene)
                tracklets = [
                    part for one in tracklets for part in open_where_looks_change(one, self._changed_likeness)
                ]
        return [without_track_contradictions(tracklet) for tracklet in tracklets]

    def _link_neighbours(
        self, observed: list[list[TrackerObservation]], first: int, scene: TrackingScene
    ) -> list[Tracklet]:
        """From each keyframe to the next, where nobody missed just before may be meant instead."""
        tracklets: list[Tracklet] = []
        for moment, seen in enumerate(observed):
            recent = [t for t in tracklets if seen and _competes(t, seen[0])]
            fresh = [Tracklet([observation]) for observation in seen]
            links = certain_tracklet_links(self._matrix(recent, fresh, np.inf, scene), self._margin)
            known = set()
            for row, column in links:
                if recent[row].last.moment == first + moment - 1:
                    recent[row].seen.append(seen[column])
                    known.add(column)
            tracklets += [tracklet for column, tracklet in enumerate(fresh) if column not in known]
        return tracklets

    def _link_over_missing_spans(
        self, tracklets: list[Tracklet], longest_s: float, fewest: int, scene: TrackingScene
    ) -> list[Tracklet]:
        """Join ends to starts, again and again until nothing more is certain.

        Whoever was missed for longer than `longest_s` is not joined yet, but competes: they may be meant.
        Tracklets of less than `fewest` observations are left alone: where people meet, single detections
        that may be anybody's stand between long tracklets that can only go on in one way.
        """
        alone = [tracklet for tracklet in tracklets if len(tracklet.seen) < fewest]
        tracklets = [tracklet for tracklet in tracklets if len(tracklet.seen) >= fewest]
        while True:
            tracklets = sorted(tracklets, key=lambda t: _origin([t]))
            evidence = self._matrix(tracklets, tracklets, max(longest_s, self._max_missing_s), scene)
            links = [
                (row, column)
                for row, column in certain_tracklet_links(evidence, self._margin)
                if tracklets[column].first.time_s - tracklets[row].last.time_s <= longest_s + 1e-9
            ]
            if not links:
                return tracklets + alone
            after = dict(links)
            heads = [row for row in range(len(tracklets)) if row not in set(after.values())]
            joined = []
            for head in heads:
                seen, row = [], head
                while True:
                    seen += tracklets[row].seen
                    if row not in after:
                        break
                    row = after[row]
                joined.append(Tracklet(seen))
            tracklets = joined

    def _matrix(
        self, ends: list[Tracklet], starts: list[Tracklet], longest_s: float, scene: TrackingScene
    ) -> np.ndarray:
        """Evidence (A, B) for every link forward in time over at most `longest_s`."""
        evidence = np.full((len(ends), len(starts)), -np.inf)
        for row, a in enumerate(ends):
            for column, b in enumerate(starts):
                apart_s = b.first.time_s - a.last.time_s
                if 0 < apart_s <= longest_s + 1e-9 and not looks_forbid_link(a, b, self._changed_likeness):
                    evidence[row, column] = self._evidence(a, b, scene)
        return evidence

    def _link_shots(self, shots: list[list[Tracklet]]) -> list[list[Tracklet]]:
        """Know people again after cuts by what they look like."""
        persons: list[list[Tracklet]] = []
        for tracklets in shots:
            evidence = np.full((len(persons), len(tracklets)), -np.inf)
            for row, person in enumerate(persons):
                for column, tracklet in enumerate(tracklets):
                    likeness = appearance_likeness(
                        person[-1].appearance(at_end=True), tracklet.appearance(at_end=False)
                    )
                    if likeness is not None:
                        gain = self._evidence.appearance_gain
                        evidence[row, column] = gain * (likeness - self._rejoin_likeness)
            links = certain_tracklet_links(evidence, self._margin)
            for row, column in links:
                persons[row].append(tracklets[column])
            known = {column for _, column in links}
            persons += [[t] for column, t in enumerate(tracklets) if column not in known]
        return persons


def lasting_tracks(tracks: Sequence[PersonTrack], times_s: np.ndarray) -> list[PersonTrack]:
    """The tracks seen long enough to be a person's: in three keyframes that span a fifth of a second.

    Of a clip that is shorter than twice that, in half of its keyframes and over half of its time.

    Args:
        tracks: Of one clip.
        times_s: (N,) seconds, when the clip's keyframes were taken.
    """
    fewest = min(FEWEST_OBSERVATIONS, (len(times_s) + 1) // 2)
    each_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0

    def lasts_s(first: int, last: int) -> float:
        return float(times_s[last] - times_s[first]) + each_s

    shortest_s = min(SHORTEST_S, lasts_s(0, len(times_s) - 1) / 2) - 1e-9 if len(times_s) else 0.0
    return [
        track for track in tracks
        if len(track.members) >= fewest and lasts_s(min(track.members), max(track.members)) >= shortest_s
    ]  # fmt: skip


def main_person(tracks: Sequence[PersonTrack], shots: Sequence[range]) -> dict[int, int]:
    """Keyframe -> detection of the most prominent person, or of whoever comes nearest in their absence."""
    if not tracks:
        return {}
    main = tracks[0]
    chosen = dict(main.members)
    for shot in shots:
        if any(k in main.members for k in shot):
            continue
        present = [(track, [k for k in shot if k in track.members]) for track in tracks]

        def rank(item: tuple[PersonTrack, list[int]]) -> float:
            track, moments = item
            likeness = appearance_likeness(track.appearance, main.appearance)
            return track.score * len(moments) / len(track.members) * (1.0 if likeness is None else likeness)

        best, moments = max(present, key=rank)
        chosen |= {k: best.members[k] for k in moments}
    return chosen


def _back(moments: range, camera: Sequence[np.ndarray] | None) -> list[np.ndarray]:
    """The map (2, 3) from each picture of a shot to its first."""
    import cv2

    forward, maps = STILL, []
    for k in moments:
        if camera is not None and k > moments.start and camera[k] is not STILL:
            forward = chain_camera_motions(forward, camera[k])
        maps.append(STILL if forward is STILL else cv2.invertAffineTransform(forward))
    return maps


def _origin(person: Sequence[Tracklet]) -> tuple[int, float, float]:
    """Order tracks by the time and place of their first observation, whatever the detections' order."""
    first = person[0].first
    return (first.moment, *first.detection.box_xyxy[:2].tolist())


def _competes(tracklet: Tracklet, now: TrackerObservation) -> bool:
    """Whether somebody was missed for so short that a detection of this moment may be theirs."""
    missed, missed_s = now.moment - 1 - tracklet.last.moment, now.time_s - tracklet.last.time_s
    return missed <= _MISSED or missed_s <= _MISSED_S


def _track(number: int, person: Sequence[Tracklet]) -> PersonTrack:
    members = {o.moment: o.index for tracklet in person for o in tracklet.seen}
    longest = max(person, key=lambda tracklet: len(tracklet.seen))
    return PersonTrack(number, members, sum(t.score for t in person), longest.appearance(at_end=True))
