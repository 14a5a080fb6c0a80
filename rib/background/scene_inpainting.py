"""Fill what no keyframe shows of the scene from what lies around, in a small picture.

Letters: H and W the picture's size, h and w the small one's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from rib.background.scene_trust import Region, SceneTrust
from rib.io.images import to_float, to_uint8

INPAINT_LONG_SIDE_PX = 256
"""What no keyframe shows is invented at this size: it has no detail, and larger only costs time."""

LEAST_SHARE = 0.03
"""Of a small pixel so much must be trusted that it counts as seen."""


@dataclass(frozen=True)
class ShrunkScene:
    """A keyframe's pixels and trust, shrunk when somebody asks.

    Attributes:
        pixels: (H, W, 3) uint8, or float32 in 0..1.
        trust: In each of them.
    """

    pixels: np.ndarray
    trust: SceneTrust

    @cached_property
    def planes(self) -> np.ndarray:
        """(h, w, 4) float32 in 0..1: colour times share of the trusted pixels, and that share."""
        size = self.size_px
        free = np.ones(self.trust.size, np.float32)
        pixels = self.pixels
        if self.trust.place is not None:
            place = self.trust.place.slices
            free[place] = self.trust.within(place)[..., 0]
            trusted = pixels[place] * free[place][..., None]
            pixels = pixels.copy()
            pixels[place] = np.rint(trusted) if pixels.dtype == np.uint8 else trusted
        small = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA)
        small = to_float(small) if small.dtype == np.uint8 else small
        return np.dstack([small, cv2.resize(free, size, interpolation=cv2.INTER_AREA)])

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height, w and h."""
        height, width = self.trust.size
        shrink = min(1.0, INPAINT_LONG_SIDE_PX / max(height, width))
        return max(1, round(width * shrink)), max(1, round(height * shrink))

    @property
    def to_small(self) -> np.ndarray:
        """(3, 3), from OpenCV's pixels to those of the small picture."""
        height, width = self.trust.size
        x, y = self.size_px[0] / width, self.size_px[1] / height
        return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])


def inpaint_hole(
    picture: np.ndarray,
    hole: np.ndarray,
    region: Region,
    layers: Sequence[tuple[ShrunkScene, np.ndarray | None]],
) -> None:
    """Fill a hole in a part of a picture from everything around it (Telea 2004); it counts as not seen.

    Args:
        picture: (H, W, 4) of the part, written in place.
        hole: (H, W) bool.
        region: The part's rows and columns.
        layers: From front to back, and the map (2, 3) from the wanted frame to each, None for its own.
    """
    picture[hole, 3] = 0
    first = layers[0][0]
    mixed, share = _mixed([_moved(*layer) for layer in layers])
    unknown = share < LEAST_SHARE
    if unknown.all():
        picture[hole, :3] = 0.5
        return
    filled = cv2.inpaint(to_uint8(mixed), unknown.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    rows, columns = (part.indices(size) for part, size in zip(region, first.trust.size, strict=True))
    there = (first.to_small @ [[1, 0, columns[0]], [0, 1, rows[0]], [0, 0, 1]])[:2]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    filled = cv2.warpAffine(filled, there, hole.shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
    picture[hole, :3] = to_float(filled[hole])


def _moved(scene: ShrunkScene, motion: np.ndarray | None) -> np.ndarray:
    """A small keyframe as the wanted frame's camera would have seen it; nothing beyond its border."""
    if motion is None:
        return scene.planes
    small = (scene.to_small @ np.vstack([motion, [0, 0, 1]]) @ np.linalg.inv(scene.to_small))[:2]
    return cv2.warpAffine(scene.planes, small, scene.size_px, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def _mixed(layers: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Colour (h, w, 3) of small layers from front to back, and the share (h, w) that they cover."""
    total, uncovered = np.zeros_like(layers[0][..., :3]), np.ones(layers[0].shape[:2], np.float32)
    for planes in layers:
        total += uncovered[..., None] * planes[..., :3]
        uncovered *= 1 - planes[..., 3]
    share = 1 - uncovered
    return total / np.maximum(share, 0.01)[..., None], share
