"""People whose files say who is who: each under the number that was given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rib.pose.detectors.detection import PersonDetection
from rib.pose.detectors.plausible import plausible_detections
from rib.pose.tracking.observations import FEWEST_OBSERVATIONS
from rib.pose.tracking.sequences import detections_to_sequence, no_pose_tracks
from rib.structures.keypoints import PoseTracks

Named = Sequence[tuple[int, PersonDetection]]
"""Everybody in one frame, with their numbers."""


def identified_tracks(frames: Sequence[Named], times_s: np.ndarray, size_px: tuple[int, int]) -> PoseTracks:
    """Everybody under the number that the files give, the most prominent first.

    Detections that cannot be a person are left out, and so is whoever is seen in fewer than three frames (or
    in less than half of a shorter clip).

    Args:
        frames: Everybody in each of the K frames; no number twice in one. Where a number is 0, all are
            counted from 1 on instead.
        times_s: (K,) seconds, strictly increasing.
        size_px: Width and height of the picture.
    """
    people = [[person for _, person in frame] for frame in frames]
    shift = int(any(number == 0 for frame in frames for number, _ in frame))
    members: dict[int, dict[int, int]] = {}
    for moment, frame in enumerate(frames):
        for index in plausible_detections(people[moment], size_px):
            members.setdefault(frame[index][0] + shift, {})[moment] = index
    fewest = min(FEWEST_OBSERVATIONS, (len(frames) + 1) // 2)
    kept = {number: seen for number, seen in members.items() if len(seen) >= fewest}

    def prominence(number: int) -> tuple[float, int]:
        seen = [people[moment][index] for moment, index in kept[number].items()]
        return -sum(float(np.sqrt(one.area_px2)) * one.mean_confidence for one in seen), number

    found = [
        detections_to_sequence(people, kept[one], times_s, size_px, one)
        for one in sorted(kept, key=prominence)
    ]
    return PoseTracks.of(found) if found else no_pose_tracks(times_s, size_px)
