"""The heads of `net=renderer_base` that choose: per pixel a softmax over what is at hand; a bounded detail.

`choice` weighs everything; `drawing` weighs what can be drawn, against one another and against the
interpolated frame, which it does not choose by itself.

Nothing saturates: a logit's offset is bounded by a softsign, whose slope never falls off exponentially, and
no source's prior is 0, so that every pixel tells the net what another choice would have been worth.
Letters: N moments, K sources, H and W the size of the person's box.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rib.render.refine.refiner_input import RefinerInput, RefinerOutput

SOURCES = ("interpolated", "colour", "view a", "view b", "plate", "carried a", "carried b")
"""What is chosen among: the interpolated frame, the two views' blend, each of them, the scene behind, and
each keyframe as the interpolator's flow carries it, before the two are mixed."""
DRAWN = slice(1, 5)
"""Those of the sources that are a drawing, or the scene behind one."""
NUM_DRAWN = len(SOURCES[DRAWN])
NUM_DETAILS = 4
"""Residual colour (3), share of the blend's own detail."""
LEAST = 0.004
"""Share that a source has at first which the warp does not take at all: one level of 255."""
LARGEST_OFFSET = 4.0
"""Of a logit, either way: enough to choose any source (a share of .92 for one that the warp does not take),
and so little that what the warp takes keeps a share of .08, from which it can come back."""
NOTHING = 1e-6
LARGEST_RESIDUAL = 0.1
"""A net that may paint what it likes learns to paint over its own mistakes, which serves no other clip."""


def source_shares(inputs: RefinerInput, offsets: Tensor, near: Tensor) -> Tensor:
    """Shares (N, K, H, W) of the sources, which sum to 1.

    Args:
        inputs: Its trust (the interval's gate in it) and alpha say what the warp takes: the best choice that
            needs no net.
        offsets: (N, K, H, W) of the logits, before their bound; 0 leaves the warp's choice, but for `LEAST`.
        near: (N, 1, H, W) in 0..1, how far the choice is the net's; the warp's to the last bit where it is 0.
    """
    prior = _prior(inputs)
    nothing = torch.zeros_like(prior[:, :2])
    return _chosen(torch.cat([prior, nothing], 1), offsets, near)


def drawing_shares(inputs: RefinerInput, offsets: Tensor, near: Tensor) -> Tensor:
    """Shares (N, K, H, W) of the sources, which sum to 1, where only what is drawn has an offset.

    The interpolated frame's share falls as theirs rise, and rises as theirs fall; the flow carries nothing.
    Nets that had a say in these two learned it for the people they saw, and lost by it elsewhere.

    Args:
        inputs: See `source_shares`.
        offsets: (N, NUM_DRAWN, H, W) of the logits of `DRAWN`; else as in `source_shares`.
        near: See `source_shares`.
    """
    nothing = torch.zeros_like(offsets[:, :1])
    shares = _chosen(_prior(inputs), torch.cat([nothing, offsets], 1), near)
    return torch.cat([shares, nothing, nothing], 1)


def _prior(inputs: RefinerInput) -> Tensor:
    """What the warp takes of the interpolated frame and of `DRAWN`."""
    trust, alpha = inputs.trust, inputs.alpha
    nothing = torch.zeros_like(trust)
    return torch.cat([1 - trust, trust * alpha, nothing, nothing, trust * (1 - alpha)], 1)


def _chosen(prior: Tensor, offsets: Tensor, near: Tensor) -> Tensor:
    smooth = LEAST + (1 - prior.shape[1] * LEAST) * prior
    chosen = (smooth.log() + softsign(offsets, LARGEST_OFFSET)).softmax(1)
    return prior + near * (chosen - prior)


def refined_by_choice(
    inputs: RefinerInput, shares: Tensor, details: Tensor, near: Tensor, soft_colour: Tensor
) -> RefinerOutput:
    """The person as chosen, in the terms of the compositing equation.

    Args:
        inputs: What is chosen among.
        shares: (N, K, H, W) of `SOURCES`.
        details: (N, NUM_DETAILS, H, W), before their bounds.
        near: (N, 1, H, W) in 0..1, how far details are added.
        soft_colour: (N, 3, H, W), the blend without its detail.
    """
    keep, blend, a, b, behind, flow_a, flow_b = shares.split(1, 1)
    view_a, alpha_a, view_b, alpha_b = inputs.per_keyframe.split([3, 1, 3, 1], 1)
    carried_a, _, carried_b, _ = inputs.carried.split([3, 1, 3, 1], 1)
    a, b, behind = a * alpha_a, b * alpha_b, behind + a * (1 - alpha_a) + b * (1 - alpha_b)
    person = blend + a + b + flow_a + flow_b
    some = person.clamp_min(NOTHING)
    others = ((a, view_a), (b, view_b), (flow_a, carried_a), (flow_b, carried_b))
    colour = inputs.colour + sum(share * (view - inputs.colour) for share, view in others) / some
    detail = softsign(details[:, 3:], 1.0) * (inputs.colour - soft_colour)
    residual = softsign(details[:, :3], LARGEST_RESIDUAL)
    alpha = torch.where(keep < 1, person / (person + behind).clamp_min(NOTHING), inputs.alpha)
    return RefinerOutput(colour + near * (detail + residual), alpha, 1 - keep)


def softsign(x: Tensor, bound: float) -> Tensor:
    """Bound values to -bound .. bound; the slope is 1 at 0 and falls with the square of the value alone."""
    return bound * x / (bound + x.abs())
