"""The videos of a folder that samples are rendered from, and which of their frames are keyframes."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from pathlib import Path

from rib.datasets.humanslomo.footage import VIDEO_SUFFIXES
from rib.io.errors import RibError
from rib.video import open_frame_source
from rib.video.reading.pictures import SUFFIXES

SLOWEST_FPS = 3.5
"""Strides that leave fewer keyframes a second are not taken by themselves."""
UNREADABLE = 4
"""The stride under which a video that cannot be read is told of."""


def choose_videos(videos: Path, clips: Sequence[str]) -> list[Path]:
    """The videos and folders of frames that are named.

    Raises:
        RibError: There is none, or two have one name.
    """
    found = _all(videos)
    chosen = [p for p in found if not clips or any(fnmatch.fnmatchcase(p.stem, clip) for clip in clips)]
    if found and not chosen:
        names = ", ".join(path.stem for path in found[:10])
        raise RibError(f"no video is called {', '.join(clips)}", f"there are {names}")
    if not videos.exists():
        raise RibError(f"{videos} does not exist", "name a folder of videos: data.prepare.videos=")
    if not found:
        raise RibError(
            f"{videos} holds no video ({', '.join(VIDEO_SUFFIXES)}) and no folder of pictures",
            "name a folder of videos: data.prepare.videos=",
        )
    if len({path.stem for path in chosen}) < len(chosen):
        raise RibError(f"two of the videos in {videos} have the same name without suffix", "rename one")
    return chosen


def _all(videos: Path) -> list[Path]:
    if videos.is_file() or _holds_pictures(videos):
        return [videos]
    return sorted(p for p in videos.glob("*") if p.suffix.lower() in VIDEO_SUFFIXES or _holds_pictures(p))


def _holds_pictures(path: Path) -> bool:
    return path.is_dir() and any(p.suffix.lower() in SUFFIXES for p in path.iterdir())


def strides_of_video(path: Path, rates: Sequence[float], input_fps: float | str | None) -> list[int]:
    """The strides of a video, or of a folder of frames, that are nearest to so many keyframes a second."""
    try:
        fps = float(open_frame_source(path, input_fps if path.is_dir() else None).fps)
    except RibError:  # its item says why
        return [UNREADABLE]
    return strides_for_keyframe_rates(fps, rates)


def strides_for_keyframe_rates(fps: float, rates: Sequence[float]) -> list[int]:
    """The strides that leave a video of `fps` frames a second nearest to so many keyframes, from 2 on."""
    found = sorted({max(2, round(fps / rate)) for rate in rates})
    return [stride for stride in found if fps / stride >= SLOWEST_FPS] or [2]
