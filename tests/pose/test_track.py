from pathlib import Path

import numpy as np
import pytest
import yaml

from rib.io.recipe import build_recipe
from rib.pose.detectors.appearance import PARTS
from rib.pose.detectors.detection import ClipDetections, PersonDetection
from rib.pose.tracking.tracker import Tracker
from rib.structures.skeleton import BODY25_HANDS

CONF = Path(__file__).parents[2] / "conf/pose/tracker/default.yaml"
TRACKER: Tracker = build_recipe(yaml.safe_load(CONF.read_text()))
BODY = np.array([
    (15, 5), (15, 20), (5, 20), (2, 38), (0, 55), (25, 20), (28, 38), (30, 55), (15, 52), (9, 52), (9, 75),
    (9, 97), (21, 52), (21, 75), (21, 97), (13, 3), (17, 3), (11, 4), (19, 4), (23, 100), (25, 99), (20, 98),
    (7, 100), (5, 99), (10, 98),
], float)  # fmt: skip
"""A standing person of 30 x 100 px."""
RED, BLUE = (np.tile(look, (len(PARTS), 1)) for look in ((1.0, 0.0), (0.0, 1.0)))


def person(x, y=100.0, size=1.0, confidence=0.8, appearance=None, depth=None):
    keypoints_px, scores = np.zeros((len(BODY25_HANDS), 2)), np.zeros(len(BODY25_HANDS))
    keypoints_px[:25], scores[:25] = BODY * size + (x, y), confidence
    return PersonDetection.from_keypoints(keypoints_px, scores, appearance, depth)


def follow(people, cuts=(), fps=10.0):
    poses = TRACKER.follow(ClipDetections(people, np.arange(len(people)) / fps, (640, 480), cuts))
    return np.where(poses.present, poses.keypoints_px[:, 0, 0] - BODY[0, 0], np.nan), poses


def test_a_person_keeps_their_track_when_another_grows_bigger():
    main = [person(50 + 4 * k, size=2.0) for k in range(20)]
    passer = [person(400 - 4 * k, size=1.0 + 0.07 * k) for k in range(20)]
    x, _ = follow([[b, a] if k % 3 else [a, b] for k, (a, b) in enumerate(zip(main, passer, strict=True))])
    np.testing.assert_allclose(x, 50 + 4 * np.arange(20) + BODY[0, 0])


def test_two_people_who_cross_keep_their_ways():
    a = [person(100 + 10 * k, size=1.1) for k in range(20)]
    b = [person(300 - 10 * k, y=110) for k in range(20)]
    x, _ = follow([list(pair) for pair in zip(b, a, strict=True)])
    seen = np.isfinite(x)
    assert seen.sum() >= 18  # where they stand in one place nobody can tell who is who
    np.testing.assert_allclose((x - 100)[seen], (10 * np.arange(20) + BODY[0, 0] * 1.1 - BODY[0, 0])[seen])


def test_appearance_decides_where_overlap_does_not():
    frames = [[person(100, appearance=RED), person(104, appearance=BLUE, confidence=0.7)] for _ in range(10)]
    frames[5] = [person(104, appearance=RED), person(100, appearance=BLUE, confidence=0.7)]
    x, _ = follow(frames)
    assert x[5] - x[4] == pytest.approx(4)


def test_short_and_long_gaps_are_bridged_and_stay_empty():
    frames = [[person(100 + 3 * k)] for k in range(50)]
    for k in [*range(5, 9), *range(20, 40)]:
        frames[k] = []
    _, poses = follow(frames)
    assert poses.present.sum() == 26
    np.testing.assert_array_equal(poses.present, [bool(found) for found in frames])
    assert (poses.keypoints_px[~poses.present] == 0).all()


def test_a_small_stranger_does_not_fill_a_missing_span():
    frames = [[person(100)] for _ in range(30)]
    frames[10:20] = [[person(400, size=0.3)] for _ in range(10)]
    assert follow(frames)[1].present.sum() == 20


def test_a_cut_ends_the_track_and_the_same_clothes_are_found_again():
    before = [[person(100, size=1.5, appearance=RED)] for _ in range(20)]
    after = [
        [person(100, size=1.6, appearance=BLUE), person(400, size=1.5, appearance=RED)] for _ in range(10)
    ]
    x, _ = follow(before + after, cuts=[20])
    np.testing.assert_allclose(x[20:] - x[0], 300 + 0 * x[20:], atol=1)


def test_nobody_anywhere_gives_an_empty_sequence():
    _, poses = follow([[], [], []])
    assert not poses.present.any()
    assert poses.depth_order is None
    assert poses.joint_set == "body25_hands"


def test_depth_travels_and_is_nan_where_nobody_is():
    depth = np.arange(5.0)
    _, poses = follow([[person(100, depth=depth)], [], [person(100, depth=depth)]])
    np.testing.assert_array_equal(poses.depth_order[[0, 2]], [depth, depth])
    assert np.isnan(poses.depth_order[1]).all()


def test_the_order_of_people_in_a_frame_does_not_matter():
    rng = np.random.default_rng(1)
    frames = [[person(100 + 5 * k), person(300, size=0.9), person(450, size=0.7)] for k in range(15)]
    shuffled = [[frame[i] for i in rng.permutation(3)] for frame in frames]
    np.testing.assert_array_equal(follow(frames)[0], follow(shuffled)[0])


def test_a_detection_needs_a_body_joint():
    confidence = np.zeros(len(BODY25_HANDS))
    confidence[30] = 1
    assert PersonDetection.from_keypoints(np.zeros((len(BODY25_HANDS), 2)), confidence) is None
