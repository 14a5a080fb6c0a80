import numpy as np
import pytest

from rib.io.errors import RibError
from rib.structures.keypoints import PoseSequence
from rib.structures.skeleton import (
    BODY19,
    BODY25,
    JOINT_SETS,
    SMPLH,
    convert_joints,
    convert_pose,
    joint_set_named,
    mirror_pose,
)


def person(name, frames=3, missing=0.3, seed=0):
    rng = np.random.default_rng(seed)
    num_joints = len(joint_set_named(name))
    confidence = rng.uniform(0.1, 1, (frames, num_joints)) * (rng.random((frames, num_joints)) > missing)
    keypoints_px = rng.uniform(0, 100, (frames, num_joints, 2)) * (confidence > 0)[..., None]
    return PoseSequence(
        keypoints_px, confidence, np.arange(frames) / 30.0, name, (100, 80), rng.random((frames, 5))
    )


@pytest.mark.parametrize("name", JOINT_SETS)
def test_left_and_right_are_pairs_and_limbs_mirror_onto_limbs(name):
    skeleton = joint_set_named(name)
    assert (skeleton.flip_index[skeleton.flip_index] == np.arange(len(skeleton))).all()
    assert len(set(skeleton.joints)) == len(skeleton)
    limbs = {frozenset(limb) for limb in skeleton.limbs}
    assert {frozenset(skeleton.flip_index[list(limb)].tolist()) for limb in limbs} == limbs


@pytest.mark.parametrize(
    ("name", "count"),
    [("body19", 19), ("body25", 25), ("body25_hands", 67), ("body25b", 25), ("coco17", 17), ("coco18", 18),
     ("coco_wholebody133", 133), ("halpe26", 26), ("halpe136", 136), ("smplh", 52), ("blazepose33", 33)],
)  # fmt: skip
def test_joint_counts(name, count):
    assert len(joint_set_named(name)) == count


def test_the_drawn_limbs_of_body19_are_a_tree():
    limbs = joint_set_named("body19").limbs
    reached = {joint_set_named("body19").index("neck")}
    for _ in limbs:
        reached |= {j for limb in limbs if set(limb) & reached for j in limb}
    assert len(limbs) == 18
    assert reached == set(range(19))


def test_blazepose_becomes_body25_as_openpose_numbers_it():
    # OpenPose's 25 points from BlazePose's numbers; tuples are means, None does not exist
    numbers = [
        0,
        (11, 12),
        12,
        14,
        16,
        11,
        13,
        15,
        (23, 24),
        24,
        26,
        28,
        23,
        25,
        27,
        5,
        2,
        8,
        7,
        31,
        None,
        29,
    ]
    numbers += [32, None, 30]
    source = person("blazepose33", missing=0)
    target = convert_pose(source, "body25")
    for joint, number in enumerate(numbers):
        expected = 0 if number is None else source.keypoints_px[:, np.atleast_1d(number)].mean(axis=1)
        np.testing.assert_allclose(target.keypoints_px[:, joint], expected)
        assert (target.confidence[:, joint] > 0).all() == (number is not None)


def test_smplh_becomes_the_motion_models_joints_in_3d():
    numbers = [15, 12, 17, 19, 21, 16, 18, 20, 0, 2, 5, 8, 1, 4, 7, 10, 11, range(22, 37), range(37, 52)]
    joints = np.random.default_rng(0).normal(size=(2, 4, len(SMPLH), 3))
    converted, confidence = convert_joints(joints, None, "smplh", "body19")
    expected = np.stack([joints[..., list(np.atleast_1d(n)), :].mean(axis=-2) for n in numbers], axis=-2)
    np.testing.assert_allclose(converted, expected, atol=1e-12)
    assert (confidence == 1).all()


def test_a_mean_is_missing_where_one_of_its_joints_is():
    poses = person("coco17", missing=0)
    poses.confidence[1, joint_set_named("coco17").index("left_hip")] = 0
    hip = joint_set_named("body25").index("mid_hip")
    confidence = convert_pose(poses, "body25").confidence[:, hip]
    assert confidence[1] == 0
    assert confidence[0] > 0
    assert (convert_pose(poses, "body25").keypoints_px[1, hip] == 0).all()


def test_the_point_of_a_hand_is_the_mean_of_its_valid_points():
    poses = person("body25_hands", frames=20, missing=0.5)
    poses.confidence[0, 25:46] = 0
    hands = convert_pose(poses, "body19")
    for frame in range(1, 20):
        valid = np.flatnonzero(poses.confidence[frame, 25:46]) + 25
        np.testing.assert_allclose(
            hands.keypoints_px[frame, 17], poses.keypoints_px[frame, valid].mean(axis=0)
        )
    assert hands.confidence[0, 17] == 0


@pytest.mark.parametrize("name", ["body19", "body25", "coco17", "coco18"])
def test_a_smaller_set_survives_the_way_through_body25_hands(name):
    poses = person(name)
    back = convert_pose(convert_pose(poses, "body25_hands"), name)
    np.testing.assert_array_equal(back.keypoints_px, poses.keypoints_px)
    np.testing.assert_array_equal(back.confidence, poses.confidence)


@pytest.mark.parametrize("name", ["blazepose33", "coco_wholebody133", "body25b", "halpe136"])
def test_converting_and_mirroring_commute(name):
    poses = person(name)
    a, b = mirror_pose(convert_pose(poses, "body25_hands")), convert_pose(mirror_pose(poses), "body25_hands")
    np.testing.assert_allclose(a.keypoints_px, b.keypoints_px)
    np.testing.assert_allclose(a.confidence, b.confidence)
    np.testing.assert_array_equal(a.depth_order, poses.depth_order[:, [0, 2, 1, 4, 3]])


def test_mirroring_twice_changes_nothing():
    poses = person("body25_hands")
    np.testing.assert_allclose(mirror_pose(mirror_pose(poses)).keypoints_px, poses.keypoints_px)


def test_unknown_names_are_answered_with_the_nearest():
    with pytest.raises(RibError, match="did you mean 'body25b'"):
        joint_set_named("body_25b")
    with pytest.raises(RibError, match="did you mean 'left_knee'"):
        joint_set_named("body25").index("leftknee")
    with pytest.raises(RibError, match="body25 has 25 joints"):
        convert_joints(np.zeros((3, 24, 2)), None, "body25", "body19")


def test_body19_begins_like_body25():
    assert BODY19[:15] == BODY25[:15]
