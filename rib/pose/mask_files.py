"""`mask=files`: mattes that another program made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rib.io.encoded_pictures import decoded_image_bytes
from rib.io.errors import RibError
from rib.io.files.regular import check_regular_file
from rib.io.images import to_float
from rib.structures.keypoints import PoseSequence
from rib.video import FrameSource


class FilesMask:
    """Read one grey PNG a keyframe from a folder, in the order of the files' names.

    Args:
        path: The folder.
    """

    one_person = True  # the files do not say whose mattes they are

    def __init__(self, path: str) -> None:
        self._folder = Path(path)

    def __call__(self, source: FrameSource, poses: PoseSequence) -> Iterator[np.ndarray]:
        """Walk over the folder.

        Args:
            source: K keyframes.
            poses: The person at those keyframes; not looked at.

        Yields:
            K mattes (H, W) float32 in 0..1.

        Raises:
            RibError: The folder is missing, or count or sizes of the files do not match the clip's.
        """
        if not self._folder.is_dir():
            raise RibError(f"there is no folder {self._folder} of mattes", "set mask.path to one")
        files = sorted(self._folder.glob("*.png"))
        for file in files:
            check_regular_file(file, "take it out of the folder")
        if len(files) != len(source):
            raise RibError(
                f"{self._folder} holds {len(files)} PNG mattes, but {source.name} has {len(source)} frames",
                "give one grey PNG a frame, named so that they sort in the frames' order",
            )
        for file in files:
            yield _read(file, source.size_px)


def _read(file: Path, size_px: tuple[int, int]) -> np.ndarray:
    import cv2

    stored = decoded_image_bytes(file.read_bytes(), cv2.IMREAD_ANYDEPTH)
    if stored is None:
        raise RibError(f"{file} is no PNG picture that can be decoded", "write it again")
    if stored.dtype not in (np.uint8, np.uint16):
        raise RibError(f"{file} holds {stored.dtype}, expected 8 or 16 bits a pixel", "write it again")
    width, height = size_px
    if stored.shape != (height, width):
        raise RibError(
            f"{file} is {stored.shape[1]} x {stored.shape[0]}, but the clip is {width} x {height} pixels"
        )
    return stored.astype(np.float32) / 65535 if stored.dtype == np.uint16 else to_float(stored)
