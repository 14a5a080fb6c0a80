from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from rib.io.images import to_pictures, to_tensor
from rib.pipeline.synthesis.compositor import (
    composite_people,
    composite_people_alpha,
    composited_trust,
    unpremultiply_alpha,
)
from rib.structures.box import Box
from rib.structures.interval import Background
from rib.structures.person import RenderedPerson

WHOLE = Box(0, 0, 5, 7)


def pictures(seed: int) -> torch.Tensor:
    return torch.rand(2, 3, 5, 7, generator=torch.Generator().manual_seed(seed))


def person(
    colour: torch.Tensor, alpha: torch.Tensor, trust: torch.Tensor, depth: tuple[float, float] = (0, 0),
    box: Box = WHOLE,
) -> RenderedPerson:  # fmt: skip
    return RenderedPerson(0, box, box.of(colour), box.of(alpha), box.of(trust), torch.tensor(depth))


def test_trust_zero_and_nobody_give_exactly_the_interpolated_frame() -> None:
    floor = pictures(0)
    nan = torch.full_like(floor, torch.nan)
    zero = torch.zeros(2, 1, 5, 7)
    background = Background(floor, plate=nan)
    assert torch.equal(composite_people(background, []), floor)
    assert torch.equal(composite_people(background, [person(nan, zero, zero)] * 2), floor)


def test_full_trust_and_alpha_give_the_colour_and_no_alpha_the_plate() -> None:
    floor, front, plate = pictures(0), pictures(1), pictures(2)
    one, zero = torch.ones(2, 1, 5, 7), torch.zeros(2, 1, 5, 7)
    background = Background(floor, plate=plate)
    assert torch.allclose(composite_people(background, [person(front, one, one)]), front)
    assert torch.allclose(composite_people(background, [person(front, zero, one)]), plate)


def test_the_equation() -> None:
    floor, front, plate = pictures(0), pictures(1), pictures(2)
    alpha, trust = pictures(3)[:, :1], pictures(4)[:, :1]
    rendered = alpha * front + (1 - alpha) * plate
    expected = floor + trust * (rendered - floor)
    made = composite_people(Background(floor, plate=plate), [person(front, alpha, trust)])
    assert torch.allclose(made, expected, atol=1e-6)


def test_outside_the_box_nothing_changes() -> None:
    floor, box = pictures(0), Box(1, 2, 3, 4)
    one = torch.ones(2, 1, 5, 7)
    made = composite_people(Background(floor, plate=pictures(1)), [person(pictures(2), one, one, box=box)])
    changed = (made != floor).any(1)
    inside = torch.zeros(5, 7, dtype=torch.bool)
    box.of(inside).fill_(True)
    assert not changed[:, ~inside].any()
    assert changed[:, inside].all()


def test_the_nearer_one_is_in_front_moment_by_moment_in_any_order() -> None:
    floor, one = pictures(0), torch.ones(2, 1, 5, 7)
    a, b = person(pictures(1), one, one, (0, 1)), person(pictures(2), one, one, (1, 0))
    for people in ([a, b], [b, a]):
        made = composite_people(Background(floor, plate=pictures(3)), people)
        assert torch.allclose(made[0], pictures(1)[0])
        assert torch.allclose(made[1], pictures(2)[1])


def test_somebody_far_off_is_seen_through_who_covers_in_part() -> None:
    floor, one = pictures(0), torch.ones(2, 1, 5, 7)
    near = person(pictures(1), 0.25 * one, one, (0, 0))
    far = person(pictures(2), one, one, (1, 1))
    made = composite_people(Background(floor, plate=pictures(3)), [near, far])
    assert torch.allclose(made, 0.25 * pictures(1) + 0.75 * pictures(2), atol=1e-6)


def test_apart_two_people_are_as_each_alone() -> None:
    floor, one = pictures(0), torch.rand(2, 1, 5, 7, generator=torch.Generator().manual_seed(5))
    left, right = Box(0, 0, 5, 3), Box(0, 4, 5, 3)
    background = Background(floor, plate=pictures(3))
    people = [person(pictures(1), one, one, box=left), person(pictures(2), one, one, box=right)]
    both = composite_people(background, people)
    for alone, box in zip(people, (left, right), strict=True):
        assert torch.equal(box.of(both), box.of(composite_people(background, [alone])))


def test_the_trust_map_has_the_greatest_trust_of_anybody() -> None:
    low, high = (person(pictures(1), pictures(3)[:, :1], pictures(n)[:, :1]) for n in (4, 5))
    expected = torch.maximum(low.trust, high.trust)
    assert torch.equal(composited_trust([low, high], pictures(0)), expected)
    assert not composited_trust([], pictures(0)).any()
    empty = replace(low, box=Box.empty(), trust=low.trust[..., :0, :0])
    assert not composited_trust([empty], pictures(0)).any()


def test_people_are_opaque_where_they_are_trusted_and_transparency_is_as_it_was_elsewhere() -> None:
    carried, plate = pictures(0)[:, :1], torch.zeros(2, 1, 5, 7)
    one, zero, alpha = torch.ones(2, 1, 5, 7), torch.zeros(2, 1, 5, 7), pictures(3)[:, :1]
    assert torch.equal(composite_people_alpha(carried, plate, []), carried)
    assert torch.equal(composite_people_alpha(carried, plate, [person(pictures(1), alpha, zero)]), carried)
    assert torch.allclose(composite_people_alpha(carried, plate, [person(pictures(1), alpha, one)]), alpha)


def test_frames_come_back_as_they_were_stored() -> None:
    for kind, channels in ((np.uint8, 3), (np.uint8, 4), (np.uint16, 3), (np.uint16, 4)):
        white = np.iinfo(kind).max
        stored = np.random.default_rng(0).integers(0, white + 1, (6, 8, channels)).astype(kind)
        shown = to_tensor(stored)[None]
        if channels == 4:
            stored[..., 3] |= white // 2 + 1  # what is nearly transparent has no colour to come back
            alpha = to_tensor(stored)[None, 3:]
            shown = unpremultiply_alpha(to_tensor(stored)[None, :3] * alpha, alpha, white)
        made = to_pictures(shown, white)
        assert made.dtype == kind
        assert np.abs(made[0].astype(int) - stored).max() <= (channels == 4)
