from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from painted import figure, paint, turning

from rib.render.skinning.puppet import Drawing, Puppet
from rib.structures.interval import Interval
from rib.structures.skeleton import BODY25_HANDS, mirror

PUPPET = Puppet(
    stiffness=3.0, reach=2.6, core=0.9, overlap=0.2, softness=0.25, nearer=2.0, sharpness=2.0, step_px=2
)


def _on_plate(drawing: Drawing, plate: torch.Tensor) -> torch.Tensor:
    return drawing.alpha * drawing.colour + (1 - drawing.alpha) * drawing.box.of(plate)


def test_a_person_who_stands_still_is_drawn_as_they_are() -> None:
    still = turning(30, 30)
    drawing = PUPPET.draw(still)
    mask = drawing.box.of(still.a.mask)
    assert float((drawing.alpha - mask).abs().mean()) < 0.005
    drawn = _on_plate(drawing, still.a.picture)
    assert float((drawn - drawing.box.of(still.a.picture)).abs().mean()) < 0.003


def test_a_turning_arm_keeps_its_shape(waving: Interval) -> None:
    drawing = PUPPET.draw(waving)
    for i, t in enumerate(waving.fractions.tolist()):
        truth = torch.from_numpy(paint(figure(-10 + 80 * t))[1])
        assert float((drawing.alpha[i, 0] - drawing.box.of(truth)).abs().mean()) < 0.02


def test_times_are_drawn_alike_together_and_one_by_one(waving: Interval) -> None:
    together = PUPPET.draw(waving)
    for i in range(3):
        one = PUPPET.draw(replace(waving, times_s=waving.times_s[[i]], poses=waving.poses[i]))
        for whole, part in ((together.colour[i], one.colour[0]), (together.alpha[i], one.alpha[0])):
            canvas = torch.zeros(2, len(whole), *waving.a.picture.shape[1:])
            together.box.of(canvas[0]).copy_(whole * together.alpha[i])
            one.box.of(canvas[1]).copy_(part * one.alpha[0])
            torch.testing.assert_close(canvas[0], canvas[1], atol=0.02, rtol=0)


def test_the_mirrored_clip_is_drawn_mirrored(waving: Interval) -> None:
    def flip(keyframe):
        picture, mask = keyframe.picture.flip(2), keyframe.mask.flip(2)
        return replace(keyframe, picture=picture, mask=mask, pose=mirror(keyframe.pose))

    other = replace(waving, a=flip(waving.a), b=flip(waving.b), poses=mirror(waving.poses))
    canvases = []
    for interval in (waving, other):
        drawing = PUPPET.draw(interval)
        canvas = torch.zeros(3, 1, *interval.a.picture.shape[1:])
        drawing.box.of(canvas).copy_(drawing.alpha)
        canvases.append(canvas)
    assert float((canvases[0] - canvases[1].flip(3)).abs().mean()) < 0.003


def test_nobody_is_drawn_without_bones(waving: Interval) -> None:
    nobody = replace(waving.poses, confidence=np.zeros_like(waving.poses.confidence))
    assert PUPPET.draw(replace(waving, poses=nobody)) is None


def test_who_enters_the_picture_is_left_to_the_interpolator(waving: Interval) -> None:
    confidence = waving.a.pose.confidence.copy()
    confidence[0, BODY25_HANDS.index("left_hip")] = 0
    cut_off = replace(waving.a, pose=replace(waving.a.pose, confidence=confidence))
    assert PUPPET.draw(replace(waving, a=cut_off)) is None


def test_a_limb_that_is_never_found_is_left_out(waving: Interval) -> None:
    def without_legs(pose):
        confidence = pose.confidence.copy()
        confidence[:, [10, 11, 13, 14, 19, 22]] = 0
        return replace(pose, confidence=confidence)

    a, b = (replace(k, pose=without_legs(k.pose)) for k in (waving.a, waving.b))
    drawing = PUPPET.draw(replace(waving, a=a, b=b, poses=without_legs(waving.poses)))
    canvas = torch.zeros(3, 1, *waving.a.picture.shape[1:])
    drawing.box.of(canvas).copy_(drawing.alpha)
    assert float(canvas[0, 0, 100:].max()) < 0.1
    assert torch.isfinite(drawing.colour).all()
