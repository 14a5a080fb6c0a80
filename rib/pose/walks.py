"""Poses of a clip whose frames somebody else walks through: once to find people, once to look closely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from rib.pose.detectors.detection import ClipDetections
from rib.pose.detectors.flip_augmentation import average_landmarks, landmarks_in_mirror
from rib.pose.detectors.networks import BodyNetwork, PersonNetwork, PoseRuntime
from rib.pose.detectors.people_detector import PeopleDetector, PersonCandidate, filter_detection
from rib.pose.detectors.regions import BlazePoseRoi, BodyLandmarks
from rib.pose.tracking.left_right import fix_left_right_swaps
from rib.pose.tracking.sequences import no_pose_tracks
from rib.pose.tracking.shared_boxes import shares_of_box_in_others
from rib.pose.tracking.tracker import Tracker, lasting_tracks, main_person
from rib.structures.keypoints import LAYERS, PoseSequence, PoseTracks
from rib.structures.skeleton import joint_set_named
from rib.video import FrameSource
from rib.video.camera import CameraMotion, CameraMotionEstimator

HIDDEN_S = 2.0
"""Whoever is not found for so long is not hidden but away."""
_CAMERA_PX = 320
"""Long side of the pictures on which the camera's motion is told."""


class PoseEstimationSettings(NamedTuple):
    """See `rib.pose.mediapipe.MediapipePose`."""

    min_visibility: float
    max_people: int
    tile_px: int
    search_every_s: float
    max_missing_s: float
    window_px: int
    apart: float
    swap_cost: float
    runtime: PoseRuntime


class TrackedPerson(NamedTuple):
    """One person after the first walk.

    Attributes:
        seen: (K) what the first walk saw of them.
        rois: (K) where to look for them.
        shared_box: (K,) share of their box in which somebody else's lies.
        close: What the second walk has seen so far.
    """

    seen: list[PersonCandidate | None]
    rois: list[BlazePoseRoi | None]
    shared_box: np.ndarray
    close: list[PersonCandidate | None]


class PoseCloseUp(NamedTuple):
    """One person at one keyframe of the second pass.

    Attributes:
        pose: A sequence of length 1; left and right are as they were seen.
        bodies: Outputs of the network in this very pass, masks too: of the picture as it is, then of the
            mirrored one; a look that found nobody is absent.
    """

    pose: PoseSequence
    bodies: tuple[BodyLandmarks, ...]


class PoseEstimationPasses:
    """Shown every keyframe of a clip twice, in order; what it keeps of each is small.

    The landmark network sees a followed person three times a keyframe: in the first walk on the square in
    which they are expected; in the second, as they are and mirrored, on the square that fits them. The
    masks of those two are what a matte is made of.

    Args:
        tracker: Links the people.
        settings: Of the stage.
        source: The clip; its frames are not read here.
        everybody: Whether all people are looked at closely, or only the most prominent.
        rois: By track id (K, 4), what `rois` gave for this clip: then there is no first walk, and what
            the second sees is what it saw then.
    """

    def __init__(
        self,
        tracker: Tracker,
        settings: PoseEstimationSettings,
        source: FrameSource,
        everybody: bool,
        rois: Mapping[int, np.ndarray] | None = None,
    ) -> None:
        self._tracker, self._settings, self._everybody = tracker, settings, everybody
        self._times_s, self._size_px = np.asarray(source.times_s, np.float64), source.size_px
        self._rois = rois
        self._close_by, self._mirrored = (
            settings.runtime.body_network(hands, mask=True, window_px=settings.window_px)
            for hands in (rois is None, False)
        )
        self._beside = ThreadPoolExecutor(1, "mirrored look")
        self._networks: list[BodyNetwork | PersonNetwork] = [self._close_by, self._mirrored]
        self._people_detector = self._detector_of_people(source) if rois is None else None
        self._camera = CameraMotionEstimator(_CAMERA_PX)
        self._cuts: list[int] = []
        self._people: list[list[PersonCandidate]] = []
        self._motions: list[CameraMotion] = []

    def find(self, picture: np.ndarray, begins_shot: bool) -> None:
        """Take the next frame of the first walk.

        Args:
            picture: (H, W, 3) uint8 RGB.
            begins_shot: Whether it is the first of a new shot.
        """
        assert self._people_detector is not None, "where to look was given: there is no first walk"
        if begins_shot:
            self._cuts.append(len(self._people))
            self._people_detector.forget()
            self._camera.forget()
        motion = self._camera(picture)
        people = self._people_detector(picture, motion.matrix)
        self._camera.leave_out([candidate.detection.box_xyxy for candidate in people])
        self._people.append(people)
        self._motions.append(motion)

    def look(self, picture: np.ndarray) -> list[PoseCloseUp]:
        """Take the next frame of the second walk, after the whole of the first.

        Returns:
            Everybody at this moment; left and right may be taken for one another, which `tracks` mends.
        """
        found = []
        looks = self._look_twice(
            picture, [person.rois[len(person.close)] for person in self._tracked.values()]
        )
        for (track_id, person), bodies in zip(self._tracked.items(), looks, strict=True):
            moment = len(person.close)
            person.close.append(self._settle(picture, bodies, person.seen[moment]))
            times_s = self._times_s[moment : moment + 1]
            pose = _sequence(person.close[-1:], times_s, self._size_px, track_id)
            found.append(PoseCloseUp(pose, bodies))
        return found

    @property
    def rois(self) -> dict[int, np.ndarray]:
        """By track id (K, 4): where the second walk looks, x, y, side (px), angle (rad); NaN is nowhere."""
        return {
            track_id: np.array([_numbers(roi) for roi in person.rois])
            for track_id, person in self._tracked.items()
        }

    def tracks(self) -> PoseTracks:
        """Everybody at all K keyframes, after the second walk."""
        cuts, settings = frozenset(self._cuts), self._settings
        everybody = [
            fix_left_right_swaps(
                _sequence(person.close, self._times_s, self._size_px, track_id),
                cuts,
                settings.swap_cost,
                settings.max_missing_s,
            )
            for track_id, person in self._tracked.items()
        ]
        if not everybody:
            return no_pose_tracks(self._times_s, self._size_px)
        shared = np.stack([person.shared_box for person in self._tracked.values()], axis=1)
        return replace(PoseTracks.of(everybody), shared_box=shared)

    def close(self) -> None:
        """Free the networks."""
        self._beside.shutdown()
        for network in self._networks:
            network.close()

    def _detector_of_people(self, source: FrameSource) -> PeopleDetector:
        """For the first walk."""
        settings = self._settings
        detector = settings.runtime.person_network()
        near = settings.runtime.body_network(hands=False, mask=False, window_px=settings.window_px)
        self._networks += [detector, near]
        return PeopleDetector(
            detector,
            near,
            min_visibility=settings.min_visibility,
            max_people=settings.max_people,
            tile_px=settings.tile_px,
            search_every=max(1, round(settings.search_every_s * float(source.fps))),
            apart=settings.apart,
        )

    @cached_property
    def _tracked(self) -> dict[int, TrackedPerson]:
        """By track id, as the first walk tells."""
        if self._rois is not None:
            return {
                track_id: TrackedPerson(
                    [None] * len(rows), [_square(row) for row in rows], np.zeros(len(rows)), []
                )
                for track_id, rows in self._rois.items()
            }
        detections = [[candidate.detection for candidate in people] for people in self._people]
        motions = [motion.matrix for motion in self._motions]
        clip = ClipDetections(detections, self._times_s, self._size_px, self._cuts, motions)
        linked = self._tracker.link(clip)
        kept = lasting_tracks(linked, self._times_s)
        if self._everybody:
            members = {track.track_id: track.members for track in kept}
        else:
            members = {1: main_person(linked, clip.shots)}
        tracked = {}
        for track_id, found in members.items():
            seen = [people[found[k]] if k in found else None for k, people in enumerate(self._people)]
            rois = _bridge(seen, self._times_s, self._cuts, self._settings.max_missing_s)
            shared = shares_of_box_in_others(found, kept, clip, HIDDEN_S)
            tracked[track_id] = TrackedPerson(seen, rois, shared, [])
        return tracked

    def _look_twice(
        self, picture: np.ndarray, rois: Sequence[BlazePoseRoi | None]
    ) -> list[tuple[BodyLandmarks, ...]]:
        """Of everybody what both looks saw, at once in two threads; nothing where there is no square."""
        known = [roi for roi in rois if roi is not None]
        mirrored = self._beside.submit(landmarks_in_mirror, self._mirrored, picture, known)
        straight = self._close_by.in_each([(picture, roi) for roi in known])
        pairs = iter(zip(straight, mirrored.result(), strict=True))
        return [
            () if roi is None else tuple(look for look in next(pairs) if look is not None) for roi in rois
        ]

    def _settle(
        self, picture: np.ndarray, bodies: tuple[BodyLandmarks, ...], earlier: PersonCandidate | None
    ) -> PersonCandidate | None:
        """The mean of both looks, without their masks, which nobody needs any more."""
        if not bodies:
            return None
        body = replace(bodies[0], mask=None)
        if len(bodies) == 2:
            rough = body if earlier is None else earlier.body
            body = average_landmarks(body, bodies[1], rough, self._settings.apart)
        return filter_detection(body, picture, self._settings.min_visibility, appearance=False)


def _numbers(roi: BlazePoseRoi | None) -> list[float]:
    return [np.nan] * 4 if roi is None else [*roi.centre_px, roi.side_px, roi.angle_rad]


def _square(numbers: np.ndarray) -> BlazePoseRoi | None:
    x, y, side_px, angle_rad = numbers.tolist()
    return None if np.isnan(x) else BlazePoseRoi(np.array([x, y]), side_px, angle_rad)


def _bridge(
    seen: Sequence[PersonCandidate | None], times_s: np.ndarray, cuts: Sequence[int], longest_s: float
) -> list[BlazePoseRoi | None]:
    """The person's squares; in short missing spans inside a shot, squares between those before and after."""
    known = [(k, candidate.roi) for k, candidate in enumerate(seen) if candidate is not None]
    bridged: list[BlazePoseRoi | None] = [None if candidate is None else candidate.roi for candidate in seen]
    for (a, before), (b, after) in pairwise(known):
        if times_s[b] - times_s[a] > longest_s or any(a < cut <= b for cut in cuts):
            continue
        turn_rad = (after.angle_rad - before.angle_rad + np.pi) % (2 * np.pi) - np.pi
        for k in range(a + 1, b):
            part = float((times_s[k] - times_s[a]) / (times_s[b] - times_s[a]))
            bridged[k] = BlazePoseRoi(
                before.centre_px + part * (after.centre_px - before.centre_px),
                before.side_px + part * (after.side_px - before.side_px),
                before.angle_rad + part * turn_rad,
            )
    return bridged


def _sequence(
    chosen: Sequence[PersonCandidate | None], times_s: np.ndarray, size_px: tuple[int, int], track_id: int
) -> PoseSequence:
    num_joints = len(joint_set_named("body25_hands"))
    keypoints_px, confidence = np.zeros((len(chosen), num_joints, 2)), np.zeros((len(chosen), num_joints))
    depth = np.full((len(chosen), len(LAYERS)), np.nan)
    for moment, candidate in enumerate(chosen):
        if candidate is not None:
            keypoints_px[moment] = candidate.detection.keypoints_px
            confidence[moment] = candidate.detection.confidence
            depth[moment] = candidate.detection.depth
    return PoseSequence(
        keypoints_px=keypoints_px,
        confidence=confidence,
        times_s=times_s,
        joint_set="body25_hands",
        size_px=size_px,
        depth_order=depth,
        track_id=track_id,
    )
