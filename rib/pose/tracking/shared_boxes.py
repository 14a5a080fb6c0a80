"""Measure how much of a person somebody else may cover: their boxes, also where one hides the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from rib.pose.detectors.detection import ClipDetections
from rib.pose.tracking.tracker import PersonTrack


def shares_of_box_in_others(
    own: Mapping[int, int], tracks: Sequence[PersonTrack], clip: ClipDetections, longest_s: float
) -> np.ndarray:
    """Measure the share of one person's box in which the box of somebody else lies, keyframe by keyframe.

    Who is missed for a while is between the places where they were seen before and after: people who pass
    behind another are not found there, and the detector takes the two for one.

    Args:
        own: Keyframe -> number of the person's detection.
        tracks: Everybody; those that have detections in common with the person are left out.
        clip: Everybody found in each of the K keyframes.
        longest_s: Whoever is missed for longer has left.

    Returns:
        (K,) float64 in 0..1, of the other who covers most; 0 where the person is not found.
    """
    shared = np.zeros(len(clip.people))
    mine = _boxes(own, clip, longest_s)
    for track in tracks:
        if any(own.get(k) == index for k, index in track.members.items()):
            continue
        theirs = _boxes(track.members, clip, longest_s)
        for k in mine.keys() & theirs.keys():
            shared[k] = max(shared[k], _share(mine[k], theirs[k]))
    return shared


def _boxes(members: Mapping[int, int], clip: ClipDetections, longest_s: float) -> dict[int, np.ndarray]:
    """Keyframe -> the box (4,) of a track, between its neighbours in time where it was missed."""
    boxes, times_s = {k: clip.people[k][index].box_xyxy for k, index in members.items()}, clip.times_s
    for a, b in pairwise(sorted(members)):
        if times_s[b] - times_s[a] <= longest_s and not any(a < cut <= b for cut in clip.cuts):
            for k in range(a + 1, b):
                part = (times_s[k] - times_s[a]) / (times_s[b] - times_s[a])
                boxes[k] = (1 - part) * boxes[a] + part * boxes[b]
    return boxes


def _share(box: np.ndarray, other: np.ndarray) -> float:
    """Share of a box (left, top, right, bottom) in which another lies."""
    size = np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2])
    return float(np.maximum(size, 0).prod() / max((box[2:] - box[:2]).prod(), 1.0))
