import json

import numpy as np
import pytest

from rib.io.errors import RibError
from rib.keypoint_files import write_openpose_json
from rib.motion.files import FilesMotion
from rib.structures.keypoints import PoseSequence
from rib.structures.skeleton import BODY25_HANDS


def person(frames, fps):
    rng = np.random.default_rng(0)
    joints = rng.uniform(10, 300, (frames, len(BODY25_HANDS), 2))
    depth = np.linspace(0, 1, frames)[:, None] * np.ones(5)
    times_s = np.arange(frames) / fps
    return PoseSequence(joints, np.ones(joints.shape[:2]), times_s, "body25_hands", (320, 320), depth)


def test_poses_come_as_the_files_have_them(tmp_path):
    keyframes, all_frames = person(3, 10.0), person(9, 40.0)
    write_openpose_json(all_frames, tmp_path / "Predict_motion/clip")
    motion = FilesMotion(tmp_path / "Predict_motion/clip", "body25")
    moved = motion(keyframes, all_frames.times_s)
    np.testing.assert_array_equal(moved.keypoints_px, all_frames.keypoints_px)
    np.testing.assert_array_equal(moved.times_s, all_frames.times_s)
    np.testing.assert_allclose(moved.depth_order[:, 0], np.linspace(0, 1, 9))
    assert moved.size_px == (320, 320)
    with pytest.raises(RibError, match="poses of 9 frames, but the clip has 12"):
        motion(keyframes, np.linspace(0, keyframes.times_s[-1], 12))


def test_poses_up_to_the_last_keyframe_hold_there_while_it_is_held(tmp_path):
    keyframes, all_frames = person(3, 10.0), person(9, 40.0)
    write_openpose_json(all_frames, tmp_path)
    held = FilesMotion(tmp_path, "body25")(keyframes, np.arange(12) / 40)
    np.testing.assert_array_equal(held.keypoints_px[:9], all_frames.keypoints_px)
    assert (held.keypoints_px[8:] == all_frames.keypoints_px[8]).all()


def test_two_people_at_a_moment_are_refused(tmp_path):
    first, _ = write_openpose_json(person(2, 10.0), tmp_path)
    content = json.loads(first.read_text())
    content["people"] *= 2
    first.write_text(json.dumps(content))
    with pytest.raises(RibError, match=r"000000_keypoints\.json shows 2 people"):
        FilesMotion(tmp_path, "auto")(person(2, 10.0), np.arange(2) / 10)


def test_no_path_says_what_to_type():
    with pytest.raises(RibError, match="add poses="):
        FilesMotion(None, "auto")
