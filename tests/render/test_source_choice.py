from __future__ import annotations

import pytest
import torch
from samples_by_hand import SMALL, a_net, channels

from rib.render.nets.source_choice import LEAST, NUM_OUTPUTS, SOURCES, refined_by_choice, source_shares
from rib.render.refine.refiner_input import RefinerInput, RefinerOutput

CHOICE = {**SMALL, "head": "choice"}
SIZE = (24, 20)


def drawn() -> RefinerInput:
    return RefinerInput.of(channels(2, *SIZE))


def near(value: float) -> torch.Tensor:
    return torch.full((2, 1, *SIZE), value)


def warped(inputs: RefinerInput) -> torch.Tensor:
    return RefinerOutput(inputs.colour, inputs.alpha, inputs.trust).over(inputs)


def test_untrained_the_picture_is_the_warps_to_a_level_of_a_byte() -> None:
    inputs = drawn()
    with torch.no_grad():
        made = a_net(CHOICE).refine(inputs).over(inputs)
    assert float((made - warped(inputs)).abs().max()) < len(SOURCES) * LEAST


def test_far_from_every_limb_nothing_changes_to_the_last_bit() -> None:
    inputs = drawn()
    refined = refined_by_choice(inputs, torch.randn(2, NUM_OUTPUTS, *SIZE), near(0.0), inputs.colour)
    assert torch.equal(refined.colour, inputs.colour)
    assert torch.equal(refined.trust, 1 - (1 - inputs.trust))
    assert torch.allclose(refined.alpha, inputs.alpha, atol=1e-6)
    untrusted = RefinerInput(**{**inputs.__dict__, "trust": torch.zeros_like(inputs.trust)})
    refined = refined_by_choice(untrusted, torch.randn(2, NUM_OUTPUTS, *SIZE), near(0.0), inputs.colour)
    assert torch.equal(refined.over(untrusted), inputs.interpolated)


def test_shares_sum_to_one_and_are_none_of_them_negative() -> None:
    shares = source_shares(drawn(), 30 * torch.randn(2, len(SOURCES), *SIZE), near(0.7))
    assert torch.allclose(shares.sum(1), torch.ones(2, *SIZE), atol=1e-5)
    assert float(shares.min()) >= 0


@pytest.mark.parametrize("source", range(len(SOURCES)))
def test_any_source_can_be_chosen_whatever_the_warp_took(source: int) -> None:
    inputs = drawn()
    changes = torch.zeros(2, NUM_OUTPUTS, *SIZE)
    changes[:, : len(SOURCES)] = -1e4
    changes[:, source] = 1e4
    made = refined_by_choice(inputs, changes, near(1.0), inputs.colour).over(inputs)
    a, alpha_a, b, alpha_b = inputs.per_keyframe.split([3, 1, 3, 1], 1)
    views = [torch.lerp(inputs.plate, x, alpha) for x, alpha in ((a, alpha_a), (b, alpha_b))]
    carried_a, _, carried_b, _ = inputs.carried.split([3, 1, 3, 1], 1)
    pictures = [inputs.interpolated, inputs.colour, *views, inputs.plate, carried_a, carried_b]
    wanted = dict(zip(SOURCES, pictures, strict=True))[SOURCES[source]]
    assert float((made - wanted).abs().max()) < 0.1  # of pictures that are noise


@pytest.mark.parametrize("driven", [0.0, 30.0, -30.0])
def test_no_state_of_the_last_layer_is_dead(driven: float) -> None:
    """However far a bias has driven the choice, the gradient that would bring it back is there."""
    net = a_net(CHOICE)
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
    assert torch.allclose(net.changes(x), grown.changes(x), atol=1e-3)


def test_gradients_reach_every_weight() -> None:
    net, inputs = a_net(CHOICE, trained=True), RefinerInput.of(channels(1, 32, 32))
    net.refine(inputs).over(inputs).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


def test_shares_stay_shares() -> None:
    refined = a_net(CHOICE, trained=True).refine(RefinerInput.of(channels(2, 32, 32)))
    for share in (refined.alpha, refined.trust):
        assert float(share.detach().min()) >= 0
        assert float(share.detach().max()) <= 1
