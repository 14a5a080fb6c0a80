import json
from dataclasses import replace

import numpy as np
import pytest

from rib.io.errors import RibError
from rib.keypoint_files import read_people_keypoints, write_openpose_json
from rib.structures.keypoints import PoseSequence
from rib.structures.skeleton import convert_pose, joint_set_named


def person(name="body25_hands", frames=5):
    rng = np.random.default_rng(0)
    num_joints = len(joint_set_named(name))
    confidence = rng.uniform(0, 1, (frames, num_joints)) * (rng.random((frames, num_joints)) > 0.3)
    keypoints_px = rng.uniform(0, 500, (frames, num_joints, 2)) * (confidence > 0)[..., None]
    return PoseSequence(keypoints_px, confidence, np.arange(frames) / 30.0, name, (500, 500))


def test_what_is_written_is_read_bit_for_bit(tmp_path):
    poses = person()
    paths = write_openpose_json(poses, tmp_path / "poses")
    assert [path.name for path in paths[:2]] == ["000000_keypoints.json", "000001_keypoints.json"]
    read = np.stack([frame[0] for frame in read_people_keypoints(tmp_path / "poses", "body25").frames])
    np.testing.assert_array_equal(read[..., :2], poses.keypoints_px)
    np.testing.assert_array_equal(read[..., 2], poses.confidence)


def test_the_motion_models_joints_survive_the_files(tmp_path):
    poses = person("body19")
    write_openpose_json(poses, tmp_path)
    read = np.stack([frame[0] for frame in read_people_keypoints(tmp_path, "body25").frames])
    there = convert_pose(poses, "body25_hands")
    back = convert_pose(replace(there, keypoints_px=read[..., :2], confidence=read[..., 2]), "body19")
    np.testing.assert_array_equal(back.keypoints_px, poses.keypoints_px)


def test_the_form_is_openpose_1_3(tmp_path):
    poses = person(frames=2)
    poses.confidence[1] = 0
    first, second = (json.loads(path.read_text()) for path in write_openpose_json(poses, tmp_path))
    assert first["version"] == 1.3
    lengths = {key: len(value) for key, value in first["people"][0].items()}
    assert lengths == {
        "person_id": 1, "pose_keypoints_2d": 75, "face_keypoints_2d": 0, "hand_left_keypoints_2d": 63,
        "hand_right_keypoints_2d": 63,
    }  # fmt: skip
    assert second["people"] == []


def test_the_json_is_valid_whatever_the_numbers(tmp_path):
    poses = person()
    poses.keypoints_px[0, 0] = np.nan
    poses.confidence[0, 1] = np.inf
    poses.confidence[0, 2] = 0.5
    frame = read_people_keypoints(write_openpose_json(poses, tmp_path)[0].parent, "body25").frames[0][0]
    assert (frame[[0, 1]] == 0).all()
    assert frame[2, 2] == 0.5


def test_writing_twice_gives_the_same_bytes_and_no_stale_frames(tmp_path):
    (tmp_path / "notes_keypoints.json").write_text("{}")
    before = [path.read_bytes() for path in write_openpose_json(person(frames=5), tmp_path)]
    after = [path.read_bytes() for path in write_openpose_json(person(frames=5), tmp_path)]
    assert before == after
    write_openpose_json(person(frames=3), tmp_path)
    assert len(list(tmp_path.iterdir())) == 4


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RibError, match="cannot be written"):
        write_openpose_json(person(), tmp_path / "file")
