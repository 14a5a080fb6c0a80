from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rib.render.nets.winograd import DoubledConv, Winograd, quickened


def conv(inside: int, out: int, bias: bool = True) -> nn.Conv2d:
    torch.manual_seed(0)
    return nn.Conv2d(inside, out, 3, padding=1, bias=bias).requires_grad_(False)


@pytest.mark.parametrize(("height", "width"), [(8, 12), (7, 5), (1, 2)])
@pytest.mark.parametrize("bias", [True, False])
def test_tiles_give_the_convolution_of_pictures_of_any_size(height: int, width: int, bias: bool) -> None:
    plain, x = conv(6, 4, bias), torch.randn(2, 6, height, width)
    torch.testing.assert_close(Winograd(plain)(x), plain(x), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(8, 12), (7, 5), (1, 2)])
@pytest.mark.parametrize("bias", [True, False])
def test_a_doubled_picture_need_not_be_made(height: int, width: int, bias: bool) -> None:
    plain, x = conv(6, 4, bias), torch.randn(2, 6, height, width)
    doubled = F.interpolate(x, scale_factor=2, mode="nearest")
    torch.testing.assert_close(DoubledConv(plain)(x), plain(doubled), atol=1e-6, rtol=1e-5)


def test_what_few_bits_would_spoil_is_left_to_the_convolution() -> None:
    plain, x = conv(6, 4), torch.randn(2, 6, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(Winograd(plain)(x), plain(x))


def test_only_wide_convolutions_of_the_kind_are_replaced() -> None:
    strided = nn.Conv2d(128, 128, 3, 2, padding=1)
    net = quickened(nn.Sequential(conv(128, 128), conv(128, 4), strided, nn.Sequential(conv(128, 130))))
    assert [type(child) for child in net] == [Winograd, nn.Conv2d, nn.Conv2d, nn.Sequential]
    assert isinstance(net[3][0], Winograd)
