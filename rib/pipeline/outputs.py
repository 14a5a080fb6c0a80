"""The result on disk: whole or not at all, and nothing already there is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rib.io.errors import RibError
from rib.io.path_settings import paths_read
from rib.io.results import Destination, Part
from rib.pipeline.output_frames import OutputFrame
from rib.pipeline.settings import InterpolateSettings
from rib.pipeline.times import Timeline
from rib.video import FrameSource, Origin, PictureWriter, SoundTrack, VideoWriter
from rib.video.pictures import SUFFIXES

LAYOUTS = {
    "rib": ("frames", "poses"),
    "reference": ("Generated_frames/{name}", "Predict_motion/{name}"),
}
"""Folders of pictures and of poses: ours, and those of the method's first implementation."""


PAPERS = {"rib": "", "reference": "{name}.rib"}
"""Where the video, the page and the summary lie; folders of the first implementation hold several clips."""


@dataclass(frozen=True)
class Places:
    """Where the parts of a result lie inside a folder.

    Attributes:
        pictures: Folder of `%06d.png`, or None where none are wanted.
        poses: Folder of OpenPose JSON, or None where none are wanted.
        video: The video, or None where none is wanted.
        papers: Folder of config.yaml, summary.json and report.html.
    """

    pictures: Path | None
    poses: Path | None
    video: Path | None
    papers: Path = Path()


def places(folder: Path, config: Mapping[str, Any], name: str) -> Places:
    """The parts of a clip's result under the names of its layout, whose first form has pictures and poses.

    Args:
        folder: Where the result goes.
        config: conf/interpolate.yaml, composed.
        name: The clip's name.
    """
    layout, recipe = config["layout"], config["video"]
    if layout not in LAYOUTS:
        raise RibError(f"layout={layout}: there is no such layout", f"choose one of: {', '.join(LAYOUTS)}")
    pictures, poses = (folder / part.format(name=name) for part in LAYOUTS[layout])
    papers = folder / PAPERS[layout].format(name=name)
    return Places(
        pictures=pictures if recipe["pictures"] or layout == "reference" else None,
        poses=poses if config["write_poses"] or layout == "reference" else None,
        video=papers / "video.mp4" if recipe["codec"] else None,
        papers=papers,
    )


def destination(config: Mapping[str, Any], name: str) -> Destination:
    """Where a clip's result goes, and what it must not touch.

    The poses of `motion=files` that lie where they would be written are left as they are.

    Args:
        config: conf/interpolate.yaml, composed.
        name: The clip's name.
    """
    output, layout = Path(config["output"]), config["layout"]
    where = places(Path(), config, name)
    reads = paths_read(config, InterpolateSettings)
    parts = [Part(str(where.papers / file)) for file in ("config.yaml", "summary.json")]
    parts += [Part(str(where.papers / "report.html"))] if config["report"] else []
    parts += [Part(str(where.video))] if where.video else []
    parts += [Part(str(where.pictures), tuple(SUFFIXES))] if where.pictures else []
    if keeps_poses(config, name):
        reads = {key: path for key, path in reads.items() if path != config["poses"]}
    elif where.poses:
        parts.append(Part(str(where.poses), (".json",)))
    key = "interpolate" if layout == "rib" else f"interpolate-{name}"
    return Destination(output, key, parts, reads, config.get("overwrite", False))


def keeps_poses(config: Mapping[str, Any], name: str) -> bool:
    """Whether the poses given are those that the result's layout asks for, in their very place."""
    if config["layout"] != "reference" or config["poses"] is None:
        return False
    place = places(Path(config["output"]).expanduser(), config, name).poses
    return place is not None and place.resolve() == Path(config["poses"]).expanduser().resolve()


def write_frames(
    frames: Iterable[OutputFrame],
    source: FrameSource,
    moments: Timeline,
    where: Places,
    recipe: Mapping[str, Any],
    sound: SoundTrack | None,
    not_kept: list[str],
) -> Iterator[OutputFrame]:
    """Write every frame into the video and the folder of pictures, handing each on.

    Args:
        frames: The result, in order.
        source: The clip, for its size.
        moments: When each frame is shown.
        where: The result's parts.
        recipe: The `video` settings: `codec`, `crf`, `pixel_format`, `pictures`, `png_level`.
        sound: What is heard beside the video, or None.
        not_kept: Gets a sentence for everything that the video could not keep.
    """
    with ExitStack() as stack:
        sinks: list[Any] = []
        if where.video:
            writer = VideoWriter(
                where.video,
                moments.fps,
                source.size_px,
                codec=recipe["codec"],
                crf=recipe["crf"],
                pixel_format=recipe["pixel_format"],
                audio_from=sound,
                stamps_s=moments.stamps_s,
                look=source.look,
                tags_from=_origin(source, moments),
            )
            sinks.append(stack.enter_context(writer))
        if where.pictures:
            sinks.append(stack.enter_context(PictureWriter(where.pictures, compression=recipe["png_level"])))
        for frame in frames:
            for sink in sinks:
                sink.write(frame.picture)
            yield frame
    if where.video:
        not_kept += writer.notes


def _origin(source: FrameSource, moments: Timeline) -> Origin | None:
    if source.file is None:
        return None
    end_s = source.audio_start_s + source.duration_s
    return Origin(source.file, source.audio_start_s, end_s, moments.duration_s / source.duration_s)
