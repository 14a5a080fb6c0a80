"""Every frame of the result into its video and its pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any

from rib.pipeline.outputs.destinations import OutputPaths
from rib.pipeline.settings import VideoSettings
from rib.pipeline.synthesis.output_frames import OutputFrame
from rib.pipeline.timeline import OutputTimeline
from rib.video import FrameSource, PictureWriter, SoundTrack, SourceFilePart, VideoWriter


def write_output_frames(
    frames: Iterable[OutputFrame],
    source: FrameSource,
    moments: OutputTimeline,
    where: OutputPaths,
    recipe: VideoSettings,
    sound: SoundTrack | None,
    not_kept: list[str],
) -> Iterator[OutputFrame]:
    """Write every frame into the video and the folder of pictures, handing each on.

    Args:
        frames: The result, in order.
        source: The clip, for its size.
        moments: When each frame is shown.
        where: The result's parts.
        recipe: How the video and the pictures are encoded.
        sound: What is heard beside the video, or None.
        not_kept: Gets a sentence for everything that the video could not keep.
    """
    with ExitStack() as stack:
        sinks: list[Any] = []
        if where.video:
            assert recipe.codec
            assert recipe.crf is not None
            assert recipe.pixel_format
            writer = VideoWriter(
                where.video,
                moments.fps,
                source.size_px,
                codec=recipe.codec,
                crf=recipe.crf,
                pixel_format=recipe.pixel_format,
                audio_from=sound,
                stamps_s=moments.stamps_s,
                look=source.look,
                tags_from=_origin(source, moments),
                ground=_ground(recipe.ground),
            )
            sinks.append(stack.enter_context(writer))
        if where.pictures:
            if source.look.bits > 8:
                not_kept.append(f"{source.look.bits} bits a colour became 8 in {where.pictures.name}/")
            sinks.append(stack.enter_context(PictureWriter(where.pictures, compression=recipe.png_level)))
        for frame in frames:
            for sink in sinks:
                sink.write(frame.picture)
            yield frame
    if where.video:
        not_kept += writer.notes


def _ground(colour: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def _origin(source: FrameSource, moments: OutputTimeline) -> SourceFilePart | None:
    if source.file is None:
        return None
    end_s = source.audio_start_s + source.duration_s
    return SourceFilePart(source.file, source.audio_start_s, end_s, moments.duration_s / source.duration_s)
