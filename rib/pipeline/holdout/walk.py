"""Hold-out validation in the walk that makes the frames, a shot ahead of it, of those who are asked about."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from rib.io.processes.memory import trim_memory
from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.holdout.holdouts import HoldoutFrames, Holdouts, holdout_span
from rib.pipeline.holdout.scores import HoldoutScores, Score
from rib.pipeline.holdout.validator import HoldoutValidator
from rib.pipeline.stage_set import StageSet
from rib.pipeline.synthesis.keyframe_window import KeyframeSpanCollector, KeyframeWindow
from rib.structures.person_interval import AskHoldouts, HoldoutEvidence
from rib.video import FrameQueue

AHEAD_BYTES = 4 * 2**30
"""Frames of a shot wait, mostly on disk, until all its hold-outs are at hand; of a shot with more bytes the
first pass before its last hold-outs are seen, and are judged by those before."""
MOST_WAITING = 8
"""So many hold-outs, a few MB each, wait until somebody asks about them; of more the oldest are made."""


class HoldoutValidationPass:
    """Sees every frame before it passes, and judges the renderer on the keyframes that are held out.

    A person's hold-outs of a shot are made when somebody asks about that person there: most are asked
    about nobody, since the keyframes themselves speak against drawing.

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
        self._shots, self._scores = analysis.shots, scores
        self._people = self._choose(shots)
        spans = {keyframe: holdout_span(analysis, keyframe) for keyframe in sorted(self._people)}
        self._last_needed = np.full(len(self._shots), -1)
        for keyframe, span in spans.items():
            self._last_needed[self._shots[keyframe]] = span.stop - 1
        self._complete_at: dict[int, list[int]] = {}
        for keyframe, span in spans.items():
            self._complete_at.setdefault(span.stop - 1, []).append(keyframe)
        self._known = {k: {} if scores is None else scores.get(k) for k in spans}
        wanted = [k for k in spans if self._people[k] - self._known[k].keys()]
        size_px = validator.working_size(analysis.keyframe_tracks.size_px)
        self._spans = KeyframeSpanCollector(
            KeyframeWindow(analysis, stages.device, size_px), [spans[k] for k in wanted]
        )
        self._wanted = iter(wanted)
        self._complete: set[int] = set()
        self._waiting: dict[int, HoldoutFrames] = {}

    def through(self, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """All keyframes in order; one passes when the hold-outs of its shot can be made."""
        passed = 0
        for index, frame in enumerate(frames):
            self._queue.append(frame)
            self._look(frame, index)
            while self._queue and (
                self._last_needed[self._shots[passed]] <= index or self._queue.num_bytes > self._ahead_bytes
            ):
                yield self._queue.pop()
                passed += 1
        while self._queue:
            yield self._queue.pop()

    def ask(self, track_id: int, interval: int) -> AskHoldouts:
        """Give the question about a person between two keyframes; intervals are asked about in order.

        What it tells follows from the hold-outs that are complete now.
        """
        shot, complete = self._shots[interval], frozenset(self._complete)
        for keyframe in [k for k in self._waiting if self._shots[k] < shot]:
            del self._waiting[keyframe]  # nobody will ask about that shot any more

        def asked() -> HoldoutEvidence:
            return self.judged(track_id, shot, complete).evidence(interval, self._analysis.cuts)

        return asked

    def judged(self, track_id: int, shot: int, among: Collection[int] | None = None) -> Holdouts:
        """Make whatever hold-outs of a person in a shot are complete, or some of these; gives them all."""
        among = self._complete if among is None else among
        complete = sorted(k for k in among if self._shots[k] == shot and track_id in self._people[k])
        scores = [self._score(keyframe, track_id) for keyframe in complete]
        self._validator.rest()
        keyframes, rows = np.array(complete, np.int64), np.array(scores).reshape(-1, 4)
        return Holdouts(keyframes, self._shots[keyframes], rows[:, 0], rows[:, 1:])

    def _choose(self, shots: Collection[int] | None) -> dict[int, set[int]]:
        """By keyframe, those whom holding it out judges."""
        people: dict[int, set[int]] = {}
        for track_id in self._analysis.keyframe_tracks.track_ids:
            for keyframe in self._validator.choose(self._analysis, track_id):
                if shots is None or self._shots[keyframe] in shots:
                    people.setdefault(keyframe, set()).add(track_id)
        return people

    def _look(self, frame: np.ndarray, index: int) -> None:
        """Keep the hold-outs that are complete with this keyframe."""
        for near in self._spans.push(frame):
            self._waiting[next(self._wanted)] = HoldoutFrames(near)
        self._complete.update(self._complete_at.get(index, ()))
        while len(self._waiting) > MOST_WAITING:
            oldest = next(iter(self._waiting))
            for track_id in sorted(self._people[oldest]):
                self._score(oldest, track_id)

    def _score(self, keyframe: int, track_id: int) -> Score:
        known = self._known[keyframe]
        if track_id not in known:
            frames, learnt = self._waiting[keyframe], self._learnt.get(track_id, ())
            with self._watch("hold-outs", whole=True):
                known[track_id] = self._validator(self._analysis, track_id, keyframe, frames, learnt)
            if self._scores is not None:
                self._scores.put(keyframe, known)
            trim_memory()
        if known.keys() >= self._people[keyframe]:
            self._waiting.pop(keyframe, None)
        return known[track_id]
