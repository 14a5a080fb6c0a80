"""Pictures and a person small enough for tests that run the whole chain."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from rib.structures.keypoints import PoseSequence
from rib.structures.skeleton import BODY25_HANDS

SIZE = (64, 48)


def picture(index: int, seed: int = 0, size: tuple[int, int] = SIZE) -> np.ndarray:
    """(H, W, 3) flat blocks that wander by two pixels a frame."""
    colours = np.random.default_rng(seed).integers(30, 226, (12, 20, 3), dtype=np.uint8)
    whole = np.roll(np.kron(colours, np.ones((12, 12, 1), np.uint8)), 2 * index, axis=1)
    return np.ascontiguousarray(whole[: size[1], : size[0]])


def person(num_moments: int, missing: tuple[int, ...] = (), size: tuple[int, int] = SIZE) -> PoseSequence:
    """A stiff figure that walks to the right, away at the moments `missing`."""
    rng = np.random.default_rng(0)
    shape = rng.uniform((10, 5), (30, 40), (len(BODY25_HANDS), 2))
    keypoints = shape[None] + np.arange(num_moments)[:, None, None] * np.array([1.0, 0.0])
    confidence = np.full((num_moments, len(BODY25_HANDS)), 0.9)
    confidence[list(missing)] = 0
    keypoints[list(missing)] = 0
    return PoseSequence(keypoints, confidence, np.arange(num_moments) / 10, "body25_hands", size)


def write_masks(folder: Path) -> Path:
    """Write nine mattes, a block each that walks with `person`, as PNG; gives their folder."""
    folder.mkdir(exist_ok=True)
    for index in range(9):
        matte = np.zeros(SIZE[::-1], np.uint8)
        matte[4:42, 9 + index : 32 + index] = 255
        cv2.imwrite(str(folder / f"{index}.png"), matte)
    return folder
