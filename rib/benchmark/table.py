"""The scores as a table for a terminal or a pipe, and as CSV."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rib.io.files.tables import rows_as_csv
from rib.metrics.frames import LOWER_IS_BETTER

COLUMNS = {
    "psnr_full": ("PSNR", "{:.2f}"),
    "ssim_full": ("SSIM", "{:.3f}"),
    "lpips_full": ("LPIPS", "{:.3f}"),
    "psnr_person": ("person PSNR", "{:.2f}"),
    "ssim_person": ("person SSIM", "{:.3f}"),
    "lpips_person": ("person LPIPS", "{:.3f}"),
    "joint_error": ("joint error", "{:.3f}"),
}
"""Heading and format of each score."""
PIPE_WIDTH = 150
"""Columns where no terminal says how wide it is."""


def benchmark_csv(rows: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """A line for each method and hidden frame; a score that a frame does not have is empty."""
    lines = ({"method": method, **row} for method, scored in rows.items() for row in scored)
    return rows_as_csv(["method", "frame", "time_s", *LOWER_IS_BETTER], lines)


def print_benchmark_table(result: Mapping[str, Any]) -> None:
    """Print mean / worst tenth of every score; the best mean of each column stands out."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    terminal = sys.stdout.isatty()
    summaries = {name: method["summary"] for name, method in result["methods"].items()}
    scores = [score for score in COLUMNS if any(score in summary for summary in summaries.values())]
    table = Table(box=box.SIMPLE_HEAD if terminal else box.MARKDOWN)
    table.add_column("method", no_wrap=True)
    for score in scores:
        table.add_column(f"{COLUMNS[score][0]} {'↓' if LOWER_IS_BETTER[score] else '↑'}", justify="right")
    table.add_column("s / frame ↓", justify="right")
    bold = {score: best_methods(summaries, score) for score in scores}
    for name, summary in summaries.items():
        cells = [
            benchmark_table_cell(summary, score, "[bold]{}[/]" if name in bold[score] else "{}")
            for score in scores
        ]
        table.add_row(name, *cells, f"{result['methods'][name]['seconds_a_frame']:.2f}")
    console = Console(width=None if terminal else PIPE_WIDTH, highlight=False)
    console.print(table)
    console.print(benchmark_caption(result), style="dim", markup=False)


def benchmark_caption(result: Mapping[str, Any]) -> str:
    """Describe the data that the table was measured on."""
    clip, frames = result["clip"], next(iter(result["methods"].values()))["summary"]["frames"]
    width, height = clip["size_px"]
    return (
        f"{clip['name']}, {width} x {height} px, {clip['fps']:.4g} fps; "
        f"one frame in {result['stride']} given, {frames} hidden ones scored; mean / worst tenth"
    )


def best_methods(summaries: Mapping[str, Mapping[str, float]], score: str) -> set[str]:
    """The methods whose mean nobody beats, as far as the table shows it."""
    shown = {
        name: float(COLUMNS[score][1].format(summary[score]))
        for name, summary in summaries.items()
        if score in summary
    }
    first = (min if LOWER_IS_BETTER[score] else max)(shown.values(), default=0.0)
    return {name for name, value in shown.items() if value == first}


def benchmark_table_cell(summary: Mapping[str, float], score: str, style: str) -> str:
    """`mean / worst tenth`, or nothing where the clip shows no person."""
    return " / ".join(_cell(summary, score, style))


def _cell(summary: Mapping[str, float], score: str, style: str) -> Iterator[str]:
    if score in summary:
        pattern = COLUMNS[score][1]
        yield style.format(pattern.format(summary[score]))
        yield pattern.format(summary[f"{score}_worst_tenth"])
