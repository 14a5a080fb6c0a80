"""Several clips, one after the other: one set of loaded nets, and one bad clip does not stop the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rib.io.cache import cache_key, file_state
from rib.io.errors import RibError
from rib.io.results.result import is_result_finished
from rib.pipeline.interpolate import InterpolationJob, open_interpolation_job, run_interpolation_job
from rib.pipeline.outputs.destinations import chosen_output, output_destination
from rib.pipeline.settings import CHANGE_NO_PIXEL, InterpolateSettings
from rib.pipeline.stage_set import StageSet
from rib.video.reading.inputs import expand_inputs, place_of_input
from rib.video.timing.time_stamps import exact_fps
from rib.video.writing.containers import is_video_output


@dataclass(frozen=True)
class ClipOutcome:
    """The outcome for one clip of several.

    Attributes:
        input: What was given.
        summary: Of the result, or None where none was made now.
        place: Where the result lies, or None.
        error: Why there is none.
    """

    input: str
    summary: dict[str, Any] | None = None
    place: Path | None = None
    error: RibError | None = None


def input_clips(config: InterpolateSettings) -> list[str]:
    """The clips that the settings name, in order.

    Raises:
        RibError: The only input names none.
    """
    return list(expand_inputs([config.input, *config.more_inputs], config.input_glob))


def interpolate_clips(config: InterpolateSettings, clips: list[str]) -> Iterator[ClipOutcome]:
    """Make a result of every clip that has none yet; what is wrong with one is its outcome.

    Args:
        config: Of conf/interpolate.yaml.
        clips: See `input_clips`.

    Raises:
        RibError: `output` is one file.
    """
    if config.output is not None and is_video_output(config.output):
        raise RibError(
            f"output={config.output} is one video, but there are {len(clips)} inputs",
            "name a folder: output=FOLDER/",
        )
    folder = _folder(config, clips)
    stages: StageSet | None = None
    seen: Counter[str] = Counter()
    for clip, number in zip(clips, _numbers(clips, folder), strict=True):
        try:
            job = open_interpolation_job(_alone(config, clip))
            job = job.to(_place(job, folder, number))
            if config.shard is not None:
                job = replace(job, twin=_count(seen, job.source.fingerprint()))
            made_from = _made_from(config, clip)
            to = output_destination(job.config, job.source.name)
            if not config.overwrite and is_result_finished(to.output, to.key, made_from, to.lists):
                yield ClipOutcome(clip, place=job.output)
                continue
            summary, stages = run_interpolation_job(job, stages, made_from)
            yield ClipOutcome(clip, summary, job.output)
        except RibError as error:
            yield ClipOutcome(clip, error=error)


def _count(seen: Counter[str], content: str) -> int:
    """How often something was seen before now."""
    seen[content] += 1
    return seen[content] - 1


def _alone(config: InterpolateSettings, clip: str) -> InterpolateSettings:
    """The settings of one clip."""
    return replace(config, input=clip, more_inputs=[], output=None)


def _folder(config: InterpolateSettings, clips: list[str]) -> Path | None:
    """The folder of all results: `output`, or `<folder>_<fps>fps` beside the one input that names several.

    None where each result stands beside its own input.
    """
    if config.output is not None:
        return Path(config.output).expanduser()
    if config.more_inputs:
        return None
    given = place_of_input(config.input.removeprefix("@"))
    rates = {float(exact_fps(config.fps))} if config.fps is not None else _rates(config, clips)
    many = f"{config.rate:g}x" if config.rate is not None else "slow"
    name = given.name if given.is_dir() else given.stem
    return given.with_name(f"{name}_{f'{min(rates):.5g}fps' if len(rates) == 1 else many}")


def _rates(config: InterpolateSettings, clips: list[str]) -> set[float]:
    """The frame rates of all results."""
    found: set[float] = set()
    for clip in clips:
        try:
            found.add(float(open_interpolation_job(_alone(config, clip)).fps))
        except RibError:
            continue  # told when its turn comes
    return found


def _place(job: InterpolationJob, folder: Path | None, number: int) -> Path:
    if job.config.layout == "reference" and folder is not None:
        return folder  # clips have folders of their own in it
    name = job.source.name if number < 2 else f"{job.source.name}_{number}"
    place = chosen_output(job.config, name, job.fps)
    return place if folder is None else folder / place.name


def _numbers(clips: list[str], folder: Path | None) -> Iterator[int]:
    """How many clips of that name there were so far whose results go to the same place."""
    seen: Counter[Path] = Counter()
    for clip in clips:
        name = place_of_input(clip).with_suffix("")
        name = name if folder is None else Path(name.name)
        seen[name] += 1
        yield seen[name]


def _made_from(config: InterpolateSettings, clip: str) -> str:
    """Settings and input of a clip as a short text."""
    place = place_of_input(clip)
    files = sorted(place.iterdir()) if place.is_dir() else [place]
    settings = {k: v for k, v in config.plain().items() if k not in (*CHANGE_NO_PIXEL, "input")}
    return cache_key((settings, [file_state(file) for file in files if file.exists()]))
