"""`render=none`: no person is drawn; the background interpolator's frames are the output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rib.render.protocol import RenderPlan
from rib.structures.interval import Background
from rib.structures.person import RenderedPerson
from rib.structures.person_interval import PersonInterval


class NoRenderer:
    """Renders nobody."""

    needs: frozenset[str] = frozenset()
    draws = False

    def plan(self, person: PersonInterval, moments: slice, background: Background) -> RenderPlan:
        """Plan to render nobody."""
        return RenderPlan(person, drawn=False)

    def render(self, plan: RenderPlan, moments: slice, background: Background) -> RenderedPerson:
        """Refuse: no plan asks for it."""
        raise AssertionError("render=none draws nobody")

    def summary(self, notes: Sequence[Mapping[str, float]]) -> dict[str, float]:
        """Nothing to tell."""
        return {}
