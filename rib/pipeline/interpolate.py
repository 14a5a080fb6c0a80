"""A clip in, a folder with the clip at a higher frame rate out."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from rib.io.files.whole import write_text_whole
from rib.io.results.result import is_result_finished, refuse_result, write_result_whole
from rib.keypoint_files import write_openpose_json
from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.chain import Chain
from rib.pipeline.open_clip import open_input_clip
from rib.pipeline.outputs.destinations import (
    chosen_output,
    keeps_given_poses,
    output_destination,
    output_paths,
)
from rib.pipeline.outputs.estimate import estimate_work
from rib.pipeline.outputs.interval_table import IntervalTable, curves, write_intervals_csv
from rib.pipeline.outputs.papers import CONFIG, INTERVALS, REPORT, SUMMARY
from rib.pipeline.outputs.sound_choice import choose_output_sound
from rib.pipeline.outputs.summary import result_summary
from rib.pipeline.progress import say_on_stderr
from rib.pipeline.report import ReportPreviewWriter, alone_stretches, report_stills, write_report_html
from rib.pipeline.segments.result import SegmentedResult
from rib.pipeline.settings import InterpolateSettings
from rib.pipeline.stage_set import StageSet
from rib.pipeline.timeline import OutputTimeline, output_fps, output_timeline_as_asked
from rib.video import FrameSource


@dataclass(frozen=True)
class InterpolationJob:
    """A clip that is open, and what is to become of it.

    Attributes:
        config: Of conf/interpolate.yaml.
        source_given: Whether the clip was handed over in the place of what `input` names.
        source: The clip.
        fps: The output's frame rate.
        moments: When the output's frames are shown.
        twin: Number of clips of the same content that the same command makes before this one.
    """

    config: InterpolateSettings
    source_given: bool
    source: FrameSource
    fps: Fraction
    moments: OutputTimeline
    twin: int = 0

    @property
    def output(self) -> Path:
        """The result's place, once it is chosen."""
        assert self.config.output is not None
        return Path(self.config.output)

    def to(self, output: Path) -> InterpolationJob:
        """The same with another place."""
        return replace(self, config=replace(self.config, output=str(output)))


def interpolate_clip(config: InterpolateSettings, source: FrameSource | None = None) -> dict[str, Any]:
    """Run the chain on a clip and write its result.

    Args:
        config: Of conf/interpolate.yaml.
        source: The clip, where it is not the file or folder `config.input`.

    Returns:
        The summary that is also written to summary.json.

    Raises:
        RibError: A mistake in the settings or in the input; nothing has been written then.
    """
    job = open_interpolation_job(config, source)
    return run_interpolation_job(
        job.to(chosen_output(job.config, job.source.name, job.fps, job.source_given))
    )[0]


def open_interpolation_job(
    config: InterpolateSettings, source: FrameSource | None = None
) -> InterpolationJob:
    """Open the clip that the settings name (see `interpolate_clip`)."""
    source_given = source is not None
    source, given_fps = open_input_clip(config, source)
    # the first implementation's folders end with the last keyframe
    whole, even = config.layout != "reference", config.video.timestamps == "constant"
    fps = output_fps(given_fps, config.rate, config.fps, config.slow)
    return InterpolationJob(
        config, source_given, source, fps, output_timeline_as_asked(source, fps, config.slow, whole, even)
    )


def run_interpolation_job(
    job: InterpolationJob, stages: StageSet | None = None, made_from: str = ""
) -> tuple[dict[str, Any], StageSet]:
    """Make the result of a clip whose place is chosen.

    Args:
        job: The clip and its place.
        stages: Those of an earlier clip, whose nets are used again.
        made_from: What tells this result from another at its place.

    Returns:
        The summary, and the stages for the next clip.
    """
    start = time.perf_counter()
    config, source = job.config, job.source
    not_kept = list(source.not_kept)
    sound = choose_output_sound(source, config.sound, config.slow, not_kept)
    chain = Chain.from_config(config, stages and stages.again())
    _foretell(job, chain.stages.device)
    at = output_destination(config, source.name, made_from, job.source_given)
    with ExitStack() as stack:
        work = None
        if config.shard is None:
            work = stack.enter_context(write_result_whole(at))
        else:
            refuse_result(at)
        where = output_paths(at.output, config, source.name)
        analysis = chain.analyse(source, job.moments, poses=where.poses is not None)
        segments = SegmentedResult.of(
            config, job.output, source, job.moments, chain, analysis, where, job.twin
        )
        counted = segments.make(sound)
        if work is None:  # the last shard joins
            stack.enter_context(segments.joining())
            if (missing := segments.missing()) or is_result_finished(at.output, at.key, lists=at.lists):
                segments.store.release() if missing else segments.remove()
                return _summary_of_shard(config, counted, missing), chain.stages
            work = stack.enter_context(write_result_whole(at))
        where = output_paths(work, config, source.name)
        with chain.watch("write frames"):
            not_kept += segments.join(where, sound)
        preview = segments.preview(where, stack)
        with chain.watch("write poses"):
            if where.poses and not keeps_given_poses(config, source.name):
                write_openpose_json(analysis.tracks, where.poses)
        summary = result_summary(config, source, chain, analysis, segments.records)
        summary |= {"segments": counted, "not_kept": not_kept}
        summary["seconds"] = _seconds(chain, start)
        if where.papers is not None:
            table = IntervalTable(analysis, segments.records, chain.stages.wiring.draws)
            with chain.watch("report"):
                stills = report_stills(alone_stretches(table), segments.made_frame) if config.report else []
            _write_papers(where.papers, job, chain, analysis, table, summary, start, preview, stills)
    segments.remove()
    return summary, chain.stages


def _summary_of_shard(
    config: InterpolateSettings, counted: Mapping[str, int], missing: Mapping[str, int]
) -> dict[str, Any]:
    """What there is to say where others join the result."""
    return {
        "output": {"place": config.output},
        "shard": config.shard,
        "segments": counted,
        "missing_segments": missing,
    }


def _foretell(job: InterpolationJob, device: str) -> None:
    """Tell of long work and of large results before they begin."""
    copies = int((job.moments.keyframe >= 0).sum())
    frames = len(job.moments)
    guess = estimate_work(job.config, len(job.source), frames, frames - copies, job.source.size_px, device)
    say_on_stderr(str(guess), verbose=not guess.is_long)
    if lacking := guess.lacking(job.output):
        say_on_stderr(lacking)


def _write_papers(
    papers: Path,
    job: InterpolationJob,
    chain: Chain,
    analysis: ClipAnalysis,
    table: IntervalTable,
    summary: dict[str, Any],
    start: float,
    preview: ReportPreviewWriter | None,
    stills: Sequence[Mapping[str, Any]],
) -> None:
    write_text_whole(papers / CONFIG, _yaml(replace(job.config, overwrite=False, shard=None)))
    write_intervals_csv(papers / INTERVALS, table)
    if job.config.report:
        with chain.watch("report"):
            page = papers / REPORT
            write_report_html(page, job.source, analysis, summary, preview, curves(table), stills)
    summary["seconds"] = _seconds(chain, start)
    write_text_whole(papers / SUMMARY, json.dumps(summary, indent=2) + "\n")


def _seconds(chain: Chain, start: float) -> dict[str, float]:
    """Wall seconds by stage; `total` is everything since the start."""
    seconds = {name: round(value, 3) for name, value in chain.watch.seconds.items()}
    return {**seconds, "total": round(time.perf_counter() - start, 3)}


def _yaml(config: InterpolateSettings) -> str:
    import yaml

    return "# Repeat with: rib repeat <this folder>\n" + yaml.safe_dump(
        config.plain(), sort_keys=False, allow_unicode=True
    )
