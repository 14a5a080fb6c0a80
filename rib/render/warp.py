"""`render=warp`: the person cut out of both keyframes, posed and put together again; nothing is trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from rib.io.recipe import build_recipe
from rib.render.protocol import RenderPlan
from rib.render.skinning.layered_skinning import LayeredPerson, LayeredSkinning, SkinnedPerson
from rib.render.trust import TrustBaseline, TrustEvidence, TrustMap, trust_baseline
from rib.structures.box import Box
from rib.structures.interval import Background
from rib.structures.person import RenderedPerson
from rib.structures.person_interval import HoldoutEvidence, PersonInterval


@dataclass(frozen=True)
class WarpCandidates:
    """The skinned person beside the interpolator's version of them, at the same moments.

    Attributes:
        skinned: The person by layered skinning.
        baseline: The person as the interpolator has them.
    """

    skinned: SkinnedPerson
    baseline: TrustBaseline


@dataclass
class WarpPlan(RenderPlan):
    """See `RenderPlan`.

    Attributes:
        cut: The person, cut out of both keyframes; None where they are not drawn.
        gate: How far the interval is trusted, 0..1.
        evidence: What the decision followed from.
        decided_at: The moments that the decision followed from, where it was taken at the full size ...
        decided_on: ... and the person rendered there, so that nothing is rendered twice.
    """

    cut: LayeredPerson | None = None
    gate: float = 0.0
    evidence: TrustEvidence | None = None
    decided_at: slice | None = None
    decided_on: WarpCandidates | None = None


class WarpRenderer:
    """Renders the person in the wanted poses from the keyframes' own pixels.

    Args:
        skinning: Recipe of `rib.render.skinning.layered_skinning.LayeredSkinning`.
        trust: Recipe of `rib.render.trust.TrustMap`, which weighs the rendered person against the
            interpolator's.
    """

    needs: frozenset[str] = frozenset({"keyframe_poses", "poses", "masks", "flow", "plate", "holdouts"})
    per_keyframe = False
    """Whether the renderer needs the person as each keyframe alone gives them."""

    def __init__(self, skinning: Mapping[str, Any], trust: Mapping[str, Any]) -> None:
        self.skinning: LayeredSkinning = build_recipe(skinning)
        self.trust: TrustMap = build_recipe(trust)

    def plan(self, person: PersonInterval, moments: slice, background: Background) -> WarpPlan:
        """Cut the person into layers and weigh their rendering against the interpolator; see `Renderer`."""
        if not self.trust.knows(person):
            return WarpPlan(person, False)
        given_px = person.interval.a.size_px
        size_px = self.trust.judged_size(given_px)
        own = size_px == given_px
        shown, behind = (
            (person, background) if own else (person.resized(size_px), background.resized_motion(size_px))
        )
        cut = self.skinning.cut(shown)
        drawn = None if cut is None else self._draw(cut, moments, behind)
        if drawn is None:
            return WarpPlan(person, False)
        evidence = self.trust.evidence(drawn.skinned, drawn.baseline)
        gate, holdout = self.trust.gate(evidence, None), None
        if gate > 0 and person.ask_holdouts is not None:  # they can only close it
            holdout = person.ask_holdouts()
            gate = self.trust.gate(evidence, self.gain_db(holdout))
        notes = {
            "gate": gate,
            "outline": evidence.outline_log_ratio,
            "colour": evidence.colour_log_ratio,
            "undecided": evidence.undecided,
        }
        plan = WarpPlan(person, False, gate=gate, evidence=evidence, notes=notes, holdout=holdout)
        if gate > 0:
            plan.cut = cut if own else self.skinning.cut(person)
            plan.drawn = plan.cut is not None
        if own:
            plan.decided_at, plan.decided_on = moments, drawn
        return plan

    def render(self, plan: WarpPlan, moments: slice, background: Background) -> RenderedPerson:
        """Render the person at the wanted times; trust is 0 where no bone is seen. See `Renderer`."""
        drawn = self._drawn(plan, moments, background)
        if drawn is None:
            return no_rendered_person(plan.person, moments, background)
        skinned, trust = drawn.skinned, plan.gate * self._trusted(drawn, background)
        return place_rendered_person(plan.person, moments, skinned.box, skinned.colour, skinned.alpha, trust)

    def versions(self, person: PersonInterval, background: Background) -> Iterator[RenderedPerson]:
        """Render the person, trusted in full; see `rib.render.protocol.HoldoutRenderer`."""
        cut = self.skinning.cut(person)
        drawn = None if cut is None else self._draw(cut, slice(None), background)
        if drawn is None:
            yield no_rendered_person(person, slice(None), background)
            return
        skinned, trust = drawn.skinned, self._trusted(drawn, background)
        yield place_rendered_person(person, slice(None), skinned.box, skinned.colour, skinned.alpha, trust)

    def gain_db(self, holdout: HoldoutEvidence) -> float | None:
        """PSNR that what would be drawn won on held-out keyframes; None where nothing tells."""
        return holdout.gain_db

    def around(self, person: PersonInterval) -> Box | None:
        """The box of the person at all wanted moments; see `rib.render.protocol.BoundedRenderer`."""
        return self.skinning.around(person)

    def summary(self, notes: Sequence[Mapping[str, float]]) -> dict[str, float]:
        """Nothing to tell."""
        return {}

    def _trusted(self, drawn: WarpCandidates, background: Background) -> torch.Tensor:
        """Where the outlines differ, what is around speaks for who is rendered, and the plate is right."""
        where = self.trust.where(drawn.skinned, drawn.baseline)
        return where * self._supported(drawn, background)

    def _supported(self, drawn: WarpCandidates, background: Background) -> torch.Tensor:
        """The part of the trust that the outlines do not tell."""
        found = drawn.skinned, drawn.baseline
        return self.trust.around(*found) * self.trust.behind(*found, background)

    def _draw(self, cut: LayeredPerson, moments: slice, background: Background) -> WarpCandidates | None:
        skinned = self.skinning.draw(cut, moments, self.per_keyframe)
        return (
            None
            if skinned is None
            else WarpCandidates(
                skinned, trust_baseline(cut.person, background, skinned, carried=self.per_keyframe)
            )
        )

    def _drawn(self, plan: WarpPlan, moments: slice, background: Background) -> WarpCandidates | None:
        """Reuse the person rendered for the decision, or render anew."""
        assert plan.cut is not None
        if moments == plan.decided_at:
            return plan.decided_on
        return self._draw(plan.cut, moments, background)


def place_rendered_person(
    person: PersonInterval,
    moments: slice,
    box: Box,
    colour: torch.Tensor,
    alpha: torch.Tensor,
    trust: torch.Tensor,
) -> RenderedPerson:
    """Record a person rendered in a box of the picture."""
    return RenderedPerson(person.track_id, box, colour, alpha, trust, person.depth_at(moments))


def no_rendered_person(person: PersonInterval, moments: slice, background: Background) -> RenderedPerson:
    """Record a person without a rendered pixel."""
    empty = background.interpolated[..., :0, :0]
    return place_rendered_person(person, moments, Box.empty(), empty, empty[:, :1], empty[:, :1])
