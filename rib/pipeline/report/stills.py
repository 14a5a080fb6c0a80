"""Pictures of the longest stretches where the interpolator stands alone: few, small, and why."""

from __future__ import annotations

import base64
import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

MAX_STILLS = 12
HEIGHT_PX = 96
JPEG_QUALITY = 70


@dataclass(frozen=True)
class AloneStretch:
    """A run of intervals without a rendered person, for one reason.

    Attributes:
        start_s: In the input.
        end_s: In the input.
        why: The reason.
        intervals: Named by the keyframe before each.
    """

    start_s: float
    end_s: float
    why: str
    intervals: range


def alone_stretches(rows: Iterable[Any], most: int = MAX_STILLS) -> list[AloneStretch]:
    """The longest stretches of intervals (`rib.pipeline.outputs.interval_table.IntervalRow`), in order.

    Args:
        rows: Of all intervals, in order.
        most: So many at most.
    """
    longest = heapq.nlargest(most, _joined(rows), key=lambda one: one.end_s - one.start_s)
    return sorted(longest, key=lambda one: one.start_s)


def report_stills(
    stretches: Iterable[AloneStretch], frame_of: Callable[[range], np.ndarray | None]
) -> list[dict[str, Any]]:
    """What the page shows of stretches.

    Args:
        stretches: In order.
        frame_of: Gives a made frame (H, W, 3) uint8 RGB of some intervals, or None.

    Returns:
        `start_s`, `end_s`, `why` and `picture` (JPEG as a data URL) of each that has a frame.
    """
    found = []
    for one in stretches:
        frame = frame_of(one.intervals)
        if frame is not None:
            told = {"start_s": one.start_s, "end_s": one.end_s, "why": one.why}
            found.append({**told, "picture": _data_url(frame)})
    return found


def _joined(rows: Iterable[Any]) -> Iterator[AloneStretch]:
    last: AloneStretch | None = None
    for row in rows:
        if last is not None and (row.why != last.why):
            yield last
            last = None
        if row.why:
            start_s, first = (last.start_s, last.intervals.start) if last else (row.start_s, row.interval)
            last = AloneStretch(start_s, row.end_s, row.why, range(first, row.interval + 1))
    if last is not None:
        yield last


def _data_url(frame: np.ndarray) -> str:
    scale = min(1.0, HEIGHT_PX / frame.shape[0])
    size = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    content = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    return "data:image/jpeg;base64," + base64.b64encode(content.tobytes()).decode("ascii")
