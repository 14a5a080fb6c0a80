"""People between the keyframes, a few shots of a long clip at a time, on disk where they are many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rib.io.files.mapped import ArrayFileWriter
from rib.pipeline.stages import MotionStage
from rib.pipeline.timeline import OutputTimeline
from rib.structures.keypoints import LAYERS, PoseTracks

PART_KEYFRAMES = 2048
"""A part ends with the first shot that brings it to so many keyframes."""


def move_people(
    motion: MotionStage,
    people: PoseTracks,
    wanted: OutputTimeline,
    cuts: Sequence[int],
    folder: Path,
    at_once: int = PART_KEYFRAMES,
) -> PoseTracks:
    """The people at the output's moments; the last ones are held for those after the last keyframe.

    Args:
        motion: Moves one person within shots.
        people: At the keyframes.
        wanted: The output's moments.
        cuts: Keyframes that begin a new shot.
        folder: On whose disk the poses of a long clip lie.
        at_once: So many keyframes, or up to the next cut, are moved at a time.
    """
    moving_s = wanted.times_s[: len(wanted) - wanted.held]
    kept = _KeptTracks(people, folder)
    for part in _parts(people.times_s, moving_s, cuts, at_once):
        each = [
            replace(
                motion(people.person(one)[part.keyframes], moving_s[part.moments], part.cuts), track_id=one
            )
            for one in people.track_ids
        ]
        kept.append(PoseTracks.of(each, _depth_at(people, moving_s[part.moments])))
    return kept.tracks(wanted.times_s)


@dataclass(frozen=True)
class _Part:
    """Some shots: their keyframes, the moments wanted in them, and the cuts between them, from 0."""

    keyframes: slice
    moments: slice
    cuts: list[int]


def _parts(
    keyframe_s: np.ndarray, wanted_s: np.ndarray, cuts: Sequence[int], at_once: int
) -> Iterator[_Part]:
    """A moment between two shots belongs to the nearer."""
    begin, edges = 0, sorted({cut for cut in cuts if 0 < cut < len(keyframe_s)})
    first = 0
    for end in [*edges, len(keyframe_s)]:
        if end < len(keyframe_s) and end - begin < at_once:
            continue
        last = len(wanted_s)
        if end < len(keyframe_s):
            last = int(np.searchsorted(wanted_s, (keyframe_s[end - 1] + keyframe_s[end]) / 2))
        if last > first:
            yield _Part(slice(begin, end), slice(first, last), [c - begin for c in edges if begin < c < end])
        begin, first = end, last


class _KeptTracks:
    """Takes tracks part by part."""

    def __init__(self, people: PoseTracks, folder: Path) -> None:
        names = ("keypoints_px", "confidence", "person_depth", "layer_depth")
        self._people, self._kept = people, {name: ArrayFileWriter(folder) for name in names}
        self._told, self._count = set[str](), 0
        self._last: dict[str, np.ndarray] = {}

    def append(self, part: PoseTracks) -> None:
        """Take the next part; what it does not tell is unknown in it."""
        unknown = {"person_depth": (), "layer_depth": (len(LAYERS),)}
        self._count += len(part)
        for name, writer in self._kept.items():
            value = getattr(part, name)
            if value is None:
                value = np.full((len(part), len(part.track_ids), *unknown[name]), np.nan)
            else:
                self._told.add(name)
            writer.append(value)
            self._last[name] = value[-1:]

    def tracks(self, times_s: np.ndarray) -> PoseTracks:
        """All of them at these moments, the last ones held."""
        found: dict[str, Any] = {}
        for name, writer in self._kept.items():
            writer.append(np.repeat(self._last[name], len(times_s) - self._count, axis=0))
            found[name] = writer.array() if name in self._told else None
        return replace(self._people, times_s=times_s, shared_box=None, **found)


def _depth_at(people: PoseTracks, times_s: np.ndarray) -> np.ndarray | None:
    """(N, P) depth of people between the keyframes that tell it."""
    if people.person_depth is None:
        return None
    depth = np.zeros((len(times_s), len(people.track_ids)))
    for person, column in enumerate(people.person_depth.T):
        known = np.isfinite(column)
        if known.any():
            depth[:, person] = np.interp(times_s, people.times_s[known], column[known])
    return depth
