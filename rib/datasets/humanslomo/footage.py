"""A folder of videos and of folders of frames: find what a list names, and give a clip's frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from rib.datasets.humanslomo.lists import listed_frame_number
from rib.io.errors import RibError
from rib.video import ArraySource, ClipView, FrameSource, VideoSource
from rib.video.reading.pictures import SUFFIXES, read_picture

VIDEO_SUFFIXES = (".mp4", ".mkv", ".webm", ".mov", ".avi", ".m4v")
FRAME_FOLDERS = (".", "val/test_img", "test_img", "images")
"""Where a folder of frames keeps them; EverybodyDanceNow's lie in val/test_img."""


@dataclass(frozen=True)
class FootageCrop:
    """A crop of every frame, and the size it is scaled to.

    Attributes:
        columns: First column and the one after the last, or None for all.
        size_wh: Width and height to resize to, px, or None for the part's own.
    """

    columns: tuple[int, int] | None
    size_wh: tuple[int, int] | None

    def xywh(self, size_wh: tuple[int, int]) -> tuple[int, int, int, int]:
        """Left, top, width and height of the part of frames of a size.

        Raises:
            RibError: The frames are too narrow.
        """
        left, right = self.columns or (0, size_wh[0])
        if not 0 <= left < right <= size_wh[0]:
            raise RibError(
                f"columns {left} to {right} were asked for of frames {size_wh[0]} px wide",
                "fetch the video at 1280 x 720, or set data.prepare.video_columns=null",
            )
        return left, 0, right - left, size_wh[1]


@dataclass(frozen=True)
class Footage:
    """A video file or a folder of frames.

    Attributes:
        path: The file or folder.
    """

    path: Path

    @property
    def is_video(self) -> bool:
        """False for a folder of frames."""
        return self.path.is_file()

    def clip(self, frames: Sequence[str], crop: FootageCrop, fps: float | None) -> FrameSource:
        """Some of the frames, cropped.

        Args:
            frames: Their names; for a video the number in each counts, from 0.
            crop: The part to keep.
            fps: Frames a second that the names count in, or None where that is not known.

        Raises:
            RibError: A frame is missing, the crop does not fit, or a video runs at another rate.
        """
        if self.is_video:
            return self._clip_of_video(frames, crop, fps)
        paths = [self._frame(name) for name in frames]
        steps = [listed_frame_number(name) for name in frames]
        times_s = [(step - steps[0]) / (fps or 30.0) for step in steps]
        whole = ArraySource([read_picture(path) for path in paths], times_s=times_s)
        return ClipView(whole, range(len(whole)), crop.xywh(whole.size_px), crop.size_wh)

    def _clip_of_video(self, frames: Sequence[str], crop: FootageCrop, fps: float | None) -> FrameSource:
        video = VideoSource(self.path)
        if fps is not None and abs(video.fps - Fraction(fps)) > 0.01 * fps:
            raise RibError(
                f"{self.path.name} has {float(video.fps):.6g} frames a second and the list says {fps:g}: its "
                "frame numbers would mean other moments",
                "fetch the video at that rate, or correct the list",
            )
        numbers = [listed_frame_number(name) for name in frames]
        if numbers[-1] >= len(video):
            raise RibError(f"frame {numbers[-1]} was asked for of {self.path.name}, which has {len(video)}")
        return ClipView(video, numbers, crop.xywh(video.size_px), crop.size_wh)

    def _frame(self, name: str) -> Path:
        """A frame by its name, or, as lists count with other numbers of digits, by the number in it."""
        for folder in FRAME_FOLDERS:
            if (self.path / folder / name).is_file():
                return self.path / folder / name
        try:
            return self._by_number[listed_frame_number(name)]
        except KeyError:
            raise RibError(f"{self.path} lacks the frame {name}") from None

    @cached_property
    def _by_number(self) -> dict[int, Path]:
        return {
            listed_frame_number(path.name): path
            for folder in FRAME_FOLDERS
            for path in sorted((self.path / folder).glob("*"))
            if path.suffix.lower() in SUFFIXES and any(c.isdigit() for c in path.stem)
        }


def find_footage(folder: Path, name: str) -> Footage:
    """A video or a folder of frames by its name without suffix.

    Raises:
        RibError: There is neither.
    """
    for suffix in VIDEO_SUFFIXES:
        if (folder / f"{name}{suffix}").is_file():
            return Footage(folder / f"{name}{suffix}")
    if (folder / name).is_dir():
        return Footage(folder / name)
    raise RibError(
        f"{folder} holds neither {name}.mp4 nor a folder {name}",
        "put it there, or give a video list to fetch it",
    )


def videos_in_folder(folder: Path) -> list[Footage]:
    """Every video file of a folder, in the order of their names.

    Raises:
        RibError: There is no such folder, or no video in it.
    """
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in VIDEO_SUFFIXES)
    if not paths:
        raise RibError(
            f"{folder} holds no video ({', '.join(VIDEO_SUFFIXES)})",
            "name a folder of videos: data.prepare.videos=",
        )
    return [Footage(path) for path in paths]
