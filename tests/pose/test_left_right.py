from dataclasses import replace

import numpy as np
import pytest

from rib.pose.tracking.left_right import fix_left_right_swaps
from rib.structures.keypoints import PoseSequence
from rib.structures.skeleton import joint_set_named

JOINTS = joint_set_named("body25_hands")


def turning(angles_rad: np.ndarray, step_s: float = 0.1) -> PoseSequence:
    """A person seen from the front at angle 0, whose left and right lie on either side of the trunk."""
    num = len(angles_rad)
    keypoints_px = np.tile(np.array([100.0, 100.0]), (num, len(JOINTS), 1))
    for name, x, y in (("shoulder", 15, -50), ("hip", 10, 0), ("wrist", 30, 0), ("ankle", 12, 80)):
        for side, sign in (("left", 1), ("right", -1)):
            joint = JOINTS.index(f"{side}_{name}")
            keypoints_px[:, joint] += np.stack([sign * x * np.cos(angles_rad), np.full(num, y)], axis=-1)
    return PoseSequence(
        keypoints_px=keypoints_px,
        confidence=np.ones((num, len(JOINTS))),
        times_s=np.arange(num) * step_s,
        joint_set="body25_hands",
        size_px=(200, 200),
        depth_order=np.tile([0.0, -0.1, 0.1, -0.2, 0.2], (num, 1)),
    )


def swap(poses: PoseSequence, moments: list[int]) -> PoseSequence:
    keypoints_px = poses.keypoints_px.copy()
    keypoints_px[moments] = keypoints_px[moments][:, JOINTS.flip_index]
    depth = poses.depth_order.copy()
    depth[moments] = depth[moments][:, [0, 2, 1, 4, 3]]
    return replace(poses, keypoints_px=keypoints_px, depth_order=depth)


@pytest.mark.parametrize("moments", [[0], [5], [4, 5], [11], [2, 7]])
def test_a_flip_that_flips_back_is_put_right(moments):
    steady = turning(np.full(12, 0.2))
    mended = fix_left_right_swaps(swap(steady, moments), frozenset(), cost=0.3, longest_step_s=0.5)
    np.testing.assert_array_equal(mended.keypoints_px, steady.keypoints_px)
    np.testing.assert_array_equal(mended.depth_order, steady.depth_order)


def test_a_person_who_turns_round_is_left_alone():
    poses = turning(np.linspace(0, np.pi, 12))
    mended = fix_left_right_swaps(poses, frozenset(), cost=0.3, longest_step_s=0.5)
    np.testing.assert_array_equal(mended.keypoints_px, poses.keypoints_px)


@pytest.mark.parametrize(("cuts", "step_s"), [(frozenset({6}), 0.1), (frozenset(), 0.6)])
def test_moments_across_a_cut_or_far_apart_say_nothing_about_each_other(cuts, step_s):
    poses = swap(turning(np.full(7, 0.2), step_s), [6])
    mended = fix_left_right_swaps(poses, cuts, cost=0.3, longest_step_s=0.5)
    np.testing.assert_array_equal(mended.keypoints_px, poses.keypoints_px)


def test_moments_without_a_person_are_passed_over():
    steady = turning(np.full(8, 0.2))
    steady.confidence[3] = 0
    mended = fix_left_right_swaps(swap(steady, [5]), frozenset(), cost=0.3, longest_step_s=0.5)
    np.testing.assert_array_equal(mended.keypoints_px[5], steady.keypoints_px[5])
    assert not mended.present[3]
