"""`render=warp`: the person cut out of both keyframes, posed and put together again; nothing is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from rib.io.recipe import build
from rib.render.skinning.puppet import Drawing, Puppet
from rib.render.trust import Floor, Trust, floor_person
from rib.structures.interval import Background, Interval, Rendered


class WarpRenderer:
    """Draws the person in the wanted poses from the keyframes' own pixels.

    Args:
        puppet: Recipe of what cuts, poses and draws (`rib.render.skinning.puppet.Puppet`).
        trust: Recipe of what weighs the drawing against the interpolator (`rib.render.trust.Trust`).
    """

    needs: frozenset[str] = frozenset({"keyframe_poses", "poses", "masks", "flow", "plate", "rehearsals"})

    def __init__(self, puppet: Mapping[str, Any], trust: Mapping[str, Any]) -> None:
        self.puppet: Puppet = build(puppet)
        self.trust: Trust = build(trust)
        self._decided: tuple[int, int] | None = None
        self._noted: dict[str, float] = {}

    def __call__(self, interval: Interval, background: Background) -> Rendered:
        """The person at the wanted times; trust is 0 where no bone is seen.

        The first batch of a gap decides for all of it how far the gap is trusted, so that nothing flickers.
        """
        floor = background.interpolated
        foreground, alpha, trust = (
            floor.clone(),
            torch.zeros_like(floor[:, :1]),
            torch.zeros_like(floor[:, :1]),
        )
        drawing = self.puppet.draw(interval)
        if drawing is None:
            return Rendered(foreground, alpha, trust)
        person = floor_person(interval, background, drawing)
        gate, notes = self._gate(interval, drawing, person), self._noted
        drawing.box.of(foreground).copy_(drawing.colour)
        drawing.box.of(alpha).copy_(drawing.alpha)
        drawing.box.of(trust).copy_(gate * self.trust.where(drawing, person))
        return Rendered(foreground, alpha, trust, notes=notes)

    def _gate(self, interval: Interval, drawing: Drawing, person: Floor) -> float:
        """How far the gap is trusted, 0..1; noted beside the log ratios that it follows from."""
        gap = interval.a.index, interval.b.index
        if self._decided != gap:
            evidence = self.trust.evidence(drawing, person)
            self._decided = gap
            self._noted = {
                "gate": self.trust.gate(evidence, interval.rehearsed_db),
                "outline": evidence.outline_log_ratio,
                "colour": evidence.colour_log_ratio,
            }
        return self._noted["gate"]
