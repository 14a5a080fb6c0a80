from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
from painted import figure, paint, scene, turning

from rib.config.compose import compose as compose_config
from rib.io.recipe import build_recipe
from rib.pipeline.synthesis.compositor import composite_people, composited_trust
from rib.render.skinning.layered_skinning import SkinnedPerson
from rib.render.trust import TrustBaseline, TrustEvidence, TrustMap, trust_baseline
from rib.render.warp import WarpRenderer
from rib.structures.box import Box
from rib.structures.interval import Background
from rib.structures.person import RenderedPerson
from rib.structures.person_interval import HoldoutEvidence, PersonInterval

TRUST = TrustMap(
    cell=0.05, window=0.28, reach=0.12, low=0.03, high=0.1,
    colour_weight=1.0, holdout_weight=1.0, threshold=0.5, ramp=0.1,
)  # fmt: skip
SKINNING = {
    "_target_": "rib.render.skinning.layered_skinning.LayeredSkinning", "stiffness": 3.0, "reach": 2.6,
    "core": 0.9, "overlap": 0.2, "softness": 0.25, "nearer": 2.0, "sharpness": 2.0, "step_px": 2,
}  # fmt: skip


def renderer() -> WarpRenderer:
    return WarpRenderer(SKINNING, {"_target_": "rib.render.trust.TrustMap", **TRUST.__dict__})


def cross_fade(person: PersonInterval) -> Background:
    """An interpolator that sees no motion."""
    interval = person.interval
    t = interval.fractions.view(-1, 1, 1, 1)
    num, (height, width) = len(t), interval.a.picture.shape[1:]
    plate = torch.from_numpy(scene()).permute(2, 0, 1).float() / 255
    return Background(
        torch.lerp(interval.a.picture, interval.b.picture, t),
        plate=plate.expand(num, -1, -1, -1),
        flow=torch.zeros(num, 4, height, width),
        weight_a=(1 - t).expand(-1, 1, height, width),
    )


def rendered(one: WarpRenderer, person: PersonInterval, parts: int = 1) -> list[RenderedPerson]:
    """Everybody drawn: none or one person; planned in the middle, made in so many parts."""
    num = len(person.interval)
    bounds = [num * i // parts for i in range(parts + 1)]
    moments = [slice(*some) for some in pairwise(bounds)]
    middle = moments[len(moments) // 2]
    plan = one.plan(person, middle, cross_fade(person.at(middle)))
    return [one.render(plan, some, cross_fade(person.at(some))) for some in moments] if plan.drawn else []


def picture(one: WarpRenderer, person: PersonInterval) -> torch.Tensor:
    return composite_people(cross_fade(person), rendered(one, person))


def test_the_person_is_drawn_within_the_box_that_is_told_before(waving: PersonInterval) -> None:
    around = renderer().around(waving)
    assert around is not None
    for person in rendered(renderer(), waving, parts=3):
        assert person.box.common(around) == person.box


def test_the_flow_is_followed_beyond_the_person_and_the_border(waving: PersonInterval) -> None:
    drawn = renderer().skinning.draw(renderer().skinning.cut(waving), slice(None))
    assert drawn is not None
    background, x = cross_fade(waving), torch.arange(waving.interval.a.size_px[0])
    for shift in (3, 40, 10_000):
        flow = torch.full_like(background.flow, -float(shift))
        flow[:, 1::2] = 0
        found = trust_baseline(waving, replace(background, flow=flow), drawn)
        moved = [one.picture[..., (x - shift).clamp(0)] for one in (waving.interval.a, waving.interval.b)]
        differs = drawn.box.of((moved[0] - moved[1]).abs().mean(0, keepdim=True))
        torch.testing.assert_close(found.colour_differs[0], differs, atol=1e-3, rtol=0)


def test_a_limb_that_the_interpolator_loses_is_drawn(waving: PersonInterval) -> None:
    background = cross_fade(waving)
    drawn = picture(renderer(), waving)
    truth = torch.from_numpy(paint(figure(30))[0]).permute(2, 0, 1) / 255
    before, after = (float((x[1] - truth).square().mean()) for x in (background.interpolated, drawn))
    assert after < before / 4


def test_where_both_agree_the_interpolator_is_kept() -> None:
    still = turning(30, 30)
    people = rendered(renderer(), still)
    assert float(composited_trust(people, cross_fade(still).interpolated).max()) < 0.05


def test_far_from_the_person_nothing_changes(waving: PersonInterval) -> None:
    background = cross_fade(waving)
    drawn = picture(renderer(), waving)
    assert torch.equal(drawn[..., 100:, :40], background.interpolated[..., 100:, :40])


def evidence(outline: float, colour: float = 1.0) -> TrustEvidence:
    """The flow's outline, and its colours, are so many times as far apart as the drawing's."""
    return TrustEvidence(baseline_colour=0.1 * colour, skinned_colour=0.1, outline=0.1 * outline, ghost=0.1)


def test_only_the_outline_opens_an_interval() -> None:
    assert TRUST.gate(evidence(outline=2), None) == 1
    assert TRUST.gate(evidence(outline=1), None) == 0
    assert TRUST.gate(evidence(outline=1, colour=3), 5.0) == 0


def test_a_win_smaller_than_expected_counts_against_it_and_a_greater_one_says_nothing() -> None:
    expecting = replace(TRUST, holdout_expected_db=1.5, holdout_weight=0.5, ramp=4.0)
    gates = [
        expecting.gate(evidence(outline=2), holdout) for holdout in (None, 9.0, 1.5, 1.0, 0.0, -1.0, -5.0)
    ]
    assert gates[0] == gates[1] == gates[2] > gates[3] > gates[4] > gates[5] == gates[6]


def test_colours_and_holdouts_can_only_close_it() -> None:
    assert TRUST.gate(evidence(outline=2, colour=0.5), 5.0) == 0
    assert TRUST.gate(evidence(outline=2), -1.0) == 0
    assert TRUST.gate(evidence(outline=2, colour=3), 5.0) == TRUST.gate(evidence(outline=2), None) == 1


def test_strong_evidence_outweighs_a_small_loss() -> None:
    assert TRUST.gate(evidence(outline=4, colour=0.8), -0.3) == 1


def test_whom_the_keyframes_contradict_is_not_drawn() -> None:
    careful = replace(TRUST, max_undecided=0.25)
    assert careful.gate(replace(evidence(outline=4), undecided=0.2), None) == 1
    assert careful.gate(replace(evidence(outline=4), undecided=0.3), None) == 0


@pytest.mark.parametrize("moments", [[0.0, 0.5], [0.0, 0.25, 0.5, 0.75], [0.4, 0.5, 0.6]])
def test_the_share_that_is_undecided_does_not_depend_on_the_rate(moments: list[float]) -> None:
    """A quarter of the person is seen in the first keyframe alone, a quarter in the second alone."""
    t = torch.tensor(moments)
    columns = torch.arange(80).expand(len(t), 1, 40, 80)
    alpha = torch.ones(columns.shape)
    for part, share in ((columns < 20, 1 - t), (columns >= 60, t)):
        alpha = torch.where(part, share[:, None, None, None], alpha)
    skinned = SkinnedPerson(Box(0, 0, 80, 40), 40.0, alpha.expand(-1, 3, -1, -1), alpha, 0 * alpha, 0 * alpha)
    baseline = TrustBaseline(torch.ones_like(alpha), 0 * alpha)

    assert TRUST.evidence(skinned, baseline).undecided == pytest.approx(0.5)


def test_evidence_around_a_pixel_closes_what_is_torn_and_leaves_the_rest() -> None:
    """The outlines differ everywhere; the two keyframes' silhouettes contradict each other on the left."""
    local = replace(TRUST, local_window=0.5, local_threshold=0.5, local_ramp=0.2, local_noise=0.02)
    alpha = torch.ones(1, 1, 80, 120)
    torn = torch.zeros_like(alpha)
    torn[..., :60] = 0.8
    skinned = SkinnedPerson(Box(0, 0, 80, 120), 40.0, alpha.expand(-1, 3, -1, -1), alpha, 0 * alpha, torn)
    around = local.around(skinned, TrustBaseline(1 - 0.5 * alpha, 0 * alpha))
    assert float(around[..., :45].max()) == 0
    assert float(around[..., 75:].min()) == 1
    assert float(TRUST.around(skinned, TrustBaseline(0 * alpha, 0 * alpha)).min()) == 1


def test_silhouettes_that_the_flow_brings_together_better_close_what_is_around() -> None:
    """The outlines differ twice as much as the two keyframes' silhouettes do under the pose."""
    local = replace(TRUST, local_window=0.5, local_threshold=0.3, local_ramp=0.2, local_noise=0.02)
    alpha = torch.ones(1, 1, 80, 120)
    skinned = SkinnedPerson(
        Box(0, 0, 80, 120), 40.0, alpha.expand(-1, 3, -1, -1), alpha, 0 * alpha, 0.25 * alpha
    )
    baseline = TrustBaseline(1 - 0.5 * alpha, 0 * alpha)
    weighed = replace(local, local_ghost_weight=1.0)
    for flow_differs, expected in ((0.0, 0.0), (0.25, 1.0), (0.5, 1.0)):
        both = replace(baseline, mask_differs=flow_differs * alpha)
        assert float(local.around(skinned, both).mean()) == 1
        assert float(weighed.around(skinned, both).mean()) == expected
    assert float(weighed.around(skinned, baseline).mean()) == 1


def behind(plate: torch.Tensor, flow_differs: float = 0.0) -> torch.Tensor:
    """Trust in a plate behind somebody in the middle; the interpolated frame is black."""
    alpha = torch.zeros(1, 1, 80, 120)
    alpha[..., 20:60, 50:70] = 1
    skinned = SkinnedPerson(
        Box(0, 0, 80, 120), 40.0, alpha.expand(-1, 3, -1, -1), alpha, 0 * alpha, 0 * alpha
    )
    baseline = TrustBaseline(alpha, flow_differs + 0 * alpha)
    return replace(TRUST, plate_ramp=0.02, plate_share=0.2).behind(
        skinned, baseline, Background(torch.zeros(1, 3, 80, 120), plate)
    )


def test_a_plate_that_is_wrong_nearly_everywhere_leaves_the_scene_to_the_interpolated_frame() -> None:
    doubled = behind(torch.full((1, 3, 80, 120), 0.3))
    assert float(doubled[..., 20:60, 50:70].min()) == 1
    assert float(doubled[..., :45].max()) == 0


def test_a_plate_is_kept_where_it_is_right_elsewhere_or_the_flow_brings_different_colours() -> None:
    there = torch.zeros(1, 3, 80, 120)
    there[..., :15] = 0.3
    assert float(behind(there).min()) == 1
    assert float(behind(torch.full((1, 3, 80, 120), 0.3), flow_differs=0.5).min()) == 1


def test_held_out_every_drawing_is_trusted(waving: PersonInterval) -> None:
    closed = WarpRenderer(
        SKINNING, {"_target_": "rib.render.trust.TrustMap", **replace(TRUST, threshold=99.0).__dict__}
    )
    assert not rendered(closed, waving)
    (version,) = closed.versions(waving, cross_fade(waving))
    assert float(version.trust.max()) == 1


def test_a_loss_on_held_out_keyframes_closes_the_interval(waving: PersonInterval) -> None:
    background = cross_fade(waving)
    strict = WarpRenderer(
        SKINNING, {"_target_": "rib.render.trust.TrustMap", **replace(TRUST, holdout_weight=99.0).__dict__}
    )
    told = [HoldoutEvidence(0.5), HoldoutEvidence(-9.0)]
    asks = [None, *(lambda evidence=evidence: evidence for evidence in told)]
    plans = [strict.plan(replace(waving, ask_holdouts=ask), slice(None), background) for ask in asks]
    assert plans[0].gate == plans[1].gate > plans[2].gate
    assert [plan.holdout for plan in plans] == [None, *told]


def test_nobody_asks_hold_outs_of_an_interval_that_its_own_evidence_closes(waving: PersonInterval) -> None:
    def unasked() -> HoldoutEvidence:
        raise AssertionError("hold-outs were made")

    closed = WarpRenderer(
        SKINNING, {"_target_": "rib.render.trust.TrustMap", **replace(TRUST, threshold=99.0).__dict__}
    )
    plan = closed.plan(replace(waving, ask_holdouts=unasked), slice(None), cross_fade(waving))
    assert not plan.drawn
    assert plan.holdout is None


def test_it_is_decided_at_a_smaller_size_and_drawn_at_the_full_one(waving: PersonInterval) -> None:
    background, (width, height) = cross_fade(waving), waving.interval.a.size_px
    small = renderer()
    small.trust = replace(TRUST, judged_mpx=width * height / 2e6)
    size_px = small.trust.judged_size((width, height))
    assert size_px[0] * size_px[1] == pytest.approx(width * height / 2, rel=0.02)
    plan = small.plan(waving, slice(None), background)
    alone = renderer().plan(waving.resized(size_px), slice(None), background.resized_motion(size_px))
    assert plan.evidence == alone.evidence
    assert plan.gate == 1
    assert torch.equal(picture(small, waving), picture(renderer(), waving))


def test_a_gap_is_judged_once_however_it_is_cut(waving: PersonInterval) -> None:
    background = cross_fade(waving)
    whole = composite_people(background, rendered(renderer(), waving))
    parts = rendered(renderer(), waving, parts=3)
    assert len(parts) == 3
    for i, part in enumerate(parts):
        alone = composite_people(cross_fade(waving.at(slice(i, i + 1))), [part])
        assert float((alone[0] - whole[i]).abs().mean()) < 0.01


def test_nobody_to_draw_leaves_the_interpolator_alone(waving: PersonInterval) -> None:
    nobody = replace(waving, poses=replace(waving.poses, confidence=waving.poses.confidence * 0))
    assert not rendered(renderer(), nobody)
    (version,) = renderer().versions(nobody, cross_fade(nobody))
    assert version.trust.numel() == 0


def test_the_config_builds_the_renderer() -> None:
    config = compose_config("interpolate", "input=x", "output=y", "rate=2", "render=warp")
    assert isinstance(build_recipe(config.render), WarpRenderer)


def test_views_that_look_different_or_are_covered_are_not_one_person() -> None:
    trust = replace(TRUST, min_likeness=0.75, max_overlap=0.05, max_shared_box=0.1)
    someone = SimpleNamespace(likeness=0.9, overlap=0.0, shared_box=0.0)
    assert trust.knows(someone)
    assert trust.knows(SimpleNamespace(likeness=None, overlap=0.05, shared_box=0.0))
    assert not trust.knows(SimpleNamespace(likeness=0.9, overlap=0.0, shared_box=0.2))
    assert not trust.knows(SimpleNamespace(likeness=0.7, overlap=0.0, shared_box=0.0))
    assert not trust.knows(SimpleNamespace(likeness=0.9, overlap=0.2, shared_box=0.0))
