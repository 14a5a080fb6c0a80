"""A folder of pictures as a clip, and a clip into a folder of pictures.

A picture's own RGB is kept as it is: grey becomes three equal channels, a palette its colours; an EXIF
orientation is followed. Transparent pixels show black and of 16 bits the upper 8 are taken, but for who asks
for the pictures as they are stored.
"""

from __future__ import annotations

import hashlib
import math
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from PIL import Image, ImageOps

from rib.io.encoded_pictures import decoded_image_bytes
from rib.io.errors import RibError, reason_of_error
from rib.io.files.regular import check_regular_file
from rib.io.files.whole import temporary_folder, write_errors_in_one_line
from rib.video.colour.convert import picture_over_colour
from rib.video.colour.high_bit_depth import WHITE, rgb8_to_rgb16, rgb16_to_rgb8
from rib.video.colour.look import ColourMetadata
from rib.video.reading.sequence import SUFFIXES, missing_numbers, pictures_in
from rib.video.reading.transparency import has_transparent_pixels
from rib.video.timing.time_stamps import constant_rate_times

_SWAPPED = frozenset({5, 6, 7, 8})
"""EXIF orientations that swap width and height."""


class PictureSource:
    """A folder of pictures in the order of the numbers in their names (see `FrameSource`).

    Args:
        folder: Where they lie; hidden files and other suffixes are passed over.
        fps: Frames a second.
        fps_assumed: Whether nobody said that rate.
        max_mpx: Larger pictures are refused, 10^6 pixels; None takes what memory holds.
        paths: The pictures in order, where they are not all that lie there.

    Raises:
        RibError: There are fewer than two, one cannot be read or is too large, or their sizes differ.
    """

    audio: Path | None = None
    audio_start_s = 0.0
    file: Path | None = None

    def __init__(
        self,
        folder: str | Path,
        fps: Fraction,
        fps_assumed: bool = False,
        max_mpx: float | None = None,
        paths: Sequence[Path] | None = None,
    ) -> None:
        folder = Path(folder).absolute()
        self.name, self.fps, self.fps_assumed = folder.name, fps, fps_assumed
        self.paths = pictures_in(folder) if paths is None else list(paths)
        for path in self.paths:
            check_regular_file(path, "take it out of the folder")
        if len(self.paths) < 2:
            raise RibError(
                f"{folder} holds {len(self.paths) or 'no'} picture{'s' * (len(self.paths) != 1)} "
                f"({', '.join(sorted(SUFFIXES))})",
                "a clip needs at least two",
            )
        self.size_px = self._common_size(max_mpx)
        self.times_s = constant_rate_times(len(self.paths), fps)
        self.duration_s, self.look = float(len(self.paths) / fps), self._common_look()
        self.notes, self.not_kept = list[str](), missing_numbers(self.paths)
        if fps_assumed:
            self.notes.append(f"{float(fps):g} frames a second were assumed for {folder.name}/")

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Every picture in order as (H, W, 3) uint8 RGB.

        Raises:
            RibError: A picture cannot be decoded; the message names it.
        """
        for path in self.paths:
            yield read_picture(path)

    def stored(self) -> Iterator[np.ndarray]:
        """See `FrameSource.stored`; the first picture says how deep all are taken for.

        Raises:
            RibError: A picture cannot be decoded; the message names it.
        """
        for path in self.paths:
            yield read_picture(path, self.look) if self.look.is_more else read_picture(path)

    def fingerprint(self) -> str:
        """SHA-256 over the files' contents and the rate."""
        digest = hashlib.sha256(str(self.fps).encode())
        for path in self.paths:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()

    def _common_look(self) -> ColourMetadata:
        """The first picture's depth, and transparency where one of them has it in a pixel."""
        looks = [_look(path) for path in self.paths]
        with_alpha = [(path, look) for path, look in zip(self.paths, looks, strict=True) if look.alpha]
        alpha = any(has_transparent_pixels(read_picture(path, look)) for path, look in with_alpha)
        return replace(looks[0], alpha=alpha)

    def _common_size(self, max_mpx: float | None) -> tuple[int, int]:
        """The size that all pictures have, from their headers."""
        first = picture_size(self.paths[0])
        refuse_large_pictures(self.paths[0], first, max_mpx)
        for path in self.paths[1:]:
            size = picture_size(path)
            if size != first:
                raise RibError(
                    f"the pictures differ in size: {self.paths[0].name} is {first[0]} x {first[1]}, "
                    f"{path.name} is {size[0]} x {size[1]}",
                    f"give pictures of one size, or leave strays out: input_glob={_glob_of(self.paths)}",
                )
        return first


class PictureWriter:
    """Writes `%06d.png`, numbered from 0, into a folder (see `FrameWriter`).

    They appear when the block ends well, in place of an earlier run's; other files in the folder stay.

    Args:
        folder: Where they go; made if needed.
        compression: zlib level 0..9; the pictures are the same at each.
    """

    def __init__(self, folder: str | Path, compression: int) -> None:
        if compression not in range(10):
            raise RibError(f"PNG compression {compression} was given", "give a whole number from 0 to 9")
        self.folder, self.compression = Path(folder), compression
        self._count = 0
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._count = 0
        self._work = self._stack.enter_context(temporary_folder(self.folder))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack, write_errors_in_one_line(self.folder):
            if kind is None:
                self._appear()

    def write(self, frame: np.ndarray) -> None:
        """Append one (H, W, 3) RGB or (H, W, 4) straight RGBA frame; 8 bits a colour, without loss."""
        order = cv2.COLOR_RGBA2BGRA if frame.shape[2] == 4 else cv2.COLOR_RGB2BGR
        bgr = cv2.cvtColor(rgb16_to_rgb8(frame), order)
        _, png = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, self.compression])
        with write_errors_in_one_line(self.folder):
            (self._work / f"{self._count:06d}.png").write_bytes(png.tobytes())
        self._count += 1

    def _appear(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for made in sorted(self._work.iterdir()):
            made.replace(self.folder / made.name)
        for old in self.folder.glob("[0-9]" * 6 + ".png"):
            if int(old.stem) >= self._count:
                old.unlink()


def _glob_of(paths: Sequence[Path]) -> str:
    """A pattern of names that most pictures have, as an example."""
    suffix = Counter(path.suffix for path in paths).most_common(1)[0][0]
    named = Counter(re.split(r"-?\d", path.name, maxsplit=1)[0] for path in paths if path.suffix == suffix)
    return f"{named.most_common(1)[0][0]}[0-9]*{suffix}"


def refuse_large_pictures(path: Path, size_px: tuple[int, int], max_mpx: float | None) -> None:
    """Refuse pictures of more than `max_mpx` 10^6 pixels, before memory is taken for one.

    Raises:
        RibError: They are larger.
    """
    mpx = size_px[0] * size_px[1] / 1e6
    if max_mpx is not None and mpx > max_mpx:
        raise RibError(
            f"{path} is {size_px[0]} x {size_px[1]} px, {mpx:.1f} million, more than max_mpx={max_mpx:g}",
            f"make the pictures smaller, or type max_mpx={math.ceil(mpx)} where there is memory for it",
        )


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height of a picture once upright, from its header.

    Raises:
        RibError: It is no picture.
    """
    try:
        with opened_picture_file(path) as picture:
            turned = picture.getexif().get(0x0112, 1) in _SWAPPED
            return picture.size[::-1] if turned else picture.size
    except Exception as error:
        raise undecodable_picture(path, error) from error


def _look(path: Path) -> ColourMetadata:
    """A picture's depth and whether it has an alpha channel, from its header."""
    with opened_picture_file(path) as picture:
        tiles = getattr(picture, "tile", [])
        # TIFF and PNG; others, and those to be turned, are read in 8
        deep = bool(tiles) and "16" in str(tiles[0][3]) and picture.getexif().get(0x0112, 1) == 1
        return ColourMetadata(alpha=picture.has_transparency_data, bits=16 if deep else 8)


def read_picture(path: Path, look: ColourMetadata | None = None) -> np.ndarray:
    """A picture as (H, W, 3) uint8 RGB.

    Args:
        path: Of the picture.
        look: Depth and transparency to give it with, as `FrameSource.stored` says.

    Raises:
        RibError: It cannot be decoded.
    """
    try:
        if look is not None and look.bits > 8:
            return _deep(path, look.alpha)
        with opened_picture_file(path) as picture:
            upright = ImageOps.exif_transpose(picture)
            if look is not None and look.alpha:
                return np.array(upright.convert("RGBA"))
            return picture_to_rgb(upright)
    except Exception as error:
        raise undecodable_picture(path, error) from error


@contextmanager
def opened_picture_file(path: Path) -> Iterator[Image.Image]:
    """A picture, of whatever size: `refuse_large_pictures` says what is too large, no warning of Pillow."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(path) as picture:
            yield picture


def _deep(path: Path, alpha: bool) -> np.ndarray:
    """A picture as (H, W, 3) uint16 RGB, or (H, W, 4) with alpha."""
    stored = decoded_image_bytes(path.read_bytes(), cv2.IMREAD_UNCHANGED)
    if stored is None:
        raise ValueError("its numbers cannot be read")
    stored = rgb8_to_rgb16(stored)
    stored = np.repeat(stored[..., None], 3, axis=2) if stored.ndim == 2 else stored
    colours = stored[..., 2::-1]
    if not alpha:
        return np.ascontiguousarray(colours)
    opaque = np.full_like(stored[..., :1], WHITE)
    return np.concatenate([colours, stored[..., 3:] if stored.shape[2] == 4 else opaque], axis=2)


def picture_to_rgb(picture: Image.Image) -> np.ndarray:
    """(H, W, 3) uint8 RGB of a decoded picture.

    Raises:
        ValueError: Its numbers are no colours.
    """
    if picture.mode == "F":
        raise ValueError("floating-point pictures have no 8-bit colours")
    if picture.mode.startswith("I"):
        grey = (np.asarray(picture).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if picture.has_transparency_data:
        return picture_over_colour(np.array(picture.convert("RGBA")))
    return np.array(picture.convert("RGB"))


def undecodable_picture(path: Path, error: Exception) -> RibError:
    """The line on a picture that cannot be decoded."""
    return RibError(
        f"{path} cannot be decoded as a picture ({reason_of_error(error)})",
        "replace it, or take it out of the folder",
    )
