from __future__ import annotations

from pathlib import Path

import pytest
import torch
from painted import turning
from test_warp_trust import cross_fade
from torch import nn

from rib.io.registry import register
from rib.pipeline.synthesis.compositor import composite_people
from rib.render.clip_batch import RendererClipBatch, RendererClipOutput
from rib.render.nets.checkpoint import save_renderer_net
from rib.render.reference import ReferenceRenderer
from rib.structures.person_interval import PersonInterval


@register("renderer net")
class Darker(nn.Module):
    """Every frame is half the one before it, laid over the left half of the background."""

    def forward(self, batch: RendererClipBatch) -> RendererClipOutput:
        before, made = batch["frames"][:, 0], []
        for _ in range(batch["backgrounds"].shape[1]):
            before = before / 2
            made.append(before)
        foreground = torch.stack(made, 1)
        alpha = torch.zeros_like(foreground[:, :, :1])
        alpha[..., :70] = 1
        picture = torch.lerp(batch["backgrounds"], foreground, alpha)
        return RendererClipOutput(picture=picture, foreground=foreground, alpha=alpha)


@pytest.fixture
def walker(tmp_path: Path) -> ReferenceRenderer:
    recipe = {"_target_": f"{__name__}.Darker"}
    save_renderer_net(tmp_path / "darker.safetensors", Darker(), recipe, {})
    return ReferenceRenderer(recipe, str(tmp_path / "darker.safetensors"))


def made(walker: ReferenceRenderer, person: PersonInterval, parts: list[slice]) -> torch.Tensor:
    plan = walker.plan(person, parts[len(parts) // 2], cross_fade(person))
    backgrounds = [cross_fade(person.at(part)) for part in parts]
    return torch.cat(
        [
            composite_people(background, [walker.render(plan, part, background)])
            for part, background in zip(parts, backgrounds, strict=True)
        ]
    )


@pytest.mark.parametrize("parts", [[slice(0, 3)], [slice(0, 1), slice(1, 2), slice(2, 3)]])
def test_it_walks_on_from_the_keyframe_however_it_is_cut(
    walker: ReferenceRenderer, waving: PersonInterval, parts: list[slice]
) -> None:
    picture, background = made(walker, waving, parts), cross_fade(waving)
    for n in range(3):
        before = waving.interval.a.picture[:, :, :70]
        assert torch.allclose(picture[n, :, :, :70], before / 2 ** (n + 1))
    assert torch.equal(picture[..., 70:], background.interpolated[..., 70:])


def test_every_interval_begins_anew(walker: ReferenceRenderer) -> None:
    first, second = turning(0, 60), turning(0, 60)
    made(walker, first, [slice(0, 3)])
    picture = made(walker, second, [slice(0, 3)])
    assert torch.allclose(picture[0, :, :, :70], second.interval.a.picture[:, :, :70] / 2)


def test_weights_are_needed(tmp_path: Path) -> None:
    from rib.io.errors import RibError

    with pytest.raises(RibError, match="no renderer weights at"):
        ReferenceRenderer({"_target_": "x"}, str(tmp_path / "absent.ckpt"))
