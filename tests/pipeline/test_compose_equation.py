from __future__ import annotations

import numpy as np
import torch

from rib.pipeline.compose import compose, to_float, to_uint8
from rib.structures.interval import Background, Rendered


def pictures(seed: int) -> torch.Tensor:
    return torch.rand(2, 3, 5, 7, generator=torch.Generator().manual_seed(seed))


def test_trust_zero_gives_exactly_the_interpolated_frame() -> None:
    floor = pictures(0)
    nan = torch.full_like(floor, torch.nan)
    zero = torch.zeros(2, 1, 5, 7)
    assert torch.equal(compose(Background(floor, plate=nan), Rendered(nan, zero, zero)), floor)


def test_full_trust_and_alpha_give_the_foreground_and_no_alpha_the_plate() -> None:
    floor, front, plate = pictures(0), pictures(1), pictures(2)
    one, zero = torch.ones(2, 1, 5, 7), torch.zeros(2, 1, 5, 7)
    assert torch.allclose(compose(Background(floor, plate=plate), Rendered(front, one, one)), front)
    assert torch.allclose(compose(Background(floor, plate=plate), Rendered(front, zero, one)), plate)


def test_the_equation() -> None:
    floor, front, plate = pictures(0), pictures(1), pictures(2)
    alpha, trust = pictures(3)[:, :1], pictures(4)[:, :1]
    rendered = alpha * front + (1 - alpha) * plate
    expected = floor + trust * (rendered - floor)
    assert torch.allclose(
        compose(Background(floor, plate=plate), Rendered(front, alpha, trust)), expected, atol=1e-6
    )


def test_eight_bits_survive_the_way_through_floats() -> None:
    every = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    picture = np.concatenate([every, every[:, ::-1], every]).transpose(1, 2, 0)
    assert np.array_equal(to_uint8(to_float(picture)[None])[0], picture)
