from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rib.structures.keypoints import LAYERS, PoseSequence, PoseTracks


def walker(track_id: int, depth: bool = True) -> PoseSequence:
    rng = np.random.default_rng(track_id)
    order = rng.normal(size=(6, len(LAYERS))) if depth else None
    confidence = rng.uniform(0.1, 1, (6, 19))
    return PoseSequence(rng.uniform(0, 90, (6, 19, 2)), confidence, np.arange(6.0), "body19", (90, 90), order,
                        track_id)  # fmt: skip


@pytest.mark.parametrize("depth", [True, False])
def test_everybody_comes_back_bit_by_bit(depth: bool) -> None:
    people = [walker(3, depth), walker(7, depth)]
    tracks = PoseTracks.of(people)
    for given in people:
        back = tracks.person(given.track_id)
        assert np.array_equal(back.keypoints_px, given.keypoints_px)
        assert np.array_equal(back.confidence, given.confidence)
        assert (back.depth_order is None) == (given.depth_order is None)
        assert given.depth_order is None or np.array_equal(back.depth_order, given.depth_order)
        assert (back.joint_set, back.size_px, back.track_id) == ("body19", (90, 90), given.track_id)


def test_moments_are_taken_for_all_of_them() -> None:
    people = [walker(0), walker(1, depth=False)]
    some = PoseTracks.of(people, person_depth=np.zeros((6, 2)))[[1, 4]]
    assert len(some) == len(some.person_depth) == 2
    assert np.array_equal(some.person(1).keypoints_px, people[1].keypoints_px[[1, 4]])
    assert len(some[1]) == 1


def test_who_is_there_is_told_by_person_and_moment() -> None:
    away = walker(1)
    away = replace(away, confidence=away.confidence * (np.arange(6) != 2)[:, None])
    assert PoseTracks.of([walker(0), away]).present.tolist()[2] == [True, False]


def test_shapes_and_ids_have_to_fit() -> None:
    tracks = PoseTracks.of([walker(0), walker(1)])
    with pytest.raises(ValueError, match="not all different"):
        replace(tracks, track_ids=(1, 1))
    with pytest.raises(ValueError, match="person_depth has shape"):
        replace(tracks, person_depth=np.zeros((6, 3)))
    with pytest.raises(KeyError, match="no track 9"):
        tracks.person(9)
