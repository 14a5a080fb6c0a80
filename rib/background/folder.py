"""Frames that another program made: a folder of pictures, one for every output frame."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from rib.background.interpolator import FrameInterpolator
from rib.io.encoded_pictures import decoded_image_bytes
from rib.io.errors import RibError
from rib.io.files.regular import check_regular_file
from rib.io.images import to_float
from rib.structures.interval import Background, Interval
from rib.video.reading.sequence import SUFFIXES, natural_sort_key


class FolderInterpolator(FrameInterpolator):
    """Takes output frame n from the n-th picture of a folder, as DAIN and other interpolators write it.

    Args:
        path: The folder; its pictures sort in time order, "2.png" before "10.png", keyframes included.

    Raises:
        RibError: The folder is absent or holds no picture.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path).expanduser()
        if not self.path.is_dir():
            raise RibError(
                f"background.path={path} is not a folder", "give the folder of interpolated pictures"
            )
        self.files = sorted(
            (p for p in self.path.iterdir() if p.suffix.lower() in SUFFIXES), key=natural_sort_key
        )
        if not self.files:
            raise RibError(f"background.path={path} holds no picture ({', '.join(sorted(SUFFIXES))})")
        for file in self.files:
            check_regular_file(file, "take it out of the folder")

    def prepare(self, num_frames: int, size_px: tuple[int, int], num_held: int = 0) -> None:
        """See `FrameInterpolator.prepare`.

        Counts must be equal, where those that hold the last keyframe may be absent, and the first picture's
        size the output's.
        """
        if len(self.files) not in (num_frames, num_frames - num_held):
            what = f"{self.path} holds {len(self.files)} pictures, the output has {num_frames} frames"
            raise RibError(what, "give one picture for every output frame, or change rate= or fps=")
        _check_size(self.files[0], _read(self.files[0]), size_px)

    def __call__(self, interval: Interval) -> Background:
        """The pictures of `interval.indices`; `flow` and `weight_a` are None."""
        assert len(interval.indices) == len(interval.times_s), "the chain numbers the frames of its intervals"
        size_px = interval.a.size_px
        frames = [_read(self.files[index]) for index in interval.indices]
        for index, frame in zip(interval.indices, frames, strict=True):
            _check_size(self.files[index], frame, size_px)
        pictures = torch.from_numpy(np.stack(frames)).to(interval.a.device).permute(0, 3, 1, 2)
        return Background(to_float(pictures.contiguous()))


def _read(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB, upright."""
    picture = decoded_image_bytes(path.read_bytes())
    if picture is None:
        raise RibError(f"{path} cannot be read as a picture", "write it again")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def _check_size(path: Path, picture: np.ndarray, size_px: tuple[int, int]) -> None:
    found = picture.shape[1], picture.shape[0]
    if found != tuple(size_px):
        what = f"{path} is {found[0]} x {found[1]} pixels, the output {size_px[0]} x {size_px[1]}"
        raise RibError(what, "give pictures of the output's size")
