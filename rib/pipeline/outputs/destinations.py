"""Destination of a clip's result: a video file with its papers beside it, or a folder."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from rib.io.errors import RibError
from rib.io.results.manifest import FOLDER
from rib.io.results.result import ResultDestination, ResultPart
from rib.io.settings.paths import paths_read_by_command
from rib.pipeline.outputs.papers import CONFIG, INTERVALS, REPORT, SUMMARY
from rib.pipeline.settings import InterpolateSettings
from rib.video.reading.inputs import place_of_input
from rib.video.reading.sequence import SUFFIXES
from rib.video.writing.containers import is_video_output, video_codec_for

LAYOUTS = {
    "rib": ("frames", "poses"),
    "reference": ("Generated_frames/{name}", "Predict_motion/{name}"),
}
"""Folders of pictures and of poses: ours, and those of the method's first implementation."""

PAPERS = {"rib": "", "reference": "{name}.rib"}
"""Where the video, the page and the summary lie in a folder; folders of the first implementation hold several
clips."""


@dataclass(frozen=True)
class OutputPaths:
    """Paths of a result's parts.

    Attributes:
        pictures: Folder of `%06d.png`, or None where none are wanted.
        poses: Folder of OpenPose JSON, or None where none are wanted.
        video: The video, or None where none is wanted.
        papers: Folder of config.yaml, summary.json and report.html, or None where none are wanted.
    """

    pictures: Path | None
    poses: Path | None
    video: Path | None
    papers: Path | None = Path()


def chosen_output(config: InterpolateSettings, name: str, fps: Fraction, source_given: bool = False) -> Path:
    """Where the result goes: `output=`, or `<name>_<fps>fps.mp4` beside the input.

    Where no video is written, or the first implementation's folders are, it is a folder of that name.

    Args:
        config: Of conf/interpolate.yaml.
        name: The clip's name.
        fps: The output's frame rate.
        source_given: Whether the clip was handed over in the place of what `input` names.

    Raises:
        RibError: It names a video, but none is written under such a name.
    """
    plain = config.layout != "reference" and config.video.codec is not None
    if config.output is None:
        beside = Path.cwd() if source_given else place_of_input(config.input).parent
        return beside / f"{name}_{float(fps):.5g}fps{'.mp4' if plain else ''}"
    output = Path(config.output).expanduser()
    if not is_video_output(config.output):
        return output
    if not plain:
        why = "layout=reference writes folders" if config.video.codec else "no video is written"
        raise RibError(f"output={config.output} names a video, but {why}", "name a folder: output=FOLDER/")
    assert config.video.codec
    video_codec_for(output, config.video.codec)
    return output


def _output_of(config: InterpolateSettings) -> Path:
    assert config.output is not None, "chosen_output comes first"
    return Path(config.output)


def output_paths(folder: Path, config: InterpolateSettings, name: str) -> OutputPaths:
    """The parts of a clip's result under the names of its layout, whose first form has pictures and poses.

    Args:
        folder: Where the result goes; the one around it where `output` is a video.
        config: Of conf/interpolate.yaml, with its output chosen.
        name: The clip's name.
    """
    layout, recipe, output = config.layout, config.video, _output_of(config)
    all_of_it = layout == "reference"
    papers = folder / PAPERS[layout].format(name=name)
    video = papers / "video.mp4"
    if is_video_output(str(output)):
        papers, video = folder / f"{output.stem}.rib", folder / output.name
        parts = [papers / part for part in LAYOUTS[layout]]
    else:
        parts = [folder / part.format(name=name) for part in LAYOUTS[layout]]
    wanted = config.sidecar or not is_video_output(str(output))
    return OutputPaths(
        pictures=parts[0] if recipe.pictures or all_of_it else None,
        poses=parts[1] if config.write_poses or all_of_it else None,
        video=video if recipe.codec else None,
        papers=papers if wanted else None,
    )


def output_destination(
    config: InterpolateSettings, name: str, made_from: str = "", source_given: bool = False
) -> ResultDestination:
    """Where a clip's result goes, and what it must not touch.

    The poses of `motion=files` that lie where they would be written are left as they are.

    Args:
        config: Of conf/interpolate.yaml, with its output chosen.
        name: The clip's name.
        made_from: See `ResultDestination`.
        source_given: Whether the clip was handed over in the place of what `input` names.
    """
    output, layout = _output_of(config).expanduser(), config.layout
    where = output_paths(Path(), config, name)
    reads: dict[str, str | Path] = {**paths_read_by_command(config, source_given)}
    if not source_given:
        reads["input"] = place_of_input(config.input)
    parts = [ResultPart(str(where.video))] if where.video else []
    if where.papers is not None:
        papers = (CONFIG, SUMMARY, INTERVALS, *([REPORT] if config.report else []))
        parts += [ResultPart(str(where.papers / file)) for file in papers]
    parts += [ResultPart(str(where.pictures), tuple(SUFFIXES))] if where.pictures else []
    if keeps_given_poses(config, name):
        reads = {key: path for key, path in reads.items() if path != config.poses}
    elif where.poses:
        parts.append(ResultPart(str(where.poses), (".json",)))
    overwrite = config.overwrite
    if is_video_output(str(output)):
        lists = f"{output.stem}.rib"
        return ResultDestination(
            output.parent, output.name, parts, reads, overwrite, made_from, lists, config.sidecar
        )
    key = "interpolate" if layout == "rib" else f"interpolate-{name}"
    return ResultDestination(output, key, parts, reads, overwrite, made_from, FOLDER)


def keeps_given_poses(config: InterpolateSettings, name: str) -> bool:
    """Whether the poses given are those that the result's layout asks for, in their very place."""
    if config.layout != "reference" or config.poses is None:
        return False
    place = output_paths(_output_of(config).expanduser(), config, name).poses
    return place is not None and place.resolve() == Path(config.poses).expanduser().resolve()
