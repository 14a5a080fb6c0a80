from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch

from rib.motion.nets.attention import BLOCK
from rib.motion.nets.base import MotionBase, mirror_motion_joints, natural_spline_of_keyframes
from rib.motion.nets.curve import MotionCurve
from rib.motion.nets.keyframe_features import normalise_keyframes
from rib.structures.skeleton import joint_set_named

Keyframes = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
Make = Callable[..., Keyframes]
FLIP = joint_set_named("body19").flip_index


def moments(times: torch.Tensor, n: int = 50) -> torch.Tensor:
    share = torch.linspace(0, 1, n, dtype=torch.float64)
    return times[:, :1] + share * (times[:, -1:] - times[:, :1])


def read(
    net: MotionBase, keys: Keyframes, at: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    with torch.inference_mode():
        return net(*keys).at(moments(keys[0]) if at is None else at)


def test_an_untrained_net_is_the_natural_cubic_spline(keyframes: Make) -> None:
    keys = keyframes(17)
    net = MotionBase(width=16, num_heads=2, num_layers=[1, 1], expansion=2).eval()
    present = torch.ones_like(keys[0], dtype=torch.bool)
    spline = natural_spline_of_keyframes(normalise_keyframes(*keys, present)).at(moments(keys[0]))[0]
    torch.testing.assert_close(read(net, keys)[0], spline, atol=1e-3, rtol=0)


@pytest.mark.parametrize("K", [1, 2, 3, 9])
def test_few_keyframes_give_finite_poses(net: MotionBase, keyframes: Make, K: int) -> None:
    keypoints, confidence = read(net, keyframes(K, missing=0.0))
    assert keypoints.isfinite().all()
    assert ((confidence >= 0) & (confidence <= 1)).all()


def test_one_keyframe_is_held(net: MotionBase, keyframes: Make) -> None:
    keys = keyframes(1, missing=0.0)
    keypoints, _ = read(net, keys, keys[0] + torch.tensor([[-1.0, 0.0, 5.0]]))
    torch.testing.assert_close(keypoints[:, 0], keypoints[:, 2])


def test_all_joints_missing_give_no_confidence_and_no_nan(net: MotionBase, keyframes: Make) -> None:
    keypoints, confidence = read(net, keyframes(6, missing=1.1))
    assert keypoints.isfinite().all()
    assert not confidence.any()


def test_a_joint_never_seen_has_no_confidence_and_moves_nothing_else(
    net: MotionBase, keyframes: Make
) -> None:
    times, keypoints, confidence = keyframes(9)
    confidence[:, :, 17] = 0
    garbage = keypoints.clone()
    garbage[:, :, 17] = 1e6
    a, believed = read(net, (times, keypoints, confidence))
    b, _ = read(net, (times, garbage, confidence))
    torch.testing.assert_close(a, b)
    assert not believed[..., 17].any()


def test_single_and_batched_agree(net: MotionBase, keyframes: Make) -> None:
    clips = [keyframes(K, seed=K) for K in (5, 1, 21, 12)]
    longest = max(t.shape[1] for t, _, _ in clips)
    pad = lambda x: torch.cat([x, x.new_full((1, longest - x.shape[1], *x.shape[2:]), 7.0)], 1)  # noqa: E731
    batch = [torch.cat([pad(clip[i]) for clip in clips]) for i in range(3)]
    present = torch.arange(longest)[None] < torch.tensor([t.shape[1] for t, _, _ in clips])[:, None]
    wanted = torch.cat([moments(t) for t, _, _ in clips])
    with torch.inference_mode():
        together = net(*batch, present).at(wanted)
    for row, clip in enumerate(clips):
        for whole, alone in zip(together, read(net, clip), strict=True):
            torch.testing.assert_close(whole[row : row + 1], alone, atol=1e-3, rtol=1e-5)


def test_shifting_and_scaling_the_picture_shifts_and_scales_the_pose(
    net: MotionBase, keyframes: Make
) -> None:
    times, keypoints, confidence = keyframes(14)
    moved = (keypoints * 3 + torch.tensor([500.0, -200.0])) * (confidence[..., None] > 0)
    a, believed = read(net, (times, keypoints, confidence))
    b, believed_b = read(net, (times, moved, confidence))
    torch.testing.assert_close(b, a * 3 + torch.tensor([500.0, -200.0]), atol=2e-2, rtol=0)
    torch.testing.assert_close(believed, believed_b, atol=1e-3, rtol=0)


def test_a_later_clock_changes_nothing(net: MotionBase, keyframes: Make) -> None:
    times, keypoints, confidence = keyframes(14)
    a, _ = read(net, (times, keypoints, confidence))
    b, _ = read(net, (times + 36_000, keypoints, confidence))
    torch.testing.assert_close(a, b, atol=1e-2, rtol=0)


def test_a_mirrored_pose_gives_the_mirrored_answer(net: MotionBase, keyframes: Make) -> None:
    times, keypoints, confidence = keyframes(14)
    flipped = (times, mirror_motion_joints(keypoints), confidence[..., FLIP])
    a, believed = read(net, (times, keypoints, confidence))
    b, believed_b = read(net, flipped)
    torch.testing.assert_close(b, mirror_motion_joints(a), atol=1e-3, rtol=0)
    torch.testing.assert_close(believed_b, believed[..., FLIP], atol=1e-4, rtol=0)


def test_the_curve_is_continuous_at_keyframes(net: MotionBase, keyframes: Make) -> None:
    keys = keyframes(9)
    knots, e = keys[0][:, 1:-1], 1e-5
    with torch.inference_mode():
        curve = net(*keys)
        left, right = (curve.at(knots + d)[0] for d in (-e, e))
    assert (left - right).abs().max() < 0.1


def test_far_keyframes_do_not_matter_so_cost_stays_linear(net: MotionBase, keyframes: Make) -> None:
    times, keypoints, confidence = keyframes(12 * BLOCK, missing=0.0)
    other = keypoints.clone()
    other[:, -BLOCK:] += 0.5
    with torch.inference_mode():
        a, b = (net(times, k, confidence).at(times)[0][:, : 2 * BLOCK] for k in (keypoints, other))
    # the picture's centre and the person's size are means over the clip, and move a little
    torch.testing.assert_close(a, b, atol=0.1, rtol=0)


def test_gradients_reach_every_parameter(net: MotionBase, keyframes: Make) -> None:
    net = copy.deepcopy(net).train()
    curve: MotionCurve = net(*keyframes(12))
    parts = (curve.position_px, curve.tangent_px, curve.residual_px, curve.log_error, curve.log_error_between)
    sum(p.square().mean() for p in parts).backward()
    assert [n for n, p in net.named_parameters() if p.grad is None or not p.grad.any()] == []
