"""A camera that pans or zooms over a clip of a still one, so that moving cameras are in the data too."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np

from rib.video import FrameSource

STILL, PAN, ZOOM = CAMERAS = ("still", "pan", "zoom")
"""What the camera does."""
WINDOW = 0.75
"""Share of the picture's height and width that a moving camera sees; a zoom goes from 1 to this."""
PERIOD_S = 2.5
"""From one end to the other and back: at 320 px high up to some 30 px between keyframes of 7.5 a second."""
RISE = 0.3
"""A pan moves up and down by this share of the room that there is."""


class MovingCamera:
    """A clip as a camera sees that pans or zooms over it (see `FrameSource`); a function of the time alone.

    Args:
        source: The clip.
        camera: `PAN` or `ZOOM`.
        height_px: Height of the pictures; the width keeps the clip's shape.
    """

    def __init__(self, source: FrameSource, camera: str, height_px: int) -> None:
        self.source, self.camera = source, camera
        width, height = source.size_px
        self.size_px = round(width * height_px / height), height_px
        self.name, self.notes, self.not_kept = f"{source.name}_{camera}", source.notes, source.not_kept
        self.fps, self.fps_assumed = source.fps, source.fps_assumed
        self.times_s, self.duration_s = source.times_s, source.duration_s
        self.audio, self.audio_start_s, self.file = source.audio, source.audio_start_s, source.file
        self.look = replace(source.look, alpha=False, bits=8)

    def __len__(self) -> int:
        return len(self.source)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Every frame in order as (H, W, 3) uint8 RGB."""
        largest = 1 / WINDOW
        size = tuple(round(largest * side) for side in self.size_px)
        for frame, time_s in zip(self.source, self.times_s, strict=True):
            shrinks = size[0] <= frame.shape[1]
            large = cv2.resize(frame, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
            x, y, window = camera_window(self.camera, float(time_s))
            left, top = x * (size[0] - window * size[0]), y * (size[1] - window * size[1])
            scale = window * largest  # source pixels for each of the output's
            shift = (scale - 1) / 2  # pixel centres lie at .5
            place = np.array([[scale, 0, left + shift], [0, scale, top + shift]])
            flags = (cv2.INTER_CUBIC if scale == 1 else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP
            yield cv2.warpAffine(large, place, self.size_px, flags=flags, borderMode=cv2.BORDER_REPLICATE)

    def stored(self) -> Iterator[np.ndarray]:
        """See `FrameSource.stored`; 8 bits a colour, whatever the file has."""
        return iter(self)

    def fingerprint(self) -> str:
        """SHA-256 over the clip's and the camera's motion."""
        told = f"{self.source.fingerprint()} {self.camera} {self.size_px} {WINDOW} {PERIOD_S} {RISE}"
        return hashlib.sha256(told.encode()).hexdigest()


def camera_window(camera: str, time_s: float) -> tuple[float, float, float]:
    """Place of the window (0 at the left or top, 1 at the right or bottom), its share of the picture."""
    phase = 2 * math.pi * time_s / PERIOD_S
    if camera == ZOOM:
        return 0.5, 0.5, 1 - (1 - WINDOW) * (1 - math.cos(phase)) / 2
    return (1 - math.cos(phase)) / 2, (1 + RISE * math.sin(phase)) / 2, WINDOW
