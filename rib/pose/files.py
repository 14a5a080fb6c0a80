"""Poses that another program found: `pose=files`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from rib.io.errors import RibError
from rib.io.recipe import build_recipe
from rib.keypoint_files import PeopleKeypoints, read_people_keypoints
from rib.pose.detectors.detection import ClipDetections, PersonDetection
from rib.pose.tracking.identified import identified_tracks
from rib.pose.tracking.tracker import Tracker
from rib.structures.keypoints import PoseSequence, PoseTracks
from rib.video import FrameSource


class FilesPose:
    """Read everybody from files, one entry a frame, and follow one person.

    Args:
        path: A folder of OpenPose JSON or one JSON file (see `rib.keypoint_files.read_people_keypoints`).
        layout: The points' order, or `auto`.
        tracker: The recipe of a `rib.pose.tracking.tracker.Tracker`.

    Raises:
        RibError: No path is given.
    """

    keep = False  # the files are on disk already: the chain makes no artefact of them

    def __init__(self, path: str | Path | None, layout: str, tracker: Mapping[str, Any]) -> None:
        if path is None:
            raise RibError("pose=files needs poses", "add poses=FOLDER_OF_JSON")
        self.path = Path(path)
        self.layout = layout
        self.tracker: Tracker = build_recipe(tracker)

    def __call__(self, source: FrameSource, cuts: Sequence[int] = ()) -> PoseSequence:
        """Follow the most prominent person of the clip.

        Args:
            source: The clip that the files belong to; its pictures are not read.
            cuts: Frames that begin a new shot.

        Returns:
            One moment a frame, in the joint set `body25_hands`.

        Raises:
            RibError: The files cannot be read, or do not fit the clip's frames or size.
        """
        return self.tracker.follow(_detected(self._read(source), source, cuts))

    def tracks(self, source: FrameSource, cuts: Sequence[int] = ()) -> PoseTracks:
        """Follow everybody; arguments and errors as of a call.

        Files that give each person a number of their own are believed; else people are linked.
        """
        people = self._read(source)
        if not people.identified:
            return self.tracker.tracks(_detected(people, source, cuts))
        frames = [
            [(who, one) for who, one in zip(ids, map(_detection, frame), strict=True) if one is not None]
            for ids, frame in zip(people.ids, people.frames, strict=True)
        ]
        return identified_tracks(frames, source.times_s, source.size_px)

    def _read(self, source: FrameSource) -> PeopleKeypoints:
        people = read_people_keypoints(self.path, self.layout).aligned(len(source.times_s))
        people.check_fits(source.size_px)
        return people


def follow_people_of_files(people: PeopleKeypoints, fps: Fraction, tracker: Tracker) -> PoseSequence:
    """The most prominent person of keypoint files that no clip belongs to, at an even frame rate."""
    times_s = np.arange(len(people)) * (fps.denominator / fps.numerator)
    found = [detections_of_frame(frame) for frame in people.frames]
    return tracker.follow(ClipDetections(found, times_s, people.extent_px()))


def _detected(people: PeopleKeypoints, source: FrameSource, cuts: Sequence[int]) -> ClipDetections:
    found = [detections_of_frame(frame) for frame in people.frames]
    return ClipDetections(found, source.times_s, source.size_px, cuts)


def _detection(person: np.ndarray) -> PersonDetection | None:
    return PersonDetection.from_keypoints(person[:, :2], person[:, 2])


def detections_of_frame(frame: np.ndarray) -> list[PersonDetection]:
    """Everybody (P, 67, 3) in one frame whose body has a point."""
    people = [_detection(person) for person in frame]
    return [person for person in people if person is not None]
