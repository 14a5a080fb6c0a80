"""The frames of the result, in their order: copies of keyframes, frames held across a cut, and those made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from rib.pipeline.synthesis.keyframe_window import DecodedKeyframe
from rib.pipeline.timeline import OutputTimeline


@dataclass(frozen=True)
class OutputFrame:
    """One frame of the result.

    Attributes:
        index: Its number in the output.
        picture: (H, W, 3) RGB or (H, W, 4) straight RGBA, uint8 or uint16, as the keyframes are.
        keyframe: The keyframe it copies, or -1.
        trust: (H, W) float32 in 0..1, how far each pixel is the renderer's; None for copies.
        given: The same of the keyframe that the input shows at this moment, or None where nobody
            said it.
    """

    index: int
    picture: np.ndarray
    keyframe: int
    trust: np.ndarray | None = None
    given: np.ndarray | None = None

    @property
    def trusted(self) -> float:
        """Share of pixels with trust above one half."""
        return 0.0 if self.trust is None else float((self.trust > 0.5).mean())


def output_frames_at_cut(
    timeline: OutputTimeline, wanted: Iterable[int], a: DecodedKeyframe, b: DecodedKeyframe
) -> Iterator[OutputFrame]:
    """Across a cut nothing is interpolated: the nearer keyframe is shown."""
    middle = (a.keyframe.time_s + b.keyframe.time_s) / 2
    for number in wanted:
        nearer = a if timeline.times_s[number] < middle else b
        yield OutputFrame(int(number), nearer.frame, -1)


def output_frames_in_order(
    timeline: OutputTimeline, a: DecodedKeyframe, b: DecodedKeyframe, made: Iterator[OutputFrame]
) -> Iterator[OutputFrame]:
    """An interval's output frames: the copy of a, those made, and the copy of b after the last interval."""
    for number in timeline.frames(a.index):
        keyframe = int(timeline.keyframe[number])
        if keyframe < 0:
            yield replace(next(made), given=a.frame)
        else:
            copied = a.frame if keyframe == a.index else b.frame
            yield OutputFrame(number, copied, keyframe, given=copied)
