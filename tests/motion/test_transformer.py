from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rib.io.errors import RibError
from rib.motion.nets.base import MotionBase
from rib.motion.nets.checkpoint import save_motion_net
from rib.motion.transformer import TransformerMotion, motion_carrier_joints
from rib.structures.keypoints import PoseSequence
from rib.structures.skeleton import BODY19, JOINT_SETS, joint_set_named, mirror_pose

NET = {
    "_target_": "rib.motion.nets.base.MotionBase", "width": 16, "num_heads": 2, "num_layers": [1, 1],
    "expansion": 2,
}  # fmt: skip


@pytest.fixture
def stage(tmp_path: Path, net: MotionBase) -> TransformerMotion:
    save_motion_net(tmp_path / "net.safetensors", net, NET, {})
    return make(str(tmp_path / "net.safetensors"))


def make(weights: str | None) -> TransformerMotion:
    settings: dict[str, Any] = {
        "hold_s": 0.5,
        "half_life_s": 0.5,
        "max_absence_s": 1.0,
        "min_confidence": 0.05,
    }
    return TransformerMotion(weights=weights, device="cpu", **settings)


def poses(name: str = "body25_hands", K: int = 8) -> PoseSequence:
    rng, J = np.random.default_rng(0), len(joint_set_named(name))
    times = np.arange(K) * 0.2 + 10
    place = rng.uniform(100, 400, (J, 2))
    keypoints = place + 20 * np.sin(3 * times[:, None, None] + rng.uniform(0, 6, (J, 2)))
    return PoseSequence(keypoints, np.full((K, J), 0.8), times, name, (640, 480))


def wanted(p: PoseSequence) -> np.ndarray:
    return np.linspace(p.times_s[0], p.times_s[-1], 29)


@pytest.mark.parametrize(
    "name", ["body19", "body25", "body25_hands", "coco17", "coco_wholebody133", "halpe136"]
)
def test_every_joint_of_any_set_gets_a_place_and_a_confidence(stage: TransformerMotion, name: str) -> None:
    given = poses(name)
    out = stage(given, wanted(given))
    assert out.joint_set == name
    assert out.keypoints_px.shape == (29, len(joint_set_named(name)), 2)
    assert np.isfinite(out.keypoints_px).all()
    assert (out.confidence > 0).all()
    assert (out.confidence <= 1).all()


def test_extra_joints_ride_on_their_limb(stage: TransformerMotion) -> None:
    """A heel that never leaves its ankle's side keeps to it, wherever the net puts the ankle."""
    given = poses("body25")
    names = joint_set_named("body25").joints
    heel, ankle = names.index("left_heel"), names.index("left_ankle")
    given.keypoints_px[:, heel] = given.keypoints_px[:, ankle] + (5, 9)
    out = stage(given, wanted(given))
    np.testing.assert_allclose(
        out.keypoints_px[:, heel] - out.keypoints_px[:, ankle], np.broadcast_to((5, 9), (29, 2))
    )


def test_nothing_moves_across_a_cut(stage: TransformerMotion) -> None:
    given = poses()
    other = poses()
    other.keypoints_px[4:] += 200
    times = wanted(given)
    before = times < (given.times_s[3] + given.times_s[4]) / 2
    a, b = (stage(p, times, cuts=[4]).keypoints_px[before] for p in (given, other))
    np.testing.assert_array_equal(a, b)


def test_a_missing_joint_is_recovered_with_a_confidence(stage: TransformerMotion) -> None:
    given = poses("body19")
    given.confidence[3, 4], given.keypoints_px[3, 4] = 0, 0
    out = stage(given, given.times_s)
    assert out.confidence[3, 4] > 0
    assert np.linalg.norm(out.keypoints_px[3, 4] - poses("body19").keypoints_px[3, 4]) < 100


def test_what_was_never_seen_stays_unknown(stage: TransformerMotion) -> None:
    given = poses("body25_hands")
    given.confidence[:, 4], given.confidence[:, 25:46] = 0, 0
    out = stage(given, wanted(given))
    assert not out.confidence[:, 4].any()
    assert not out.confidence[:, 25:46].any()
    assert not out.keypoints_px[:, 25:46].any()


def test_a_long_absence_and_an_empty_track_give_no_confidence(stage: TransformerMotion) -> None:
    given = poses(K=20)
    given.confidence[5:15] = 0
    out = stage(given, np.array([given.times_s[10]]))
    assert not out.confidence.any()
    given.confidence[:] = 0
    assert not stage(given, wanted(given)).confidence.any()


@pytest.mark.parametrize("K", [0, 1, 2])
def test_short_tracks_are_defined(stage: TransformerMotion, K: int) -> None:
    given = poses(K=K)
    times = given.times_s if K else np.array([1.0, 2.0])
    out = stage(given, times)
    assert np.isfinite(out.keypoints_px).all()
    assert len(out) == len(times)


def test_a_mirrored_clip_gives_the_mirrored_clip(stage: TransformerMotion) -> None:
    given = poses()
    a, b = mirror_pose(stage(given, wanted(given))), stage(mirror_pose(given), wanted(given))
    np.testing.assert_allclose(a.keypoints_px, b.keypoints_px, atol=1e-2)


@pytest.mark.parametrize("name", JOINT_SETS)
def test_joints_of_the_19_carry_themselves(name: str) -> None:
    for joint, carrier in zip(joint_set_named(name).joints, motion_carrier_joints(name), strict=True):
        if joint in BODY19:
            assert BODY19[carrier] == joint
        elif joint.startswith(("left_hand_", "right_hand_")):
            assert joint.startswith(BODY19[carrier])


def test_absent_weights_are_told_in_one_line() -> None:
    with pytest.raises(RibError, match=r"no motion weights at nowhere\.ckpt"):
        make("nowhere.ckpt")
