"""A track that slides from one person to another is opened; one person's is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from rib.io.recipe import build_recipe
from rib.pose.detectors.detection import ClipDetections, PersonDetection
from rib.pose.tracking.changed_looks import looks_forbid_link, open_where_looks_change
from rib.pose.tracking.observations import Tracklet, observe_people_for_tracker
from rib.pose.tracking.tracker import Tracker
from rib.structures.skeleton import BODY25_HANDS
from rib.video.camera import STILL

RECIPE = yaml.safe_load((Path(__file__).parents[2] / "conf/pose/tracker/default.yaml").read_text())
SIZE, LEAST = (640, 360), 0.65
BODY = np.array([
    (0, -80), (0, -65), (-12, -65), (-16, -48), (-18, -32), (12, -65), (16, -48), (18, -32), (0, -30),
    (-7, -30), (-8, 0), (-8, 30), (7, -30), (8, 0), (8, 30), (-2, -82), (2, -82), (-5, -81), (5, -81),
    (10, 33), (12, 32), (7, 32), (-10, 33), (-12, 32), (-7, 32),
], float)  # fmt: skip
"""A standing person about the middle of the body."""
BLUE, BLACK = 0.0, 1.0


def detection(x: float, black: float, rng: np.random.Generator) -> PersonDetection:
    """Somebody at a place, in clothes between blue and black, with some noise."""
    keypoints, confidence = np.zeros((len(BODY25_HANDS), 2)), np.zeros(len(BODY25_HANDS))
    keypoints[:25], confidence[:25] = BODY + np.array([x, 200]), 0.9
    shares = np.repeat([[1 - black, black]], 5, axis=0) + rng.uniform(0, 0.1, (5, 2))
    looks = shares / shares.sum(1, keepdims=True)
    found = PersonDetection.from_keypoints(keypoints, confidence, looks)
    assert found is not None
    return found


def clip_of(blacks: list[float]) -> ClipDetections:
    """One skeleton that walks on steadily, as black as told at each keyframe."""
    rng = np.random.default_rng(0)
    people = [[detection(200 + 3 * k, black, rng)] for k, black in enumerate(blacks)]
    return ClipDetections(people, np.arange(len(blacks)) / 8, SIZE)


def tracklet_of(blacks: list[float]) -> Tracklet:
    clip = clip_of(blacks)
    moments = range(len(blacks))
    observed = observe_people_for_tracker(clip, moments, [STILL] * len(blacks))
    return Tracklet([seen for (seen,) in observed])


SLIDING = [BLUE] * 9 + [0.5] + [BLACK] * 9


def test_one_persons_track_stays_whole():
    whole = tracklet_of([BLUE] * 19)
    assert open_where_looks_change(whole, LEAST) == [whole]


@pytest.mark.parametrize("blacks", [SLIDING, SLIDING[::-1], SLIDING + SLIDING[::-1]])
def test_a_track_of_two_people_is_opened_where_one_becomes_the_other(blacks):
    whole = tracklet_of(blacks)
    parts = open_where_looks_change(whole, LEAST)
    assert [seen for part in parts for seen in part.seen] == whole.seen
    assert len(parts) == 1 + blacks.count(0.5)
    for part in parts:
        clear = {blacks[seen.moment] for seen in part.seen} - {0.5}
        assert len(clear) == 1


def test_nothing_is_opened_or_forbidden_where_nothing_is_asked_for():
    whole = tracklet_of(SLIDING)
    assert open_where_looks_change(whole, 0.0) == [whole]
    assert not looks_forbid_link(tracklet_of([BLUE] * 5), tracklet_of([BLACK] * 5), 0.0)


def test_a_glance_forbids_no_link():
    blue, black = tracklet_of([BLUE] * 5), tracklet_of([BLACK] * 5)
    assert looks_forbid_link(blue, black, LEAST)
    assert not looks_forbid_link(blue, blue, LEAST)
    for glance in (tracklet_of([BLACK]), tracklet_of([BLACK] * 2)):
        assert not looks_forbid_link(blue, glance, LEAST)


@pytest.mark.parametrize(("least", "people"), [(0.0, 1), (LEAST, 2)])
def test_the_tracker_makes_two_people_of_a_skeleton_that_goes_over(least, people):
    tracker: Tracker = build_recipe(RECIPE | {"changed_likeness": least})
    tracks = tracker.link(clip_of(SLIDING))
    assert len(tracks) == people
    assert sorted(moment for track in tracks for moment in track.members) == list(range(len(SLIDING)))
