"""Animated WebP and PNG as a clip, with the time that each picture is shown."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import numpy as np
from PIL import Image

from rib.io.errors import RibError
from rib.io.files.regular import check_regular_file
from rib.video.colour.look import ColourMetadata
from rib.video.reading.pictures import (
    opened_picture_file,
    picture_to_rgb,
    refuse_large_pictures,
    undecodable_picture,
)
from rib.video.reading.transparency import has_transparent_pixels
from rib.video.timing.time_stamps import frame_times_from_ticks

SUFFIXES = frozenset({".webp", ".png", ".apng"})
_MILLISECOND = Fraction(1, 1000)


class AnimationSource:
    """A file of several pictures, each with the time that it is shown (see `FrameSource`).

    Args:
        path: The file, WebP or PNG.
        timestamps: See `VideoSource`.
        max_mpx: Larger pictures are refused, 10^6 pixels; None takes what memory holds.

    Raises:
        RibError: It holds one picture only, cannot be read, or its pictures are too large.
    """

    audio: Path | None = None
    audio_start_s = 0.0
    file: Path | None = None

    def __init__(self, path: Path, timestamps: str = "constant", max_mpx: float | None = None) -> None:
        self.path, self.name = Path(path).absolute(), Path(path).stem
        check_regular_file(self.path, "name another file")
        shown_ms = self._read_times(max_mpx)
        timing = frame_times_from_ticks(
            [0, *accumulate(shown_ms[:-1])], _MILLISECOND, [], shown_ms[-1], timestamps == "source"
        )
        self.fps, self.times_s, self.duration_s = timing.fps, timing.times_s, timing.duration_s
        self.fps_assumed, self.notes = timing.fps_assumed, timing.notes
        self.look, self.not_kept = ColourMetadata(alpha=self._transparent), list[str]()

    def __len__(self) -> int:
        return len(self.times_s)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Every picture in order as (H, W, 3) uint8 RGB.

        Raises:
            RibError: One cannot be decoded.
        """
        return self._walk(picture_to_rgb)

    def stored(self) -> Iterator[np.ndarray]:
        """See `FrameSource.stored`.

        Raises:
            RibError: One cannot be decoded.
        """
        return self._walk(_rgba if self.look.alpha else picture_to_rgb)

    def _walk(self, read: Callable[[Image.Image], np.ndarray]) -> Iterator[np.ndarray]:
        try:
            with opened_picture_file(self.path) as picture:
                for index in range(len(self)):
                    picture.seek(index)
                    yield read(picture)
        except (OSError, ValueError, EOFError, SyntaxError) as error:
            raise undecodable_picture(self.path, error) from error

    def fingerprint(self) -> str:
        """SHA-256 over the file and the times."""
        digest = hashlib.sha256(self.times_s.tobytes())
        with self.path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()

    def _read_times(self, max_mpx: float | None) -> list[int]:
        """How long each picture is shown, ms."""
        shown: list[int] = []
        try:
            with opened_picture_file(self.path) as picture:
                self.size_px = picture.size
                refuse_large_pictures(self.path, self.size_px, max_mpx)
                # most of these files have alpha on paper alone
                self._transparent = False
                count = getattr(picture, "n_frames", 1)
                for index in range(count):
                    picture.seek(index)
                    picture.load()  # WebP tells the time of a picture that was decoded
                    self._transparent = self._transparent or _is_transparent(picture)
                    shown.append(max(1, round(float(picture.info.get("duration") or 100))))
        except (OSError, ValueError, EOFError, SyntaxError) as error:
            raise undecodable_picture(self.path, error) from error
        if len(shown) < 2:
            raise RibError(f"{self.path} holds one picture", "a clip needs at least two")
        return shown


def _is_transparent(picture: Image.Image) -> bool:
    return picture.has_transparency_data and has_transparent_pixels(_rgba(picture))


def _rgba(picture: Image.Image) -> np.ndarray:
    return np.array(picture.convert("RGBA"))


def is_picture_or_animation_file(path: Path) -> bool:
    """Whether a file is one that pictures, moving or not, are read from."""
    return path.suffix.lower() in SUFFIXES and path.is_file()
