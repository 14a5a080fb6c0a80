"""Tell what run.py found: how often the bounds hold, what is won where limbs travel, what is out of bound.

python experiments/people/table.py OUT

OUT may hold the results of several windows (run.py); without those of the middle, `largest` is not told.
Bounds of a setting's means against RIFE: person -0.1 dB and +.002 LPIPS, full frame +.001 LPIPS; and the
hard ones, -0.3 dB and +.006 over the person. `travel` is the mean over the intervals of how far the end or
middle of a limb goes between two true keyframes, in torso lengths; beyond `TRAVEL` a setting counts for the
gain. RIFE's own LPIPS and both joint errors are those of the frames in the middle of the intervals. The
last table chooses the gate's threshold with one recording of `people` left out each time, by the LPIPS that
the others win where an interval's verdict is above it, and closes the intervals of the one left out by it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

TRAVEL = 0.5
BOUND, HARD = (-0.1, 0.002, 0.001), (-0.3, 0.006, np.inf)
"""PSNR over the person, LPIPS over the person and over the frame."""
METHODS, WINDOWS = ("largest", "all"), ("middle", "early", "late")
THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
Result = dict[str, Any]


def within(result: Result, method: str, bound: Sequence[float]) -> bool:
    """Whether a setting's means keep a bound."""
    means = result["means"][method]
    return bool(
        means["person_db"] >= bound[0]
        and means["person_lpips"] <= bound[1]
        and means["full_lpips"] <= bound[2]
    )


def floor_rows(results: Sequence[Result]) -> Iterable[str]:
    """Share of settings within the bounds, and the worst."""
    groups: dict[str, Callable[[Result], bool]] = {
        "all settings": lambda one: True,
        "people": lambda one: not one["judge"],
        "judges": lambda one: one["judge"],
        "several people found": lambda one: one["people"] > 1,
        "somebody is drawn": lambda one: one["means"]["all"]["changed_frames"] > 0,
    }
    for window in WINDOWS:
        groups[f"{window} window"] = lambda one, window=window: one.get("window", "middle") == window
    yield "| settings | number | people= | in bounds | in hard bounds | worst dB | worst LPIPS | worst full |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, chosen in groups.items():
        for method in METHODS:
            some = [one for one in results if method in one["means"] and chosen(one)]
            if not some:
                continue
            means = [one["means"][method] for one in some]
            kept, hard = (sum(within(one, method, bound) for one in some) for bound in (BOUND, HARD))
            worst = min(m["person_db"] for m in means), max(m["person_lpips"] for m in means)
            full = max(m["full_lpips"] for m in means)
            yield (
                f"| {name} | {len(some)} | {method} | {kept / len(some):.1%} | {hard / len(some):.1%} "
                f"| {worst[0]:+.2f} | {worst[1]:+.4f} | {full:+.4f} |"
            )


def travel(result: Result) -> float:
    """Mean travel of the furthest limb, in torso lengths an interval."""
    return float(np.mean(result["travel"])) if result["travel"] else 0.0


def gain(results: Sequence[Result], method: str) -> tuple[float, float, float]:
    """Mean PSNR won, and LPIPS and joint error as shares of RIFE's."""
    db = float(np.mean([one["means"][method]["person_db"] for one in results]))
    won = np.mean([one["means"][method]["person_lpips"] for one in results])
    middles = [[row for row in one["joints"] if "rife_lpips" in row] for one in results]
    rife = np.mean([np.mean([row["rife_lpips"] for row in rows]) for rows in middles if rows])
    ours, theirs = (
        np.mean([np.mean([row[name] for row in one["joints"]]) for one in results if one["joints"]])
        for name in (method, "rife")
    )
    return db, float(won / rife), float(ours / max(theirs, 1e-9))


def gain_cell(results: Sequence[Result], method: str) -> str:
    """What a method wins; nothing where a window was made with another one alone."""
    if not all(method in one["means"] for one in results):
        return ""
    db, lpips, joints = gain(results, method)
    return f"{db:+.2f} dB, {lpips:+.0%} LPIPS, joints x {joints:.2f}"


def gain_rows(results: Sequence[Result]) -> Iterable[str]:
    """Gain where limbs travel, by recording."""
    moving = [one for one in results if travel(one) > TRAVEL and one["joints"]]
    yield "| recording | settings | drawn frames | largest | all |"
    yield "|---|---|---|---|---|"
    names = sorted({one["recording"] for one in moving})
    groups = [("all", moving), ("people", [one for one in moving if not one["judge"]])]
    groups += [("judges", [one for one in moving if one["judge"]])]
    groups += [(name, [one for one in moving if one["recording"] == name]) for name in names]
    for name, some in groups:
        if some:
            drawn = np.mean([one["means"]["all"]["changed_frames"] for one in some])
            cells = " | ".join(gain_cell(some, method) for method in METHODS)
            judge = " (judge)" if some[0]["judge"] and name in names else ""
            yield f"| {name}{judge} | {len(some)} | {drawn:.0%} | {cells} |"


def out_of_bound(results: Sequence[Result]) -> Iterable[str]:
    """The settings that keep no bound, and the intervals that cost them most."""
    for one in results:
        for method in one["means"]:
            if within(one, method, BOUND):
                continue
            means, worst = one["means"][method], [row for row in one["frames"][method] if "person_db" in row]
            worst = sorted(worst, key=lambda row: -row.get("person_lpips", 0))[:3]
            frames = ", ".join(
                f"{row['frame']} ({row['person_db']:+.1f} dB {row.get('person_lpips', 0):+.3f})"
                for row in worst
            )
            yield (
                f"{one['case']} {method}{' (judge)' if one['judge'] else ''}: {means['person_db']:+.2f} dB "
                f"{means['person_lpips']:+.4f}, full {means['full_lpips']:+.4f}; worst frames {frames}"
            )


def verdicts(results: Sequence[Result]) -> list[tuple[str, float, float, float]]:
    """Of every interval with one person drawn: recording, verdict of its gate, PSNR and LPIPS won, summed."""
    found = []
    for one in results:
        for interval, people in one["verdicts"]["all"].items():
            drawn = [row for row in people.values() if row["drawn"]]
            first = int(interval) * one["stride"]
            rows = [row for row in one["frames"]["all"] if first < row["frame"] < first + one["stride"]]
            rows = [row for row in rows if "person_lpips" in row]
            if len(drawn) == 1 and rows:
                (row,) = drawn
                verdict = row["outline"] + min(row["colour"], 0) + max(min(row["holdout"] or 0, 0), -1)
                won = [sum(frame[key] for frame in rows) for key in ("person_db", "person_lpips")]
                found.append((one["recording"], verdict, *won))
    return found


def left_out_rows(results: Sequence[Result]) -> Iterable[str]:
    """What a threshold chosen on the other recordings does to the one left out."""
    found = verdicts([one for one in results if not one["judge"]])
    yield "| left out | threshold | intervals kept | dB won | LPIPS won | closed: dB | closed: LPIPS |"
    yield "|---|---|---|---|---|---|---|"
    for name in sorted({row[0] for row in found}):
        others, own = ([row for row in found if (row[0] == name) == out] for out in (False, True))
        best = min(THRESHOLDS, key=lambda t: sum(row[3] for row in others if row[1] >= t))
        kept, closed = ([row for row in own if (row[1] >= best) == above] for above in (True, False))
        sums = [f"{sum(row[i] for row in rows):+.{i}f}" for rows in (kept, closed) for i in (2, 3)]
        yield f"| {name} | {best} | {len(kept)} of {len(own)} | {' | '.join(sums)} |"


def main() -> None:
    """Print the tables."""
    results = [json.loads(path.read_text()) for path in sorted(Path(sys.argv[1]).glob("*.json"))]
    tables = (floor_rows, gain_rows, left_out_rows, out_of_bound)
    print("\n\n".join("\n".join(table(results)) for table in tables))


if __name__ == "__main__":
    main()
