from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from painted import turning
from test_warp_trust import cross_fade
from torch import nn

from rib.pipeline.compose import compose
from rib.render.clip_batch import ClipBatch, Generated
from rib.render.reference import ReferenceRenderer
from rib.structures.interval import Interval


class Darker(nn.Module):
    """Every frame is half the one before it, laid over the left half of the background."""

    def forward(self, batch: ClipBatch) -> Generated:
        before, made = batch["frames"][:, 0], []
        for _ in range(batch["backgrounds"].shape[1]):
            before = before / 2
            made.append(before)
        foreground = torch.stack(made, 1)
        alpha = torch.zeros_like(foreground[:, :, :1])
        alpha[..., :70] = 1
        picture = torch.lerp(batch["backgrounds"], foreground, alpha)
        return Generated(picture=picture, foreground=foreground, alpha=alpha)


@pytest.fixture
def walker(monkeypatch: pytest.MonkeyPatch) -> ReferenceRenderer:
    monkeypatch.setattr("rib.render.reference.load_net", lambda *_: Darker())
    return ReferenceRenderer({"_target_": "x"}, "x.ckpt")


def test_it_walks_on_from_the_keyframe(walker: ReferenceRenderer, waving: Interval) -> None:
    background = cross_fade(waving)
    rendered = walker(waving, background)
    picture = compose(background, rendered)
    for n in range(3):
        assert torch.allclose(picture[n, :, :, :70], waving.a.picture[:, :, :70] / 2 ** (n + 1))
    assert torch.equal(picture[..., 70:], background.interpolated[..., 70:])
    assert torch.equal(rendered.state[..., :70], picture[-1:, ..., :70])


def test_it_goes_on_where_the_batch_before_ended(walker: ReferenceRenderer, waving: Interval) -> None:
    parts = [replace(waving, times_s=waving.times_s[[i]], poses=waving.poses[i]) for i in range(3)]
    for n, part in enumerate(parts):
        background = cross_fade(part)
        picture = compose(background, walker(part, background))
        assert torch.allclose(picture[0, :, :, :70], waving.a.picture[:, :, :70] / 2 ** (n + 1))


def test_every_interval_begins_anew(walker: ReferenceRenderer) -> None:
    first, second = turning(0, 60), turning(0, 60)
    second = replace(second, a=replace(second.a, index=5), b=replace(second.b, index=6))
    walker(first, cross_fade(first))
    rendered = walker(second, cross_fade(second))
    assert torch.allclose(rendered.foreground[0], second.a.picture / 2)


def test_weights_are_needed(tmp_path: Path) -> None:
    from rib.io.errors import RibError

    with pytest.raises(RibError, match="no renderer weights at"):
        ReferenceRenderer({"_target_": "x"}, str(tmp_path / "absent.ckpt"))
