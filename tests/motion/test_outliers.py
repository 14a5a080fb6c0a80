import numpy as np
import pytest

from rib.motion.outliers import MotionOutliers, motion_body_height_px
from rib.structures.skeleton import convert_joints

TEST = MotionOutliers(min_height=0.05, min_deviations=4.0, min_travel=0.75, window_s=4.0)
UPRIGHT = np.zeros((19, 2))
for joint, y in {1: 18, 8: 46.8, 9: 47, 10: 71.5, 11: 96.1, 12: 47, 13: 71.5, 14: 96.1}.items():
    UPRIGHT[joint] = (50, y)


def sway(frames=30, amplitude=10.0):
    t = np.sort(np.random.default_rng(0).uniform(0, frames / 10, frames))
    return t, np.tile(UPRIGHT, (frames, 1, 1)) + amplitude * np.sin(2 * t)[:, None, None]


def test_the_height_of_somebody_upright():
    joints = np.tile(UPRIGHT, (4, 1, 1))
    valid = np.zeros((4, 19), bool)
    valid[:, [1, 8, 9, 10, 11, 12, 13, 14]] = True
    assert motion_body_height_px(joints, valid, "body19") == pytest.approx(100, rel=0.01)
    in_coco, there = convert_joints(joints, valid.astype(float), "body19", "coco17")
    assert motion_body_height_px(in_coco, there > 0, "coco17") == pytest.approx(100, rel=0.01)


def test_the_height_without_legs_and_without_anything():
    joints, valid = np.tile(UPRIGHT, (4, 1, 1)), np.zeros((4, 19), bool)
    assert motion_body_height_px(joints, valid, "body19") == 0
    valid[:, [1, 10]] = True
    assert motion_body_height_px(joints, valid, "body19") == pytest.approx(53.5)


@pytest.mark.parametrize("frame", [0, 1, 13, 28, 29])
def test_one_leap_is_found_wherever_it_is_and_nothing_else(frame):
    t, joints = sway()
    joints[frame, 4] += (45, -45)
    marked = TEST(t, joints, np.ones((30, 19), bool), "body19")
    assert np.argwhere(marked).tolist() == [[frame, 4]]


def test_fast_smooth_motion_and_a_real_change_of_place_are_kept():
    t, joints = sway(amplitude=60)
    joints[15:] += (200, 0)
    assert not TEST(t, joints, np.ones((30, 19), bool), "body19").any()


def test_noise_raises_the_bar():
    t, joints = sway()
    joints += np.random.default_rng(1).normal(0, 4, joints.shape)
    assert TEST(t, joints, np.ones((30, 19), bool), "body19").mean() < 0.01


def test_few_sights_are_believed():
    t, joints = sway()
    joints[2, 4] += 90
    valid = np.ones((30, 19), bool)
    valid[4:, 4] = False
    assert not TEST(t, joints, valid, "body19").any()
