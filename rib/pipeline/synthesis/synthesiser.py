"""From an interval and the people in it to output frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from rib.background.carry import interpolate_planes
from rib.background.overlay import lay_still_overlays
from rib.io.images import to_pictures
from rib.pipeline.stage_set import StageSet
from rib.pipeline.synthesis.ahead import BackgroundAhead
from rib.pipeline.synthesis.compositor import (
    composite_people,
    composite_people_alpha,
    composited_trust,
    unpremultiply_alpha,
)
from rib.pipeline.synthesis.neighbours import clear_trust_of_others, interpolated_scene
from rib.pipeline.synthesis.output_frames import OutputFrame
from rib.render.protocol import BoundedRenderer, RenderPlan
from rib.structures.box import Box
from rib.structures.interval import Background, Interval
from rib.structures.person import RenderedPerson
from rib.structures.person_interval import PersonInterval


@dataclass(frozen=True)
class SynthesisedMoments:
    """Some moments of an interval as they were made, for observers.

    Attributes:
        interval: The keyframes and these moments.
        background: At these moments; the plate only where somebody is drawn.
        plans: What was decided about each person of the interval.
        people: Those who are drawn.
        pictures: (N, H, W, 3) RGB or (N, H, W, 4) straight RGBA, uint8 or uint16, the result.
    """

    interval: Interval
    background: Background
    plans: Sequence[RenderPlan]
    people: Sequence[RenderedPerson]
    pictures: np.ndarray


class SynthesisObserver(Protocol):
    """Sees everything that is made; studies give one to the chain."""

    def __call__(self, made: SynthesisedMoments) -> None:
        """Called once for each run of moments."""
        ...


@dataclass(frozen=True)
class Synthesiser:
    """Makes the frames of one interval after the other.

    Attributes:
        stages: Background, plate and renderer.
        batch_mpx: Frames made at once, in 10^6 pixels of output.
        observer: Sees what is made, or None.
        keep_overlays: Whether what stands still over a moving picture is shown as the keyframes show it.
        ahead: Interpolates in the place of the stage, before it is asked for; or None.
    """

    stages: StageSet
    batch_mpx: float
    observer: SynthesisObserver | None = None
    keep_overlays: bool = False
    ahead: BackgroundAhead | None = None

    def frames(self, interval: Interval, people: Sequence[PersonInterval]) -> Iterator[OutputFrame]:
        """The frames at the wanted times, in an odd number of even batches.

        The middle batch is interpolated first: the renderer decides there, where it is hardest, whether
        a person is drawn in the whole interval. What interpolates ahead is told of all batches at once.

        Args:
            interval: Its `indices` number the frames.
            people: Those that both keyframes show.
        """
        batches = self._batches(interval)
        middle = batches[len(batches) // 2]
        if self.ahead is not None:
            order = sorted(batches, key=lambda batch: batch is not middle) if people else batches
            self.ahead.expect(interval.at(batch) for batch in order)
        return self._made(interval, people, batches, middle)

    def _made(
        self, interval: Interval, people: Sequence[PersonInterval], batches: Sequence[slice], middle: slice
    ) -> Iterator[OutputFrame]:
        interpolated = {middle.start: self.interpolate(interval.at(middle))} if people else {}
        plans = self._plan(people, middle, interpolated)
        for batch in batches:
            made = self._batch(interval.at(batch), batch, plans, interpolated)
            if batch is batches[-1]:
                plans = []  # nothing else is held while the last frames are written
            yield from made

    def interpolate(self, interval: Interval) -> Background:
        """The interpolator's frames; no plate yet."""
        with self.stages.watch("background"):
            return (self.ahead or self.stages.background)(interval)

    def with_plate(
        self, background: Background, interval: Interval, people: Sequence[PersonInterval]
    ) -> Background:
        """The background with the scene behind some people, where the renderer needs it.

        Where no keyframe shows the scene the interpolated frame does, but for the people in it; so it does
        where none of them is drawn.

        Args:
            background: At some of the interval's moments.
            interval: Those moments.
            people: Those who are drawn, with all of the interval's moments.
        """
        if "plate" not in self.stages.wiring.wanted:
            return background
        with self.stages.watch("plate"):
            part, without = self._drawn_in(people), [person.track_id for person in people]
            if part is None:
                return background
            shown = interpolated_scene(part.of(background.interpolated), background, interval, without, part)
            scene = self.stages.plate(interval, without, shown, part)
            plate = background.interpolated.clone()
            part.of(plate).copy_(scene)
            return replace(background, plate=plate)

    def _drawn_in(self, people: Sequence[PersonInterval]) -> Box | None:
        """The part of the picture that people are drawn in; None where nobody is."""
        renderer, (width, height) = self.stages.renderer, people[0].interval.a.size_px
        if not isinstance(renderer, BoundedRenderer):
            return Box(0, 0, height, width)
        boxes = [box for person in people if (box := renderer.around(person)) is not None]
        return reduce(Box.union, boxes) if boxes else None

    def _alpha(
        self, interval: Interval, background: Background, people: Sequence[RenderedPerson]
    ) -> Tensor | None:
        """Transparency (N, 1, H, W) of the frames, where the clip has it."""
        shown = interval.of_alpha()
        if shown is None:
            return None
        moved = interpolate_planes(background, shown.a.picture[:1], shown.b.picture[:1], interval.fractions)
        plate = None
        if any(person.trust.any() for person in people):
            without = [person.track_id for person in people]
            scene = interpolated_scene(moved.expand(-1, 3, -1, -1), background, shown, without)
            plate = self.stages.plate(shown, without, scene)[:, :1]
        return composite_people_alpha(moved, plate, people)

    def _batches(self, interval: Interval) -> list[slice]:
        num, (width, height) = len(interval), interval.a.size_px
        size = max(1, int(self.batch_mpx * 1e6 / (height * width)))
        bounds = np.linspace(0, num, min(num, -(-num // size) | 1) + 1).round().astype(int)
        return [slice(*some) for some in pairwise(bounds.tolist())]

    def _plan(
        self, people: Sequence[PersonInterval], middle: slice, interpolated: dict[int, Background]
    ) -> list[Any]:
        plans = []
        for person in people:
            with self.stages.watch("render"):
                plans.append(self.stages.renderer.plan(person, middle, interpolated[middle.start]))
        return plans

    def _batch(
        self, interval: Interval, moments: slice, plans: Sequence[Any], interpolated: dict[int, Background]
    ) -> list[OutputFrame]:
        background = interpolated.pop(moments.start, None) or self.interpolate(interval)
        drawn = [plan for plan in plans if plan.drawn]
        if drawn:
            background = self.with_plate(background, interval, [plan.person for plan in drawn])
        with self.stages.watch("render"):
            rendered = [self.stages.renderer.render(plan, moments, background) for plan in drawn]
        with self.stages.watch("composite"):
            people = clear_trust_of_others(rendered, interval, background)
            alpha = self._alpha(interval, background, people)
            if self.observer is None:  # nobody asks where anything moved from here on
                background = Background(background.interpolated, background.plate)
            made = composite_people(background, people)
            watched = self.keep_overlays and alpha is None
            trusted = composited_trust(people, background.interpolated) if people or watched else None
            if watched:
                assert trusted is not None
                made, trusted = lay_still_overlays(interval, made, trusted)
            white = interval.a.white
            made = made if alpha is None else unpremultiply_alpha(made, alpha, white)
            pictures = to_pictures(made, white)
            shape = pictures.shape[:3]
            trust = np.zeros(shape, np.float32) if trusted is None else trusted[:, 0].cpu().numpy()
        if self.observer is not None:
            self.observer(SynthesisedMoments(interval, background, plans, people, pictures))
        return [OutputFrame(number, pictures[i], -1, trust[i]) for i, number in enumerate(interval.indices)]
