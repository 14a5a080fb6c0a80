"""From settings to the clip that the chain works on."""

from __future__ import annotations

from fractions import Fraction

from rib.io.files.regular import check_name_is_text
from rib.pipeline.settings import InterpolateSettings
from rib.video import (
    ColourTreatment,
    FrameSource,
    InMemorySource,
    open_frame_source,
    subclip_in_time,
    without_duplicate_frames,
)


def open_input_clip(
    config: InterpolateSettings, source: FrameSource | None = None
) -> tuple[FrameSource, Fraction]:
    """The clip that the settings of `rib interpolate` choose, and the frame rate that its file has.

    A clip that fits into memory is decoded once, however often it is walked through. Frames that are stored
    twice by a cadence are left out (`dedupe=auto`), except where poses, mattes or backgrounds come from
    files, which count the file's frames, and in `layout=reference`.

    Args:
        config: Of conf/interpolate.yaml.
        source: The clip, where it is not the file or folder `config.input`.

    Raises:
        RibError: Nothing usable is there, its name is not UTF-8, or a part is asked for that it has not.
    """
    timestamps = config.video.timestamps
    colours = ColourTreatment(hdr=config.video.hdr, deinterlace=config.deinterlace)
    if source is None:
        check_name_is_text(str(config.input))  # told now, not by the report at the very end
    source = source or open_frame_source(
        config.input, config.input_fps, timestamps, config.max_mpx, colours, config.input_glob
    )
    source = InMemorySource(subclip_in_time(source, config.start_s, config.duration_s))
    by_frame = config.layout == "reference" or any(recipe.get("path") for recipe in config.recipes().values())
    if config.dedupe == "off" or by_frame:
        return source, source.fps
    return without_duplicate_frames(source), source.fps
