"""Rotated rectangles in a square picture, cut out and projected back as mediapipe's graphs do it.

Each step does what a calculator of mediapipe does: the networks were trained on what these give. Coordinates
are shares of the picture's side, angles turn clockwise on the screen.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_STEPS = 32
"""Old OpenCV, which the runtime holds, places its samples on a grid of so many steps a pixel."""


class Rect(NamedTuple):
    """A rotated rectangle.

    Attributes:
        x: Of the middle.
        y: The same.
        width: Along its own axis.
        height: The same.
        angle_rad: Clockwise.
    """

    x: float
    y: float
    width: float
    height: float
    angle_rad: float

    @property
    def long_side(self) -> float:
        """Of the square that a network sees: the rectangle is centred in it."""
        return max(self.width, self.height)

    def moved_up(self, share: float, scale: float) -> Rect:
        """Move it by a share of its height along its own axis, then make a scaled square of it."""
        sine, cosine = np.sin(self.angle_rad), np.cos(self.angle_rad)
        side = self.long_side * scale
        step = share * self.height
        return Rect(self.x + step * sine, self.y - step * cosine, side, side, self.angle_rad)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Points in the square that a network saw, in the picture.

        Args:
            points: (N, 3) shares of the square's side; z on the scale of x.

        Returns:
            (N, 3) shares of the picture's side.
        """
        width, height = self.width / self.long_side, self.height / self.long_side
        x = (points[:, 0] - (1 - width) / 2) / width - 0.5
        y = (points[:, 1] - (1 - height) / 2) / height - 0.5
        sine, cosine = np.sin(self.angle_rad), np.cos(self.angle_rad)
        return np.column_stack(
            [
                (cosine * x - sine * y) * self.width + self.x,
                (sine * x + cosine * y) * self.height + self.y,
                points[:, 2] / width * self.width,
            ]
        )


def crop_rect(picture: np.ndarray, rect: Rect, size_px: int, replicate: bool = True) -> np.ndarray:
    """What a network sees: the square around a rectangle.

    Args:
        picture: (S, S, 3) uint8.
        rect: Where to look.
        size_px: Side of what is given.
        replicate: Whether the picture's edge is repeated beyond it; else there is black.

    Returns:
        (size_px, size_px, 3) uint8.
    """
    side_px = np.float32(len(picture))
    centre_px = float(np.float32(rect.x) * side_px), float(np.float32(rect.y) * side_px)
    long_px = float(np.float32(rect.long_side) * side_px)
    return crop_square(picture, centre_px, long_px, rect.angle_rad, size_px, replicate)


def crop_square(
    picture: np.ndarray,
    centre_px: tuple[float, float],
    side_px: float,
    angle_rad: float,
    size_px: int,
    replicate: bool,
) -> np.ndarray:
    """See `crop_rect`; of a picture (H, W, 3) that need not be square."""
    sine, cosine = np.sin(np.float32(angle_rad), dtype=float), np.cos(np.float32(angle_rad), dtype=float)
    turn = side_px * np.array([[cosine, -sine], [sine, cosine]])
    corner = np.array(centre_px) - turn.sum(axis=1) / 2
    at = np.arange(size_px) / size_px
    places = [
        np.rint(_STEPS * (corner[axis] + turn[axis, 0] * at + turn[axis, 1] * at[:, None])).astype(np.int64)
        for axis in (0, 1)
    ]
    return _sample(picture, places[0], places[1], replicate)


def _sample(picture: np.ndarray, x: np.ndarray, y: np.ndarray, replicate: bool) -> np.ndarray:
    """Bilinear samples where old OpenCV takes them; x and y in steps, a pixel's own place being its index."""
    import cv2

    limit = np.iinfo(np.int16)
    whole = np.stack([x // _STEPS, y // _STEPS], axis=-1).clip(limit.min, limit.max).astype(np.int16)
    part = ((y % _STEPS) * _STEPS + x % _STEPS).astype(np.uint16)
    border = cv2.BORDER_REPLICATE if replicate else cv2.BORDER_CONSTANT
    return cv2.remap(picture, whole, part, cv2.INTER_LINEAR, borderMode=border)


def uncrop_mask(mask: np.ndarray, rect: Rect, side_px: int, shape: tuple[int, int]) -> np.ndarray:
    """A network's mask where it lies in the picture; 0 beyond the square that the network saw.

    Args:
        mask: (n, n) float32 over the square around the rectangle.
        rect: Where the network looked.
        side_px: Of the square picture.
        shape: Height and width of the part from the picture's corner that is wanted.

    Returns:
        Of that shape, float32.
    """
    sine, cosine = np.sin(rect.angle_rad), np.cos(rect.angle_rad)
    turn = rect.long_side * np.array([[cosine, -sine], [sine, cosine]])
    back = np.linalg.inv(turn)
    shift = back @ -np.array([rect.x, rect.y]) + 0.5
    # as the runtime does: places are told by the corners of pixels, and rounded twice
    matrix = (len(mask) * np.column_stack([back / side_px, shift])).astype(np.float32).astype(float)
    rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1])
    fine = 2**10
    x, y = (
        (
            np.rint((matrix[axis, 1] * rows + matrix[axis, 2]) * fine).astype(np.int64)
            + fine // _STEPS // 2
            + np.rint(matrix[axis, 0] * columns * fine).astype(np.int64)
        )
        // (fine // _STEPS)
        for axis in (0, 1)
    )
    return _sample(mask, x, y, replicate=False)


def wrap_rad(angle_rad: float) -> float:
    """The same angle in [-pi, pi)."""
    return float((angle_rad + np.pi) % (2 * np.pi) - np.pi)
