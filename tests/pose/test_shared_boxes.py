"""How much of a person somebody else may cover, in view or hidden."""

from __future__ import annotations

import numpy as np

from rib.pose.detectors.detection import ClipDetections, PersonDetection
from rib.pose.tracking.shared_boxes import shares_of_box_in_others
from rib.pose.tracking.tracker import PersonTrack

TIMES_S = np.arange(5) / 5


def person(left: float, width: float = 40.0) -> PersonDetection:
    return PersonDetection(np.zeros((67, 2)), np.zeros(67), np.array([left, 50.0, left + width, 150.0]))


def track(number: int, members: dict[int, int]) -> PersonTrack:
    return PersonTrack(number, members, 1.0, None)


def clip(people: list[list[PersonDetection]], cuts: tuple[int, ...] = ()) -> ClipDetections:
    return ClipDetections(people, TIMES_S[: len(people)], (640, 480), cuts)


def test_who_passes_behind_covers_a_person_where_the_detector_misses_them() -> None:
    stays = dict.fromkeys(range(5), 0)
    people = [[person(100), person(20 + 40 * k)] if k != 2 else [person(100)] for k in range(5)]
    walks = track(2, dict.fromkeys((0, 1, 3, 4), 1))
    both = [track(1, stays), walks]
    assert shares_of_box_in_others(stays, both, clip(people), 1.0).tolist() == [0, 0, 1, 0, 0]
    assert shares_of_box_in_others(stays, both, clip(people), 0.3).max() == 0  # away for longer: they left
    assert shares_of_box_in_others(stays, both, clip(people, cuts=(2,)), 1.0).max() == 0  # another shot


def test_one_alone_shares_their_box_with_nobody() -> None:
    stays = dict.fromkeys(range(5), 0)
    people = [[person(100)] for _ in range(5)]
    halves = [track(1, {0: 0, 1: 0}), track(2, {3: 0, 4: 0})]
    assert shares_of_box_in_others(stays, halves, clip(people), 1.0).max() == 0


def test_half_a_box_is_half_shared() -> None:
    people = [[person(100), person(120)]]
    tracks = [track(1, {0: 0}), track(2, {0: 1})]
    np.testing.assert_allclose(shares_of_box_in_others({0: 0}, tracks, clip(people), 1.0), [0.5])
