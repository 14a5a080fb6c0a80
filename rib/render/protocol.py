"""The protocols of renderers: one person at a time, planned once an interval and rendered by moments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from rib.render.refine.dataset import RefinerSample
from rib.render.refine.fitting import Report
from rib.structures.box import Box
from rib.structures.interval import Background
from rib.structures.person import RenderedPerson
from rib.structures.person_interval import HoldoutEvidence, PersonInterval


@dataclass
class RenderPlan:
    """A renderer's decision about one person in one interval.

    Attributes:
        person: Who, with all wanted moments.
        drawn: Whether the person is drawn; if not, the interpolated frames stay and nothing is rendered.
        notes: What the decision followed from, by name, for studies.
        holdout: What hold-out validation told, where the renderer asked.
    """

    person: PersonInterval
    drawn: bool
    notes: Mapping[str, float] = field(default_factory=dict, kw_only=True)
    holdout: HoldoutEvidence | None = field(default=None, kw_only=True)


PlanT = TypeVar("PlanT", bound=RenderPlan)


class Renderer(Protocol[PlanT]):
    """Draws people.

    Attributes:
        needs: Words of `rib.pipeline.stages.WORDS` that the chain has to provide.
    """

    needs: frozenset[str]

    def plan(self, person: PersonInterval, moments: slice, background: Background) -> PlanT:
        """Cut out the person and decide whether to draw them, once an interval so that nothing flickers.

        Args:
            person: With all wanted moments of the interval.
            moments: Those in the middle, where the interval is hardest: the decision follows from them.
            background: At these moments; it has no plate yet, which leaves out only those who are drawn.
        """
        ...

    def render(self, plan: PlanT, moments: slice, background: Background) -> RenderedPerson:
        """Draw the person at some moments.

        Args:
            plan: What `plan` gave, with `drawn`.
            moments: Runs of an interval's moments are asked for in order, each once.
            background: At these moments; with the plate where the renderer needs one.
        """
        ...

    def summary(self, notes: Sequence[Mapping[str, float]]) -> dict[str, float]:
        """Figures for summary.json, after all frames were made.

        Args:
            notes: Of the plans of everybody in every interval.
        """
        ...


@runtime_checkable
class HoldoutRenderer(Protocol):
    """A renderer that can be judged on held-out keyframes."""

    def versions(self, person: PersonInterval, background: Background) -> Iterator[RenderedPerson]:
        """Render the person with each version of the renderer, as if the interval were trusted in full.

        The version without a net comes first, the one with it second, where there is a net; each is
        rendered when it is asked for, from one skinning. Where no bone is seen they have no pixel.

        Args:
            person: The wanted moments are those of held-out keyframes.
            background: At these moments, with the plate.
        """
        ...


@runtime_checkable
class BoundedRenderer(Protocol):
    """A renderer that can tell where it draws: nothing else is made of the scene behind the person."""

    def around(self, person: PersonInterval) -> Box | None:
        """The box that holds the person at all wanted moments; None where nothing is drawn."""
        ...


@runtime_checkable
class FittedRenderer(Protocol):
    """A renderer with a net that can be fitted to a clip's own keyframes.

    Attributes:
        fit: Steps of the fit; 0 for none.
        start: A hash of the weights that the fit starts from.
    """

    fit: int
    start: str

    def sample(self, person: PersonInterval, background: Background, truth: Any) -> RefinerSample | None:
        """Make a training sample of held-out moments; None where no bone is seen.

        Args:
            person: The wanted moments are those held out.
            background: At these moments, with the plate.
            truth: (N, 3, H, W) true pictures in 0..1.
        """
        ...

    def fit_to(self, samples: Sequence[RefinerSample], report: Report, path: Path) -> None:
        """Fit the net and write it to a file."""
        ...

    def load(self, path: Path) -> None:
        """Take other weights from here on."""
        ...
