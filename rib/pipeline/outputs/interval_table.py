"""Table of a result's intervals: people, how far they moved, how much of the pictures is the renderer's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np

from rib.io.files.tables import rows_as_csv
from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.outputs.record import OutputRecord
from rib.render.skinning.bones import skinning_torso_length_px

FILE = "intervals.csv"
NOT_TRUSTED = "the interpolator's people are as good"


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


def interval_rows(analysis: ClipAnalysis, record: OutputRecord) -> Iterator[IntervalRow]:
    """The rows of a result, in order.

    Args:
        analysis: Of the clip.
        record: What was made of each interval.
    """
    times_s, poses = analysis.keyframe_times_s, analysis.keyframe_poses
    sure = poses.confidence.mean(1)
    both = (poses.confidence[1:] > 0) & (poses.confidence[:-1] > 0)
    moved_px = np.linalg.norm(np.diff(poses.keypoints_px, axis=0), axis=2) * both
    torso_px = max(skinning_torso_length_px(poses), 1.0) if poses.present.any() else 1.0
    reasons = iter(analysis.fallbacks)
    reason = next(reasons, None)
    for number in range(len(times_s) - 1):
        start_s, end_s = float(times_s[number]), float(times_s[number + 1])
        while reason is not None and reason.end_s <= start_s:
            reason = next(reasons, None)
        shares, people = record.trusted.get(number, []), record.people.get(number, {})
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
            round(float(moved_px[number].max()) / torso_px, 3),
            alone or ("" if drawn or not shares else NOT_TRUSTED),
        )


def intervals_csv(rows: Sequence[IntervalRow]) -> str:
    """The rows as CSV, with the fields' names above."""
    return rows_as_csv([field.name for field in fields(IntervalRow)], map(asdict, rows))


def curves(rows: Sequence[IntervalRow], most: int = 400) -> dict[str, list[float]]:
    """What a page shows of the rows, however many there are.

    Args:
        rows: In order, at least one.
        most: So many points at most; neighbours share one.

    Returns:
        `start_s`, `trusted` (mean), `confidence` (mean) and `travel_torsos` (largest) of each point.
    """
    groups = [group for group in np.array_split(np.arange(len(rows)), min(most, len(rows))) if len(group)]
    return {
        "start_s": [rows[group[0]].start_s for group in groups],
        "trusted": [round(float(np.mean([rows[i].trusted for i in group])), 4) for group in groups],
        "confidence": [round(float(np.mean([rows[i].confidence for i in group])), 3) for group in groups],
        "travel_torsos": [max(rows[i].travel_torsos for i in group) for group in groups],
    }
