"""Scores a renderer on held-out keyframes."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F

from rib.io.images import size_within
from rib.io.processes.memory import trim_memory
from rib.metrics.lpips import SMALLEST_PX, Lpips
from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.holdout.holdouts import (
    HeldOutPerson,
    HoldoutFrames,
    hold_out_keyframe,
    keyframes_to_hold_out,
)
from rib.pipeline.stage_set import StageSet
from rib.pipeline.synthesis.compositor import composite_people
from rib.pipeline.synthesis.synthesiser import Synthesiser
from rib.render.protocol import HoldoutRenderer

LEAST_ERROR = 1e-9
"""A mean squared error below this is none."""


@dataclass(frozen=True)
class HoldoutValidator:
    """Holds out keyframes spread over every shot, and lets the renderer predict each from those around it.

    Attributes:
        stages: Its renderer is judged.
        synthesiser: Makes the backgrounds.
        per_shot: So many keyframes of every shot are held out, fewer where there are not so many ...
        every_s: ... and one every so many seconds in long shots.
        max_mpx: Larger pictures are judged at this size, in 10^6 pixels.
    """

    stages: StageSet
    synthesiser: Synthesiser
    per_shot: int
    every_s: float
    max_mpx: float

    def working_size(self, size_px: tuple[int, int]) -> tuple[int, int] | None:
        """Width and height at which pictures of a size are judged; None where that is their own."""
        smaller = size_within(size_px, self.max_mpx)
        return None if smaller == size_px else smaller

    def choose(self, analysis: ClipAnalysis, track_id: int) -> list[int]:
        """The keyframes to hold out, in order."""
        shots = analysis.shots
        return [
            keyframe
            for shot in (np.flatnonzero(shots == number) for number in np.unique(shots))
            for keyframe in self._evenly(keyframes_to_hold_out(analysis, track_id, shot), analysis, shot)
        ]

    def __call__(
        self,
        analysis: ClipAnalysis,
        track_id: int,
        keyframe: int,
        frames: HoldoutFrames,
        learnt: Collection[int] = (),
    ) -> tuple[float, float, float, float]:
        """Let the renderer predict one keyframe; gain and changes as in a row of `Holdouts`.

        Args:
            analysis: What is known of the clip.
            track_id: The person.
            keyframe: One of those chosen.
            frames: Those around it.
            learnt: Keyframes that the renderer's net was fitted to; they do not judge it.
        """
        return self._score(
            hold_out_keyframe(self.stages, self.synthesiser, analysis, track_id, keyframe, frames), learnt
        )

    def rest(self) -> None:
        """Let the nets that judge a renderer's net go, some 100 MB, until there is another hold-out."""
        if self.__dict__.pop("_lpips", None) is not None:
            trim_memory()

    def _evenly(self, able: Sequence[int], analysis: ClipAnalysis, shot: np.ndarray) -> list[int]:
        """Some of the keyframes that can be held out, evenly over the shot."""
        length_s = float(np.ptp(analysis.keyframe_times_s[shot]))
        wanted = max(self.per_shot, int(length_s / self.every_s))
        if not able:
            return []
        return [able[i] for i in np.unique(np.linspace(0, len(able) - 1, wanted).round().astype(int))]

    def _score(self, held: HeldOutPerson, learnt: Collection[int]) -> tuple[float, float, float, float]:
        """Decibels gained without the net, and what the net changed (or NaN): see `Holdouts`."""
        renderer = self.stages.renderer
        assert isinstance(renderer, HoldoutRenderer)
        versions = renderer.versions(held.person, held.background)
        drawn = composite_people(held.background, [next(versions)])
        drawn_db = _psnr_db(held, drawn)
        gain_db = drawn_db - _psnr_db(held, held.background.interpolated)
        person = None
        if held.keyframe.index not in learnt and held.region.any():
            person = next(versions, None)
        if person is None:
            return gain_db, np.nan, np.nan, np.nan
        refined = composite_people(held.background, [person])
        alexnet, vgg16 = self._lpips_change(held, torch.cat([drawn, refined]))
        return gain_db, alexnet, _psnr_db(held, refined) - drawn_db, vgg16

    def _lpips_change(self, held: HeldOutPerson, pictures: torch.Tensor) -> list[float]:
        """From the first picture to the second on the person's box, by each net; NaN where it is too small.

        The deeper net looks at half the size, which costs a quarter.
        """
        rows, columns = (held.region[0].any(axis).nonzero()[:, 0] for axis in (1, 0))
        box = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
        pair, truth = pictures[..., *box], held.keyframe.part(box)[None]
        if min(truth.shape[2:]) < 2 * SMALLEST_PX:
            return [float("nan")] * 2
        alexnet, vgg16 = self._lpips
        halves = (F.avg_pool2d(x, 2) for x in (pair, truth))
        return [float(scores.diff()) for scores in (alexnet(pair, truth), vgg16(*halves))]

    @cached_property
    def _lpips(self) -> list[Lpips]:
        return [Lpips(net).to(self.stages.device) for net in ("alexnet", "vgg16")]


def _psnr_db(held: HeldOutPerson, picture: torch.Tensor) -> float:
    """Over the person and a little around; nothing is computed of the rest of the picture."""
    rows, columns = (held.region[0].any(axis).nonzero()[:, 0] for axis in (1, 0))
    if not len(rows):
        return -10 * math.log10(LEAST_ERROR)
    box = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    region = held.region[..., *box]
    squared = (picture[..., *box] - held.keyframe.part(box)).square().mean(1)
    error = (squared * region).sum() / region.sum()
    return float(-10 * error.clamp_min(LEAST_ERROR).log10())
