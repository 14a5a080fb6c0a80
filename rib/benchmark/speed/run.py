"""The speed benchmark from settings to files."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from rib.benchmark.speed.clips import SpeedCase, write_scaled_clip
from rib.benchmark.speed.growth import growth_exponents
from rib.benchmark.speed.measure import SpeedMeasurement, measure_chain, measure_rife
from rib.benchmark.speed.plot import speed_plot_png
from rib.benchmark.speed.settings import SpeedBenchmarkSettings
from rib.io.files.tables import rows_as_csv
from rib.io.files.whole import write_bytes_whole, write_text_whole
from rib.io.processes.workers import worker_pool
from rib.io.results.result import ResultDestination, ResultPart, write_result_whole
from rib.io.settings.paths import paths_read_by_command
from rib.pipeline.progress import progress_bar
from rib.video import FrameSource, open_frame_source

COLD, WARM, RIFE = "cold", "warm", "rife"
"""The chain with an empty cache, with the analysis kept from before, and the interpolator alone."""
Row = dict[str, Any]


def run_speed_benchmark(config: SpeedBenchmarkSettings, source: FrameSource | None = None) -> list[Row]:
    """Time the chain and the interpolator alone on a clip in several sizes, each in a process of its own.

    Args:
        config: Of conf/benchmark_speed.yaml.
        source: The clip, where it is not the file or folder `config.input`.

    Returns:
        The rows of speed.csv: a stage of a run each, in seconds a frame made.

    Raises:
        RibError: A mistake in the settings or in the input; nothing has been written then.
    """
    given = source is not None
    source = source or open_frame_source(config.input, config.input_fps, only=config.input_glob)
    cases, rows = speed_cases(config), list[Row]()
    place = ResultDestination(
        Path(config.output), "speed", [ResultPart("speed.csv"), ResultPart("speed.png")],
        paths_read_by_command(config, given), config.overwrite,
    )  # fmt: skip
    with write_result_whole(place) as work:
        for case in progress_bar(cases, len(cases), "measuring"):
            rows += measure_speed_case(config, source, case)
        write_text_whole(work / "speed.csv", speed_csv(rows))
        write_bytes_whole(work / "speed.png", speed_plot_png(rows))
    return rows


def speed_cases(config: SpeedBenchmarkSettings) -> list[SpeedCase]:
    """One factor at a time from the first of each, or all heights with all rates where that is asked for."""
    asked = config.speed
    cases = [
        SpeedCase(height, rate, asked.people[0], asked.keyframes[0])
        for height, rate in product(asked.heights, asked.rates)
        if asked.every or height == asked.heights[0] or rate == asked.rates[0]
    ]
    first = cases[0]
    cases += [replace(first, num_people=number) for number in asked.people[1:]]
    return cases + [replace(first, num_keyframes=number) for number in asked.keyframes[1:]]


def measure_speed_case(config: SpeedBenchmarkSettings, source: FrameSource, case: SpeedCase) -> list[Row]:
    """Rows of one case: the interpolator alone, then the chain with an empty cache and with a full one."""
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        width, height = write_scaled_clip(source, case, clip)
        about = {
            "height_px": height, "width_px": width, "rate": case.rate, "people": case.num_people,
            "keyframes": case.num_keyframes,
        }  # fmt: skip
        kept = replace(config, cache=replace(config.cache, dir=str(Path(folder) / "cache")))
        runs: list[tuple[str, Callable[..., SpeedMeasurement], tuple[Any, ...]]] = [
            (RIFE, measure_rife, (kept, clip, case.rate))
        ]
        for number, run in enumerate((COLD, WARM)):
            made = Path(folder) / f"{number}.mp4"
            runs.append((run, measure_chain, (kept, clip, case.rate, case.num_people > 1, made)))
        return [
            {"run": run, **about, **row}
            for run, measure, arguments in runs
            for row in _rows(_alone(measure, *arguments))
        ]


def speed_csv(rows: Sequence[Row]) -> str:
    """The rows as CSV."""
    return rows_as_csv(list(rows[0]), rows)


def speed_in_words(rows: Sequence[Row]) -> Iterator[str]:
    """Lines for people: each case beside the interpolator alone, and how cost grows."""
    totals = [row for row in rows if row["stage"] == "total"]
    own = {_case(row): row for row in rows if row["stage"] == "background"}
    alone: Row = {}
    told = {(row["run"], row["precision"], row["threads"]) for row in totals}
    yield "; ".join(f"{run}: {precision}, {threads} threads" for run, precision, threads in sorted(told))
    for row in totals:
        if row["run"] == RIFE:
            alone = row
            continue
        yield (
            f"{row['width_px']} x {row['height_px']} px, rate {row['rate']:g}, {row['people']} people, "
            f"{row['keyframes']} keyframes, {row['run']}: {row['seconds']:.3f} s a frame "
            f"({row['cpu_seconds']:.3f} of CPU), {_ratio(row, alone)} x RIFE alone, {row['peak_mb']:.0f} MB"
            + (f", {_ratio(row, own[_case(row)])} x its own interpolator" if _case(row) in own else "")
        )
    for run in (RIFE, COLD, WARM):
        grown = [{**row, "pixels": row["height_px"] * row["width_px"]} for row in totals if row["run"] == run]
        if exponents := growth_exponents(grown, "cpu_seconds"):
            words = ", ".join(f"{factor} ** {exponent:.2f}" for factor, exponent in exponents.items())
            yield f"{run}: CPU a frame grows with {words}"


def _case(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("run", "height_px", "width_px", "rate", "people", "keyframes"))


def _ratio(row: Row, part: Row) -> str:
    """How often a part's time goes into a whole's: of CPU, and on the clock."""
    cpu, clock = (row[name] / max(part[name], 1e-9) for name in ("cpu_seconds", "seconds"))
    return f"{cpu:.2f} ({clock:.2f} on the clock)"


def _alone(measure: Callable[..., SpeedMeasurement], *arguments: Any) -> SpeedMeasurement:
    """Measure in a new process."""
    with worker_pool(1) as pool:
        return pool.submit(measure, *arguments).result()


def _rows(measured: SpeedMeasurement) -> Iterator[Row]:
    made, peak_mb = max(measured.made, 1), round(measured.peak_bytes / 1e6, 1)
    for stage, seconds in measured.seconds.items():
        cpu = measured.cpu_seconds.get(stage, 0.0)
        yield {
            "made": measured.made, "precision": measured.precision, "threads": measured.threads,
            "stage": stage, "seconds": round(seconds / made, 5), "cpu_seconds": round(cpu / made, 5),
            "peak_mb": peak_mb,
        }  # fmt: skip
