"""Parting of a result into segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rib.pipeline.timeline import OutputTimeline

SPREAD = 0.5
"""A segment may be so much shorter or longer than asked for where it then ends with a shot."""


@dataclass(frozen=True)
class Segment:
    """A run of intervals whose frames are made and encoded on their own.

    Attributes:
        number: From 0, in order.
        intervals: Called by the keyframe before each.
        frames: Numbers of the output's frames.
    """

    number: int
    intervals: range
    frames: range


def plan_segments(timeline: OutputTimeline, cuts: Sequence[int], length_s: float) -> list[Segment]:
    """Part a result into runs of intervals of about one length, ended by shots where one ends near by.

    Args:
        timeline: The output's moments.
        cuts: Keyframes that begin a new shot.
        length_s: Of a segment, in seconds of the output.

    Returns:
        Segments with every frame, and every interval up to the last one's, once and in order; none is empty.
    """
    num_intervals = int(timeline.interval[-1]) + 1
    # frames before each interval, and after the last
    starts = np.searchsorted(timeline.interval, np.arange(num_intervals + 1))
    length = max(1.0, length_s * float(timeline.fps))
    ends_shot = np.isin(np.arange(num_intervals + 1), cuts)
    found: list[Segment] = []
    begin = 0
    while begin < num_intervals:
        far = np.abs(starts - starts[begin] - length)
        some = starts > starts[begin]  # a segment has at least one frame
        near_shot = np.flatnonzero(some & ends_shot & (far <= SPREAD * length))
        candidates = near_shot if len(near_shot) else np.flatnonzero(some)
        end = int(candidates[np.argmin(far[candidates])])
        if starts[num_intervals] - starts[end] < SPREAD * length and not ends_shot[end]:
            end = num_intervals  # too little is left for a segment of its own
        found.append(Segment(len(found), range(begin, end), range(int(starts[begin]), int(starts[end]))))
        begin = end
    return found
