"""The chain: analysis of the whole clip, then synthesis interval by interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from rib.io.cache import Cache
from rib.io.recipe import build
from rib.pipeline.analysis import Analysis, analyse
from rib.pipeline.clip_fit import fit_renderer
from rib.pipeline.compose import compose, to_float, to_uint8
from rib.pipeline.rehearsal import rehearse
from rib.pipeline.settings import ChainSettings
from rib.pipeline.stages import ORDER, check_wiring
from rib.pipeline.times import Timeline
from rib.pipeline.watch import Stopwatch
from rib.render.none import NoRenderer
from rib.structures.interval import Background, Interval, Keyframe, Rendered
from rib.video import FrameSource


@dataclass(frozen=True)
class OutputFrame:
    """One frame of the result.

    Attributes:
        index: Its number in the output.
        picture: (H, W, 3) uint8 RGB.
        keyframe: The keyframe it copies, or -1.
        trust: (H, W) float32 in 0..1, how far each pixel is the renderer's; None for copies.
    """

    index: int
    picture: np.ndarray
    keyframe: int
    trust: np.ndarray | None = None

    @property
    def trusted(self) -> float:
        """Share of pixels with trust above one half."""
        return 0.0 if self.trust is None else float((self.trust > 0.5).mean())


@dataclass
class Chain:
    """Stages put together from recipes; build one with `Chain.from_config`.

    Attributes:
        recipes: A recipe for each stage: pose, motion, mask, background, render.
        cuts: Settings of `find_cuts`.
        plate: A recipe for the person-free plate.
        neighbours: How many other keyframes the plate may look at.
        rehearsals: How many keyframes are hidden to judge the renderer (`per_shot`, `every_s`).
        artefacts: Where the analysis is kept.
        device: Where pictures are made: "cpu", "cuda", ...
        batch_mpx: Frames made at once, in 10^6 pixels of output.
    """

    recipes: Mapping[str, Mapping[str, Any]]
    cuts: Mapping[str, float]
    plate: Mapping[str, Any]
    neighbours: int
    rehearsals: Mapping[str, Any]
    artefacts: Cache
    device: str
    batch_mpx: float
    watch: Stopwatch = field(default_factory=Stopwatch)

    def __post_init__(self) -> None:
        self.wiring = check_wiring(self.recipes)
        self._stages: dict[str, Any] = {}

    @classmethod
    def from_config(cls, config: ChainSettings | Mapping[str, Any]) -> Chain:
        """The chain of a composed config; of a plain dict what `ChainSettings` knows is taken."""
        settings = ChainSettings.of(config)
        return cls(
            recipes={stage: settings[stage] for stage in ORDER},
            cuts=settings.cuts.plain(),
            plate=settings.plate,
            neighbours=settings.neighbours,
            rehearsals=settings.rehearsals.plain(),
            artefacts=Cache(settings.cache.dir, settings.cache.limit_gb),
            device=resolve_device(settings.device),
            batch_mpx=settings.batch_mpx,
        )

    def stage(self, name: str) -> Any:
        """A stage, built when it is first asked for."""
        if name not in self._stages:
            recipe = self.plate if name == "plate" else self.recipes[name]
            resolved = {"device": self.device} if "device" in recipe else {}
            with self.watch(f"load {name}"):
                self._stages[name] = build(recipe, **resolved)
        return self._stages[name]

    def told(self) -> dict[str, float]:
        """What the renderer has to tell in the summary, after the frames were made."""
        tell = getattr(self._stages.get("render"), "told", None)
        return tell() if tell else {}

    def analyse(self, source: FrameSource, moments: Timeline | Fraction) -> Analysis:
        """Look at the whole clip: cuts, poses at the keyframes and in between, mattes where needed.

        Args:
            source: The clip.
            moments: The output's moments, or its frame rate: then they end with the last keyframe.
        """
        return analyse(self, source, moments)

    @torch.inference_mode()
    def frames(self, source: FrameSource, analysis: Analysis) -> Iterator[OutputFrame]:
        """Every output frame in order; at most a few decoded keyframes are in memory.

        Args:
            source: The same clip.
            analysis: What `analyse` gave for it.
        """
        timeline = analysis.timeline
        self.stage("background").prepare(len(timeline), source.size_px, timeline.held)
        rehearsals = None
        if "rehearsals" in self.wiring.wanted:
            learnt = fit_renderer(self, source, analysis)
            with self.watch("rehearse"):
                rehearsals = rehearse(self, source, analysis, **self.rehearsals, learnt=learnt)
        for a, b, neighbours in self.gaps(source, analysis):
            gap = a[1].index
            wanted = timeline.wanted(gap)
            made: Iterator[OutputFrame] = iter(())
            if gap + 1 in analysis.cuts:
                made = _held(analysis, a, b, wanted)
            elif len(wanted):
                whole = Interval(
                    a[1],
                    b[1],
                    timeline.times_s[wanted],
                    analysis.poses[wanted],
                    neighbours,
                    tuple(map(int, wanted)),
                    rehearsals.around(gap, analysis.cuts) if rehearsals else None,
                    rehearsals.refinement(gap, analysis.cuts) if rehearsals else None,
                )
                made = self._made(analysis, whole)
            yield from _in_order(timeline, gap, a, b, made)

    def _made(self, analysis: Analysis, whole: Interval) -> Iterator[OutputFrame]:
        """The frames of an interval, in an odd number of even batches.

        The middle batch is made first and held: a renderer decides there, where it is hardest, for all of it;
        but one that is `sequential`, and walks on from frame to frame, is asked in order.
        """
        num = len(whole.times_s)
        height, width = whole.a.picture.shape[1:]
        size = max(1, int(self.batch_mpx * 1e6 / (height * width)))
        bounds = np.linspace(0, num, min(num, -(-num // size) | 1) + 1).round().astype(int)
        batches = [slice(*some) for some in pairwise(bounds.tolist())]
        middle, held = None, list[OutputFrame]()
        if not self.wiring.sequential:
            middle = batches[len(batches) // 2]
            held = list(self._batch(analysis, _part(whole, middle)))
        for batch in batches:
            yield from held if batch is middle else self._batch(analysis, _part(whole, batch))

    def _batch(self, analysis: Analysis, interval: Interval) -> Iterator[OutputFrame]:
        pictures, rendered = self._picture(analysis, interval)
        trust = rendered.trust[:, 0].float().cpu().numpy()
        for i, number in enumerate(interval.indices):
            yield OutputFrame(number, pictures[i], -1, trust[i])

    def _picture(self, analysis: Analysis, interval: Interval) -> tuple[np.ndarray, Rendered]:
        background = self.background(interval)
        with_person = analysis.person_at(interval.a.index, interval.b.index) and not self.wiring.idle
        renderer = self.stage("render") if with_person else NoRenderer()
        with self.watch("render"):
            rendered = renderer(interval, background)
        with self.watch("compose"):
            return to_uint8(compose(background, rendered)), rendered

    def background(self, interval: Interval) -> Background:
        """What stands behind the person: the interpolator's frames, and the plate where wanted."""
        with self.watch("background"):
            background: Background = self.stage("background")(interval)
        if "plate" in self.wiring.wanted:
            with self.watch("plate"):
                background = replace(background, plate=self.stage("plate")(interval))
        return background

    def gaps(
        self, source: FrameSource, analysis: Analysis
    ) -> Iterator[tuple[tuple[np.ndarray, Keyframe], tuple[np.ndarray, Keyframe], tuple[Keyframe, ...]]]:
        """Neighbouring keyframes (their 8-bit pictures and records) and others around them, in order."""
        extra = self.neighbours if "plate" in self.wiring.wanted else 0
        ahead = extra // 2
        window: list[tuple[np.ndarray, Keyframe]] = []
        frames = self.watch.through("decode", source)
        gap = 0
        for index, frame in enumerate(frames):
            window.append((frame, self.keyframe(frame, index, analysis)))
            while gap + 1 + ahead <= index:
                yield _around(window, gap)
                gap += 1
                window = [w for w in window if w[1].index >= gap - (extra - ahead)]
        while gap + 1 < len(source):
            yield _around(window, gap)
            gap += 1

    def keyframe(self, frame: np.ndarray, index: int, analysis: Analysis) -> Keyframe:
        """The record of a decoded frame (H, W, 3) uint8."""
        mask = analysis.mask(index) if "masks" in self.wiring.wanted else None
        return Keyframe(
            index=index,
            time_s=float(analysis.keyframe_times_s[index]),
            picture=to_float(frame, self.device),
            mask=None if mask is None else torch.from_numpy(mask)[None].to(self.device),
            pose=analysis.keyframe_poses[index],
        )


def _part(whole: Interval, times: slice) -> Interval:
    """Some of an interval's moments."""
    poses = None if whole.poses is None else whole.poses[times]
    return replace(whole, times_s=whole.times_s[times], poses=poses, indices=whole.indices[times])


def _around(
    window: list[tuple[np.ndarray, Keyframe]], gap: int
) -> tuple[tuple[np.ndarray, Keyframe], tuple[np.ndarray, Keyframe], tuple[Keyframe, ...]]:
    by_index = {keyframe.index: (frame, keyframe) for frame, keyframe in window}
    others = tuple(k for i, (_, k) in by_index.items() if i not in (gap, gap + 1))
    return by_index[gap], by_index[gap + 1], others


def _held(
    analysis: Analysis, a: tuple[np.ndarray, Keyframe], b: tuple[np.ndarray, Keyframe], wanted: np.ndarray
) -> Iterator[OutputFrame]:
    """Across a cut nothing is interpolated: the nearer keyframe is shown."""
    middle = (a[1].time_s + b[1].time_s) / 2
    for number in wanted:
        nearer = a if analysis.timeline.times_s[number] < middle else b
        yield OutputFrame(int(number), nearer[0], -1)


def _in_order(
    timeline: Timeline,
    gap: int,
    a: tuple[np.ndarray, Keyframe],
    b: tuple[np.ndarray, Keyframe],
    made: Iterator[OutputFrame],
) -> Iterator[OutputFrame]:
    """The interval's output frames: the copy of a, those made, and the copy of b after the last interval."""
    for number in np.flatnonzero(timeline.gap == gap):
        keyframe = int(timeline.keyframe[number])
        if keyframe < 0:
            yield next(made)
        else:
            yield OutputFrame(int(number), a[0] if keyframe == a[1].index else b[0], keyframe)


def resolve_device(device: str) -> str:
    """`auto` is the GPU where PyTorch sees one, else the CPU."""
    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"
