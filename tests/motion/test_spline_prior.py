from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.interpolate import CubicSpline

from rib.motion.nets.spline_prior import (
    fill_missing_joints,
    motion_intervals_s,
    natural_spline_tangents,
    shift_motion,
)


def uneven_knots(K: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    times = torch.cumsum(0.02 + 0.3 * torch.rand(2, K, generator=g, dtype=torch.float64), 1)
    return times, torch.randn(2, K, 3, 2, generator=g)


def test_shift_looks_forward_and_back_and_past_the_end() -> None:
    x = torch.arange(4.0)[None, :, None]
    assert shift_motion(x, 1).flatten().tolist() == [1, 2, 3, 0]
    assert shift_motion(x, -2, 9.0).flatten().tolist() == [9, 9, 0, 1]
    assert shift_motion(x, 7).flatten().tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("K", [2, 3, 4, 5, 40, 300])
def test_tangents_are_those_of_scipys_natural_spline(K: int) -> None:
    times, x = uneven_knots(K)
    count = torch.full((2,), K)
    tangents = natural_spline_tangents(x, motion_intervals_s(times, count)[..., None], count[:, None])
    for t, values, found in zip(times, x, tangents, strict=True):
        if K == 2:
            expected = np.diff(values.numpy(), axis=0) / np.diff(t.numpy())[:, None, None]
            expected = np.repeat(expected, 2, axis=0)
        else:
            expected = CubicSpline(t.numpy(), values.double().numpy(), bc_type="natural")(t.numpy(), 1)
        np.testing.assert_allclose(found.numpy(), expected, atol=2e-4)


def test_padding_does_not_reach_the_spline() -> None:
    times, x = uneven_knots(20)
    count = torch.tensor([20, 13])
    padded = natural_spline_tangents(x, motion_intervals_s(times, count)[..., None], count[:, None])
    alone = natural_spline_tangents(
        x[1:, :13], motion_intervals_s(times[1:, :13], count[1:])[..., None], count[1:, None]
    )
    torch.testing.assert_close(padded[1:, :13], alone)
    assert not padded[1, 13:].any()


def test_a_missing_joint_lies_on_the_spline_through_its_own_sights() -> None:
    times, x = uneven_knots(30)
    valid = torch.rand(2, 30, 3, generator=torch.Generator().manual_seed(1)) > 0.3
    filled = fill_missing_joints(x * valid[..., None], valid, times)
    for b in range(2):
        for j in range(3):
            seen, t = valid[b, :, j].numpy(), times[b].numpy()
            spline = CubicSpline(t[seen], x[b, :, j].double().numpy()[seen], bc_type="natural")
            expected = spline(np.clip(t, t[seen][0], t[seen][-1]))
            np.testing.assert_allclose(filled[b, :, j].numpy(), expected, atol=1e-4)


def test_one_sight_is_held_and_none_gives_zero() -> None:
    times, x = uneven_knots(5)
    valid = torch.zeros(2, 5, 3, dtype=torch.bool)
    valid[0, 2, 0] = True
    filled = fill_missing_joints(x, valid, times)
    torch.testing.assert_close(filled[0, :, 0], x[0, 2, 0].expand(5, 2))
    assert not filled[0, :, 1:].any()
    assert not filled[1].any()
