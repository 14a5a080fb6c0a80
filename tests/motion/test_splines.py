import time
from dataclasses import replace

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from rib.motion.splines import CubicMotion, LinearMotion
from rib.structures.keypoints import PoseSequence
from rib.structures.skeleton import convert_pose, mirror_pose

OUTLIERS = {
    "_target_": "rib.motion.outliers.MotionOutliers",
    "min_height": 0.05,
    "min_deviations": 4.0,
    "min_travel": 0.75,
    "window_s": 4.0,
}
SETTINGS = {
    "hold_s": 0.5,
    "half_life_s": 0.5,
    "max_absence_s": 1.0,
    "min_confidence": 0.05,
    "outliers": OUTLIERS,
}
BOTH = pytest.mark.parametrize("kind", [LinearMotion, CubicMotion])
STANDING = np.array([
    (50, 20), (50, 38), (40, 40), (36, 62), (34, 82), (60, 40), (64, 62), (66, 82), (50, 85), (44, 85),
    (43, 118), (42, 150), (56, 85), (57, 118), (58, 150), (62, 156), (38, 156), (67, 88), (33, 88),
], float) * 2  # fmt: skip


def walker(frames=30, fps=7.5, missing=0.0, irregular=False, seed=0, name="body19"):
    """Somebody who walks to the right and swings their limbs smoothly."""
    rng = np.random.default_rng(seed)
    times_s = np.arange(frames) / fps
    if irregular:
        times_s = times_s + rng.uniform(-0.3, 0.3, frames) / fps
    swing = rng.uniform(-8, 8, (19, 2)) * np.sin(4 * times_s[:, None, None] + rng.uniform(0, 6, (19, 1)))
    joints = STANDING + swing + times_s[:, None, None] * (60.0, 0.0)
    there = rng.random((frames, 19)) >= missing
    confidence = rng.uniform(0.4, 1, (frames, 19)) * there
    joints *= there[..., None]
    poses = PoseSequence(joints, confidence, times_s, "body19", (900, 400), rng.random((frames, 5)))
    return convert_pose(poses, name)


def moments(poses, num=200):
    return np.linspace(poses.times_s[0], poses.times_s[-1], num)


def assert_same(a, b, atol=1e-8):
    np.testing.assert_allclose(a.keypoints_px, b.keypoints_px, atol=atol)
    np.testing.assert_allclose(a.confidence, b.confidence, atol=atol)


def test_clean_keyframes_give_exactly_the_natural_spline():
    poses = walker(irregular=True)
    t = moments(poses)
    expected = CubicSpline(poses.times_s, poses.keypoints_px, bc_type="natural")(t)
    np.testing.assert_allclose(CubicMotion(**SETTINGS)(poses, t).keypoints_px, expected, atol=1e-9)


def test_clean_keyframes_give_exactly_straight_lines():
    poses = walker(irregular=True)
    t = moments(poses)
    moved = LinearMotion(**SETTINGS)(poses, t).keypoints_px
    for joint in range(19):
        for axis in range(2):
            expected = np.interp(t, poses.times_s, poses.keypoints_px[:, joint, axis])
            np.testing.assert_allclose(moved[:, joint, axis], expected, atol=1e-9)


@BOTH
def test_keyframes_keep_what_was_found(kind):
    poses = walker(missing=0.2, irregular=True)
    moved = kind(**SETTINGS)(poses, poses.times_s)
    found = poses.confidence > 0
    np.testing.assert_array_equal(moved.keypoints_px[found], poses.keypoints_px[found])
    np.testing.assert_array_equal(moved.confidence[found], poses.confidence[found])


@BOTH
def test_gaps_close_in_time_with_a_confidence_that_fades(kind):
    truth = walker(irregular=True)
    poses = replace(truth, confidence=truth.confidence.copy(), keypoints_px=truth.keypoints_px.copy())
    poses.confidence[10:13, 4] = poses.keypoints_px[10:13, 4] = 0
    moved = kind(**SETTINGS)(poses, truth.times_s)
    assert np.linalg.norm(moved.keypoints_px[10:13, 4] - truth.keypoints_px[10:13, 4], axis=-1).max() < 12
    before, middle, after = moved.confidence[[10, 11, 12], 4]
    assert 0 < middle < min(before, after) < 1


@BOTH
def test_a_joint_never_seen_stays_missing_and_one_seen_once_is_held(kind):
    poses = walker()
    poses.confidence[:, 3] = poses.keypoints_px[:, 3] = 0
    kept = poses.keypoints_px[15, 6].copy()
    poses.confidence[:15, 6] = poses.confidence[16:, 6] = 0
    t = moments(poses, 400)
    moved = kind(**SETTINGS)(poses, t)
    assert (moved.confidence[:, 3] == 0).all()
    assert (moved.keypoints_px[:, 3] == 0).all()
    near = np.abs(t - poses.times_s[15]) <= 0.5
    np.testing.assert_array_equal(moved.confidence[:, 6] > 0, near)
    np.testing.assert_array_equal(moved.keypoints_px[near, 6], np.tile(kept, (near.sum(), 1)))


@BOTH
def test_nothing_is_carried_beyond_the_ends_for_longer_than_the_hold(kind):
    poses = walker()
    t = np.array([-2.0, -0.4, poses.times_s[-1] + 0.4, poses.times_s[-1] + 0.6])
    moved = kind(**SETTINGS)(poses, t)
    assert moved.present.tolist() == [False, True, True, False]
    np.testing.assert_array_equal(moved.keypoints_px[1], poses.keypoints_px[0])
    np.testing.assert_array_equal(moved.keypoints_px[2], poses.keypoints_px[-1])


@BOTH
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_keyframes_and_none(kind, count):
    poses = walker()[:count]
    moved = kind(**SETTINGS)(poses, np.linspace(0, 0.3, 7))
    assert moved.keypoints_px.shape == (7, 19, 2)
    assert np.isfinite(moved.keypoints_px).all()
    assert moved.present.all() == (count > 0)
    assert len(kind(**SETTINGS)(walker(), np.zeros(0))) == 0


@BOTH
def test_nobody_at_all_gives_nobody(kind):
    poses = walker(missing=1.0)
    assert not kind(**SETTINGS)(poses, moments(poses)).present.any()


@BOTH
def test_a_cut_is_not_crossed(kind):
    before, after = walker(10), walker(10, seed=1)
    joints = np.concatenate([before.keypoints_px, after.keypoints_px + 300])
    poses = PoseSequence(joints, np.ones((20, 19)), np.arange(20) / 7.5, "body19", (900, 400))
    t = moments(poses, 500)
    moved, motion = kind(**SETTINGS)(poses, t, cuts=[10]), kind(**SETTINGS)
    first = t < (poses.times_s[9] + poses.times_s[10]) / 2
    assert_same(moved[first], motion(poses[:10], t[first]))
    assert_same(moved[~first], motion(poses[10:], t[~first]))
    held = (t > poses.times_s[9]) & first
    np.testing.assert_array_equal(moved.keypoints_px[held], np.tile(joints[9], (held.sum(), 1, 1)))


@BOTH
def test_a_long_absence_is_not_crossed_and_a_short_one_is(kind):
    poses = walker(40)
    poses.confidence[5:8] = poses.confidence[15:35] = 0
    t = moments(poses, 800)
    moved = kind(**SETTINGS)(poses, t)
    away = (t > poses.times_s[14] + 0.5) & (t < poses.times_s[35] - 0.5)
    np.testing.assert_array_equal(moved.present, ~away)
    assert (moved.keypoints_px[away] == 0).all()


@BOTH
def test_rare_keyframes_are_no_absence(kind):
    poses = walker(10, fps=0.5)
    assert kind(**SETTINGS)(poses, moments(poses)).present.all()


@BOTH
@pytest.mark.parametrize("irregular", [False, True])
def test_outliers_are_replaced_by_the_motion_around_them(kind, irregular):
    truth = walker(40, irregular=irregular)
    poses = replace(truth, keypoints_px=truth.keypoints_px.copy())
    rng = np.random.default_rng(3)
    wrong = {(k, j) for k, j in zip(range(2, 40, 4), rng.integers(0, 19, 10), strict=False)}
    for k, j in wrong:
        poses.keypoints_px[k, j] += rng.choice([-1, 1], 2) * rng.uniform(50, 90, 2)
    moved = kind(**SETTINGS)(poses, truth.times_s)
    for k, j in wrong:
        assert np.linalg.norm(moved.keypoints_px[k, j] - truth.keypoints_px[k, j]) < 15
    right = np.array([[(k, j) not in wrong for j in range(19)] for k in range(40)])
    np.testing.assert_array_equal(moved.keypoints_px[right], truth.keypoints_px[right])
    believing = kind(**{**SETTINGS, "outliers": None})(poses, truth.times_s)
    np.testing.assert_array_equal(believing.keypoints_px, poses.keypoints_px)


@BOTH
def test_time_shift_changes_nothing(kind):
    poses, motion = noisy(), kind(**SETTINGS)
    t = moments(poses)
    assert_same(motion(poses, t), motion(replace(poses, times_s=poses.times_s + 1000), t + 1000))


def noisy():
    poses = walker(missing=0.1, irregular=True)
    poses.keypoints_px[7, 4] += 80
    poses.keypoints_px[12, 10] -= 70
    return poses


@BOTH
def test_shifting_and_scaling_the_picture_shifts_and_scales_the_result(kind):
    poses, motion = noisy(), kind(**SETTINGS)
    there = poses.confidence[..., None] > 0
    larger = replace(poses, keypoints_px=np.where(there, poses.keypoints_px * 2.5 + (30, -70), 0))
    moved = motion(poses, moments(poses))
    there = moved.confidence[..., None] > 0
    expected = replace(moved, keypoints_px=np.where(there, moved.keypoints_px * 2.5 + (30, -70), 0))
    assert_same(motion(larger, moments(poses)), expected)


@BOTH
def test_mirrored_input_gives_the_mirrored_result(kind):
    poses, motion = noisy(), kind(**SETTINGS)
    a, b = motion(mirror_pose(poses), moments(poses)), mirror_pose(motion(poses, moments(poses)))
    assert_same(a, b)
    np.testing.assert_allclose(a.depth_order, b.depth_order)


@BOTH
def test_the_order_of_the_wanted_moments_does_not_matter(kind):
    poses, motion = noisy(), kind(**SETTINGS)
    t = moments(poses)
    order = np.random.default_rng(0).permutation(len(t))
    assert_same(motion(poses, t)[order], motion(poses, t[order]), atol=0)


def test_depth_order_moves_on_straight_lines_and_skips_what_is_unknown():
    poses = walker()
    poses.depth_order[4] = np.nan
    t = moments(poses)
    depth = CubicMotion(**SETTINGS)(poses, t).depth_order
    known = np.delete(np.arange(30), 4)
    for layer in range(5):
        expected = np.interp(t, poses.times_s[known], poses.depth_order[known, layer])
        np.testing.assert_allclose(depth[:, layer], expected)


@pytest.mark.slow
def test_a_hundred_thousand_frames_take_about_a_second():
    poses = walker(100_000 // 8, name="body25_hands", missing=0.05)
    t = np.linspace(0, poses.times_s[-1], 100_000)
    start = time.perf_counter()
    CubicMotion(**SETTINGS)(poses, t)
    assert time.perf_counter() - start < 10
