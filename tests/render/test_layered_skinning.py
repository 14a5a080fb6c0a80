from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from painted import figure, paint, turning

from rib.render.skinning.layered_skinning import LayeredSkinning, SkinnedPerson
from rib.structures.person import PersonView
from rib.structures.person_interval import PersonInterval
from rib.structures.skeleton import BODY25_HANDS, mirror_pose

SKINNING = LayeredSkinning(
    stiffness=3.0, reach=2.6, core=0.9, overlap=0.2, softness=0.25, nearer=2.0, sharpness=2.0, step_px=2
)
ARMS = [BODY25_HANDS.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("elbow", "wrist")]


def draw(person: PersonInterval, per_keyframe: bool = False) -> SkinnedPerson | None:
    cut = SKINNING.cut(person)
    return None if cut is None else SKINNING.draw(cut, slice(None), per_keyframe)


def _on_plate(skinned: SkinnedPerson, plate: torch.Tensor) -> torch.Tensor:
    return skinned.alpha * skinned.colour + (1 - skinned.alpha) * skinned.box.of(plate)


def test_a_person_who_stands_still_is_drawn_as_they_are() -> None:
    still = turning(30, 30)
    skinned = draw(still)
    mask = skinned.box.of(still.a.mask(still.interval.a.size_px))
    assert float((skinned.alpha - mask).abs().mean()) < 0.005
    drawn = _on_plate(skinned, still.interval.a.picture)
    assert float((drawn - skinned.box.of(still.interval.a.picture)).abs().mean()) < 0.003


def test_what_the_matte_holds_beyond_a_layers_reach_is_drawn_too() -> None:
    still = turning(30, 30)
    mask = still.a.mask(still.interval.a.size_px)
    missed = []
    for furthest in (0.0, 4.0):
        thin = replace(SKINNING, reach=0.8, furthest=furthest)
        skinned = thin.draw(thin.cut(still), slice(None))
        missed.append(float((skinned.box.of(mask) - skinned.alpha[0]).clamp_min(0).sum() / mask.sum()))
    assert missed[0] > 0.1 > 0.02 > missed[1]


def test_a_turning_arm_keeps_its_shape(waving: PersonInterval) -> None:
    skinned = draw(waving)
    for i, t in enumerate(waving.interval.fractions.tolist()):
        truth = torch.from_numpy(paint(figure(-10 + 80 * t))[1])
        assert float((skinned.alpha[i, 0] - skinned.box.of(truth)).abs().mean()) < 0.02


def test_times_are_drawn_alike_together_and_one_by_one(waving: PersonInterval) -> None:
    together = draw(waving)
    for i in range(3):
        one = draw(waving.at(slice(i, i + 1)))
        for whole, part in ((together.colour[i], one.colour[0]), (together.alpha[i], one.alpha[0])):
            canvas = torch.zeros(2, len(whole), *waving.interval.a.picture.shape[1:])
            together.box.of(canvas[0]).copy_(whole * together.alpha[i])
            one.box.of(canvas[1]).copy_(part * one.alpha[0])
            torch.testing.assert_close(canvas[0], canvas[1], atol=0.02, rtol=0)


def test_the_mirrored_clip_is_drawn_mirrored(waving: PersonInterval) -> None:
    def flip(keyframe):
        view = keyframe.person(0)
        mask = view.mask(keyframe.size_px).flip(2)
        people = (PersonView.of(mirror_pose(view.pose), mask),)
        return replace(keyframe, pixels=keyframe.picture.flip(2), people=people)

    interval = replace(waving.interval, a=flip(waving.interval.a), b=flip(waving.interval.b))
    other = PersonInterval.of(interval, mirror_pose(waving.poses))
    canvases = []
    for interval in (waving, other):
        skinned = draw(interval)
        canvas = torch.zeros(3, 1, *interval.interval.a.picture.shape[1:])
        skinned.box.of(canvas).copy_(skinned.alpha)
        canvases.append(canvas)
    assert float((canvases[0] - canvases[1].flip(3)).abs().mean()) < 0.003


def test_nobody_is_drawn_without_bones(waving: PersonInterval) -> None:
    nobody = replace(waving.poses, confidence=np.zeros_like(waving.poses.confidence))
    assert draw(replace(waving, poses=nobody)) is None


def test_who_enters_the_picture_is_left_to_the_interpolator(waving: PersonInterval) -> None:
    confidence = waving.a.pose.confidence.copy()
    confidence[0, BODY25_HANDS.index("left_hip")] = 0
    cut_off = replace(waving.a, pose=replace(waving.a.pose, confidence=confidence))
    assert draw(replace(waving, a=cut_off)) is None


def test_a_limb_that_is_never_found_is_left_out(waving: PersonInterval) -> None:
    def without_legs(pose):
        confidence = pose.confidence.copy()
        confidence[:, [10, 11, 13, 14, 19, 22]] = 0
        return replace(pose, confidence=confidence)

    a, b = (replace(k, pose=without_legs(k.pose)) for k in (waving.a, waving.b))
    skinned = draw(replace(waving, a=a, b=b, poses=without_legs(waving.poses)))
    canvas = torch.zeros(3, 1, *waving.interval.a.picture.shape[1:])
    skinned.box.of(canvas).copy_(skinned.alpha)
    assert float(canvas[0, 0, 100:].max()) < 0.1
    assert torch.isfinite(skinned.colour).all()


def test_a_limb_that_no_keyframe_shows_surely_is_hidden_and_left_out_too(waving: PersonInterval) -> None:
    def doubt(person: PersonInterval, confidence: float) -> PersonInterval:
        def arms(pose):
            some = pose.confidence.copy()
            some[:, ARMS] = confidence
            return replace(pose, confidence=some)

        a, b = (replace(view, pose=arms(view.pose)) for view in (person.a, person.b))
        return replace(person, a=a, b=b, poses=arms(person.poses))

    sure = replace(SKINNING, min_confidence=0.2)
    alpha = {
        confidence: sure.draw(sure.cut(doubt(waving, confidence)), slice(None)).alpha.sum()
        for confidence in (0.0, 0.1, 0.9)
    }
    assert alpha[0.1] == pytest.approx(float(alpha[0.0]), rel=0.03)
    assert alpha[0.9] > 1.05 * alpha[0.1]
    one = doubt(waving, 0.1)
    seen_once = replace(one, b=waving.b)
    assert sure.draw(sure.cut(seen_once), slice(None)).alpha.sum() == pytest.approx(float(alpha[0.9]))
