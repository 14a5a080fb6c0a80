"""Scores a renderer on held-out keyframes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F

from rib.metrics.lpips import SMALLEST_PX, Lpips
from rib.pipeline.analysis import Analysis
from rib.pipeline.compositor import composite
from rib.pipeline.holdouts import HeldOut, Holdouts, can_hold_out, hold_out
from rib.pipeline.stage_set import StageSet
from rib.pipeline.synthesiser import Synthesiser
from rib.render.protocol import HoldoutRenderer
from rib.video import FrameSource


@dataclass(frozen=True)
class HoldoutValidator:
    """Holds out keyframes spread over every shot, and lets the renderer predict each from those around it.

    Attributes:
        stages: Its renderer is judged.
        synthesiser: Makes the backgrounds.
        per_shot: So many keyframes of every shot are held out, fewer where there are not so many ...
        every_s: ... and one every so many seconds in long shots.
    """

    stages: StageSet
    synthesiser: Synthesiser
    per_shot: int
    every_s: float

    def __call__(
        self, source: FrameSource, analysis: Analysis, track_id: int, learnt: frozenset[int] = frozenset()
    ) -> Holdouts:
        """Validate on one person of a clip.

        Args:
            source: The clip, which is decoded once.
            analysis: What is known of it.
            track_id: The person.
            learnt: Keyframes that the renderer's net was fitted to; they do not judge it.
        """
        shots = analysis.shots
        chosen = [
            keyframe
            for shot in (np.flatnonzero(shots == number) for number in np.unique(shots))
            for keyframe in self._evenly(can_hold_out(analysis, track_id, shot), analysis, shot)
        ]
        held = hold_out(self.stages, self.synthesiser, source, analysis, track_id, chosen)
        scores = np.array([self._score(one, learnt) for one in held]).reshape(-1, 4)
        return Holdouts(np.array(chosen, np.int64), shots[chosen], scores[:, 0], scores[:, 1:])

    def _evenly(self, able: Sequence[int], analysis: Analysis, shot: np.ndarray) -> list[int]:
        """Some of the keyframes that can be held out, evenly over the shot."""
        length_s = float(np.ptp(analysis.keyframe_times_s[shot]))
        wanted = max(self.per_shot, int(length_s / self.every_s))
        if not able:
            return []
        return [able[i] for i in np.unique(np.linspace(0, len(able) - 1, wanted).round().astype(int))]

    def _score(self, held: HeldOut, learnt: frozenset[int]) -> tuple[float, float, float, float]:
        """Decibels gained without the net, and what the net changed (or NaN): see `Holdouts`."""
        renderer = self.stages.renderer
        assert isinstance(renderer, HoldoutRenderer)
        versions = renderer.versions(held.person, held.background)
        drawn = composite(held.background, [next(versions)])
        drawn_db = _psnr_db(held, drawn)
        gain_db = drawn_db - _psnr_db(held, held.background.interpolated)
        person = None
        if held.keyframe.index not in learnt and held.region.any():
            person = next(versions, None)
        if person is None:
            return gain_db, np.nan, np.nan, np.nan
        refined = composite(held.background, [person])
        alexnet, vgg16 = self._lpips_change(held, torch.cat([drawn, refined]))
        return gain_db, alexnet, _psnr_db(held, refined) - drawn_db, vgg16

    def _lpips_change(self, held: HeldOut, pictures: torch.Tensor) -> list[float]:
        """From the first picture to the second on the person's box, by each net; NaN where it is too small.

        The deeper net looks at half the size, which costs a quarter.
        """
        rows, columns = (held.region[0].any(axis).nonzero()[:, 0] for axis in (1, 0))
        box = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
        pair, truth = pictures[..., *box], held.keyframe.picture[None][..., *box]
        if min(truth.shape[2:]) < 2 * SMALLEST_PX:
            return [float("nan")] * 2
        alexnet, vgg16 = self._lpips
        halves = (F.avg_pool2d(x, 2) for x in (pair, truth))
        return [float(scores.diff()) for scores in (alexnet(pair, truth), vgg16(*halves))]

    @cached_property
    def _lpips(self) -> list[Lpips]:
        return [Lpips(net).to(self.stages.device) for net in ("alexnet", "vgg16")]


def _psnr_db(held: HeldOut, picture: torch.Tensor) -> float:
    squared = (picture - held.keyframe.picture).square().mean(1)
    error = (squared * held.region).sum() / held.region.sum().clamp_min(1)
    return float(-10 * error.clamp_min(1e-9).log10())
