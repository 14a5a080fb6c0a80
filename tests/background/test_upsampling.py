"""Planes enlarged onto others, against PyTorch."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from rib.background.ifnet.upsampling import add_enlarged_planes, enlarge_planes


@pytest.mark.parametrize("factor", [2, 8, 32])
def test_enlarged_planes_are_those_of_pytorch_to_rounding(factor: int) -> None:
    generator = torch.Generator().manual_seed(factor)
    small = 20 * torch.randn(2, 5, 3, 4, generator=generator)
    total = torch.randn(2, 5, 3 * factor, 4 * factor, generator=generator)
    large = F.interpolate(small, scale_factor=float(factor), mode="bilinear", align_corners=False)
    torch.testing.assert_close(enlarge_planes(small, factor), large, atol=1e-4, rtol=0)
    added = total.clone()
    furthest = add_enlarged_planes(added, small, factor)
    torch.testing.assert_close(added, total + large, atol=1e-4, rtol=0)
    torch.testing.assert_close(furthest, large.abs().amax((2, 3)), atol=1e-4, rtol=0)
