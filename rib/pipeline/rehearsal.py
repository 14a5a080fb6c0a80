"""Keyframes hidden on purpose: predicted from those around, they tell how a renderer does on this clip."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F

from rib.metrics.lpips import SMALLEST_PX, Lpips
from rib.pipeline.analysis import Analysis
from rib.pipeline.compose import compose
from rib.structures.interval import Background, Interval, Keyframe, Refinement
from rib.structures.keypoints import PoseSequence
from rib.video import FrameSource

if TYPE_CHECKING:
    from rib.pipeline.chain import Chain

NEAREST = 5
"""A gap is judged by so many rehearsals of its shot, the nearest in time."""
JUDGES = 3
"""Fewer hidden keyframes do not judge a renderer's net: it is then not used."""
REACH = 2
"""Keyframes before and after the hidden one that are at hand."""
AROUND_PERSON = 0.025
"""The score looks at the person and so much around, as a share of the picture's height."""


@dataclass(frozen=True)
class Rehearsals:
    """What came of them.

    Attributes:
        keyframes: (R,) int64, the hidden keyframes in order.
        shots: (R,) int64, the shot each lies in.
        gain_db: (R,), PSNR over the person that the renderer gained on the interpolator; without its net, if
            it has one.
        refined: (R, 3), what its net then changed in LPIPS-AlexNet, PSNR and LPIPS-VGG16; NaN where it is not
            to be judged.
    """

    keyframes: np.ndarray
    shots: np.ndarray
    gain_db: np.ndarray
    refined: np.ndarray | None = None

    def around(self, gap: int, cuts: tuple[int, ...]) -> float | None:
        """Mean gain of the nearest rehearsals in the shot of the gap (gap, gap + 1); None without any."""
        here = np.flatnonzero(self.shots == np.searchsorted(cuts, gap, side="right"))
        if len(here) == 0:
            return None
        near = here[np.argsort(np.abs(self.keyframes[here] - gap - 0.5), kind="stable")[:NEAREST]]
        return float(self.gain_db[near].mean())

    def refinement(self, gap: int, cuts: tuple[int, ...]) -> Refinement | None:
        """What the net changed on all rehearsals in the shot of the gap; None with fewer than `JUDGES`."""
        if self.refined is None:
            return None
        here = self.refined[self.shots == np.searchsorted(cuts, gap, side="right")]
        judged = here[np.isfinite(here).all(1)] if len(here) else here
        if len(judged) < JUDGES:
            return None
        error = float((judged[:, 0] + judged[:, 2]).std(ddof=1)) / len(judged) ** 0.5
        alexnet, psnr_db, vgg16 = judged.mean(0).tolist()
        return Refinement(alexnet, psnr_db, vgg16, error)


@dataclass(frozen=True)
class Hidden:
    """A keyframe that nobody saw, and what was made in its place.

    Attributes:
        keyframe: The truth.
        interval: From the keyframe before to the one after; its only moment is the hidden one's.
        background: What the interpolator made of it.
        person: (1, H, W), 1 on the hidden person and close by, else 0.
    """

    keyframe: Keyframe
    interval: Interval
    background: Background
    person: torch.Tensor


def rehearse(
    chain: Chain,
    source: FrameSource,
    analysis: Analysis,
    per_shot: int,
    every_s: float,
    learnt: frozenset[int] = frozenset(),
) -> Rehearsals:
    """Hide keyframes spread over every shot, and let the chain predict each from those around it.

    Args:
        chain: Its renderer is to be judged.
        source: The clip, which is decoded once.
        analysis: What `Chain.analyse` gave for it.
        per_shot: So many keyframes of every shot are hidden, fewer where there are not so many ...
        every_s: ... and one every so many seconds in long shots.
        learnt: Keyframes that the renderer's net was fitted to; they do not judge it.
    """
    shots = shots_of(analysis)
    chosen = [
        keyframe
        for shot in (np.flatnonzero(shots == number) for number in np.unique(shots))
        for keyframe in _spread(able_to_hide(analysis, shot), analysis, shot, per_shot, every_s)
    ]
    judge = _Judge(chain, learnt)
    scores = np.array([judge(hidden) for hidden in hide(chain, source, analysis, chosen)]).reshape(-1, 4)
    return Rehearsals(np.array(chosen, np.int64), shots[chosen], scores[:, 0], scores[:, 1:])


def shots_of(analysis: Analysis) -> np.ndarray:
    """(K,) number of the shot of every keyframe."""
    return np.searchsorted(analysis.cuts, np.arange(len(analysis.keyframe_times_s)), side="right")


def able_to_hide(analysis: Analysis, shot: np.ndarray) -> list[int]:
    """Those keyframes of a shot that have somebody on both sides."""
    return [int(k) for k in shot[1:-1] if analysis.person_at(k - 1, k, k + 1)]


def hide(chain: Chain, source: FrameSource, analysis: Analysis, chosen: list[int]) -> Iterator[Hidden]:
    """Hide keyframes one by one; the clip is decoded once.

    Args:
        chain: Gives what stands in the place of each.
        source: The clip.
        analysis: What `Chain.analyse` gave for it.
        chosen: Keyframes in order, each with somebody on both sides.
    """
    for hidden, near in _around(chain, source, analysis, chosen):
        by_index = {keyframe.index: keyframe for keyframe in near}
        a, b = by_index[hidden.index - 1], by_index[hidden.index + 1]
        others = tuple(k for k in near if k.index not in (a.index, b.index))
        pose = _pose_without(chain, analysis, hidden.index)
        interval = Interval(a, b, np.array([hidden.time_s]), pose, others, rehearsed_db=np.inf)
        assert hidden.mask is not None
        size = 2 * round(AROUND_PERSON * hidden.mask.shape[1]) + 1
        person = (hidden.mask > 0.5).float()
        for side in ((size, 1), (1, size)):  # rows, then columns: the same as a square, and sooner
            person = F.max_pool2d(person, side, stride=1, padding=(side[0] // 2, side[1] // 2))
        yield Hidden(hidden, interval, chain.background(interval), person)


def _spread(
    able: list[int], analysis: Analysis, shot: np.ndarray, per_shot: int, every_s: float
) -> list[int]:
    """Some of the keyframes that can be hidden, evenly over the shot."""
    length_s = float(np.ptp(analysis.keyframe_times_s[shot]))
    wanted = max(per_shot, int(length_s / every_s))
    if not able:
        return []
    return [able[i] for i in np.unique(np.linspace(0, len(able) - 1, wanted).round().astype(int))]


def _around(
    chain: Chain, source: FrameSource, analysis: Analysis, chosen: list[int]
) -> Iterator[tuple[Keyframe, list[Keyframe]]]:
    """Each hidden keyframe and the keyframes near it in its shot, at most 2 * REACH."""
    needed = {k + i for k in chosen for i in range(-REACH, REACH + 1)}
    window: deque[Keyframe] = deque(maxlen=2 * REACH + 1)
    waiting = deque(chosen)
    for index, frame in enumerate(source):
        if not waiting:
            return
        if index in needed:
            window.append(chain.keyframe(frame, index, analysis))
        while waiting and index >= min(waiting[0] + REACH, len(source) - 1):
            hidden = waiting.popleft()
            near = [
                k for k in window if abs(k.index - hidden) <= REACH and _same_shot(analysis, k.index, hidden)
            ]
            yield next(k for k in near if k.index == hidden), [k for k in near if k.index != hidden]


def _same_shot(analysis: Analysis, one: int, other: int) -> bool:
    return not any(min(one, other) < cut <= max(one, other) for cut in analysis.cuts)


class _Judge:
    """Scores what the chain's renderer makes of hidden keyframes."""

    def __init__(self, chain: Chain, learnt: frozenset[int]) -> None:
        self.renderer, self.learnt = chain.stage("render"), learnt
        # a renderer with a net also draws without it
        self.plain = getattr(self.renderer, "plain", None)
        nets = ("alexnet", "vgg16") if self.plain else ()
        self.lpips = [Lpips(net).to(chain.device) for net in nets]

    def __call__(self, hidden: Hidden) -> tuple[float, float, float, float]:
        """Decibels gained without the net, and what the net changed (or NaN): see `Rehearsals`."""
        draw = self.plain or self.renderer
        drawn = compose(hidden.background, draw(hidden.interval, hidden.background))
        drawn_db = self._psnr_db(hidden, drawn)
        gain_db = drawn_db - self._psnr_db(hidden, hidden.background.interpolated)
        if self.plain is None or hidden.keyframe.index in self.learnt or not hidden.person.any():
            return gain_db, np.nan, np.nan, np.nan
        refined = compose(hidden.background, self.renderer(hidden.interval, hidden.background))
        alexnet, vgg16 = self._lpips_change(hidden, torch.cat([drawn, refined]))
        return gain_db, alexnet, self._psnr_db(hidden, refined) - drawn_db, vgg16

    def _psnr_db(self, hidden: Hidden, picture: torch.Tensor) -> float:
        squared = (picture - hidden.keyframe.picture).square().mean(1)
        error = (squared * hidden.person).sum() / hidden.person.sum().clamp_min(1)
        return float(-10 * error.clamp_min(1e-9).log10())

    def _lpips_change(self, hidden: Hidden, pictures: torch.Tensor) -> list[float]:
        """From the first picture to the second on the person's box, by each net; NaN where it is too small.

        The deeper net looks at half the size, which costs a quarter.
        """
        rows, columns = (hidden.person[0].any(axis).nonzero()[:, 0] for axis in (1, 0))
        box = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
        pair, truth = pictures[..., *box], hidden.keyframe.picture[None][..., *box]
        if min(truth.shape[2:]) < 2 * SMALLEST_PX:
            return [float("nan")] * len(self.lpips)
        alexnet, vgg16 = self.lpips
        halves = (F.avg_pool2d(x, 2) for x in (pair, truth))
        return [float(scores.diff()) for scores in (alexnet(pair, truth), vgg16(*halves))]


def _pose_without(chain: Chain, analysis: Analysis, hidden: int) -> PoseSequence:
    """The person at the hidden keyframe, as the motion stage sees it from the others."""
    poses = analysis.keyframe_poses
    if chain.wiring.pose_from_motion:
        return poses[hidden]
    others = np.delete(np.arange(len(poses)), hidden)
    cuts = tuple(cut - (cut > hidden) for cut in analysis.cuts)
    return chain.stage("motion")(poses[others], poses.times_s[[hidden]], cuts)
