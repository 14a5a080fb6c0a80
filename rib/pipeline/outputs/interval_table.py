"""Table of a result's intervals: people, how far they moved, how much of the pictures is the renderer's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from rib.io.files.tables import write_rows_whole
from rib.io.processes.memory import trim_memory_between_frames
from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.outputs.record import OutputRecord
from rib.render.skinning.bones import skinning_torso_length_px
from rib.structures.keypoints import PoseSequence

NOT_TRUSTED = "the interpolator's people are as good"
NOT_DRAWN = "render=none draws nobody"
NOT_ASKED = "nobody was looked for, as no output shows people and render= draws none"


@dataclass(frozen=True)
class IntervalRow:
    """An interval of the result.

    Attributes:
        interval: Number of the keyframe before it.
        start_s: Time of that keyframe.
        end_s: Time of the keyframe after it.
        made: Frames made in it.
        people: So many are in both keyframes.
        drawn: So many of them are the renderer's somewhere.
        trusted: Mean share of the made frames' pixels that are the renderer's.
        confidence: Mean confidence of the main person's joints in both keyframes, 0..1; 0 where absent.
        travel_torsos: How far the fastest joint of the main person goes, in torso lengths; 0 where absent.
        why: Why the interpolator stands alone in it, or "".
    """

    interval: int
    start_s: float
    end_s: float
    made: int
    people: int
    drawn: int
    trusted: float
    confidence: float
    travel_torsos: float
    why: str


@dataclass(frozen=True)
class IntervalTable:
    """The rows of a result, in order; made anew each time it is walked through.

    Attributes:
        analysis: Of the clip.
        records: What was made in each part of the result, in order.
        draws: Whether the renderer draws anybody.
    """

    analysis: ClipAnalysis
    records: Iterable[OutputRecord]
    draws: bool

    def __iter__(self) -> Iterator[IntervalRow]:
        return _rows(self.analysis, self.records, self._undrawn)

    @property
    def _undrawn(self) -> str:
        """Why nobody is the renderer's in an interval whose people are known, or were not looked for."""
        if not self.analysis.looked_for_people:
            return NOT_ASKED
        return NOT_TRUSTED if self.draws else NOT_DRAWN


def _rows(analysis: ClipAnalysis, records: Iterable[OutputRecord], undrawn: str) -> Iterator[IntervalRow]:
    times_s, poses = analysis.keyframe_times_s, analysis.keyframe_poses
    made_in = (interval for record in records for interval in record.intervals())
    made = next(made_in, None)
    sure = poses.confidence.mean(1)
    torso_px = max(skinning_torso_length_px(poses), 1.0) if poses.present.any() else 1.0
    reasons = iter(analysis.fallbacks)
    reason = next(reasons, None)
    for number in trim_memory_between_frames(range(len(times_s) - 1)):
        start_s, end_s = float(times_s[number]), float(times_s[number + 1])
        while reason is not None and reason.end_s <= start_s:
            reason = next(reasons, None)
        shares, people = made[1:] if made is not None and made[0] == number else ((), {})
        if made is not None and made[0] == number:
            made = next(made_in, None)
        drawn = sum(one.trusted_pixels > 0 for one in people.values())
        alone = reason.why if reason is not None and reason.start_s <= start_s else ""
        yield IntervalRow(
            number,
            round(start_s, 4),
            round(end_s, 4),
            len(shares),
            len(analysis.people_at(number, number + 1)),
            drawn,
            round(float(np.mean(shares)), 4) if shares else 0.0,
            round(float(sure[number : number + 2].mean()), 3),
            round(_travel_px(poses, number) / torso_px, 3),
            alone or ("" if drawn or not shares else undrawn),
        )


def _travel_px(poses: PoseSequence, number: int) -> float:
    """How far the fastest joint goes after a keyframe, of those seen on both sides."""
    a, b = slice(number, number + 1), slice(number + 1, number + 2)
    both = (poses.confidence[a] > 0) & (poses.confidence[b] > 0)
    return float((np.linalg.norm(poses.keypoints_px[b] - poses.keypoints_px[a], axis=2) * both).max())


def write_intervals_csv(path: Path, rows: Iterable[IntervalRow]) -> None:
    """Write the rows as CSV, with the fields' names above."""
    write_rows_whole(path, [field.name for field in fields(IntervalRow)], map(asdict, rows))


def curves(rows: Iterable[IntervalRow], most: int = 400) -> dict[str, list[float]]:
    """What a page shows of the rows, however many there are.

    Args:
        rows: In order, at least one.
        most: So many points at most; neighbours share one.

    Returns:
        `start_s`, `trusted` (mean), `confidence` (mean) and `travel_torsos` (largest) of each point.
    """
    told = np.array([(row.start_s, row.trusted, row.confidence, row.travel_torsos) for row in rows])
    groups = np.array_split(told, min(most, len(told)))
    return {
        "start_s": [float(group[0, 0]) for group in groups],
        "trusted": [round(float(group[:, 1].mean()), 4) for group in groups],
        "confidence": [round(float(group[:, 2].mean()), 3) for group in groups],
        "travel_torsos": [float(group[:, 3].max()) for group in groups],
    }
