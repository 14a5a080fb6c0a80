"""Hold-out validation in the walk that makes the frames, a shot ahead of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from rib.io.processes.memory import trim_memory
from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.holdout.holdouts import Holdouts, holdout_span
from rib.pipeline.holdout.scores import HoldoutScores, Score
from rib.pipeline.holdout.validator import HoldoutValidator
from rib.pipeline.stage_set import StageSet
from rib.pipeline.synthesis.keyframe_window import DecodedKeyframe, KeyframeSpanCollector, KeyframeWindow
from rib.structures.person_interval import HoldoutEvidence
from rib.video import FrameQueue

AHEAD_BYTES = 4 * 2**30
"""Frames of a shot wait, mostly on disk, until its hold-outs are judged; of a shot with more bytes the first
pass before its last hold-outs are seen, and are judged by those before."""


class HoldoutValidationPass:
    """Sees every frame before it passes, and judges the renderer on the keyframes that are held out.

    Args:
        stages: Its watch takes the time.
        validator: Chooses and scores.
        analysis: What is known of the clip.
        learnt: By track id, keyframes that the renderer's net was fitted to.
        folder: On whose disk frames wait.
        ahead_bytes: So many bytes of frames wait at most.
        shots: Numbers of the shots that are judged; None for all.
        scores: Hold-outs that were scored before are taken from here, and new ones kept.
    """

    def __init__(
        self,
        stages: StageSet,
        validator: HoldoutValidator,
        analysis: ClipAnalysis,
        learnt: Mapping[int, frozenset[int]],
        folder: Path,
        ahead_bytes: int = AHEAD_BYTES,
        shots: Collection[int] | None = None,
        scores: HoldoutScores | None = None,
    ) -> None:
        self._watch, self._validator, self._analysis = stages.watch, validator, analysis
        self._learnt, self._ahead_bytes = learnt, ahead_bytes
        self._queue = FrameQueue(folder)
        self._people: dict[int, list[int]] = {}
        for track_id in analysis.keyframe_tracks.track_ids:
            for keyframe in validator.choose(analysis, track_id):
                self._people.setdefault(keyframe, []).append(track_id)
        self._shots, self._scores = analysis.shots, scores
        chosen = sorted(k for k in self._people if shots is None or self._shots[k] in shots)
        spans = {keyframe: holdout_span(analysis, keyframe) for keyframe in chosen}
        self._known = {k: found for k in chosen if scores and (found := scores.get(k)) is not None}
        self._known_at: dict[int, list[int]] = {}
        for keyframe in self._known:
            self._known_at.setdefault(spans[keyframe].stop - 1, []).append(keyframe)
        self._to_score = deque(k for k in chosen if k not in self._known)
        self._spans = KeyframeSpanCollector(
            KeyframeWindow(analysis, stages.device), [spans[k] for k in self._to_score]
        )
        self._last_needed = np.full(len(self._shots), -1)
        for keyframe, span in spans.items():
            self._last_needed[self._shots[keyframe]] = span.stop - 1
        self._found: dict[int, list[tuple[int, tuple[float, ...]]]] = {}
        self._holdouts: dict[int, Holdouts] = {}

    def through(self, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """All keyframes in order; one passes when the hold-outs of its shot are judged."""
        passed = 0
        for index, frame in enumerate(frames):
            self._queue.append(frame)
            self._judge(frame, index)
            while self._queue and (
                self._last_needed[self._shots[passed]] <= index or self._queue.num_bytes > self._ahead_bytes
            ):
                yield self._queue.pop()
                passed += 1
        while self._queue:
            yield self._queue.pop()

    def evidence(self, track_id: int, interval: int) -> HoldoutEvidence:
        """What bears on a person between two keyframes, of what was judged until now."""
        return self.judged(track_id).evidence(interval, self._analysis.cuts)

    def judged(self, track_id: int) -> Holdouts:
        """What was judged of a person until now."""
        if track_id not in self._holdouts:
            found = sorted(self._found.get(track_id, []))
            keyframes = np.array([keyframe for keyframe, _ in found], np.int64)
            scores = np.array([score for _, score in found]).reshape(-1, 4)
            shots = self._shots[keyframes]
            self._holdouts[track_id] = Holdouts(keyframes, shots, scores[:, 0], scores[:, 1:])
        return self._holdouts[track_id]

    def _judge(self, frame: np.ndarray, index: int) -> None:
        """Score the hold-outs that are complete with this keyframe; those scored before count from now on."""
        for near in self._spans.push(frame):
            keyframe = self._to_score.popleft()
            found = {who: self._score(who, keyframe, near) for who in self._people[keyframe]}
            if self._scores is not None:
                self._scores.put(keyframe, found)
            self._count(keyframe, found)
            trim_memory()
        for keyframe in self._known_at.get(index, ()):
            self._count(keyframe, self._known[keyframe])

    def _score(self, track_id: int, keyframe: int, near: Sequence[DecodedKeyframe]) -> Score:
        with self._watch("hold-outs"):
            learnt = self._learnt.get(track_id, ())
            return self._validator(self._analysis, track_id, keyframe, near, learnt)

    def _count(self, keyframe: int, scores: Mapping[int, Score]) -> None:
        for track_id, score in scores.items():
            self._found.setdefault(track_id, []).append((keyframe, score))
            self._holdouts.pop(track_id, None)
