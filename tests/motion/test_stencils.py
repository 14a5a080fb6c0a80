from __future__ import annotations

import torch

from rib.motion.nets.stencils import (
    AFTER,
    BEFORE,
    NOISE,
    PREDICTORS,
    apply_keyframe_stencils,
    keyframe_stencils,
)


def uneven(K: int) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    times = torch.cumsum(0.1 + 0.05 * torch.rand(1, K, generator=g, dtype=torch.float64), 1)
    return times, torch.ones(1, K, dtype=torch.bool)


def test_uniform_motion_is_predicted_exactly() -> None:
    times, present = uneven(12)
    x = (3 + 2 * times.float())[..., None, None].expand(1, 12, 4, 2)
    sums = apply_keyframe_stencils(keyframe_stencils(times, present), x)
    assert sums[:, :, : NOISE + 1].abs().max() < 1e-5
    torch.testing.assert_close(sums[0, :-1, AFTER, 0, 0], x[0, :, 0, 0].diff())
    torch.testing.assert_close(sums[0, 1:, BEFORE, 0, 0], x[0, :, 0, 0].diff())


def test_the_measure_of_noise_forgives_a_cubic_but_not_at_the_ends() -> None:
    times, present = uneven(12)
    x = (10 * (times - 0.7) ** 3).float()[..., None, None].expand(1, 12, 1, 2)
    noise = apply_keyframe_stencils(keyframe_stencils(times, present), x)[0, :, NOISE, 0, 0].abs()
    assert noise[2:-2].max() < 1e-4
    assert noise[[0, -1]].min() > 1e-3


def test_what_lacks_a_neighbour_says_nothing() -> None:
    times, present = uneven(6)
    present[0, 4:] = False
    weights = keyframe_stencils(times, present)
    assert not weights[0, 4:].any()
    for row, neighbours in enumerate(PREDICTORS):
        for k in range(4):
            exists = all(0 <= k + n < 4 for n in neighbours)
            assert bool(weights[0, k, row].any()) is exists


def test_bunched_keyframes_do_not_magnify_noise() -> None:
    times = torch.tensor([[0.0, 1.0, 1.001, 2.0, 3.0]], dtype=torch.float64)
    assert keyframe_stencils(times, torch.ones(1, 5, dtype=torch.bool)).abs().max() <= 8
