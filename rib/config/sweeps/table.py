"""The runs of a sweep as a table: what was varied, what came of it, every number logged."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rib.engine.run_folder.status import DONE, RunStatus
from rib.engine.score import is_better

NO_SETTINGS = ("restore", "ckpt")
"""What says how a run is started, and not what it is."""


@dataclass(frozen=True)
class SweepTable:
    """A row a run.

    Attributes:
        runs: Status of each run by its number.
        varied: Settings that differ between runs, with each run's value as it was typed.
        metrics: Names of all numbers that any run logged at the validation that counts for it.
        objectives: Metrics that the runs are judged by, each with "min" or "max"; the first is the score.
    """

    runs: Mapping[int, RunStatus]
    varied: Mapping[str, Mapping[int, str]]
    metrics: tuple[str, ...]
    objectives: Mapping[str, str]

    @classmethod
    def of(cls, runs: Mapping[int, RunStatus], objectives: Mapping[str, str]) -> SweepTable:
        """The table of runs by number."""
        split = {n: dict(o.lstrip("+~").partition("=")[::2] for o in s.overrides) for n, s in runs.items()}
        names = dict.fromkeys(name for settings in split.values() for name in settings)
        varied = {
            name: {number: settings.get(name, "") for number, settings in split.items()}
            for name in names
            if name not in NO_SETTINGS and len({s.get(name) for s in split.values()}) > 1
        }
        metrics = tuple(sorted({name for status in runs.values() for name in status.metrics}))
        return cls(runs, varied, metrics, objectives)

    def rows(self, all_metrics: bool = True) -> list[list[str]]:
        """A header and a row a run: number, what it varied, state, score, step, seconds, metrics, error.

        Args:
            all_metrics: False leaves the errors out, and all metrics but further objectives.
        """
        shown = self.metrics if all_metrics else tuple(self.objectives)[1:]
        head = ["run", *self.varied, "state", "score", *(() if all_metrics else shown), "step", "seconds"]
        rows = [head + ([*shown, "error"] if all_metrics else [])]
        for number, status in self.runs.items():
            metrics = [_number(status.metrics.get(name)) for name in shown]
            row = [str(number), *(self.varied[name][number] for name in self.varied)]
            row += [status.state, _number(status.score), *([] if all_metrics else metrics)]
            row += ["" if status.step is None else str(status.step), f"{status.seconds or 0:g}"]
            rows.append(row + ([*metrics, status.error or ""] if all_metrics else []))
        return rows

    def judged(self) -> dict[int, list[float]]:
        """The objectives of each run that is done and logged them all."""
        found = {}
        for number, status in self.runs.items():
            further = [status.metrics.get(name, math.nan) for name in tuple(self.objectives)[1:]]
            values = [math.nan if status.score is None else status.score, *further]
            if status.state in DONE and all(map(math.isfinite, values)):
                found[number] = values
        return found

    def best(self) -> dict[int, list[float]]:
        """Runs that no other is at least as good as in every objective and better in one."""
        judged, modes = self.judged(), list(self.objectives.values())

        def beats(a: list[float], b: list[float]) -> bool:
            none_worse = not any(is_better(y, x, m) for x, y, m in zip(a, b, modes, strict=True))
            return none_worse and a != b

        found = {n: v for n, v in judged.items() if not any(beats(other, v) for other in judged.values())}
        return dict(list(found.items())[:1]) if len(modes) == 1 else found


def objectives_of_sweep(folder: Path) -> dict[str, str]:
    """What the runs of a sweep folder are judged by; "score" where none says so."""
    for file in sorted(folder.glob("*/config.json")):
        try:
            told: Any = json.loads(file.read_text(encoding="utf-8"))["optimize"]
            return {str(told["metric"]): str(told["mode"]), **told["also"]}
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return {"score": "min"}


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
