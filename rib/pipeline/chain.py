"""The chain: analysis of the whole clip, then synthesis interval by interval."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import torch

from rib.io.cache import Cache
from rib.io.processes.memory import EVERY, give_back_large_blocks, trim_memory
from rib.pipeline.analysis.analyser import ClipAnalyser
from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.clip_fitter import RendererClipFitter
from rib.pipeline.holdout.scores import HoldoutScores
from rib.pipeline.holdout.validator import HoldoutValidator
from rib.pipeline.holdout.walk import HoldoutValidationPass
from rib.pipeline.progress import StageStopwatch
from rib.pipeline.settings import ChainSettings
from rib.pipeline.stage_set import StageSet
from rib.pipeline.stages import BackgroundStage
from rib.pipeline.synthesis.ahead import BackgroundAhead, one_ahead
from rib.pipeline.synthesis.keyframe_window import DecodedKeyframe, KeyframeWindow
from rib.pipeline.synthesis.neighbours import overlap_with_neighbours
from rib.pipeline.synthesis.output_frames import OutputFrame, output_frames_at_cut, output_frames_in_order
from rib.pipeline.synthesis.synthesiser import Synthesiser, SynthesisObserver
from rib.pipeline.timeline import OutputTimeline
from rib.pose.detectors.appearance import appearance_likeness
from rib.structures.interval import Interval, Keyframe
from rib.structures.person_interval import PersonInterval
from rib.video import FrameSource

TRIMMED_FROM_PX = 1500 * 1000
"""Of larger pictures glibc keeps so much after they are freed that it is made to give it back."""
OVERLAY_WITNESSES = 2
"""Keyframes around an interval, one on each side, that an overlay is looked for in too."""


@dataclass
class Chain:
    """Everything from a clip to its frames; build one with `Chain.from_config`.

    Attributes:
        stages: Pose, motion, mask, background, plate and renderer.
        settings: What they share.
        artefacts: Where the analysis is kept.
    """

    stages: StageSet
    settings: ChainSettings
    artefacts: Cache

    @classmethod
    def from_config(cls, config: ChainSettings | Mapping[str, Any], stages: StageSet | None = None) -> Chain:
        """The chain of a composed config; of a plain dict what `ChainSettings` knows is taken.

        Args:
            config: The settings.
            stages: Those of the same recipes that are there already, or None.

        Raises:
            RibError: A recipe, or a file of weights that it names, cannot be used.
        """
        settings = ChainSettings.of(config)
        stages = stages or StageSet(settings.recipes(), settings.plate, settings.device, StageStopwatch())
        stages.load_named_weights()
        return cls(stages, settings, Cache(settings.cache.dir, settings.cache.limit_gb))

    def sharing(self, artefacts: Cache, background: BackgroundStage) -> Chain:
        """The same chain with the artefacts and the interpolator of others."""
        old = self.stages
        stages = StageSet(old.recipes, old.plate_recipe, old.device, old.watch, background)
        return Chain(stages, replace(self.settings, ahead_mpx=0.0), artefacts)

    @property
    def watch(self) -> StageStopwatch:
        """Wall seconds by stage."""
        return self.stages.watch

    def summary(self, notes: Sequence[Mapping[str, float]]) -> dict[str, float]:
        """The renderer's figures, from the notes of its plans (`rib.render.protocol.RenderPlan`)."""
        return self.stages.summary(notes)

    def analyse(
        self, source: FrameSource, moments: OutputTimeline | Fraction, poses: bool = True
    ) -> ClipAnalysis:
        """Look at the whole clip: cuts, poses at the keyframes and in between, mattes where needed.

        Args:
            source: The clip.
            moments: The output's moments, or its frame rate: then they end with the last keyframe.
            poses: Whether people are wanted where nobody draws them, too.
        """
        settings = self.settings
        if _is_large(source):
            give_back_large_blocks()
        analyser = ClipAnalyser(self.stages, self.artefacts, settings.cuts.plain(), settings.people, poses)
        return analyser(source, moments)

    @torch.inference_mode()
    def frames(
        self,
        source: FrameSource,
        analysis: ClipAnalysis,
        observer: SynthesisObserver | None = None,
        decoded: Iterable[np.ndarray] | None = None,
        intervals: Collection[int] | None = None,
        scores: HoldoutScores | None = None,
    ) -> Iterator[OutputFrame]:
        """Every output frame in order; at most a few decoded keyframes are in memory.

        Args:
            source: The same clip.
            analysis: What `analyse` gave for it.
            observer: Sees everything that is made.
            decoded: The clip's frames in order, where somebody decodes them already.
            intervals: Make the frames of these intervals alone, named by the keyframe before; None for all.
            scores: Hold-outs that were scored before are taken from here, and new ones kept.
        """
        timeline = analysis.timeline
        self.stages.background.prepare(len(timeline), source.size_px, timeline.held)
        trim_memory()  # what the analysis and the loading of weights left
        wanted = None if intervals is None else frozenset(intervals)
        with ExitStack() as stack:
            ahead = None
            if self._interpolates_ahead(source):
                ahead = stack.enter_context(BackgroundAhead(self.stages.background))
            holdouts = self.holdouts(source, analysis, intervals, scores, ahead)
            walk: Iterable[np.ndarray] = self.watch.through("decode", source if decoded is None else decoded)
            if holdouts is not None:
                walk = holdouts.through(walk)
            spans = self.intervals(walk, analysis, wanted)
            made = self._made_intervals(spans, analysis, observer, holdouts, ahead)
            for a, b, frames in one_ahead(made, partial(_pauses, ahead, wanted)):
                yield from output_frames_in_order(timeline, a, b, frames)
                frames = iter(())  # the last frames would stay while the next are made
                if _is_large(source) or a.index % EVERY == EVERY - 1:
                    trim_memory()

    def _interpolates_ahead(self, source: FrameSource) -> bool:
        """Whether a thread interpolates: a GPU works beside Python anyway."""
        width, height = source.size_px
        return self.stages.device == "cpu" and width * height <= self.settings.ahead_mpx * 1e6

    def _made_intervals(
        self,
        spans: Iterable[tuple[DecodedKeyframe, DecodedKeyframe, tuple[Keyframe, ...]]],
        analysis: ClipAnalysis,
        observer: SynthesisObserver | None,
        holdouts: HoldoutValidationPass | None,
        ahead: BackgroundAhead | None,
    ) -> Iterator[tuple[DecodedKeyframe, DecodedKeyframe, Iterator[OutputFrame]]]:
        """Each interval's keyframes and the frames between them, which are made when they are asked for."""
        timeline, synthesiser = analysis.timeline, self.synthesiser(observer, ahead)
        for a, b, neighbours in spans:
            wanted = timeline.wanted(a.index)
            made: Iterator[OutputFrame] = iter(())
            if b.index in analysis.cuts:
                made = output_frames_at_cut(timeline, wanted, a, b)
            elif len(wanted):
                interval = Interval(
                    a.keyframe, b.keyframe, timeline.times_s[wanted], neighbours, tuple(map(int, wanted))
                )
                people = self.people(analysis, interval, wanted, holdouts)
                made = synthesiser.frames(interval, people)
            yield a, b, made

    def holdouts(
        self,
        source: FrameSource,
        analysis: ClipAnalysis,
        intervals: Collection[int] | None = None,
        scores: HoldoutScores | None = None,
        ahead: BackgroundAhead | None = None,
    ) -> HoldoutValidationPass | None:
        """What judges the renderer, after it was fitted to the clip where it asks for that.

        Args:
            source: The clip.
            analysis: What is known of it.
            intervals: Those whose evidence will be asked for; None for all.
            scores: See `frames`.
            ahead: What interpolates in the place of the stage, or None.

        Returns:
            None where the renderer is not judged by hold-outs.
        """
        if "holdouts" not in self.stages.wiring.wanted:
            return None
        synthesiser, main = self.synthesiser(None, ahead), analysis.keyframe_tracks.track_ids[0]
        learnt = RendererClipFitter(self.stages, synthesiser, self.artefacts)(source, analysis, main)
        validator = HoldoutValidator(self.stages, synthesiser, **self.settings.holdouts.plain())
        shots = None if intervals is None else set(analysis.shots[list(intervals)].tolist())
        return HoldoutValidationPass(
            self.stages,
            validator,
            analysis,
            {main: learnt},
            self.artefacts.folder,
            shots=shots,
            scores=scores,
        )

    def synthesiser(
        self, observer: SynthesisObserver | None = None, ahead: BackgroundAhead | None = None
    ) -> Synthesiser:
        """Build the synthesiser of intervals' pictures."""
        keep_overlays = self.settings.overlays == "keep"
        return Synthesiser(self.stages, self.settings.batch_mpx, observer, keep_overlays, ahead)

    def intervals(
        self, frames: Iterable[np.ndarray], analysis: ClipAnalysis, wanted: Collection[int] | None = None
    ) -> Iterator[tuple[DecodedKeyframe, DecodedKeyframe, tuple[Keyframe, ...]]]:
        """Every wanted interval's keyframes and others around them, in order; the frames pass once."""
        neighbours = self.settings.neighbours if "plate" in self.stages.wiring.wanted else 0
        if self.settings.overlays == "keep":
            neighbours = max(neighbours, OVERLAY_WITNESSES)
        window = KeyframeWindow(analysis, self.stages.device, appearance=True)
        return window.intervals(frames, neighbours, wanted)

    def people(
        self,
        analysis: ClipAnalysis,
        interval: Interval,
        wanted: np.ndarray,
        holdouts: HoldoutValidationPass | None,
    ) -> list[PersonInterval]:
        """Those that both keyframes of an interval show, at some of the output's moments."""
        if self.stages.wiring.idle:
            return []
        found = []
        for track_id in analysis.people_at(interval.a.index, interval.b.index):
            ask = None if holdouts is None else holdouts.ask(track_id, interval.a.index)
            poses, depth = analysis.tracks.person(track_id)[wanted], analysis.depth(track_id, wanted)
            person = PersonInterval.of(interval, poses, ask, depth)
            assert person is not None
            likeness = appearance_likeness(person.a.appearance, person.b.appearance)
            views = ((person.a, interval.a), (person.b, interval.b))
            overlap = max(overlap_with_neighbours(view, keyframe) for view, keyframe in views)
            shared = analysis.keyframe_tracks.shared_by(track_id, interval.a.index, interval.b.index)
            found.append(replace(person, likeness=likeness, overlap=overlap, shared_box=shared))
        return found


def _is_large(source: FrameSource) -> bool:
    return source.size_px[0] * source.size_px[1] >= TRIMMED_FROM_PX


def _pauses(ahead: BackgroundAhead | None, wanted: Collection[int] | None, made: tuple[Any, ...]) -> bool:
    """Whether nothing is decoded beyond an interval before its frames are made."""
    following = made[0].index + 1
    return ahead is None or (wanted is not None and following not in wanted)
