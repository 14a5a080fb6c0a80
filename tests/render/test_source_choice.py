from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from samples_by_hand import SMALL, a_net, channels

from rib.render.nets.source_choice import (
    DRAWN,
    LEAST,
    NUM_DETAILS,
    NUM_DRAWN,
    SOURCES,
    drawing_shares,
    refined_by_choice,
    source_shares,
)
from rib.render.refine.refiner_input import RefinerInput, RefinerOutput

Shares = Callable[[RefinerInput, torch.Tensor, torch.Tensor], torch.Tensor]
CHOICE, DRAWING = ({**SMALL, "head": head} for head in ("choice", "drawing"))
HEADS = pytest.mark.parametrize("recipe", [CHOICE, DRAWING], ids=["choice", "drawing"])
SHARES = pytest.mark.parametrize(
    ("shares", "count"),
    [(source_shares, len(SOURCES)), (drawing_shares, NUM_DRAWN)],
    ids=["choice", "drawing"],
)
SIZE = (24, 20)
NO_DETAILS = torch.zeros(2, NUM_DETAILS, *SIZE)


def drawn() -> RefinerInput:
    return RefinerInput.of(channels(2, *SIZE))


def near(value: float) -> torch.Tensor:
    return torch.full((2, 1, *SIZE), value)


def warped(inputs: RefinerInput) -> torch.Tensor:
    return RefinerOutput(inputs.colour, inputs.alpha, inputs.trust).over(inputs)


@HEADS
def test_untrained_the_picture_is_the_warps_to_a_level_of_a_byte(recipe: dict[str, Any]) -> None:
    inputs = drawn()
    with torch.no_grad():
        made = a_net(recipe).refine(inputs).over(inputs)
    assert float((made - warped(inputs)).abs().max()) < len(SOURCES) * LEAST


def untrusted() -> RefinerInput:
    inputs = drawn()
    return RefinerInput(**{**inputs.__dict__, "trust": torch.zeros_like(inputs.trust)})


@SHARES
def test_far_from_every_limb_nothing_changes_to_the_last_bit(shares: Shares, count: int) -> None:
    offsets, details = torch.randn(2, count, *SIZE), torch.randn(2, NUM_DETAILS, *SIZE)
    inputs = drawn()
    refined = refined_by_choice(inputs, shares(inputs, offsets, near(0.0)), details, near(0.0), inputs.colour)
    assert torch.equal(refined.colour, inputs.colour)
    assert torch.equal(refined.trust, 1 - (1 - inputs.trust))
    assert torch.allclose(refined.alpha, inputs.alpha, atol=1e-6)
    inputs = untrusted()
    refined = refined_by_choice(inputs, shares(inputs, offsets, near(0.0)), details, near(0.0), inputs.colour)
    assert torch.equal(refined.over(inputs), inputs.interpolated)


@SHARES
def test_shares_sum_to_one_and_are_none_of_them_negative(shares: Shares, count: int) -> None:
    found = shares(drawn(), 30 * torch.randn(2, count, *SIZE), near(0.7))
    assert found.shape == (2, len(SOURCES), *SIZE)
    assert torch.allclose(found.sum(1), torch.ones(2, *SIZE), atol=1e-5)
    assert float(found.min()) >= 0


def test_the_interpolated_frame_is_not_chosen_by_itself() -> None:
    """`drawing` leaves what is carried by the flow, and weighs the interpolated frame by the others alone."""
    inputs, nothing = drawn(), torch.zeros(2, NUM_DRAWN, *SIZE)
    shares = drawing_shares(inputs, nothing, near(1.0))
    assert torch.equal(shares[:, 5:], torch.zeros_like(shares[:, 5:]))
    assert float((shares[:, :1] - (1 - inputs.trust)).abs().max()) < len(SOURCES) * LEAST
    for offset, sign in ((1.0, -1), (-1.0, 1)):
        moved = drawing_shares(inputs, nothing + offset, near(1.0))[:, :1] - shares[:, :1]
        assert float((sign * moved).min()) > 0


@pytest.mark.parametrize("source", range(len(SOURCES)))
def test_any_source_can_be_chosen_whatever_the_warp_took(source: int) -> None:
    inputs = drawn()
    offsets = torch.full((2, len(SOURCES), *SIZE), -1e4)
    offsets[:, source] = 1e4
    shares = source_shares(inputs, offsets, near(1.0))
    made = refined_by_choice(inputs, shares, NO_DETAILS, near(1.0), inputs.colour).over(inputs)
    a, alpha_a, b, alpha_b = inputs.per_keyframe.split([3, 1, 3, 1], 1)
    views = [torch.lerp(inputs.plate, x, alpha) for x, alpha in ((a, alpha_a), (b, alpha_b))]
    carried_a, _, carried_b, _ = inputs.carried.split([3, 1, 3, 1], 1)
    pictures = [inputs.interpolated, inputs.colour, *views, inputs.plate, carried_a, carried_b]
    wanted = dict(zip(SOURCES, pictures, strict=True))[SOURCES[source]]
    assert float((made - wanted).abs().max()) < 0.1  # of pictures that are noise
    if SOURCES[source] in SOURCES[DRAWN]:
        shares = drawing_shares(inputs, offsets[:, DRAWN], near(1.0))
        assert float((shares[:, source] / shares[:, DRAWN].sum(1)).min()) > 0.8


@HEADS
@pytest.mark.parametrize("driven", [0.0, 30.0, -30.0])
def test_no_state_of_the_last_layer_is_dead(recipe: dict[str, Any], driven: float) -> None:
    """However far a bias has driven the choice, the gradient that would bring it back is there."""
    net = a_net(recipe)
    torch.nn.init.constant_(net.leave.bias[:1], driven)
    inputs = drawn()
    loss = (net.refine(inputs).over(inputs) - inputs.colour).abs().mean()
    loss.backward()
    assert float(net.leave.bias.grad[0].abs()) > 1e-6


def test_the_first_weights_head_dies_where_the_choice_lives() -> None:
    """Why there is another: a tanh that a bias has driven far lets nothing through."""
    gradients = {}
    for head, output in (("steps", 7), ("choice", 0)):
        net = a_net({**SMALL, "head": head})
        torch.nn.init.constant_(net.leave.bias[output : output + 1], -30.0 if head == "steps" else 30.0)
        inputs = drawn()
        (net.refine(inputs).over(inputs) - inputs.colour).abs().mean().backward()
        gradients[head] = float(net.leave.bias.grad[output].abs())
    assert gradients["steps"] < 1e-12 < 1e-7 < gradients["choice"]


def test_the_choice_does_not_run_away_with_the_layers_before_it() -> None:
    """What the layers add to a direction that pays multiplies; normalised, the last alone tells how far."""
    net, grown = a_net(CHOICE, trained=True), a_net(CHOICE, trained=True)
    with torch.no_grad():
        net.enter.weight.mul_(1e2)
        grown.enter.weight.mul_(1e4)
        for one in (net, grown):
            one.enter.bias.zero_()
            for name, parameter in one.named_parameters():
                if name.endswith("bias") and not name.startswith("leave"):
                    parameter.zero_()
    x = channels(1, 32, 32)
    assert torch.allclose(net.changes(RefinerInput.of(x)), grown.changes(RefinerInput.of(x)), atol=1e-3)


@pytest.mark.parametrize("height", [20, 64, 70, 128])
def test_a_tall_picture_taken_in_by_strips_is_the_same(height: int) -> None:
    net, x = a_net(CHOICE, trained=True), RefinerInput.of(channels(2, height, 26))
    with torch.no_grad():
        assert torch.allclose(net.eval().changes(x), net.train().changes(x), atol=1e-5)


@HEADS
def test_gradients_reach_every_weight(recipe: dict[str, Any]) -> None:
    net, inputs = a_net(recipe, trained=True), RefinerInput.of(channels(1, 32, 32))
    net.refine(inputs).over(inputs).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


@HEADS
def test_shares_stay_shares(recipe: dict[str, Any]) -> None:
    refined = a_net(recipe, trained=True).refine(RefinerInput.of(channels(2, 32, 32)))
    for share in (refined.alpha, refined.trust):
        assert float(share.detach().min()) >= 0
        assert float(share.detach().max()) <= 1
