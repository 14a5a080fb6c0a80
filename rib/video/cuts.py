"""Where one shot ends and another begins."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np


def find_cuts(
    frames: Iterable[np.ndarray], histogram_distance: float, picture_difference: float
) -> list[int]:
    """Numbers of the frames that begin a new shot.

    A cut changes the colours of the whole picture *and* the picture itself; a fast limb changes few pixels,
    a flash or a fade changes colours but not the layout, and a pan changes the layout but few colours.

    Args:
        frames: (H, W, 3) uint8 RGB, in order.
        histogram_distance: Hellinger distance of hue-saturation-value histograms, 0..1, above which colours
            differ.
        picture_difference: Mean absolute difference of the standardised, shrunken grey pictures above which
            the layouts differ; two unrelated pictures are about 1.1 apart, equal ones 0.
    """
    cuts: list[int] = []
    before: tuple[np.ndarray, np.ndarray] | None = None
    for index, frame in enumerate(frames):
        now = _signature(frame)
        if before is not None:
            colours = cv2.compareHist(before[0], now[0], cv2.HISTCMP_BHATTACHARYYA)
            layout = float(np.abs(before[1] - now[1]).mean())
            if colours > histogram_distance and layout > picture_difference:
                cuts.append(index)
        before = now
    return cuts


def _signature(frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    small = cv2.resize(frame, (64, 64), interpolation=cv2.INTER_AREA)
    hsv = cv2.cvtColor(small, cv2.COLOR_RGB2HSV)
    histogram = cv2.calcHist([hsv], [0, 1, 2], None, [8, 4, 8], [0, 180, 0, 256, 0, 256])
    histogram = cv2.GaussianBlur(histogram.reshape(32, 8), (3, 3), 0)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return histogram / max(float(histogram.sum()), 1e-6), (grey - grey.mean()) / (grey.std() + 4)
