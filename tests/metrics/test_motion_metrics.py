from __future__ import annotations

import pytest
import torch

from rib.metrics.motion import (
    acceleration_error_px,
    joint_error_per_torso,
    joint_error_px,
    metric_torso_length_px,
    pck,
)


@pytest.fixture
def true() -> torch.Tensor:
    """Three sequences of a person whose torso is 40 px long."""
    joints = 100 * torch.rand(3, 12, 19, 2, generator=torch.Generator().manual_seed(0))
    joints[:, :, 8] = joints[:, :, 1] + torch.tensor([0.0, 40.0])
    return joints


def test_a_shift_is_its_own_error_and_has_no_acceleration(true: torch.Tensor) -> None:
    shifted = true + torch.tensor([3.0, 4.0])
    torch.testing.assert_close(joint_error_px(shifted, true), torch.full((3,), 5.0))
    torch.testing.assert_close(joint_error_per_torso(shifted, true), torch.full((3,), 5 / 40))
    torch.testing.assert_close(acceleration_error_px(shifted, true), torch.zeros(3), atol=1e-4, rtol=0)


def test_pck_counts_the_joints_inside_the_threshold(true: torch.Tensor) -> None:
    predicted = true.clone()
    predicted[:, :, :5, 0] += 10
    torch.testing.assert_close(pck(predicted, true, 0.2), torch.full((3,), 14 / 19))
    torch.testing.assert_close(pck(predicted, true, 0.3), torch.ones(3))


def test_jitter_shows_as_acceleration(true: torch.Tensor) -> None:
    jitter = torch.tensor([1.0, -1.0]).repeat(6)[None, :, None, None] * torch.tensor([1.0, 0.0])
    torch.testing.assert_close(
        acceleration_error_px(true + jitter, true), torch.full((3,), 4.0), atol=1e-4, rtol=0
    )


def test_what_is_not_valid_does_not_count_even_where_it_is_nan(true: torch.Tensor) -> None:
    valid = torch.ones(3, 12, 19, dtype=torch.bool)
    valid[0, 3:6] = False
    valid[2] = False
    predicted = true + torch.tensor([3.0, 4.0])
    predicted[0, 3:6] = torch.nan
    torch.testing.assert_close(joint_error_px(predicted, true, valid)[:2], torch.full((2,), 5.0))
    torch.testing.assert_close(pck(predicted, true, 0.2, valid)[:2], torch.ones(2))
    assert acceleration_error_px(predicted, true, valid)[:2].isfinite().all()
    assert joint_error_px(predicted, true, valid)[2].isnan()
    assert metric_torso_length_px(true, valid)[:2].tolist() == pytest.approx([40, 40])


def test_sequences_do_not_mix(true: torch.Tensor) -> None:
    predicted = true + torch.randn(true.shape, generator=torch.Generator().manual_seed(1))
    for measure in (joint_error_px, joint_error_per_torso, acceleration_error_px):
        batched = measure(predicted, true)
        torch.testing.assert_close(measure(predicted[1:2], true[1:2]), batched[1:2])
