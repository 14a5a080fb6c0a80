from __future__ import annotations

import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from rib.structures.windows import largest_around, mean_around

sizes = st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 40), st.integers(1, 40))


@settings(max_examples=60, deadline=None)
@given(size=sizes, radius_px=st.integers(0, 19), seed=st.integers(0, 99))
def test_windows_are_those_of_pooling(size: tuple[int, ...], radius_px: int, seed: int) -> None:
    planes = torch.randn(size, generator=torch.Generator().manual_seed(seed))
    if 2 * radius_px + 1 <= min(size[2:]):
        pooled = F.max_pool2d(planes, 2 * radius_px + 1, 1, radius_px)
        mean = F.avg_pool2d(planes, 2 * radius_px + 1, 1, radius_px, count_include_pad=False)
        assert torch.equal(largest_around(planes, radius_px), pooled)
        assert torch.allclose(mean_around(planes, radius_px), mean, atol=1e-5)
    far = largest_around(planes, 40)
    assert torch.equal(far, planes.amax((2, 3), keepdim=True).expand_as(planes))


def test_planes_may_come_without_a_batch() -> None:
    planes = torch.zeros(1, 9, 9)
    planes[0, 4, 4] = 1
    assert float(largest_around(planes, 2).sum()) == 25
