"""Keyframes as layers of the scene: laid over each other by the trust in their pixels, holes inpainted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from rib.background.scene_inpainting import ShrunkScene, inpaint_hole
from rib.background.scene_trust import WHOLE, Region, SceneTrust
from rib.io.images import to_float, to_uint8
from rib.structures.box import Box
from rib.video.camera import MaskedGrey, carry_points, chain_camera_motions, paint_over_people

Layer = tuple[np.ndarray, np.ndarray]
"""A picture (H, W, 4) float32, whose last channel is 1 where it is seen, and the trust in each of its pixels
(H, W, 1)."""


@dataclass(frozen=True)
class SceneLayer:
    """A keyframe as a layer of the scene.

    Attributes:
        pixels: (H, W, 3) uint8, or float32 in 0..1.
        trust: In each of them.
        shrunk: Both at the size at which holes are filled, shared by all who see this keyframe.
        motion: Leads from the wanted frame to this one, or None where the camera stands still.
    """

    pixels: np.ndarray
    trust: SceneTrust
    shrunk: ShrunkScene
    motion: np.ndarray | None = None

    @classmethod
    def of(cls, pixels: np.ndarray, trust: SceneTrust) -> SceneLayer:
        """A keyframe as it is."""
        return cls(pixels, trust, ShrunkScene(pixels, trust))

    @cached_property
    def grey(self) -> MaskedGrey:
        """The pixels that the camera's motion is estimated from."""
        levels = self.pixels if self.pixels.dtype == np.uint8 else to_uint8(self.pixels)
        grey = cv2.cvtColor(np.ascontiguousarray(levels), cv2.COLOR_RGB2GRAY)
        masked = MaskedGrey(grey, self.trust.within()[..., 0] > 0.5)
        smoothed = paint_over_people(masked)
        return masked._replace(grey=smoothed, smoothed=smoothed)  # nobody looks behind the paint

    def within(self, region: Region) -> Layer:
        """The part of the layer that a region of the wanted frame shows; beyond its border trust is 0."""
        if self.motion is None:
            return _seen(self.pixels[region]), self.trust.within(region)
        reached, motion, size = self._reached(region)
        picture = np.ascontiguousarray(_floats(self.pixels[reached.slices]))
        picture = _moved(picture, motion, size, cv2.BORDER_REPLICATE)
        trust = _moved(self.trust.within(reached.slices), motion, size, cv2.BORDER_CONSTANT)[..., None]
        return _seen(picture), trust

    def _reached(self, region: Region) -> tuple[Box, np.ndarray, tuple[int, int]]:
        """The part of the keyframe that a region of the wanted frame shows, the map to it, and its size."""
        assert self.motion is not None
        rows, columns = (part.indices(size) for part, size in zip(region, self.trust.size, strict=True))
        x, y = ([part[0], part[1] - 1] for part in (columns, rows))
        corners = carry_points(self.motion, np.array([[i, j] for i in x for j in y], float))
        last = np.array(self.trust.size[::-1])
        left, top = np.clip(np.floor(corners.min(axis=0)) - 2, 0, last - 1).astype(int).tolist()
        right, bottom = (
            np.clip(np.ceil(corners.max(axis=0)) + 3, [left + 1, top + 1], last).astype(int).tolist()
        )
        motion = self.motion.copy()
        motion[:, 2] += motion[:, :2] @ (columns[0], rows[0]) - (left, top)
        return (
            Box(top, left, bottom - top, right - left),
            motion,
            (columns[1] - columns[0], rows[1] - rows[0]),
        )


def layers_seen_by_camera(
    layers: list[SceneLayer], from_a: list[np.ndarray], keyframe: int
) -> tuple[list[SceneLayer], list[SceneLayer]]:
    """One of the first two keyframes, and all as its camera would have seen them, itself last."""
    to_a, own = cv2.invertAffineTransform(from_a[keyframe]), layers[keyframe]
    order = [1 - keyframe, *range(2, len(layers))]
    moved = [replace(layers[i], motion=chain_camera_motions(to_a, from_a[i])) for i in order]
    return [own], [*moved, own]


def complete_scene(front: list[SceneLayer], rest: list[SceneLayer], part: Region = WHOLE) -> np.ndarray:
    """A part of the first layer (h, w, 4), completed by those behind it where it is not trusted in full.

    Args:
        front: Layers from front to back; the first does not move.
        rest: What they are laid over, from front to back; what none of them shows is inpainted.
        part: Rows and columns.
    """
    own = front[0]
    unsure = _bounds(own.trust.within(part)[..., 0] < 1)
    if unsure is None:
        return _seen(own.pixels[part])
    region = _inside(part, unsure)
    behind = _opaque(rest, region)
    colour, uncovered = _stack(layer.within(region) for layer in front)
    behind *= uncovered
    behind += colour
    completed = _seen(own.pixels[part])
    completed[unsure] = behind
    return completed


def _inside(part: Region, unsure: Region) -> Region:
    """Rows and columns of a part, counted in the whole picture."""
    first = [one.start or 0 for one in part]
    rows, columns = (slice(n + one.start, n + one.stop) for n, one in zip(first, unsure, strict=True))
    return rows, columns


def _opaque(layers: list[SceneLayer], region: Region) -> np.ndarray:
    """Part of one picture from layers: by their colours where any has one, by inpainting elsewhere."""
    colour, uncovered = _mixed(layer.within(region) for layer in layers)
    hole = uncovered[..., 0] > 0.99
    if hole.any():
        inpaint_hole(colour, hole, region, [(layer.shrunk, layer.motion) for layer in layers])
    return colour


def _mixed(layers: Iterable[Layer]) -> Layer:
    """Layers by the trust in each, and the share that none of them covers."""
    colour, uncovered = _stack(layers)
    colour /= np.maximum(1 - uncovered, 0.01)
    return colour, uncovered


def _stack(layers: Iterable[Layer]) -> Layer:
    """Layers from front to back: their colour so far, and the share that none of them covers.

    Each layer's picture is its own, and what it is multiplied by goes into it: large ones take much memory.
    """
    colour = uncovered = None
    for picture, trust in layers:
        if colour is None or uncovered is None:
            picture *= trust
            colour, uncovered = picture, 1 - trust
        else:
            picture *= uncovered * trust
            colour += picture
            uncovered *= 1 - trust
        if not uncovered.any():
            break
    assert colour is not None
    assert uncovered is not None
    return colour, uncovered


def _bounds(there: np.ndarray) -> Region | None:
    """The smallest region that holds all that is True, or None without any."""
    rows, columns = (np.flatnonzero(there.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _seen(pixels: np.ndarray) -> np.ndarray:
    """A copy of pixels (H, W, 3) as floats, all of them seen."""
    picture = np.ones((*pixels.shape[:2], 4), np.float32)
    picture[..., :3] = _floats(pixels)
    return picture


def _floats(pixels: np.ndarray) -> np.ndarray:
    return to_float(pixels) if pixels.dtype == np.uint8 else pixels


def _moved(picture: np.ndarray, motion: np.ndarray, size: tuple[int, int], border: int) -> np.ndarray:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, motion, size, flags=flags, borderMode=border)
