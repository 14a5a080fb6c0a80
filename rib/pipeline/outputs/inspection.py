"""A result told in words: frames, people, what was not kept, where the interpolator stands alone."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rib.io.errors import RibError, reason_of_error
from rib.pipeline.outputs.papers import INTERVALS, SUMMARY
from rib.pipeline.outputs.words import duration_in_words

LONGEST = 10
"""So many stretches in which the interpolator stands alone are told, the longest."""


def result_in_words(path: Path) -> Iterator[str]:
    """Lines about a result of `rib interpolate`.

    Args:
        path: Its folder, its video, or the folder `<name>.rib` beside that.

    Raises:
        RibError: No result is there, or its summary cannot be read.
    """
    papers = _papers(path)
    summary = _summary(papers / SUMMARY)
    try:
        yield from _made(summary)
        yield from _people(summary["people"])
        yield from (f"not kept: {lost}" for lost in summary["not_kept"])
        yield from _alone(_rows(papers / INTERVALS), summary["fallbacks"])
        yield from _seconds(summary["seconds"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RibError(
            f"{papers / 'summary.json'} is no summary of rib interpolate ({reason_of_error(error)})",
            "name a result's folder or video",
        ) from error


def _papers(path: Path) -> Path:
    beside = path.with_name(f"{path.stem}.rib")
    inside = sorted(path.glob("*.rib")) if path.is_dir() else []
    for folder in (path, beside, *inside):
        if (folder / SUMMARY).is_file():
            return folder
    raise RibError(f"no result of rib interpolate is in {path}", "name a result's folder or video")


def _summary(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RibError(f"{file} cannot be read ({reason_of_error(error)})", "name another result") from error
    if not isinstance(found, dict):
        raise RibError(f"{file} is no summary of rib interpolate", "name a result's folder or video")
    return found


def _made(summary: Mapping[str, Any]) -> Iterator[str]:
    given, made = summary["input"], summary["output"]
    width, height = given["size_px"]
    yield (
        f"{given['name']}: {given['frames']} frames at {given['fps']:.5g} a second, {width} x {height} px, "
        f"became {made['frames']} at {made['fps']:.5g}, {made['duration_s']:.2f} s"
    )
    yield (
        f"{made['made']} frames were made, {made['copied']} are the input's own; "
        f"{summary['trusted_pixels']:.1%} of the made pixels are the renderer's, "
        f"in {summary['trusted_intervals']:.0%} of the intervals"
    )


def _people(people: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for one in people:
        gain = one["holdout_gain_db"]
        judged = "" if gain is None else f", {gain:+.2f} dB on held-out keyframes"
        yield (
            f"person {one['person_id']}: in {one['in_keyframes']:.0%} of the keyframes, drawn in "
            f"{one['trusted_intervals']} of {one['intervals']} intervals{judged}"
        )


def _rows(file: Path) -> list[dict[str, str]]:
    """The rows of the table of intervals; none where the result has no table."""
    try:
        with file.open(encoding="utf-8", newline="") as table:
            return list(csv.DictReader(table))
    except (OSError, ValueError, csv.Error):
        return []


def _alone(rows: Sequence[Mapping[str, str]], fallbacks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The longest stretches without a rendered person, then all such time by reason."""
    stretches: list[tuple[float, float, str]] = [
        (float(row["start_s"]), float(row["end_s"]), row["why"]) for row in rows if row["why"]
    ] or [(float(one["start_s"]), float(one["end_s"]), str(one["why"])) for one in fallbacks]
    joined: list[tuple[float, float, str]] = []
    for start_s, end_s, why in stretches:
        if joined and joined[-1][2] == why and abs(joined[-1][1] - start_s) < 1e-6:
            start_s = joined.pop()[0]
        joined.append((start_s, end_s, why))
    by_reason: dict[str, float] = defaultdict(float)
    for start_s, end_s, why in joined:
        by_reason[why] += end_s - start_s
    for why, seconds in sorted(by_reason.items(), key=lambda one: -one[1]):
        yield f"the interpolator alone for {seconds:.2f} s: {why}"
    longest = sorted(sorted(joined, key=lambda one: one[0] - one[1])[:LONGEST])
    yield from (f"  {start_s:.2f}-{end_s:.2f} s: {why}" for start_s, end_s, why in longest)


def _seconds(seconds: Mapping[str, float]) -> Iterator[str]:
    stages = sorted(
        ((name, float(s)) for name, s in seconds.items() if name != "total"), key=lambda one: -one[1]
    )
    most = ", ".join(f"{name} {duration_in_words(value)}" for name, value in stages[:6] if value >= 0.5)
    yield f"it took {duration_in_words(float(seconds['total']))}{f' ({most})' if most else ''}"
