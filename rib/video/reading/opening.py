"""From what a user names to a clip."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from rib.io.errors import RibError
from rib.video.reading.animation import AnimationSource, is_picture_or_animation_file
from rib.video.reading.decode import ColourTreatment, VideoSource
from rib.video.reading.inputs import clips_named_by_input, pictures_named_by_input, place_of_input
from rib.video.reading.pictures import PictureSource
from rib.video.source import FrameSource
from rib.video.timing.time_stamps import exact_fps

ASSUMED_FPS = Fraction(30)
"""Frame rate of a folder of pictures when nobody says one."""


def open_frame_source(
    input: str | Path,
    input_fps: float | str | Fraction | None = None,
    timestamps: str = "constant",
    max_mpx: float | None = None,
    colours: ColourTreatment | None = None,
    only: str | None = None,
) -> FrameSource:
    """A clip from a video file, an animation or pictures.

    Args:
        input: A file, a folder of pictures or of one video, or a pattern (see `clips_named_by_input`).
        input_fps: Frames a second of a folder of pictures; None takes `ASSUMED_FPS` (see `fps_assumed`).
        timestamps: What to do with a video's unsteady clock (see `VideoSource`).
        max_mpx: Larger pictures are refused, 10^6 pixels; None takes what memory holds.
        colours: What to do with a video's untagged, HDR and interlaced frames.
        only: Of a folder, the names that are taken, as a pattern such as `[0-9]*.png`; None for all.

    Raises:
        RibError: Nothing usable is there, or a rate is given for a video, which has its own.
    """
    named = clips_named_by_input(str(input), only)
    if len(named) > 1:
        raise RibError(f"{input} holds {len(named)} clips, such as {named[0]}", "name one of them")
    fps = None if input_fps is None else exact_fps(input_fps, "input_fps")
    pictures = pictures_named_by_input(named[0], only)
    if pictures is not None:
        return PictureSource(place_of_input(named[0]), fps or ASSUMED_FPS, fps is None, max_mpx, pictures)
    path = Path(named[0]).expanduser()
    source: FrameSource
    if is_picture_or_animation_file(path):
        source = AnimationSource(path, timestamps, max_mpx)
    else:
        source = VideoSource(path, timestamps, max_mpx, colours)
    if fps is not None and fps != source.fps:
        raise RibError(
            f"input_fps={input_fps} was given, but {path} says itself when each frame is shown "
            f"({float(source.fps):.6g} frames a second)",
            "leave input_fps out; it is for folders of pictures and of JSON",
        )
    return source
