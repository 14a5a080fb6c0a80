"""The display matrix of a container: how a stored picture is turned and mirrored to stand upright."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from av.video.frame import VideoFrame


@dataclass(frozen=True)
class PictureOrientation:
    """Steps that bring a stored picture upright, in this order.

    Attributes:
        transpose: Swap rows and columns.
        mirror: Then reverse the columns.
        flip: Then reverse the rows.
    """

    transpose: bool = False
    mirror: bool = False
    flip: bool = False

    def turn(self, picture: np.ndarray) -> np.ndarray:
        """The stored picture (H, W, 3) upright, contiguous in memory."""
        if self.transpose:
            picture = picture.swapaxes(0, 1)
        if self.mirror:
            picture = picture[:, ::-1]
        if self.flip:
            picture = picture[::-1]
        return np.ascontiguousarray(picture)

    def size(self, size_px: tuple[int, int]) -> tuple[int, int]:
        """Width and height once upright."""
        return (size_px[1], size_px[0]) if self.transpose else size_px


def orientation_of_frame(frame: VideoFrame) -> PictureOrientation:
    """Read a decoded frame's display matrix, rounded to quarter turns.

    The nine 16.16 numbers (a, b, u, c, d, v, x, y, w) send a stored point (x, y) to (a x + c y, b x + d y)
    (ISO/IEC 14496-12, track header box).
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return PictureOrientation()
    a, b, _, c, d = np.frombuffer(bytes(cast(Any, data)), dtype="=i4", count=5)
    if abs(int(b)) > abs(int(a)):
        return PictureOrientation(transpose=True, mirror=bool(c < 0), flip=bool(b < 0))
    return PictureOrientation(mirror=bool(a < 0), flip=bool(d < 0))
