"""`pose=mediapipe`: body, feet and hands of people at every keyframe, by networks inside a package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import pairwise
from typing import Annotated, Any, NamedTuple

import numpy as np

from rib.io.ranges import NonNegative, Positive, Range, Seconds, Share
from rib.io.recipe import build
from rib.pose.blazepose import BodyLandmarker, PersonDetector, Roi
from rib.pose.flip_augmentation import average, flipped_landmarks
from rib.pose.left_right import fix_left_right_swaps
from rib.pose.memory import trim_memory
from rib.pose.people import Candidate, Crowd, believe
from rib.pose.sequences import nobody
from rib.pose.track import lasting, main_person
from rib.structures.keypoints import LAYERS, PoseSequence, PoseTracks
from rib.structures.skeleton import joint_set
from rib.video import FrameSource
from rib.video.camera import CameraMotion, CameraWalk

_CAMERA_PX = 320
"""Long side of the pictures on which the camera's motion is told."""


class Sight(NamedTuple):
    """Observations of the first walk at each of the K keyframes."""

    people: list[list[Candidate]]
    camera: list[CameraMotion]


class MediapipePose:
    """Walk over the clip twice: find everybody and link them to tracks, then look at each closely.

    The second walk uses the square that fits the person in that very frame, sees them twice (as they are and
    mirrored), finds the hands, and looks again where the first walk lost them for a moment.

    Args:
        tracker: Recipe of the tracker (`rib.pose.track.Tracker`).
        min_visibility: Mean visibility (0..1) of shoulders and hips below which a find is not believed.
        max_people: At most so many people are followed at a time, the largest.
        tile_px: Side in pixels of the smallest tile on which small people are searched.
        search_every_s: Seconds between two searches for small people while somebody is in sight.
        fill_gap_s: Longest time in seconds out of the detector's sight over which the person is looked for.
        window_px: A person is shrunk to at most this many pixels before the networks see them.
        apart: Distance (trunk lengths) at which the two looks at a joint count as contradicting each other.
        swap_cost: Price (trunk lengths) of taking left for right at one keyframe
            (`rib.pose.left_right.fix_left_right_swaps`).
    """

    keep = True

    def __init__(
        self,
        tracker: Mapping[str, Any],
        min_visibility: Share,
        max_people: Annotated[int, Range(1, 100)],
        tile_px: Annotated[int, Range(32, 100000)],
        search_every_s: Positive,
        fill_gap_s: Seconds,
        window_px: Annotated[int, Range(16, 4096)],
        apart: NonNegative,
        swap_cost: NonNegative,
    ) -> None:
        self._tracker = build(tracker)
        self._min_visibility, self._max_people = min_visibility, max_people
        self._tile_px, self._search_every_s = tile_px, search_every_s
        self._fill_gap_s, self._window_px, self._apart = fill_gap_s, window_px, apart
        self._swap_cost = swap_cost

    def __call__(self, source: FrameSource, cuts: Sequence[int] = ()) -> PoseSequence:
        """Find the most prominent person at each of the K keyframes.

        Args:
            source: The clip; it is decoded twice, and one frame is held at a time.
            cuts: Keyframes that begin a new shot.

        Returns:
            K moments in the joint set `body25_hands`, with depth order; confidence 0 where nobody was found.

        Raises:
            RibError: The mediapipe package is missing or not the pinned one.
        """
        return self._walk_twice(source, cuts, everybody=False)[0]

    def tracks(self, source: FrameSource, cuts: Sequence[int] = ()) -> PoseTracks:
        """Find everybody at each of the K keyframes; arguments as of a call.

        Returns:
            P people in the joint set `body25_hands`, the most prominent first, with ids from 1.
        """
        found = self._walk_twice(source, cuts, everybody=True)
        return PoseTracks.of(found) if found else nobody(source.times_s, source.size_px)

    def _walk_twice(self, source: FrameSource, cuts: Sequence[int], everybody: bool) -> list[PoseSequence]:
        with (
            closing(PersonDetector()) as detector,
            closing(BodyLandmarker(hands=False, mask=False, window_px=self._window_px)) as near,
        ):
            sight = self._find_everybody(source, cuts, detector, near)
            chosen = self._choose(sight, source, cuts, everybody)
            rois = [_bridge(seen, source.times_s, cuts, self._fill_gap_s) for seen in chosen.values()]
            with closing(BodyLandmarker(hands=True, mask=False, window_px=self._window_px)) as close_by:
                close: list[list[Candidate | None]] = [[] for _ in chosen]
                for k, picture in enumerate(trim_memory(source)):
                    for person, seen, squares in zip(close, chosen.values(), rois, strict=True):
                        roi = squares[k]
                        look = (
                            None if roi is None else self._look_closely(picture, roi, seen[k], close_by, near)
                        )
                        person.append(look)
        longest_s = self._fill_gap_s
        return [
            fix_left_right_swaps(
                _sequence(person, source, track_id), frozenset(cuts), self._swap_cost, longest_s
            )
            for track_id, person in zip(chosen, close, strict=True)
        ]

    def _find_everybody(
        self, source: FrameSource, cuts: Sequence[int], detector: PersonDetector, landmarker: BodyLandmarker
    ) -> Sight:
        crowd = Crowd(
            detector,
            landmarker,
            min_visibility=self._min_visibility,
            max_people=self._max_people,
            tile_px=self._tile_px,
            search_every=max(1, round(self._search_every_s * float(source.fps))),
        )
        camera, sight, shots = CameraWalk(_CAMERA_PX), Sight([], []), set(cuts)
        for index, picture in enumerate(trim_memory(source)):
            if index in shots:
                crowd.forget()
                camera.forget()
            motion = camera(picture)
            people = crowd(picture, motion.matrix)
            camera.leave_out([candidate.detection.box_xyxy for candidate in people])
            sight.people.append(people)
            sight.camera.append(motion)
        return sight

    def _choose(
        self, sight: Sight, source: FrameSource, cuts: Sequence[int], everybody: bool
    ) -> dict[int, list[Candidate | None]]:
        """Track id -> the person at each keyframe, None where the tracker did not see them."""
        detections = [[candidate.detection for candidate in people] for people in sight.people]
        motions = [motion.matrix for motion in sight.camera]
        tracks = self._tracker.link(detections, source.times_s, source.size_px, cuts, motions)
        if everybody:
            members = {track.track_id: track.members for track in lasting(tracks, len(detections))}
        else:
            members = {0: main_person(tracks, len(detections), cuts)}
        return {
            track_id: [people[found[k]] if k in found else None for k, people in enumerate(sight.people)]
            for track_id, found in members.items()
        }

    def _look_closely(
        self,
        picture: np.ndarray,
        roi: Roi,
        earlier: Candidate | None,
        close_by: BodyLandmarker,
        near: BodyLandmarker,
    ) -> Candidate | None:
        body, other = close_by(picture, roi), flipped_landmarks(near, picture, roi)
        if body is not None and other is not None:
            body = average(body, other, body if earlier is None else earlier.body, self._apart)
        return believe(body or other, picture, self._min_visibility)


def _bridge(
    seen: Sequence[Candidate | None], times_s: np.ndarray, cuts: Sequence[int], longest_s: float
) -> list[Roi | None]:
    """The person's squares; in short gaps inside a shot, squares between those before and after."""
    known = [(k, candidate.roi) for k, candidate in enumerate(seen) if candidate is not None]
    bridged: list[Roi | None] = [None if candidate is None else candidate.roi for candidate in seen]
    for (a, before), (b, after) in pairwise(known):
        if times_s[b] - times_s[a] > longest_s or any(a < cut <= b for cut in cuts):
            continue
        turn_rad = (after.angle_rad - before.angle_rad + np.pi) % (2 * np.pi) - np.pi
        for k in range(a + 1, b):
            part = float((times_s[k] - times_s[a]) / (times_s[b] - times_s[a]))
            bridged[k] = Roi(
                before.centre_px + part * (after.centre_px - before.centre_px),
                before.side_px + part * (after.side_px - before.side_px),
                before.angle_rad + part * turn_rad,
            )
    return bridged


def _sequence(chosen: Sequence[Candidate | None], source: FrameSource, track_id: int) -> PoseSequence:
    num_joints = len(joint_set("body25_hands"))
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
        times_s=np.asarray(source.times_s, np.float64),
        joint_set="body25_hands",
        size_px=source.size_px,
        depth_order=depth,
        track_id=track_id,
    )
