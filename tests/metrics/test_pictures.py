from __future__ import annotations

import math

import pytest
import torch
from torchmetrics.functional.image import structural_similarity_index_measure

from rib.metrics.pictures import flicker, psnr_db, ssim, ssim_map, worst_tenth_of_scores


@pytest.fixture
def picture() -> torch.Tensor:
    return torch.rand(3, 24, 31, generator=torch.Generator().manual_seed(0))


def test_a_uniform_error_gives_its_own_psnr(picture: torch.Tensor) -> None:
    assert psnr_db(picture + 0.1, picture) == pytest.approx(20, abs=1e-3)
    assert psnr_db(picture, picture) == pytest.approx(90)


def test_psnr_of_a_region_ignores_the_rest_and_does_not_count_it_as_perfect(picture: torch.Tensor) -> None:
    region = torch.zeros(24, 31, dtype=torch.bool)
    region[4:10, 5:20] = True
    wrong_outside = torch.where(region, picture + 0.1, picture + 0.7)
    assert psnr_db(wrong_outside, picture, region) == pytest.approx(20, abs=1e-3)
    zeroed = psnr_db(wrong_outside * region, picture * region)
    share = float(region.float().mean())
    assert zeroed - 20 == pytest.approx(10 * math.log10(1 / share), abs=1e-2)


def test_a_still_error_does_not_flicker_and_one_that_alternates_does(picture: torch.Tensor) -> None:
    true = torch.stack([picture.roll(t, 2) for t in range(4)])
    error = 0.1 * torch.rand(picture.shape, generator=torch.Generator().manual_seed(1))
    signs = torch.tensor([1.0, -1, 1, -1])[:, None, None, None]
    assert flicker(true, true) == 0
    assert flicker(true + error, true) == pytest.approx(0, abs=1e-7)
    assert flicker(true + signs * error, true) == pytest.approx(2 * float(error.mean()), rel=1e-4)


def test_flicker_of_a_region_ignores_the_rest(picture: torch.Tensor) -> None:
    left = torch.zeros(24, 31, dtype=torch.bool)
    left[:, :8] = True
    true, made = torch.stack([picture] * 2), torch.stack([picture] * 2)
    made[1, :, :, 8:] += 0.3
    assert flicker(made, true, left) == 0
    assert flicker(made, true, ~left) == pytest.approx(0.3, rel=1e-4)


def test_ssim_is_one_for_equal_pictures_and_falls_with_noise(picture: torch.Tensor) -> None:
    noise = torch.randn(picture.shape, generator=torch.Generator().manual_seed(1))
    everywhere = torch.ones(24, 31, dtype=torch.bool)
    assert ssim(picture, picture) == pytest.approx(1)
    assert ssim(picture, picture, everywhere) == pytest.approx(1)
    assert 1 > ssim(picture + 0.05 * noise, picture) > ssim(picture + 0.3 * noise, picture)


def test_ssim_is_that_of_torchmetrics(picture: torch.Tensor) -> None:
    other = picture.roll(1, 2)
    mean, everywhere = structural_similarity_index_measure(
        other[None], picture[None], data_range=1.0, return_full_image=True
    )
    torch.testing.assert_close(ssim_map(other, picture), everywhere[0], atol=1e-5, rtol=0)
    assert ssim(other, picture) == pytest.approx(float(mean), abs=1e-5)


def test_ssim_of_a_region_sees_only_what_is_near(picture: torch.Tensor) -> None:
    left = torch.zeros(24, 31, dtype=torch.bool)
    left[:, :8] = True
    changed = picture.clone()
    changed[:, :, 25:] = 0
    assert ssim(changed, picture, left) == pytest.approx(1, abs=1e-5)
    assert ssim(changed, picture, ~left) < 0.95


def test_the_worst_tenth_follows_the_direction_and_has_at_least_one_value() -> None:
    values = [float(i) for i in range(30)]
    assert worst_tenth_of_scores(values, lower_is_better=True) == 28
    assert worst_tenth_of_scores(values, lower_is_better=False) == 1
    assert worst_tenth_of_scores([4.0, 2.0], lower_is_better=False) == 2
