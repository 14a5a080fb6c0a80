"""The result on disk: whole or not at all, and nothing already there is lost."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rib.io.errors import RibError
from rib.io.files import temporary_folder, write_errors
from rib.pipeline.chain import OutputFrame
from rib.pipeline.times import Timeline
from rib.video import FrameSource, PictureWriter, SoundTrack, VideoWriter

LAYOUTS = {
    "rib": ("frames", "poses"),
    "reference": ("Generated_frames/{name}", "Predict_motion/{name}"),
}
"""Folders of pictures and of poses: ours, and those of the method's first implementation."""


@dataclass(frozen=True)
class Places:
    """Where the parts of a result lie inside a folder.

    Attributes:
        pictures: Folder of `%06d.png`, or None where none are wanted.
        poses: Folder of OpenPose JSON.
        video: The video, or None where none is wanted.
    """

    pictures: Path | None
    poses: Path
    video: Path | None


def places(folder: Path, layout: str, name: str, recipe: Mapping[str, Any]) -> Places:
    """The parts of a clip's result under a layout's names.

    Args:
        folder: Where the result goes.
        layout: One of `LAYOUTS`.
        name: The clip's name.
        recipe: The `video` settings: `codec` (None for no video) and `pictures`.
    """
    if layout not in LAYOUTS:
        raise RibError(f"layout={layout}: there is no such layout", f"choose one of: {', '.join(LAYOUTS)}")
    pictures, poses = (folder / part.format(name=name) for part in LAYOUTS[layout])
    return Places(
        pictures=pictures if recipe["pictures"] else None,
        poses=poses,
        video=folder / "video.mp4" if recipe["codec"] else None,
    )


@contextmanager
def appear_whole(output: Path) -> Iterator[Path]:
    """Give an empty folder whose content moves into `output` when the block ends well.

    Files and folders of the same names are replaced, others stay. When the block raises, `output` is as
    it was.

    Raises:
        RibError: The folder cannot be written to, or its disk is full.
    """
    output = output.expanduser().absolute()
    existed = output.is_dir()
    with write_errors(output):
        output.mkdir(parents=True, exist_ok=True)
    try:
        with temporary_folder(output / "result") as work:
            yield work
            with write_errors(output):
                _move_into(work, output)
    except BaseException:
        if not existed:
            shutil.rmtree(output, ignore_errors=True)
        raise


def _move_into(work: Path, output: Path) -> None:
    """Replace what has the same name; folders of folders (`Generated_frames/`) are entered instead."""
    for made in sorted(work.iterdir()):
        target = output / made.name
        if made.is_dir() and target.is_dir() and any(child.is_dir() for child in made.iterdir()):
            _move_into(made, target)
            continue
        old = work / f".old-{made.name}"
        if target.exists():
            target.replace(old)
        made.replace(target)


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
