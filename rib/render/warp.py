"""`render=warp`: the person cut out of both keyframes, posed and put together again; nothing is trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from rib.io.recipe import build
from rib.render.protocol import Plan
from rib.render.skinning.puppet import CutPerson, Drawing, Puppet
from rib.render.trust import Floor, Trust, floor_person
from rib.structures.box import Box
from rib.structures.interval import Background
from rib.structures.person import RenderedPerson
from rib.structures.person_interval import PersonInterval


@dataclass(frozen=True)
class Trusted:
    """A drawing beside what the interpolator makes of the person, at the same moments.

    Attributes:
        drawing: The person as drawn.
        floor: The person as the interpolator has them.
    """

    drawing: Drawing
    floor: Floor


@dataclass
class WarpPlan(Plan):
    """See `Plan`.

    Attributes:
        cut: The person, cut out of both keyframes; None where they cannot be drawn.
        gate: How far the interval is trusted, 0..1.
        decided_at: The moments that the decision followed from ...
        decided_on: ... and what was drawn there, so that it is not drawn twice.
    """

    cut: CutPerson | None = None
    gate: float = 0.0
    decided_at: slice | None = None
    decided_on: Trusted | None = None


class WarpRenderer:
    """Draws the person in the wanted poses from the keyframes' own pixels.

    Args:
        puppet: Recipe of what cuts, poses and draws (`rib.render.skinning.puppet.Puppet`).
        trust: Recipe of what weighs the drawing against the interpolator (`rib.render.trust.Trust`).
    """

    needs: frozenset[str] = frozenset({"keyframe_poses", "poses", "masks", "flow", "plate", "holdouts"})
    each = False
    """Whether the drawing has to tell what each keyframe alone gives."""

    def __init__(self, puppet: Mapping[str, Any], trust: Mapping[str, Any]) -> None:
        self.puppet: Puppet = build(puppet)
        self.trust: Trust = build(trust)

    def plan(self, person: PersonInterval, moments: slice, background: Background) -> WarpPlan:
        """Cut out the person and weigh the drawing against the interpolator; see `Renderer`."""
        cut = self.puppet.cut(person)
        drawn = None if cut is None else self._draw(cut, moments, background)
        if drawn is None:
            return WarpPlan(person, False)
        evidence = self.trust.evidence(drawn.drawing, drawn.floor)
        gate = self.trust.gate(evidence, person.holdout.gain_db if person.holdout else None)
        notes = {"gate": gate, "outline": evidence.outline_log_ratio, "colour": evidence.colour_log_ratio}
        return WarpPlan(person, gate > 0, cut, gate, moments, drawn, notes=notes)

    def render(self, plan: WarpPlan, moments: slice, background: Background) -> RenderedPerson:
        """The person at the wanted times; trust is 0 where no bone is seen. See `Renderer`."""
        drawn = self._drawn(plan, moments, background)
        if drawn is None:
            return nobody(plan.person, moments, background)
        trust = plan.gate * self.trust.where(drawn.drawing, drawn.floor)
        drawing = drawn.drawing
        return placed(plan.person, moments, drawing.box, drawing.colour, drawing.alpha, trust)

    def versions(self, person: PersonInterval, background: Background) -> Iterator[RenderedPerson]:
        """The drawing, trusted in full; see `rib.render.protocol.HoldoutRenderer`."""
        cut = self.puppet.cut(person)
        drawn = None if cut is None else self._draw(cut, slice(None), background)
        if drawn is None:
            yield nobody(person, slice(None), background)
            return
        drawing, trust = drawn.drawing, self.trust.where(drawn.drawing, drawn.floor)
        yield placed(person, slice(None), drawing.box, drawing.colour, drawing.alpha, trust)

    def summary(self) -> dict[str, float]:
        """Nothing to tell."""
        return {}

    def _draw(self, cut: CutPerson, moments: slice, background: Background) -> Trusted | None:
        drawing = self.puppet.draw(cut, moments, self.each)
        return None if drawing is None else Trusted(drawing, floor_person(cut.person, background, drawing))

    def _drawn(self, plan: WarpPlan, moments: slice, background: Background) -> Trusted | None:
        """What was drawn for the decision, or another drawing."""
        assert plan.cut is not None
        if moments == plan.decided_at:
            return plan.decided_on
        return self._draw(plan.cut, moments, background)


def placed(
    person: PersonInterval,
    moments: slice,
    box: Box,
    colour: torch.Tensor,
    alpha: torch.Tensor,
    trust: torch.Tensor,
) -> RenderedPerson:
    """The record of a person who is drawn in a box of the picture."""
    return RenderedPerson(person.track_id, box, colour, alpha, trust, person.depth_at(moments))


def nobody(person: PersonInterval, moments: slice, background: Background) -> RenderedPerson:
    """A person of whom no pixel is drawn."""
    empty = background.interpolated[..., :0, :0]
    return placed(person, moments, Box.empty(), empty, empty[:, :1], empty[:, :1])
