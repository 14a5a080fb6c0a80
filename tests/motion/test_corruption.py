from __future__ import annotations

from typing import Any

import pytest
import torch

from rib.motion.corruption.detector_noise import DetectorErrors, DetectorNoise
from rib.motion.corruption.sampling import LIMBS, SIDES
from rib.structures.skeleton import BODY19, joint_set_named

NONE: dict[str, Any] = {
    "clean": 0.0, "real": 0.0, "sigma": (1e-9, 1e-9), "joint_spread": 0.0, "correlated": 0.0,
    "correlation_s": (0.1, 0.1), "wander": (0.0, 0.0), "wander_size": (0.01, 0.01),
    "wander_hz": (0.3, 2.0), "heavy": 0.0, "swap": (0.0, 0.0, 0.0), "displaced": 0.0,
    "displacement": (0.1, 0.1), "missing": 0.0, "burst": 0.0, "frame_missing": 0.0, "absent": 0.0,
    "truncated": 0.0,
}  # fmt: skip
B, K, HEIGHT = 64, 12, 250.0


def corrupt(seed: int = 0, bank: DetectorErrors | None = None, **changes: Any) -> tuple[torch.Tensor, Any]:
    g = torch.Generator().manual_seed(seed)
    truth = torch.randn(B, K, len(BODY19), 2, generator=g) * 60 + 300
    times = torch.arange(K, dtype=torch.float64).expand(B, K) / 10
    return truth, DetectorNoise(**{**NONE, **changes})(truth, times, K, HEIGHT, g, bank)


def test_nothing_asked_for_changes_nothing() -> None:
    truth, seen = corrupt()
    torch.testing.assert_close(seen.keypoints, truth)
    assert (seen.confidence > 0).all()


def test_clean_clips_are_exact() -> None:
    truth, seen = corrupt(clean=0.5, sigma=(0.01, 0.02), swap=(0.5, 0.5, 0.5), displaced=0.5)
    assert 0.2 < seen.clean.float().mean() < 0.8
    torch.testing.assert_close(seen.keypoints[seen.clean], truth[seen.clean])
    assert ((seen.keypoints - truth)[~seen.clean].norm(dim=-1) > 0).all()


def test_noise_has_no_bias_and_the_size_asked_for() -> None:
    truth, seen = corrupt(sigma=(0.02, 0.02))
    noise = (seen.keypoints - truth) / HEIGHT
    assert abs(noise.mean()) < 1e-3
    assert noise.std() == pytest.approx(0.02, rel=0.05)


def test_correlated_noise_changes_slowly() -> None:
    steps = []
    for correlated in (0.0, 1.0):
        truth, seen = corrupt(sigma=(0.02, 0.02), correlated=correlated, correlation_s=(1.0, 1.0))
        steps.append((seen.keypoints - truth).diff(dim=1).std())
    assert steps[1] < 0.5 * steps[0]


def test_a_missing_joint_is_zero_with_zero_confidence() -> None:
    _, seen = corrupt(missing=0.5, burst=1.0, frame_missing=0.3, absent=0.5, truncated=0.5)
    gone = seen.confidence == 0
    assert 0.05 < gone.float().mean() < 0.8
    assert not seen.keypoints[gone].any()
    assert (seen.keypoints[~gone] != 0).all()


def test_swaps_exchange_left_and_right_and_nothing_else() -> None:
    truth, seen = corrupt(swap=(1.0, 0.0, 0.0))
    flip = torch.as_tensor(joint_set_named("body19").flip_index)
    moved = (seen.keypoints - truth).norm(dim=-1) > 1e-3
    assert moved.any()
    assert not moved[..., ~SIDES[0]].any()
    torch.testing.assert_close(seen.keypoints[moved], truth[:, :, flip][moved])


def test_displaced_limbs_move_together() -> None:
    truth, seen = corrupt(displaced=1.0)
    moved = (seen.keypoints - truth).norm(dim=-1) > 1e-2
    for row in moved[moved.any(-1)]:
        assert any(torch.equal(row, limb) for limb in LIMBS)


def test_confidence_falls_with_the_error_on_the_whole() -> None:
    truth, seen = corrupt(displaced=1.0, displacement=(0.2, 0.3))
    error = (seen.keypoints - truth).norm(dim=-1)
    assert seen.confidence[error > 10].mean() < seen.confidence[error < 1].mean() - 0.02


def test_a_seed_decides_everything() -> None:
    for a, b, same in ((1, 1, True), (1, 2, False)):
        noisy = [corrupt(seed, sigma=(0.01, 0.02), missing=0.2)[1].confidence for seed in (a, b)]
        assert torch.equal(*noisy) is same


def bank_of(error: torch.Tensor) -> DetectorErrors:
    """One track at 10 frames a second whose errors (50, 19, 2) all last."""
    return DetectorErrors(
        error[None], error[None], torch.ones(1, 50, 19), torch.tensor([50]), torch.tensor([10.0])
    )


def test_where_a_joint_wanders_to_is_where_it_is() -> None:
    truth, seen = corrupt(wander=(1.0, 0.0), wander_size=(0.02, 0.02))
    torch.testing.assert_close(seen.keypoints, seen.meant)
    drift = (seen.meant - truth) / HEIGHT
    assert drift.std() == pytest.approx(0.02, rel=0.3)
    assert drift.diff(dim=1).std() < drift.std()  # 10 keyframes a second, at most 2 Hz


def test_clean_clips_do_not_wander() -> None:
    truth, seen = corrupt(clean=1.0, wander=(1.0, 1.0))
    torch.testing.assert_close(seen.meant, truth)


def test_what_a_detector_goes_on_saying_belongs_to_the_truth() -> None:
    """Errors that last are no noise where joints wander, and noise where they do not."""
    bank = bank_of(torch.full((50, 19, 2), 0.03))
    truth, seen = corrupt(real=1.0, bank=bank, wander=(0.0, 1.0), wander_size=(1e-9, 1e-9))
    torch.testing.assert_close(seen.keypoints, seen.meant, atol=1e-3, rtol=0)
    assert ((seen.meant - truth).norm(dim=-1) > 1).all()
    truth, seen = corrupt(real=1.0, bank=bank)
    torch.testing.assert_close(seen.meant, truth)
    assert ((seen.keypoints - truth).norm(dim=-1) > 1).all()


def test_errors_of_real_detectors_are_read_along_time_and_back() -> None:
    ramp = torch.arange(50.0)[:, None, None].expand(50, 19, 2) / 1000
    truth, seen = corrupt(real=1.0, bank=bank_of(ramp))
    error = (seen.keypoints - truth)[..., 0, 1] / HEIGHT
    assert (seen.confidence == 1).all()
    # keyframes are 0.1 s apart, one frame of the track: neighbours differ by one step up or down
    step = error.diff(dim=1).abs() / error.abs().amax(1, keepdim=True)
    assert (step < 0.2).all()
