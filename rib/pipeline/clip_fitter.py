"""`render.fit=N`: the renderer's net is fitted to the clip's own keyframes before a frame is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rib.io.cache import Cache
from rib.pipeline.analysis.pose_artefact import analysis_pose_digest
from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.holdout.holdouts import (
    HoldoutFrames,
    hold_out_keyframe,
    holdout_span,
    keyframes_to_hold_out,
)
from rib.pipeline.progress import progress_counter
from rib.pipeline.stage_set import StageSet
from rib.pipeline.synthesis.keyframe_window import KeyframeWindow
from rib.pipeline.synthesis.synthesiser import Synthesiser
from rib.render.protocol import FittedRenderer
from rib.render.refine.dataset import RefinerSample
from rib.render.refine.fitting import Report
from rib.video import FrameSource

JUDGED = 3
"""One keyframe in so many is kept from the fit, to judge its outcome by."""
MAX_SAMPLES = 64
"""So many are learnt from at most, spread over the clip: their samples are in memory (a few MB each)."""
FILE = "renderer.safetensors"


@dataclass(frozen=True)
class RendererClipFitter:
    """Fits the chain's renderer to keyframes that are held out between their neighbours.

    Attributes:
        stages: Its renderer is fitted, where it asks for that.
        synthesiser: Makes the backgrounds.
        artefacts: Where the weights are kept, under everything that made them.
    """

    stages: StageSet
    synthesiser: Synthesiser
    artefacts: Cache

    def __call__(self, source: FrameSource, analysis: ClipAnalysis, track_id: int) -> frozenset[int]:
        """Fit to one person, and take the fitted weights from here on.

        Returns:
            The keyframes that it was fitted to; they cannot judge it.
        """
        chosen = _to_learn(analysis, track_id)
        renderer = self.stages.renderer if chosen else None
        if not isinstance(renderer, FittedRenderer) or not renderer.fit:
            return frozenset()

        def make(folder: Path) -> None:
            with self.stages.watch("fit"):
                samples = list(self._samples(renderer, source, analysis, track_id, chosen))
                with _bar(renderer.fit) as report:
                    renderer.fit_to(samples, report, folder / FILE)

        stages = self.stages
        recipe = {"stages": stages.recipes, "plate": stages.plate_recipe, "chosen": chosen}
        parents = [
            source.fingerprint(),
            analysis_pose_digest(analysis.keyframe_tracks.person(track_id)),
            renderer.start,
        ]
        folder, _ = self.artefacts.get("renderer", recipe, parents, make)
        renderer.load(folder / FILE)
        return frozenset(chosen)

    def _samples(
        self,
        renderer: FittedRenderer,
        source: FrameSource,
        analysis: ClipAnalysis,
        track_id: int,
        chosen: list[int],
    ) -> Iterator[RefinerSample]:
        """Make the refiner sample of each held-out keyframe, in a walk of its own."""
        window = KeyframeWindow(analysis, self.stages.device)
        spans = [holdout_span(analysis, keyframe) for keyframe in chosen]
        for keyframe, near in zip(chosen, window.spans(source, spans), strict=True):
            held = hold_out_keyframe(
                self.stages, self.synthesiser, analysis, track_id, keyframe, HoldoutFrames(near)
            )
            sample = renderer.sample(held.person, held.background, held.keyframe.picture[None])
            if sample is not None:
                yield sample


def _to_learn(analysis: ClipAnalysis, track_id: int) -> list[int]:
    """Two keyframes of three, of those that can be held out; `MAX_SAMPLES` at most."""
    shots = analysis.shots
    able = [
        keyframes_to_hold_out(analysis, track_id, np.flatnonzero(shots == number))
        for number in np.unique(shots)
    ]
    chosen = [k for shot in able for i, k in enumerate(shot) if i % JUDGED != JUDGED // 2]
    if len(chosen) <= MAX_SAMPLES:
        return chosen
    return [chosen[i] for i in np.linspace(0, len(chosen) - 1, MAX_SAMPLES).round().astype(int)]


@contextmanager
def _bar(steps: int) -> Iterator[Report]:
    with progress_counter("fitting the renderer") as count:

        def report(step: int, terms: Mapping[str, float]) -> None:
            if count:
                count(step, steps, ", ".join(f"{name} {value:.4f}" for name, value in terms.items()))

        yield report
