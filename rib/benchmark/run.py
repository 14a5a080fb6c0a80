"""The benchmark from settings to files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import rib
from rib.benchmark.methods import (
    BenchmarkedFrame,
    build_method_chains,
    num_benchmarked_frames,
    seconds_per_hidden_frame,
    walk_benchmark_methods,
)
from rib.benchmark.settings import BenchmarkSettings
from rib.benchmark.sheet import render_contact_sheet
from rib.benchmark.showcase import ContactSheetPicks
from rib.benchmark.table import benchmark_csv
from rib.io.files.whole import write_bytes_whole, write_text_whole
from rib.io.results.result import ResultDestination, ResultPart, write_result_whole
from rib.io.settings.paths import paths_read_by_command
from rib.metrics.frames import FrameScorer, summarise_scores
from rib.pipeline.chain import Chain
from rib.pipeline.outputs.record import OutputRecord
from rib.pipeline.progress import progress_bar
from rib.video import ColourTreatment, FrameSource, InMemorySource, PictureWriter, open_frame_source, subclip
from rib.video.reading.pictures import SUFFIXES
from rib.video.views.view import refuse_uneven_frame_times

TRUE = "true"
"""The folder of the clip's own frames beside those of the methods."""


def run_benchmark(
    config: BenchmarkSettings, source: FrameSource | None = None, chains: Mapping[str, Chain] | None = None,
    scorer: FrameScorer | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Hide all frames but every stride-th, predict them with each method, score and show the predictions.

    Args:
        config: Of conf/benchmark.yaml.
        source: The clip, where it is not the file or folder `config.input`.
        chains: The methods by their names, where they are not those of `config.methods`.
        scorer: What scores the frames; None for every score.

    Returns:
        What is also written to metrics.json.

    Raises:
        RibError: A mistake in the settings or in the input; nothing has been written then.
    """
    stride, source_given = config.stride, source is not None
    # truth is what other readers decode: an untagged clip is BT.601 to them at any size
    source = source or open_frame_source(
        config.input,
        config.input_fps,
        max_mpx=config.max_mpx,
        colours=ColourTreatment(untagged="601"),
        only=config.input_glob,
    )
    clip = InMemorySource(_part(config, source))
    chains = chains or build_method_chains(config)
    scorer = scorer or FrameScorer(next(iter(chains.values())).stages.device)
    showcase = ContactSheetPicks(scorer.detect, config.sheet_rows)
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in chains}
    records = {name: OutputRecord() for name in chains}
    total, hidden = num_benchmarked_frames(len(clip), stride)
    with (
        write_result_whole(_destination(config, chains, source_given)) as work,
        ExitStack() as stack,
    ):
        folders = _folders(work, chains, stack) if config.frames else {}
        for moment in progress_bar(
            walk_benchmark_methods(clip, stride, chains, records), total, "predicting hidden frames"
        ):
            for name, folder in folders.items():
                folder.write(moment.true if name == TRUE else moment.predicted[name])
            _score(moment, scorer, showcase, rows)
            if not moment.is_keyframe:
                for name, trusted in moment.trusted.items():
                    records[name].add(moment.index // stride, trusted)
        stack.close()
        result = _result(config, clip, rows)
        for name, chain in chains.items():
            found = records[name]
            result["methods"][name] |= _stages_of(chain, hidden) | found.shares() | chain.summary(found.notes)
        write_text_whole(work / "metrics.json", json.dumps(result, indent=2) + "\n")
        write_text_whole(work / "metrics.csv", benchmark_csv(rows))
        write_bytes_whole(work / "contact_sheet.png", render_contact_sheet(result, showcase.shown))
    return result


def _destination(config: BenchmarkSettings, methods: Iterable[str], source_given: bool) -> ResultDestination:
    files = [ResultPart(name) for name in ("metrics.json", "metrics.csv", "contact_sheet.png")]
    folders = [ResultPart(f"frames/{name}", tuple(SUFFIXES)) for name in (TRUE, *methods)]
    return ResultDestination(
        Path(config.output), "benchmark", [*files, *(folders if config.frames else [])],
        paths_read_by_command(config, source_given), config.overwrite,
    )  # fmt: skip


def _part(config: BenchmarkSettings, source: FrameSource) -> FrameSource:
    clip = subclip(source, config.first, config.count, config.crop_xywh, config.size_wh)
    refuse_uneven_frame_times(clip)
    return clip


def _folders(work: Path, chains: Mapping[str, Any], stack: ExitStack) -> dict[str, PictureWriter]:
    names = [TRUE, *chains]
    return {name: stack.enter_context(PictureWriter(work / "frames" / name, compression=1)) for name in names}


def _score(
    moment: BenchmarkedFrame,
    scorer: FrameScorer,
    showcase: ContactSheetPicks,
    rows: Mapping[str, list[dict[str, float]]],
) -> None:
    if moment.is_keyframe:
        showcase.keyframe(moment)
        return
    scores = scorer.score_many(moment.true, moment.predicted)
    showcase.hidden(moment, scores)
    for name, score in scores.items():
        rows[name].append({"frame": moment.index, "time_s": round(moment.time_s, 6), **score})


def _stages_of(chain: Chain, hidden: int) -> dict[str, Any]:
    """Collect a method's stages and their seconds."""
    return {
        "seconds_a_frame": round(seconds_per_hidden_frame(chain, hidden), 4),
        "stages": {stage: recipe["_target_"] for stage, recipe in chain.stages.recipes.items()},
    }


def _result(
    config: BenchmarkSettings, clip: FrameSource, rows: Mapping[str, list[dict[str, float]]]
) -> dict[str, Any]:
    return {
        "rib": rib.__version__,
        "clip": {
            "name": clip.name,
            "frames": len(clip),
            "fps": float(clip.fps),
            "size_px": list(clip.size_px),
        },
        "stride": config.stride,
        "methods": {
            name: {"summary": summarise_scores(scored), "frames": scored} for name, scored in rows.items()
        },
        "config": config.plain(),
    }
