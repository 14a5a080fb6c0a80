"""Analysis of a clip, made before any picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from rib.pipeline.timeline import OutputTimeline
from rib.structures.keypoints import PoseSequence, PoseTracks


@dataclass(frozen=True)
class AnalysisFallback:
    """A part of the clip where the interpolator stands alone, and why."""

    start_s: float
    end_s: float
    why: str


@dataclass(frozen=True)
class ClipAnalysis:
    """Cuts, people and mattes of a clip.

    Attributes:
        keyframe_times_s: (K,) seconds.
        timeline: The output's moments.
        cuts: Keyframes that begin a new shot.
        keyframe_tracks: The people at the keyframes; the first of them is the main person.
        tracks: The same people at the output's moments.
        mattes: By track id a folder of one 8-bit matte a keyframe, or None where no stage needs them.
        idle: Why no person is rendered in the whole clip, or "".
        looked_for_people: Whether any output asked for people; else nobody was looked for.
    """

    keyframe_times_s: np.ndarray
    timeline: OutputTimeline
    cuts: tuple[int, ...]
    keyframe_tracks: PoseTracks
    tracks: PoseTracks
    mattes: Mapping[int, Path] | None
    idle: str = ""
    looked_for_people: bool = True

    @property
    def keyframe_poses(self) -> PoseSequence:
        """The main person at the keyframes."""
        return self.keyframe_tracks.person(self.keyframe_tracks.track_ids[0])

    @property
    def poses(self) -> PoseSequence:
        """The main person at the output's moments."""
        return self.tracks.person(self.tracks.track_ids[0])

    @property
    def shots(self) -> np.ndarray:
        """(K,) number of the shot of every keyframe."""
        return np.searchsorted(self.cuts, np.arange(len(self.keyframe_times_s)), side="right")

    def people_at(self, *keyframes: int) -> tuple[int, ...]:
        """Track ids of those who were found in all of these keyframes."""
        present = (self.keyframe_tracks.confidence[list(keyframes)] > 0).any(axis=2).all(axis=0)
        return tuple(np.array(self.keyframe_tracks.track_ids)[present].tolist())

    def person_at(self, *keyframes: int) -> bool:
        """Whether anybody was found in all of these keyframes."""
        return bool(self.people_at(*keyframes))

    def depth(self, track_id: int, moments: np.ndarray) -> np.ndarray | None:
        """(N,) one person's depth at some of the output's moments, or None where nothing tells it."""
        depth = self.tracks.person_depth
        return None if depth is None else depth[moments, self.tracks.track_ids.index(track_id)]

    def matte(self, track_id: int, keyframe: int) -> np.ndarray | None:
        """(H, W) uint8, one person's matte in one keyframe; None where no stage needs mattes."""
        if self.mattes is None:
            return None
        path = self.mattes[track_id] / f"{keyframe:06d}.png"
        return cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)

    @property
    def fallbacks(self) -> list[AnalysisFallback]:
        """List the intervals without a rendered person and why; neighbours with one reason are joined."""
        found: list[AnalysisFallback] = []
        for interval in range(len(self.keyframe_times_s) - 1):
            why = "scene cut: the nearer keyframe is held" if interval + 1 in self.cuts else self.idle
            if not why and self.looked_for_people and not self.person_at(interval, interval + 1):
                why = "no person found"
            if not why:
                continue
            start, end = (float(t) for t in self.keyframe_times_s[interval : interval + 2])
            if found and found[-1].why == why and found[-1].end_s == start:
                start = found.pop().start_s
            found.append(AnalysisFallback(start, end, why))
        return found
