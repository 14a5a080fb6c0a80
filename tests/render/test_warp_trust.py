from __future__ import annotations

import math
from dataclasses import replace

import torch
from painted import figure, paint, scene, turning

from rib.config.compose import compose as compose_config
from rib.io.recipe import build
from rib.pipeline.compose import compose
from rib.render.trust import Evidence, Trust
from rib.render.warp import WarpRenderer
from rib.structures.interval import Background, Interval

TRUST = Trust(
    cell=0.05, window=0.28, reach=0.12, low=0.03, high=0.1,
    colour_weight=1.0, rehearsal_weight=1.0, threshold=0.5, ramp=0.1,
)  # fmt: skip
PUPPET = {
    "_target_": "rib.render.skinning.puppet.Puppet", "stiffness": 3.0, "reach": 2.6, "core": 0.9,
    "overlap": 0.2, "softness": 0.25, "nearer": 2.0, "sharpness": 2.0, "step_px": 2,
}  # fmt: skip


def renderer() -> WarpRenderer:
    return WarpRenderer(PUPPET, {"_target_": "rib.render.trust.Trust", **TRUST.__dict__})


def cross_fade(interval: Interval) -> Background:
    """An interpolator that sees no motion."""
    t = interval.fractions.view(-1, 1, 1, 1)
    num, (height, width) = len(t), interval.a.picture.shape[1:]
    plate = torch.from_numpy(scene()).permute(2, 0, 1).float() / 255
    return Background(
        torch.lerp(interval.a.picture, interval.b.picture, t),
        plate=plate.expand(num, -1, -1, -1),
        flow=torch.zeros(num, 4, height, width),
        weight_a=(1 - t).expand(-1, 1, height, width),
    )


def test_a_limb_that_the_interpolator_loses_is_drawn(waving: Interval) -> None:
    background = cross_fade(waving)
    drawn = compose(background, renderer()(waving, background))
    truth = torch.from_numpy(paint(figure(30))[0]).permute(2, 0, 1) / 255
    before, after = (float((x[1] - truth).square().mean()) for x in (background.interpolated, drawn))
    assert after < before / 4


def test_where_both_agree_the_interpolator_is_kept() -> None:
    still = turning(30, 30)
    rendered = renderer()(still, cross_fade(still))
    assert float(rendered.trust.max()) < 0.05


def test_far_from_the_person_nothing_changes(waving: Interval) -> None:
    background = cross_fade(waving)
    drawn = compose(background, renderer()(waving, background))
    assert torch.equal(drawn[..., 100:, :40], background.interpolated[..., 100:, :40])


def evidence(outline: float, colour: float = 1.0) -> Evidence:
    """The flow's outline, and its colours, are so many times as far apart as the drawing's."""
    return Evidence(floor_colour=0.1 * colour, drawn_colour=0.1, outline=0.1 * outline, ghost=0.1)


def test_only_the_outline_opens_a_gap() -> None:
    assert TRUST.gate(evidence(outline=2), None) == 1
    assert TRUST.gate(evidence(outline=1), None) == 0
    assert TRUST.gate(evidence(outline=1, colour=3), 5.0) == 0


def test_colours_and_rehearsals_can_only_close_it() -> None:
    assert TRUST.gate(evidence(outline=2, colour=0.5), 5.0) == 0
    assert TRUST.gate(evidence(outline=2), -1.0) == 0
    assert TRUST.gate(evidence(outline=2, colour=3), 5.0) == TRUST.gate(evidence(outline=2), None) == 1


def test_strong_evidence_outweighs_a_small_loss() -> None:
    assert TRUST.gate(evidence(outline=4, colour=0.8), -0.3) == 1


def test_in_rehearsal_every_gap_is_open() -> None:
    assert TRUST.gate(evidence(outline=0.5, colour=0.5), math.inf) == 1


def test_a_gap_is_judged_once_however_it_is_cut(waving: Interval) -> None:
    warp = renderer()
    whole = warp(waving, cross_fade(waving)).notes["gate"]
    for i in range(3):
        part = replace(waving, times_s=waving.times_s[[i]], poses=waving.poses[i])
        assert warp(part, cross_fade(part)).notes["gate"] == whole


def test_nobody_to_draw_leaves_the_interpolator_alone(waving: Interval) -> None:
    nobody = replace(waving.poses, confidence=waving.poses.confidence * 0)
    interval = replace(waving, poses=nobody)
    assert float(renderer()(interval, cross_fade(interval)).trust.max()) == 0


def test_the_config_builds_the_renderer() -> None:
    config = compose_config("interpolate", "input=x", "output=y", "rate=2", "render=warp")
    assert isinstance(build(config["render"]), WarpRenderer)
