"""Clips of other sizes, lengths and crowds, made of one clip."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice, repeat
from pathlib import Path

import cv2
import numpy as np

from rib.video import FrameSource, VideoWriter

CRF = 12
"""Fine enough that nets see what they would see of a camera."""


@dataclass(frozen=True)
class SpeedCase:
    """One measurement.

    Attributes:
        height_px: Of the pictures.
        rate: Frames out for each keyframe.
        num_people: The clip stands so often in the picture, if it shows one person.
        num_keyframes: Length of the clip.
    """

    height_px: int
    rate: float
    num_people: int
    num_keyframes: int


def write_scaled_clip(source: FrameSource, case: SpeedCase, path: Path) -> tuple[int, int]:
    """Write a clip scaled, tiled and, where it is too short, played to and fro.

    Args:
        source: The clip.
        case: Its size, people and length.
        path: The video to write.

    Returns:
        Width and height in px, both even.
    """
    side = int(np.ceil(case.num_people**0.5))
    given_width, given_height = source.size_px
    height = case.height_px // 2 * 2
    size = max(2, round(given_width * height / given_height / 2) * 2), height
    width, height = size[0] // side, size[1] // side
    frames = list(islice(source, case.num_keyframes))
    endless = chain.from_iterable(repeat([*frames, *frames[-2:0:-1]]))
    with VideoWriter(path, source.fps, size, "libx264", CRF, "yuv420p", preset="medium") as writer:
        for frame in islice(endless, case.num_keyframes):
            way = cv2.INTER_AREA if height < given_height else cv2.INTER_CUBIC
            tile = cv2.resize(frame, (width, height), interpolation=way)
            picture = np.zeros((size[1], size[0], 3), np.uint8)
            for number in range(case.num_people):
                y, x = number // side * height, number % side * width
                picture[y : y + height, x : x + width] = tile
            writer.write(picture)
    return size
