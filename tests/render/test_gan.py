from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from painted import turning
from samples_by_hand import SMALL, a_net, channels
from test_refiner_dataset import CROPS, FIT
from test_warp_trust import SKINNING, TRUST, cross_fade, picture, rendered, renderer

from rib.config.compose import compose as compose_config
from rib.io.errors import RibError
from rib.io.recipe import build_recipe
from rib.pipeline.synthesis.compositor import composite_people
from rib.render.gan import GanRenderer
from rib.render.nets.checkpoint import load_renderer_net, save_renderer_net, shipped_renderer_weights
from rib.render.refine.refiner_input import RefinerInput
from rib.structures.person_interval import HoldoutEvidence, PersonInterval, Refinement

GOOD, BAD = Refinement(-0.01, 0.1, -0.01, 0.004), Refinement(0.01, 0.1, -0.005, 0.004)


def gan(ckpt: Path | None, fit: int = 0, decides: bool = False) -> GanRenderer:
    return GanRenderer(
        SKINNING,
        {"_target_": "rib.render.trust.TrustMap", **TRUST.__dict__},
        SMALL,
        str(ckpt) if ckpt else "untrained",
        fit,
        {"_target_": "rib.render.refine.fitting.RefinerFitRecipe", **FIT.__dict__},
        {"_target_": "rib.render.refine.crops.RefinerCropRecipe", **CROPS.__dict__},
        1,
        0.0,
        1.0,
        -0.1,
        decides,
    )


@pytest.fixture
def untrained(tmp_path: Path) -> Path:
    save_renderer_net(tmp_path / "untrained.safetensors", a_net(SMALL), SMALL, {})
    return tmp_path / "untrained.safetensors"


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    save_renderer_net(tmp_path / "trained.safetensors", a_net(SMALL, trained=True), SMALL, {})
    return tmp_path / "trained.safetensors"


@pytest.fixture
def judged(waving: PersonInterval) -> PersonInterval:
    return replace(waving, ask_holdouts=lambda: HoldoutEvidence(3.0, GOOD))


def told(one: GanRenderer, interval: PersonInterval) -> dict[str, float]:
    """What it says of a result of one interval."""
    return one.summary([one.plan(interval, slice(None), cross_fade(interval)).notes])


def difference(one: GanRenderer, interval: PersonInterval) -> float:
    """Greatest difference of its picture from the training-free renderer's."""
    return float((picture(one, interval) - picture(renderer(), interval)).abs().max())


def test_untrained_it_equals_the_training_free_renderer(untrained: Path, judged: PersonInterval) -> None:
    assert difference(gan(untrained), judged) == 0.0
    assert difference(gan(None), judged) == 0.0


@pytest.mark.parametrize("head", ["steps", "choice"])
def test_a_doubled_plate_gives_way_as_it_does_without_a_net(
    tmp_path: Path, judged: PersonInterval, head: str
) -> None:
    recipe = {**SMALL, "head": head}
    save_renderer_net(tmp_path / "net.safetensors", a_net(recipe), recipe, {})
    with_net, without = gan(tmp_path / "net.safetensors"), renderer()
    plain = picture(without, judged)
    with_net.trust = without.trust = replace(without.trust, plate_ramp=0.02, plate_share=0.01)
    changed, left = (
        (picture(one, judged) - other).abs()
        for one, other in ((without, plain), (with_net, picture(without, judged)))
    )
    where = changed > 0.02
    assert where.any()
    assert float(left[where].mean()) < 0.25 * float(changed[where].mean())


def test_weights_come_with_the_package(judged: PersonInterval) -> None:
    config = compose_config("interpolate", "input=x", "output=y", "rate=2", "render=gan")
    shipped = build_recipe(config.render)
    shipped.trust = TRUST
    assert 0 < difference(shipped, judged) < 1
    assert shipped_renderer_weights().stat().st_size < 20e6
    assert shipped_renderer_weights().with_name("card.md").is_file()


def test_the_net_is_used_where_it_won(trained: Path, judged: PersonInterval) -> None:
    mended = gan(trained)
    assert difference(mended, judged) > 0
    assert told(mended, judged)["net_intervals"] == 1.0
    assert told(mended, judged)["hidden_lpips"] == GOOD.lpips


@pytest.mark.parametrize(
    "found",
    [
        BAD,
        replace(GOOD, psnr_db=-0.2),
        replace(GOOD, lpips_vgg16=0.02),
        None,
    ],
)
def test_where_it_lost_the_drawing_stays(
    trained: Path, judged: PersonInterval, found: Refinement | None
) -> None:
    kept, lost = gan(trained), replace(judged, ask_holdouts=lambda: HoldoutEvidence(3.0, found))
    assert difference(kept, lost) == 0.0
    assert told(kept, lost)["net_intervals"] == 0.0


@pytest.mark.parametrize("found", [replace(BAD, lpips_error=0.006), replace(GOOD, lpips_vgg16=0.0099)])
def test_what_may_be_noise_does_not_speak_against_the_net(
    trained: Path, judged: PersonInterval, found: Refinement
) -> None:
    used = replace(judged, ask_holdouts=lambda: HoldoutEvidence(3.0, found))
    assert told(gan(trained), used)["net_intervals"] == 1.0


def test_a_net_that_is_used_is_judged_by_what_it_draws(trained: Path, judged: PersonInterval) -> None:
    one = gan(trained)
    assert one.gain_db(HoldoutEvidence(0.5, GOOD)) == pytest.approx(0.5 + GOOD.psnr_db)
    assert [one.gain_db(HoldoutEvidence(0.5, told)) for told in (BAD, None)] == [0.5, 0.5]
    assert one.gain_db(HoldoutEvidence(None, GOOD)) is None
    one.trust = replace(TRUST, holdout_weight=99.0, holdout_expected_db=0.6)
    drawn = [
        one.plan(
            replace(judged, ask_holdouts=lambda told=told: HoldoutEvidence(0.5, told)),
            slice(None),
            cross_fade(judged),
        ).drawn
        for told in (GOOD, BAD)
    ]
    assert drawn == [True, False]


def test_held_out_it_is_tried_out_of_one_drawing(trained: Path, waving: PersonInterval) -> None:
    tried = gan(trained)
    background = cross_fade(waving)
    pictures = [composite_people(background, [version]) for version in tried.versions(waving, background)]
    (plain,) = renderer().versions(waving, background)
    assert torch.equal(pictures[0], composite_people(background, [plain]))
    assert float((pictures[1] - pictures[0]).abs().max()) > 0
    assert tried.summary([]) == {"net_intervals": 0.0}


def test_in_a_closed_gap_nothing_changes(trained: Path, judged: PersonInterval) -> None:
    closed = replace(judged, ask_holdouts=lambda: HoldoutEvidence(-9.0, GOOD))
    mended = gan(trained)
    mended.trust = replace(mended.trust, threshold=99.0)
    assert torch.equal(picture(mended, closed), cross_fade(closed).interpolated)
    assert told(mended, closed)["net_intervals"] == 0.0


def test_a_net_that_weighs_trust_draws_no_closed_interval(tmp_path: Path, judged: PersonInterval) -> None:
    recipe = {**SMALL, "head": "choice"}
    save_renderer_net(tmp_path / "choice.safetensors", a_net(recipe, trained=True), recipe, {})
    for decides in (True, False):
        weighing = gan(tmp_path / "choice.safetensors", decides=decides)
        assert difference(weighing, judged) > 0
        weighing.trust = replace(weighing.trust, threshold=99.0)
        assert torch.equal(picture(weighing, judged), cross_fade(judged).interpolated)


def test_a_net_that_was_taught_on_others_weighs_what_can_be_drawn_alone(tmp_path: Path) -> None:
    recipe = {**SMALL, "head": "choice"}
    net = a_net(recipe, trained=True)
    save_renderer_net(tmp_path / "choice.safetensors", net, recipe, {})
    decides, draws = (gan(tmp_path / "choice.safetensors", decides=one) for one in (True, False))
    assert (decides.recipe["head"], draws.recipe["head"]) == ("choice", "drawing")
    x = RefinerInput.of(channels(1, 24, 20))
    with torch.no_grad():
        assert torch.equal(decides.net.changes(x), net.changes(x))
        assert torch.allclose(
            draws.net.changes(x),
            net.changes(x)[:, [1, 2, 3, 4, 7, 8, 9, 10]],
            atol=1e-5,
        )
    draws.fit_to([], lambda *_: None, tmp_path / "fitted.safetensors")
    draws.load(tmp_path / "fitted.safetensors")
    assert draws.recipe["head"] == "drawing"


def test_all_moments_at_once_or_one_by_one(trained: Path, judged: PersonInterval) -> None:
    whole = picture(gan(trained), judged)
    for i, part in enumerate(rendered(gan(trained), judged, parts=3)):
        alone = composite_people(cross_fade(judged.at(slice(i, i + 1))), [part])
        # the box is the whole interval's or the moment's own: compare where the drawing decides
        assert float((whole[i] - alone[0]).abs().mean()) < 0.02


def test_fitting_writes_what_it_then_uses(tmp_path: Path, judged: PersonInterval) -> None:
    fitted = gan(None, fit=2)
    background = cross_fade(judged)
    sample = fitted.sample(judged, background, background.interpolated)
    with torch.inference_mode():
        fitted.fit_to([sample], lambda *_: None, tmp_path / "fitted.safetensors")
    fitted.load(tmp_path / "fitted.safetensors")
    assert difference(fitted, judged) > 0


def test_weights_of_another_kind_are_one_line(tmp_path: Path, untrained: Path) -> None:
    with pytest.raises(RibError, match="no renderer weights at"):
        gan(tmp_path / "absent.ckpt")
    (tmp_path / "text.safetensors").write_text("hello")
    with pytest.raises(RibError, match="cannot be read as renderer weights"):
        gan(tmp_path / "text.safetensors")
    torch.save({"state_dict": {}}, tmp_path / "motion.ckpt")
    with pytest.raises(RibError, match="cannot be read as renderer weights"):
        gan(tmp_path / "motion.ckpt")
    with pytest.raises(RibError, match=r"RendererBase, but other\.Net is needed"):
        load_renderer_net(untrained, "other.Net")


def test_nobody_to_draw_leaves_the_interpolator_alone(trained: Path) -> None:
    still = turning(30, 30)
    nobody = replace(still, poses=replace(still.poses, confidence=still.poses.confidence * 0))
    assert not rendered(gan(trained), nobody)
    versions = list(gan(trained).versions(nobody, cross_fade(nobody)))
    assert [version.trust.numel() for version in versions] == [0, 0]
