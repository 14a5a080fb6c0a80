"""Refiner samples of a clip: hidden frames rendered from the keyframes alone, beside the truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch

from rib.io.errors import RibError
from rib.io.images import to_tensor
from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.chain import Chain
from rib.pipeline.timeline import OutputTimeline
from rib.render.protocol import FittedRenderer
from rib.render.refine.dataset import RefinerSample
from rib.structures.interval import Interval
from rib.video import FrameSource, subsample_frames


@torch.inference_mode()
def render_refiner_samples(
    chain: Chain,
    source: FrameSource,
    stride: int,
    max_intervals: int | None,
    max_moments: int,
    max_people: int | None = None,
) -> Iterator[RefinerSample]:
    """Hide all frames but every stride-th and render those in between, one person of an interval at a time.

    Args:
        chain: One with `render=gan`, used for no other clip before; poses, mattes, plate and trust come from
            the keyframes.
        source: The clip with all of its frames; they may come at uneven times.
        stride: Every so many frames is a keyframe.
        max_intervals: At most so many intervals are rendered, spread evenly over the clip; None renders all.
        max_moments: At most so many hidden frames of each.
        max_people: At most so many people of an interval, the most prominent first; None renders all.

    Raises:
        RibError: No frame is hidden, the clip is too short, nobody is found in neighbouring keyframes.
    """
    if stride < 2:
        raise RibError(f"stride {stride} hides no frame", "give strides from 2 on")
    keyframes = subsample_frames(source, stride)
    analysis = chain.analyse(keyframes, _timeline(source, stride))
    wanted = _wanted(analysis, max_intervals, max_moments)
    truths = _truths(source, wanted)
    renderer, synthesiser = chain.stages.renderer, chain.synthesiser()
    if not isinstance(renderer, FittedRenderer):
        raise RibError(f"{type(renderer).__name__} has no net to learn", "type render=gan")
    chain.stages.background.prepare(len(analysis.timeline), keyframes.size_px)
    for a, b, neighbours in chain.intervals(keyframes, analysis):
        hidden = wanted.get(a.index)
        if hidden is None:
            continue
        truth = next(truths)
        interval = Interval(a.keyframe, b.keyframe, analysis.timeline.times_s[hidden], neighbours)
        people = chain.people(analysis, interval, hidden, None)[:max_people]
        shown = synthesiser.interpolate(interval)
        for person in people:
            background = synthesiser.with_plate(shown, interval, [person])
            sample = renderer.sample(person, background, truth)
            if sample is not None:
                yield sample


def _timeline(source: FrameSource, stride: int) -> OutputTimeline:
    """Every frame up to the last keyframe, at its own time."""
    last = (len(source) - 1) // stride
    numbers = np.arange(last * stride + 1)
    keyframe = np.where(numbers % stride == 0, numbers // stride, -1)
    interval = np.minimum(numbers // stride, last - 1)
    return OutputTimeline(source.fps, np.asarray(source.times_s)[numbers], keyframe, interval)


def _wanted(analysis: ClipAnalysis, max_intervals: int | None, max_moments: int) -> dict[int, np.ndarray]:
    """Choose the hidden frames to render, by interval: those inside a shot with somebody on both sides."""
    numbers = range(len(analysis.keyframe_times_s) - 1)
    able = [g for g in numbers if g + 1 not in analysis.cuts and analysis.people_at(g, g + 1)]
    if not able:
        raise RibError("nobody is found in two keyframes that follow one another")
    return {
        int(interval): _evenly(analysis.timeline.wanted(interval), max_moments)
        for interval in _evenly(np.array(able), max_intervals or len(able))
    }


def _evenly(numbers: np.ndarray, most: int) -> np.ndarray:
    """Choose at most so many of them, evenly from the middle of as many equal parts."""
    if len(numbers) <= most:
        return numbers
    return numbers[((np.arange(most) + 0.5) * len(numbers) / most).astype(int)]


def _truths(source: FrameSource, wanted: Mapping[int, np.ndarray]) -> Iterator[torch.Tensor]:
    """Read (N, 3, H, W) in 0..1 for each interval in order; the clip is decoded once."""
    frames = enumerate(source)
    for hidden in wanted.values():
        numbers = set(hidden.tolist())
        taken: list[torch.Tensor] = []
        while len(taken) < len(numbers):
            number, frame = next(frames)
            if number in numbers:
                taken.append(to_tensor(frame))
        yield torch.stack(taken)
