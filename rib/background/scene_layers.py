"""Keyframes as layers of the scene: laid over each other by the trust in their pixels, holes inpainted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from rib.io.images import to_float, to_uint8
from rib.structures.box import Box
from rib.video.camera import MaskedGrey, chain_camera_motions, paint_over_people

INPAINT_LONG_SIDE_PX = 256
"""What no keyframe shows is invented at this size: it has no detail, and larger only costs time."""

Layer = tuple[np.ndarray, np.ndarray]
"""A picture (H, W, 4) float32, whose last channel is 1 where it is seen, and the trust in each of its pixels
(H, W, 1)."""
Region = tuple[slice, slice]
"""Rows and columns."""
WHOLE: Region = (slice(None), slice(None))


@dataclass(frozen=True)
class SceneTrust:
    """Trust in each pixel of a picture to show the scene, 1 outside a part of it.

    Attributes:
        size: Rows and columns of the picture.
        place: The part, or None where all is trusted.
        values: (h, w, 1) float32 in 0..1, of the part.
    """

    size: tuple[int, int]
    place: Box | None = None
    values: np.ndarray | None = None

    def within(self, region: Region = WHOLE) -> np.ndarray:
        """The trust (h, w, 1) in some rows and columns."""
        rows, columns = (part.indices(size) for part, size in zip(region, self.size, strict=True))
        asked = Box(rows[0], columns[0], rows[1] - rows[0], columns[1] - columns[0])
        found = np.ones((asked.height, asked.width, 1), np.float32)
        both = None if self.place is None else self.place.common(asked)
        if both is not None and self.place is not None and self.values is not None:
            found[both.within(asked).slices] = self.values[both.within(self.place).slices]
        return found


@dataclass(frozen=True)
class SceneLayer:
    """A keyframe as a layer of the scene.

    Attributes:
        pixels: (H, W, 3) uint8, or float32 in 0..1.
        trust: In each of them.
        motion: Leads from the wanted frame to this one, or None where the camera stands still.
    """

    pixels: np.ndarray
    trust: SceneTrust
    motion: np.ndarray | None = None

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
        picture = np.ascontiguousarray(_floats(self.pixels))
        return _seen(self._moved(picture, region, cv2.BORDER_REPLICATE)), self.trust_within(region)

    def trust_within(self, region: Region) -> np.ndarray:
        """The trust alone."""
        if self.motion is None:
            return self.trust.within(region)
        return self._moved(self.trust.within(), region, cv2.BORDER_CONSTANT)[..., None]

    def _moved(self, picture: np.ndarray, region: Region, border: int) -> np.ndarray:
        assert self.motion is not None
        rows, columns = (part.indices(size) for part, size in zip(region, self.trust.size, strict=True))
        size, flags = (columns[1] - columns[0], rows[1] - rows[0]), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        motion = self.motion.copy()
        motion[:, 2] += motion[:, :2] @ (columns[0], rows[0])
        return cv2.warpAffine(picture, motion, size, flags=flags, borderMode=border)


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
    completed = _seen(own.pixels[part])
    unsure = _bounds(own.trust.within(part)[..., 0] < 1)
    if unsure is not None:
        region = _inside(part, unsure)
        colour, uncovered = _stack(layer.within(region) for layer in front)
        completed[unsure] = colour + uncovered * _opaque(rest, region)
    return completed


def _inside(part: Region, unsure: Region) -> Region:
    """Rows and columns of a part, counted in the whole picture."""
    first = [one.start or 0 for one in part]
    rows, columns = (slice(n + one.start, n + one.stop) for n, one in zip(first, unsure, strict=True))
    return rows, columns


def _opaque(layers: list[SceneLayer], region: Region) -> np.ndarray:
    """Part of one picture from layers: by their colours where any has one, by inpainting elsewhere."""
    uncovered = np.ones(1, np.float32)
    for layer in layers:
        uncovered = uncovered * (1 - layer.trust_within(region))
        if not (uncovered > 0.99).any():
            return _mixed(layer.within(region) for layer in layers)[0]
    # a hole is filled from everything around it
    colour, trust = layers[0].within(WHOLE)
    whole, hole, unsure = colour, np.zeros(trust.shape[:2], np.uint8), _bounds(trust[..., 0] < 1)
    if unsure is not None:
        whole[unsure], uncovered = _mixed(layer.within(unsure) for layer in layers)
        hole[unsure] = uncovered[..., 0] > 0.99
    return _inpaint(whole, hole)[region]


def _mixed(layers: Iterable[Layer]) -> Layer:
    """Layers by the trust in each, and the share that none of them covers."""
    colour, uncovered = _stack(layers)
    return colour / np.maximum(1 - uncovered, 0.01), uncovered


def _stack(layers: Iterable[Layer]) -> Layer:
    """Layers from front to back: their colour so far, and the share that none of them covers."""
    colour = uncovered = None
    for picture, trust in layers:
        if colour is None or uncovered is None:
            colour, uncovered = trust * picture, 1 - trust
        else:
            colour += uncovered * trust * picture
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


def _inpaint(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Fill the hole (H, W) of a picture (H, W, 4) in place, at a size where that is quick."""
    height, width = picture.shape[:2]
    shrink = min(1.0, INPAINT_LONG_SIDE_PX / max(height, width))
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    # a pixel that touches the hole belongs to it, or the hole's emptiness would bleed into its rim
    small_hole = (cv2.resize(hole.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0).astype(
        np.uint8
    )
    levels = to_uint8(cv2.resize(picture[..., :3], size, interpolation=cv2.INTER_AREA))
    where = hole.astype(bool)
    picture[where, 3] = 0
    if small_hole.all():
        picture[where, :3] = 0.5
        return picture
    filled = cv2.inpaint(levels, small_hole, 3, cv2.INPAINT_TELEA)
    filled = cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR)
    picture[where, :3] = to_float(filled[where])
    return picture
