from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import yaml

from rib.io.errors import RibError
from rib.keypoint_files import read_people_keypoints, write_openpose_json
from rib.pose.files import FilesPose
from rib.structures.keypoints import PoseSequence
from rib.structures.skeleton import BODY25_HANDS

DETECTIONS = Path(__file__).parents[3] / "shared/data/openpose_json"
TRACKER = yaml.safe_load((Path(__file__).parents[2] / "conf/pose/tracker/default.yaml").read_text())


@dataclass
class Clip:
    times_s: np.ndarray
    size_px: tuple[int, int] = (640, 480)


def test_poses_of_a_clip_come_back_with_its_times_and_size(tmp_path):
    rng = np.random.default_rng(0)
    keypoints_px = rng.uniform(100, 400, (1, 67, 2)) + np.arange(6)[:, None, None]
    confidence = rng.uniform(0.2, 1, (6, len(BODY25_HANDS)))
    clip = Clip(np.arange(6) / 7.5)
    write_openpose_json(
        PoseSequence(keypoints_px, confidence, clip.times_s, "body25_hands", clip.size_px), tmp_path
    )
    poses = FilesPose(tmp_path, "body25", TRACKER)(clip, cuts=[3])
    np.testing.assert_array_equal(poses.keypoints_px, keypoints_px)
    np.testing.assert_array_equal(poses.confidence, confidence)
    np.testing.assert_array_equal(poses.times_s, clip.times_s)
    assert (poses.joint_set, poses.size_px) == ("body25_hands", (640, 480))
    with pytest.raises(RibError, match="6 frames, but the clip has 7"):
        FilesPose(tmp_path, "auto", TRACKER)(Clip(np.arange(7) / 7.5))
    with pytest.raises(RibError, match="no point"):
        FilesPose(tmp_path, "auto", TRACKER)(Clip(clip.times_s, (40, 30)))


def test_no_path_says_what_to_type():
    with pytest.raises(RibError, match="add poses="):
        FilesPose(None, "auto", TRACKER)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "fps", "size_px"),
    [
        ("treadmill_body25_hands/27_teenage_hooligan", 23.98, (720, 720)),
        ("pose2sim_single_body25b/cam01", 60.0, (1080, 1920)),
    ],
)
def test_the_real_person_is_followed_among_false_ones(name, fps, size_px):
    if not (DETECTIONS / name).exists():
        pytest.skip("the shared detections are not here")
    everybody = read_people_keypoints(DETECTIONS / name).frames
    poses = FilesPose(DETECTIONS / name, "auto", TRACKER)(Clip(np.arange(len(everybody)) / fps, size_px))
    assert poses.present.all()
    for frame, (people, keypoints_px) in enumerate(zip(everybody, poses.keypoints_px, strict=True)):
        real = max(people, key=lambda person: np.ptp(person[person[:, 2] > 0, 1]))
        assert (real[:, :2] == keypoints_px).all(), f"frame {frame}"
