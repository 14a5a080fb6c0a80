"""Pictures that are stored several times over by a cadence: 24 a second in a file of 30, drawings on twos."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from rib.video.source import FrameSource
from rib.video.timing.time_stamps import FrameTimes
from rib.video.views.view import ClipView

PATTERNS = (
    *((2, 1), (3, 1), (4, 1), (5, 1), (5, 2), (3, 2), (4, 3), (5, 3), (5, 4), (6, 5), (8, 5), (15, 8)),
    *((25, 12), (25, 24)),
)
"""Frames and the pictures in them: on twos, threes, fours, fives, 24 in 60, 20 in 30, 18 in 24, 18 in 30 and
15 in 25, 24 in 30 and 12 in 15, 25 in 30 and 50 in 60, 15 in 24, 16 in 30, 24 in 50, 24 in 25."""
SMALL_PX = (160, 96)
BLOCKS = (20, 12)
TOP_BLOCKS = 4
"""A change is the mean of the blocks that change most, so that one moving hand counts."""
MOVES = 0.5
"""Where pictures change by less than this, in 8-bit levels, nothing can be told."""
CONTRAST = 0.75
"""A repeated frame changes by less than this share of what the new pictures around it do."""
MOST = 0.85
"""Share of the moving frames that have to look as the cadence says."""
EARLY_STEPS = 1.05
"""A cadence puts no picture farther than a step from its even moment; an edit that cuts into it does."""
CLEAR = 0.33
"""The median repeated frame changes by less than this share of what the median new picture does. Parts of 47
recordings without a cadence looked like one by chance down to 0.34; what H.264 of crf 18 repeats changes by
0.1, of crf 28 by 0.2."""
FEWEST = 5
"""So many repeats and so many new pictures that move have to be seen: in fewer a cadence stands by chance."""
WINDOW = 40
"""Frames over which a cadence keeps its phase, at least; edits shift it."""
LOOK_AT = 400
"""Frames by which a cadence has to show itself, or the rest is not looked at."""


class RepeatCadence(NamedTuple):
    """A pattern of repeated pictures.

    Attributes:
        frames: Of a period.
        pictures: In it.
        new: (T,) bool, which frames show a new picture.
    """

    frames: int
    pictures: int
    new: np.ndarray


def without_duplicate_frames(source: FrameSource) -> FrameSource:
    """The clip with every picture once, at even times; the clip itself where it has no cadence.

    A still part has no cadence to see and keeps that of what is around it: it stays as long as it was.
    """
    steps = np.diff(source.times_s) * float(source.fps)
    if not np.allclose(steps, 1, atol=0.01):
        return source
    changes = frame_changes(source)
    found = find_repeat_cadence(changes) if len(changes) == len(source) else None
    if found is None:
        return source
    kept = np.flatnonzero(found.new)
    fps = source.fps * found.pictures / found.frames
    times_s = _even(source.times_s[kept] * float(fps)) * fps.denominator / fps.numerator
    view = ClipView(
        source, kept, timing=FrameTimes(times_s, fps, last_s=max(source.duration_s - times_s[-1], 0.0))
    )
    view.notes = [
        *source.notes,
        f"{len(source) - len(kept)} of {len(source)} frames repeat the one before by a cadence: the "
        f"{float(fps):.5g} pictures a second were taken, evenly (dedupe=off keeps every frame)",
    ]
    return view


def _even(places: np.ndarray) -> np.ndarray:
    """(P,) int64 one moment after the other, one left out where a picture would come a whole one early.

    Args:
        places: (P,) when each picture appears, in steps of the pictures' rate.
    """
    moments = np.arange(len(places))
    for number in range(1, len(places)):
        if places[number] - moments[number] > EARLY_STEPS:
            moments[number:] += 1
    return moments


def find_repeat_cadence(changes: np.ndarray) -> RepeatCadence | None:
    """The cadence that a clip's frames keep, or None.

    Args:
        changes: (T,) how much each frame differs from the one before, in 8-bit levels.
    """
    best, best_score = None, MOST
    for frames, pictures in PATTERNS:
        new, told, score = _fit(changes, frames, pictures)
        if score > best_score and _is_clear(changes[new & told], changes[~new & told]):
            best, best_score = RepeatCadence(frames, pictures, new), score
    return best


def _is_clear(of_new: np.ndarray, of_repeats: np.ndarray) -> bool:
    """Whether enough new pictures and repeats are seen, and differ enough."""
    if min(len(of_new), len(of_repeats)) < FEWEST:
        return False
    return bool(np.median(of_repeats) < CLEAR * np.median(of_new))


def _fit(changes: np.ndarray, frames: int, pictures: int) -> tuple[np.ndarray, np.ndarray, float]:
    """The frames with new pictures if this were the cadence, those that tell it, and how well they fit."""
    total = len(changes)
    first = np.array([j * frames // pictures for j in range(pictures)])
    place = np.arange(total)[None] - np.arange(frames)[:, None]
    new = np.isin(place % frames, first)  # (phase, T)
    means = [_local_mean(changes, mask, frames) for mask in (new, ~new)]
    fits = np.where(new, changes * CONTRAST > means[1], changes < CONTRAST * means[0])
    moves = means[0] > MOVES
    length = max(WINDOW, 4 * frames)
    bounds = np.linspace(0, total, max(1, round(total / length)) + 1).astype(int)
    chosen, counted, good, phase = np.zeros(total, bool), np.zeros(total, bool), 0, 0
    for start, stop in pairwise(bounds.tolist()):
        part = slice(start, stop)
        told = moves[:, part]
        share = (fits[:, part] & told).sum(axis=1) / np.maximum(told.sum(axis=1), 1)
        best = int(np.argmax(share))
        if told[best].sum() >= (stop - start) / 2:
            phase, counted[part] = best, told[best]
            good += int((fits[phase, part] & told[phase]).sum())
        chosen[part] = new[phase, part]
    chosen[0] = True
    score = good / max(int(counted.sum()), 1)
    counted[0] = False  # it has none before
    return chosen, counted, score


def _local_mean(changes: np.ndarray, mask: np.ndarray, frames: int) -> np.ndarray:
    """(phase, T) mean over the marked frames within a period on each side."""
    window = np.ones(2 * frames + 1)
    smooth = [
        np.convolve(changes * row, window)[frames:-frames]
        / np.maximum(np.convolve(row, window)[frames:-frames], 1e-9)
        for row in mask.astype(float)
    ]
    return np.stack(smooth)


def frame_changes(frames: Iterable[np.ndarray]) -> np.ndarray:
    """(T,) how much each frame differs from the one before, in 8-bit levels, 0 for the first.

    Shorter than the clip where no cadence shows itself in the first `LOOK_AT` frames.
    """
    changes, before = [0.0], None
    for index, frame in enumerate(frames):
        small = cv2.resize(frame, SMALL_PX, interpolation=cv2.INTER_AREA).astype(np.float32)
        if before is not None:
            blocks = cv2.resize(np.abs(small - before).mean(axis=2), BLOCKS, interpolation=cv2.INTER_AREA)
            changes.append(float(np.sort(blocks, axis=None)[-TOP_BLOCKS:].mean()))
        before = small
        if index == LOOK_AT and find_repeat_cadence(np.array(changes)) is None:
            break
    return np.array(changes)
