"""Nobody becomes somebody else: people marked by hand in real clips, at high and low keyframe rates."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.optimize import linear_sum_assignment

from rib.io.errors import RibError
from rib.io.recipe import build_recipe
from rib.io.weights.model_packages import require_model_package
from rib.pose.detectors.blazepose import BodyLandmarker, PersonDetector
from rib.pose.detectors.detection import ClipDetections
from rib.pose.detectors.people_detector import PeopleDetector
from rib.pose.detectors.plausible import TRUNK
from rib.pose.tracking.tracker import Tracker
from rib.structures.keypoints import PoseTracks
from rib.video import FrameSource, open_frame_source, subclip, subsample_frames
from rib.video.camera import CameraMotionEstimator

HERE = Path(__file__).resolve()
CONF = HERE.parents[2] / "conf"
DATA = HERE.parents[3] / "shared/data"
MARKS = json.loads((HERE.parents[1] / "data/identities.json").read_text())
"""Clip -> frames (multiples of 8), who is there, and the middle of the trunk in the clip's pixels."""
NEAR = 0.6
"""A mark means the person whose trunk's middle is at most so many trunk lengths away."""
TWO_WALK, STREET = "people/videomimic_two_walk.mp4", "people_test/street_crowd_walk.mp4"
RAGA, CYCLIST = "people/raga_3people.mp4", "people_test/edgetam_cyclist.mp4"
DEMO = "video/sports2d_demo.mp4"
PARTS = [
    *((clip, 8, 0, None) for clip in MARKS),
    (TWO_WALK, 4, 0, None), (DEMO, 4, 0, None), (CYCLIST, 4, 0, None), (RAGA, 4, 0, 80), (STREET, 4, 0, None),
    (TWO_WALK, 1, 24, 72), (DEMO, 1, 48, 96), (CYCLIST, 1, 128, 160),
]  # fmt: skip
"""Clip, stride, first and last frame (None: of the last mark). Frames cost a fifth of a second and more each.

So the dense ones are looked at only where people meet, and those who sit still at few;
`experiments/people/identity.py` counts the switches of all clips at all strides.
"""


@pytest.fixture(scope="module")
def recipe() -> dict:
    try:
        require_model_package("mediapipe")
    except RibError as error:
        pytest.skip(str(error))
    return yaml.safe_load((CONF / "pose/mediapipe.yaml").read_text())


@pytest.fixture(scope="module")
def nets(recipe) -> Iterator[tuple[PersonDetector, BodyLandmarker]]:
    near = BodyLandmarker(hands=False, mask=False, window_px=recipe["window_px"])
    with closing(PersonDetector()) as detector, closing(near):
        yield detector, near


def tracks_in(source: FrameSource, nets: tuple[PersonDetector, BodyLandmarker], recipe: dict) -> PoseTracks:
    """Everybody whom the first walk of `pose=mediapipe` finds and links, without the close look."""
    tracker: Tracker = build_recipe(yaml.safe_load((CONF / "pose/tracker/default.yaml").read_text()))
    every = max(1, round(recipe["search_every_s"] * float(source.fps)))
    limits = (recipe[name] for name in ("min_visibility", "max_people", "tile_px"))
    find_people, camera, people, motions = (
        PeopleDetector(*nets, *limits, every, recipe["apart"]),
        CameraMotionEstimator(320),
        [],
        [],
    )
    for picture in source:
        motion = camera(picture).matrix
        found = [candidate.detection for candidate in find_people(picture, motion)]
        camera.leave_out([person.box_xyxy for person in found])
        people.append(found)
        motions.append(motion)
    return tracker.tracks(ClipDetections(people, np.asarray(source.times_s), source.size_px, (), motions))


def tracks_of_marks(tracks: PoseTracks, marks: dict[int, list[dict]]) -> dict[str, list[int]]:
    """Each marked person's track ids, keyframe after keyframe; a mark that nobody is near is left out."""
    found: dict[str, list[int]] = {}
    for k, here in sorted(marks.items()):
        joints, seen = tracks.keypoints_px[k], tracks.confidence[k] > 0
        there = np.flatnonzero(seen[:, TRUNK].all(axis=1))
        corners = joints[there][:, TRUNK]
        length = np.linalg.norm(corners[:, :2].mean(axis=1) - corners[:, 2:].mean(axis=1), axis=-1)
        points = np.array([mark["point_px"] for mark in here], float)
        apart = np.linalg.norm(points[:, None] - corners.mean(axis=1), axis=-1) / np.maximum(length, 1)
        for row, column in zip(*linear_sum_assignment(np.minimum(apart, NEAR)), strict=True):
            if apart[row, column] < NEAR:
                found.setdefault(here[row]["person"], []).append(tracks.track_ids[there[column]])
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("clip", "stride", "first", "last"), PARTS)
def test_a_person_keeps_one_track_that_is_nobody_elses(nets, recipe, clip, stride, first, last):
    if not (DATA / clip).exists():
        pytest.skip(f"the clip {clip} is not beside this checkout (../shared/data)")
    last = max(mark["frame"] for mark in MARKS[clip]) if last is None else last
    marks: dict[int, list[dict]] = {}
    for mark in MARKS[clip]:
        if first <= mark["frame"] <= last and (mark["frame"] - first) % stride == 0:
            marks.setdefault((mark["frame"] - first) // stride, []).append(mark)
    source = subsample_frames(subclip(open_frame_source(DATA / clip), first, last - first + 1), stride)
    found = tracks_of_marks(tracks_in(source, nets, recipe), marks)
    assert len(found) >= 1 + (clip != CYCLIST or last > 160)
    assert {person: set(ids) for person, ids in found.items() if len(set(ids)) > 1} == {}
    owners = [ids[0] for ids in found.values()]
    assert len(set(owners)) == len(owners)
