"""Keyframes hidden on purpose: predicted from those around, they tell how a renderer does on this clip."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F

from rib.interval import Interval, Keyframe
from rib.keypoints import PoseSequence
from rib.pipeline.analysis import Analysis
from rib.pipeline.compose import compose
from rib.video import FrameSource

if TYPE_CHECKING:
    from rib.pipeline.chain import Chain

NEAREST = 5
"""A gap is judged by so many rehearsals of its shot, the nearest in time."""
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
        gain_db: (R,), PSNR over the person that the renderer gained on the interpolator.
    """

    keyframes: np.ndarray
    shots: np.ndarray
    gain_db: np.ndarray

    def around(self, gap: int, cuts: tuple[int, ...]) -> float | None:
        """Mean gain of the nearest rehearsals in the shot of the gap (gap, gap + 1); None without any."""
        here = np.flatnonzero(self.shots == np.searchsorted(cuts, gap, side="right"))
        if len(here) == 0:
            return None
        near = here[np.argsort(np.abs(self.keyframes[here] - gap - 0.5), kind="stable")[:NEAREST]]
        return float(self.gain_db[near].mean())


def rehearse(
    chain: Chain, source: FrameSource, analysis: Analysis, per_shot: int, every_s: float
) -> Rehearsals:
    """Hide keyframes spread over every shot, and let the chain predict each from those around it.

    Args:
        chain: Its renderer is to be judged.
        source: The clip, which is decoded once.
        analysis: What `Chain.analyse` gave for it.
        per_shot: So many keyframes of every shot are hidden, fewer where there are not so many ...
        every_s: ... and one every so many seconds in long shots.
    """
    shots = np.searchsorted(analysis.cuts, np.arange(len(source)), side="right")
    chosen = [
        keyframe
        for shot in (np.flatnonzero(shots == number) for number in np.unique(shots))
        for keyframe in _spread(analysis, shot, per_shot, every_s)
    ]
    gains = [_gain_db(chain, analysis, *around) for around in _around(chain, source, analysis, chosen)]
    return Rehearsals(np.array(chosen, np.int64), shots[chosen], np.array(gains))


def _spread(analysis: Analysis, shot: np.ndarray, per_shot: int, every_s: float) -> list[int]:
    """Keyframes of a shot that can be hidden, evenly over its length."""
    able = [int(k) for k in shot[1:-1] if analysis.person_at(k - 1, k, k + 1)]
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


def _gain_db(chain: Chain, analysis: Analysis, hidden: Keyframe, near: list[Keyframe]) -> float:
    by_index = {keyframe.index: keyframe for keyframe in near}
    a, b = by_index[hidden.index - 1], by_index[hidden.index + 1]
    others = tuple(k for k in near if k.index not in (a.index, b.index))
    moment = np.array([hidden.time_s])
    interval = Interval(
        a, b, moment, _pose_without(chain, analysis, hidden.index), others, rehearsed_db=np.inf
    )
    background = chain.background(interval)
    picture = compose(background, chain.stage("render")(interval, background))
    assert hidden.mask is not None
    size = 2 * round(AROUND_PERSON * hidden.mask.shape[1]) + 1
    person = F.max_pool2d((hidden.mask > 0.5).float(), size, stride=1, padding=size // 2)
    return _psnr_db(picture, hidden.picture, person) - _psnr_db(
        background.interpolated, hidden.picture, person
    )


def _pose_without(chain: Chain, analysis: Analysis, hidden: int) -> PoseSequence:
    """The person at the hidden keyframe, as the motion stage sees it from the others."""
    poses = analysis.keyframe_poses
    if chain.wiring.pose_from_motion:
        return poses[hidden]
    others = np.delete(np.arange(len(poses)), hidden)
    cuts = tuple(cut - (cut > hidden) for cut in analysis.cuts)
    return chain.stage("motion")(poses[others], poses.times_s[[hidden]], cuts)


def _psnr_db(picture: torch.Tensor, truth: torch.Tensor, region: torch.Tensor) -> float:
    error = ((picture - truth).square().mean(1) * region).sum() / region.sum().clamp_min(1)
    return float(-10 * error.clamp_min(1e-9).log10())
