"""Report of an evaluation: a table for a terminal or a pipe, JSON and CSV."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rib.io.files.tables import rows_as_csv
from rib.io.files.whole import write_text_whole
from rib.io.results.result import ResultDestination, ResultPart
from rib.motion.evaluation.scoring import MEASURES, REFERENCE_MEASURES
from rib.motion.evaluation.settings import MotionEvaluationSettings

Rows = Sequence[dict[str, Any]]
PIPE_WIDTH = 260
HEADINGS = {
    "between": "between, px ↓", "key": "keyframes, px ↓", "torso": "between, torsos ↓", "pck05": "PCK@.05 ↑",
    "acc": "acceleration, px/frame² ↓", "mse": "MSE ↓", "mae": "MAE ↓", "max": "max ↓",
}  # fmt: skip


FORMATS = {"torso": "{:.4f}", "mse": "{:.1e}", "mae": "{:.5f}"}


def mean_motion_errors(rows: Rows) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    """Means over sequences: condition, method, measure, stride."""
    cells: dict[tuple[str, str, str, str], list[float]] = {}
    for row in rows:
        for measure in (*MEASURES, *REFERENCE_MEASURES):
            place = (row["condition"], row["method"], measure, str(row["stride"]))
            cells.setdefault(place, []).append(row[measure])
    found: dict[str, Any] = {}
    for (condition, method, measure, stride), values in cells.items():
        by = found.setdefault(condition, {}).setdefault(method, {}).setdefault(measure, {})
        by[stride] = float(np.mean(values))
    return found


def motion_evaluation_destination(config: MotionEvaluationSettings, first_clip: str) -> ResultDestination:
    """Choose the destination of an evaluation: its numbers, and the video of skeletons that was asked for.

    Args:
        config: Of conf/evaluate.yaml.
        first_clip: The recording that is shown where none is named.
    """
    show = config.show
    names = ["evaluation.json", "evaluation.csv"]
    if config.skeletons:
        names.append(f"{Path(show.clip or first_clip).name}.{show.format}")
    reads = {"folder": config.folder, **({"ckpt": config.ckpt} if config.ckpt else {})}
    parts = [ResultPart(name) for name in names]
    return ResultDestination(Path(config.output).expanduser(), "evaluate", parts, reads, config.overwrite)


def write_motion_evaluation(folder: Path, rows: Rows, protocol: dict[str, Any]) -> None:
    """Write evaluation.json (settings, means, every row) and evaluation.csv (every row)."""
    whole = {"protocol": _finite(protocol), "means": mean_motion_errors(rows), "rows": list(rows)}
    write_text_whole(folder / "evaluation.json", json.dumps(whole, indent=1) + "\n")
    write_text_whole(folder / "evaluation.csv", rows_as_csv(list(rows[0]), rows))


def _finite(value: Any) -> Any:
    """Settings as strict JSON can hold them: infinity becomes a word."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def print_motion_tables(rows: Rows) -> None:
    """One table a condition: a line a method, a column a measure; the best value stands out."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    terminal = sys.stdout.isatty()
    console = Console(width=None if terminal else PIPE_WIDTH)
    for condition, by_method in mean_motion_errors(rows).items():
        strides = list(next(iter(by_method.values()))["between"])
        title = f"{condition}: keyframes every {' / '.join(strides)} frames of 60 a second"
        table = Table(title=title, box=box.SIMPLE_HEAD if terminal else box.MARKDOWN, title_justify="left")
        table.add_column("method", no_wrap=True)
        shown = (*MEASURES, *REFERENCE_MEASURES[:2])
        for measure in shown:
            table.add_column(HEADINGS[measure], justify="right", no_wrap=not terminal)
        for method, measures in by_method.items():
            table.add_row(method, *(_cell(measures[m], m, by_method) for m in shown))
        console.print(table)


def _cell(values: dict[str, float], measure: str, by_method: dict[str, Any]) -> str:
    choose = max if measure.startswith("pck") else min
    texts = []
    for stride, value in values.items():
        best = choose(_text(other[measure][stride], measure) for other in by_method.values())
        text = _text(value, measure)
        texts.append(f"[bold]{text}[/]" if text == best else text)
    return " / ".join(texts)


def _text(value: float, measure: str) -> str:
    return FORMATS.get(measure, "{:.3f}").format(value)
