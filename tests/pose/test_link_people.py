"""Who is who: painted people with known truth, at high and low keyframe rates."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rib.io.recipe import build_recipe
from rib.pose.detectors.appearance import appearance_likeness, describe_appearance
from rib.pose.detectors.detection import ClipDetections, PersonDetection
from rib.pose.detectors.plausible import plausible_detections
from rib.pose.tracking.links import certain_tracklet_links
from rib.pose.tracking.sequences import no_pose_tracks
from rib.pose.tracking.tracker import Tracker
from rib.structures.skeleton import BODY25_HANDS

TRACKER: Tracker = build_recipe(
    yaml.safe_load((Path(__file__).parents[2] / "conf/pose/tracker/default.yaml").read_text())
)
SIZE = 640, 360
FPS = 24.0
SLOW_1, SLOW_8 = (pytest.param(value, marks=pytest.mark.slow) for value in (1, 8))
BODY = np.array([
    (0, -80), (0, -65), (-12, -65), (-16, -48), (-18, -32), (12, -65), (16, -48), (18, -32), (0, -30),
    (-7, -30), (-8, 0), (-8, 30), (7, -30), (8, 0), (8, 30), (-2, -82), (2, -82), (-5, -81), (5, -81),
    (10, 33), (12, 32), (7, 32), (-10, 33), (-12, 32), (-7, 32),
], float)  # fmt: skip
"""A standing person about the middle of the body."""
CLOTHES = [((180, 40, 40), (40, 40, 60)), ((40, 60, 170), (150, 140, 120)), ((230, 220, 200), (30, 90, 40))]


def paint(picture: np.ndarray, points: np.ndarray, person: int) -> None:
    shirt, trousers = CLOTHES[person]
    pixels = np.round(points).astype(int)
    for a, b in ((9, 10), (10, 11), (12, 13), (13, 14)):
        cv2.line(picture, pixels[a].tolist(), pixels[b].tolist(), trousers, 10)
    cv2.fillConvexPoly(picture, cv2.convexHull(pixels[[2, 5, 12, 9]].astype(np.int32)), shirt)
    cv2.circle(picture, pixels[0].tolist(), 9, (200, 160, 130), -1)


def film(ways: list[np.ndarray], hidden: bool = True) -> tuple[list[list[PersonDetection]], list[list[int]]]:
    """Detections of people who walk these ways ((N, 2) each), and who each detection truly is.

    The last person stands in front; who is mostly behind somebody is not found.
    """
    rng = np.random.default_rng(0)
    found, truth = [], []
    for k in range(len(ways[0])):
        picture = np.full((SIZE[1], SIZE[0], 3), 110, np.uint8)
        swing = 6 * np.sin(2 * np.pi * k / 20)
        bodies = []
        for person, way in enumerate(ways):
            points = BODY + way[k] + rng.normal(0, 0.7, BODY.shape)
            points[[11, 13], 0] += swing
            points[[10, 14], 0] -= swing
            bodies.append(points)
            paint(picture, points, person)
        people, who = [], []
        for person, points in enumerate(bodies):
            in_front = [way[k] for way in ways[person + 1 :]]
            covered = hidden and any(abs(at[0] - ways[person][k][0]) < 16 for at in in_front)
            outside = not (0 <= ways[person][k][0] < SIZE[0])
            if covered or outside:
                continue
            keypoints, confidence = np.zeros((len(BODY25_HANDS), 2)), np.zeros(len(BODY25_HANDS))
            keypoints[:25], confidence[:25] = points, 0.9
            looks = describe_appearance(picture, keypoints, confidence, 35.0)
            people.append(PersonDetection.from_keypoints(keypoints, confidence, looks))
            who.append(person)
        found.append(people)
        truth.append(who)
    return found, truth


def switches(found, truth, stride: int, camera=None, fps: float = FPS) -> tuple[int, float]:
    """How often a person's track changes, and the share of detections in no track that goes on."""
    found, truth = found[::stride], truth[::stride]
    tracks = TRACKER.link(ClipDetections(found, np.arange(len(found)) * stride / fps, SIZE, (), camera))
    of = {(k, i): track for track in tracks for k, i in track.members.items()}
    long = [track.track_id for track in tracks if len(track.members) > 2]
    number, missed, last = 0, 0, {}
    for k, who in enumerate(truth):
        for i, person in enumerate(who):
            track = of.get((k, i))
            if track is None or track.track_id not in long:
                missed += 1
                continue
            number += last.get(person, track.track_id) != track.track_id
            last[person] = track.track_id
    assert len(set(last.values())) == len(last)
    return number, missed / max(1, sum(map(len, truth)))


def walk(start, end, num: int = 73) -> np.ndarray:
    return np.linspace(start, end, num)


@pytest.mark.parametrize("stride", [SLOW_1, 4, SLOW_8])
def test_people_who_cross_keep_their_names(stride):
    a, b = walk((120, 180), (500, 190)), walk((520, 175), (130, 185))
    assert switches(*film([a, b]), stride) == (0, pytest.approx(0, abs=0.1))


@pytest.mark.parametrize("stride", [SLOW_1, 4, SLOW_8])
def test_three_cross_in_one_place(stride):
    ways = [walk((100, 190), (540, 170)), walk((560, 175), (90, 185)), walk((320, 150), (330, 240))]
    assert switches(*film(ways), stride)[0] == 0


@pytest.mark.parametrize("stride", [SLOW_1, 4, SLOW_8])
def test_who_meets_and_turns_back_is_not_taken_for_the_other(stride):
    there = walk((120, 180), (280, 180), 37)
    a = np.concatenate([there, there[::-1][1:]])
    b = a * (-1, 1) + (610, 0)
    assert switches(*film([a, b]), stride)[0] == 0


@pytest.mark.parametrize("step_px", [SLOW_8, 16])
def test_who_was_missed_for_longer_is_not_replaced_by_who_was_missed_just_now(step_px):
    """Two people cross; each is missed for three keyframes, one before the meeting and one after it."""
    travel = step_px * np.stack([np.arange(-11.0, 12), np.zeros(23)], axis=1)
    found, truth = film([np.array((350, 178)) - travel, np.array((350, 180)) + travel], hidden=False)
    missed = {1: range(8, 11), 0: range(11, 14)}
    kept = [[i for i in who if k not in missed[i]] for k, who in enumerate(truth)]
    seen = [[people[i] for i in who] for people, who in zip(found, kept, strict=True)]
    assert switches(seen, kept, 1, fps=7.5) == (0, 0)


@pytest.mark.parametrize("stride", [4, SLOW_8])
def test_who_leaves_and_comes_back_is_known_by_their_clothes(stride):
    out = walk((400, 180), (700, 180), 30)
    away = np.concatenate([out, np.tile(out[-1], (13, 1)), out[::-1]])
    stays = walk((100, 185), (200, 175), len(away))
    assert switches(*film([stays, away]), stride)[0] == 0


@pytest.mark.parametrize("stride", [4, SLOW_8])
def test_the_cameras_pan_is_taken_out(stride):
    """Two people stand apart by less than the camera pans between keyframes."""
    pan = np.stack([np.linspace(0, 300, 49), np.zeros(49)], axis=1)
    ways = [np.array((420.0, 180.0)) - pan, np.array((470.0, 185.0)) - pan, np.array((525.0, 180.0)) - pan]
    step = np.array([[1, 0, -300 / 48 * stride], [0, 1, 0]])
    camera = [step] * len(range(0, 49, stride))
    assert switches(*film(ways, hidden=False), stride, camera)[0] == 0


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
@pytest.mark.slow
def test_the_order_of_detections_changes_nothing(random):
    ways = [
        walk((120, 180), (500, 190), 33),
        walk((520, 175), (130, 185), 33),
        walk((300, 160), (330, 230), 33),
    ]
    found = film(ways)[0][::4]
    times = np.arange(len(found)) * 4 / FPS
    shuffled = [random.sample(people, len(people)) for people in found]
    expected, given_ = (TRACKER.tracks(ClipDetections(one, times, SIZE)) for one in (found, shuffled))
    assert expected.track_ids == given_.track_ids
    np.testing.assert_array_equal(expected.keypoints_px, given_.keypoints_px)
    np.testing.assert_array_equal(expected.confidence, given_.confidence)


def test_a_link_that_another_assignment_puts_in_question_is_not_made():
    sure = np.array([[9.0, 1.0], [1.0, 9.0]])
    assert certain_tracklet_links(sure, margin=2.0) == [(0, 0), (1, 1)]
    assert certain_tracklet_links(np.array([[9.0, 8.5], [8.5, 9.0]]), margin=2.0) == []
    assert certain_tracklet_links(np.array([[-1.0]]), margin=2.0) == []
    assert certain_tracklet_links(np.array([[0.5, -3.0], [-3.0, -1.0]]), margin=2.0) == [(0, 0)]
    assert certain_tracklet_links(np.zeros((0, 3)), margin=2.0) == []


def test_a_pose_that_contradicts_its_track_belongs_to_none():
    found, _ = film([walk((120, 180), (300, 180), 24)])
    keypoints = found[10][0].keypoints_px.copy()
    keypoints[:25] += (70, -40)
    found[10] = [PersonDetection.from_keypoints(keypoints, found[10][0].confidence, found[10][0].appearance)]
    tracks = TRACKER.tracks(ClipDetections(found, np.arange(24) / FPS, SIZE))
    assert tracks.present[:, 0].tolist() == [k != 10 for k in range(24)]


def moved(
    person: PersonDetection, shift=(0.0, 0.0), scale: float = 1.0, confidence: float = 0.9
) -> PersonDetection:
    keypoints = person.keypoints_px.copy()
    keypoints[:25] = (keypoints[:25] - keypoints[8]) * scale + keypoints[8] + shift
    return PersonDetection.from_keypoints(keypoints, np.minimum(person.confidence, confidence))


def test_what_cannot_be_a_person_of_their_own_is_left_out():
    person = film([walk((300, 180), (300, 180), 1)])[0][0][0]
    stretched = person.keypoints_px.copy()
    stretched[[2, 5]] += ((-30, 0), (30, 0))
    wide = PersonDetection.from_keypoints(stretched, person.confidence)
    ghost = moved(person, shift=(0, -10), scale=0.4, confidence=0.7)
    child = moved(person, shift=(70, 10), scale=0.5)
    assert plausible_detections([person, child, ghost], SIZE) == [0, 1]
    assert plausible_detections([wide], SIZE) == []
    assert plausible_detections([moved(person, shift=(600, 0)), moved(person, shift=(-20, 0))], SIZE) == [1]


def test_looks_are_alike_for_the_same_clothes_and_differ_for_others():
    found, _ = film([walk((120, 180), (220, 180), 3), walk((420, 180), (520, 180), 3)])
    (a, b), (a_later, _) = found[0], found[2]
    assert appearance_likeness(a.appearance, a_later.appearance) > 0.95
    assert appearance_likeness(a.appearance, b.appearance) < 0.6
    assert appearance_likeness(a.appearance, None) is None


def test_nobody_is_no_track():
    tracks = TRACKER.tracks(ClipDetections([[], [], []], np.arange(3.0), SIZE))
    assert tracks.track_ids == ()
    assert len(tracks) == 3
    assert no_pose_tracks(np.arange(3.0), SIZE).present.shape == (3, 0)


@pytest.mark.parametrize(
    ("fps", "seen", "people"), [(30, 5, 1), (30, 6, 2), (12, 2, 1), (12, 3, 2), (4, 2, 1), (4, 3, 2)]
)
def test_whoever_is_seen_in_three_keyframes_and_for_a_fifth_of_a_second_is_a_person(
    fps: int, seen: int, people: int
) -> None:
    found, _ = film([walk((120, 180), (220, 180), 24), walk((420, 180), (420, 180), 24)])
    found = [both if k < seen else both[:1] for k, both in enumerate(found)]
    tracks = TRACKER.tracks(ClipDetections(found, np.arange(24) / fps, SIZE))
    assert len(tracks.track_ids) == people


@pytest.mark.parametrize("keyframes", [1, 2])
def test_of_one_or_two_keyframes_everybody_is_a_person(keyframes: int) -> None:
    found, _ = film([walk((120, 180), (220, 180), 2), walk((420, 180), (420, 180), 2)])
    found = [found[0], found[1][:1]][:keyframes]
    tracks = TRACKER.tracks(ClipDetections(found, np.arange(keyframes) / 4, SIZE))
    assert len(tracks.track_ids) == 2
