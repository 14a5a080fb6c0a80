"""Squares around people, the windows cut out of pictures for the networks, and landmarks found in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SHOULDERS_AND_HIPS = (11, 12, 23, 24)
"""Left and right shoulder, left and right hip among the network's 33 points."""
ROI_SCALE = 1.25
"""The landmark network was trained on squares this much larger than the circle around the body."""


@dataclass(frozen=True)
class BlazePoseRoi:
    """A rotated square around a person, hips in the middle and the trunk upright in its own frame.

    Attributes:
        centre_px: (2,).
        side_px: Length of a side.
        angle_rad: Clockwise turn of the square on the screen.
    """

    centre_px: np.ndarray
    side_px: float
    angle_rad: float

    @classmethod
    def around(cls, centre_px: np.ndarray, rim_px: np.ndarray) -> BlazePoseRoi:
        """The square around a body's circle, given its centre and the point of its rim above the head."""
        x, y = rim_px - centre_px
        return cls(np.asarray(centre_px), float(2 * ROI_SCALE * np.hypot(x, y)), float(np.arctan2(x, -y)))


@dataclass(frozen=True)
class BodyLandmarks:
    """Output of the landmark network for one person.

    Attributes:
        points: (33, 3) float64: x and y in picture pixels, z on the same scale (smaller is
            nearer, 0 at the hips).
        visibility: (33,) float64 in 0..1.
        roi: The square that these points ask for.
        left_hand: (21, 2) pixels in OpenPose's order, or None where no hand was found or asked for.
        right_hand: The same.
        mask: (h, w) float32 in 0..1 over `window`, or None where not asked for.
        window: Slices (rows, columns) of the picture that `mask` covers.
    """

    points: np.ndarray
    visibility: np.ndarray
    roi: BlazePoseRoi
    left_hand: np.ndarray | None
    right_hand: np.ndarray | None
    mask: np.ndarray | None
    window: tuple[slice, slice]

    @property
    def trunk_px(self) -> float:
        """Distance between the middles of the shoulders and of the hips."""
        left_shoulder, right_shoulder, left_hip, right_hip = self.points[list(SHOULDERS_AND_HIPS), :2]
        return float(np.linalg.norm(left_shoulder + right_shoulder - left_hip - right_hip) / 2)


@dataclass(frozen=True)
class PersonWindow:
    """The part of a picture around a square, padded to a square picture of its own.

    Attributes:
        square: (S, S, 3) uint8 RGB.
        shape: Height and width of the part of it that is no padding.
        window: Slices (rows, columns) of the picture that this part shows.
        scale: (2,) its pixels along x and y, in pixels of the picture.
        centre: (2,) of the square where the person is looked for, in shares of S.
        side: (2,) its width and height, likewise.
    """

    square: np.ndarray
    shape: tuple[int, int]
    window: tuple[slice, slice]
    scale: np.ndarray
    centre: np.ndarray
    side: np.ndarray

    def landmarks(
        self,
        points: np.ndarray,
        depth: np.ndarray,
        visibility: np.ndarray,
        circle: np.ndarray,
        left_hand: np.ndarray | None,
        right_hand: np.ndarray | None,
        mask: np.ndarray | None,
    ) -> BodyLandmarks:
        """What a network found in the square picture, in the picture itself.

        Args:
            points: (33, 2) shares of S, as are the other points.
            depth: (33,) on the same scale.
            visibility: (33,) in 0..1.
            circle: (2, 2) the middle of the circle around the body, and its rim above the head.
            left_hand: (21, 2) or None.
            right_hand: The same.
            mask: Of `shape`, or None.
        """
        middle, rim = self._pixels(circle)
        return BodyLandmarks(
            points=np.column_stack([self._pixels(points), depth * len(self.square) / self.scale[0]]),
            visibility=visibility,
            roi=BlazePoseRoi.around(middle, rim),
            left_hand=None if left_hand is None else self._pixels(left_hand),
            right_hand=None if right_hand is None else self._pixels(right_hand),
            mask=mask,
            window=self.window,
        )

    def _pixels(self, points: np.ndarray) -> np.ndarray:
        origin = np.array([self.window[1].start, self.window[0].start])
        return points * len(self.square) / self.scale + origin


def person_window(picture: np.ndarray, roi: BlazePoseRoi, window_px: int) -> PersonWindow | None:
    """Cut out the part of a picture around a square; None where the square misses the picture.

    Args:
        picture: (H, W, 3) uint8 RGB.
        roi: Where to look.
        window_px: The part is shrunk so that the square's side has at most this many pixels.
    """
    window = _window(picture, roi)
    if window is None:
        return None
    crop, scale = _shrink(picture[window], min(1.0, window_px / roi.side_px))
    square = _pad_to_square(crop)
    origin, size = np.array([window[1].start, window[0].start]), len(square)
    centre, side = (roi.centre_px - origin) * scale / size, roi.side_px * scale / size
    return PersonWindow(square, (crop.shape[0], crop.shape[1]), window, scale, centre, side)


def _window(picture: np.ndarray, roi: BlazePoseRoi, margin: float = 0.15) -> tuple[slice, slice] | None:
    """Rows and columns of the rotated square and a margin (in sides); None where it misses the picture."""
    reach = roi.side_px * ((abs(np.cos(roi.angle_rad)) + abs(np.sin(roi.angle_rad))) / 2 + margin)
    low = np.maximum(np.floor(roi.centre_px - reach).astype(int), 0)
    high = np.minimum(np.ceil(roi.centre_px + reach).astype(int), [picture.shape[1], picture.shape[0]])
    if (high - low < 8).any():
        return None
    return slice(low[1], high[1]), slice(low[0], high[0])


def _shrink(crop: np.ndarray, factor: float) -> tuple[np.ndarray, np.ndarray]:
    """The crop at `factor` <= 1 of its size, and the exact factors along x and y."""
    import cv2

    height, width = crop.shape[:2]
    crop = np.ascontiguousarray(crop)
    if factor == 1:
        return crop, np.ones(2)
    size = max(8, round(width * factor)), max(8, round(height * factor))
    return cv2.resize(crop, size, interpolation=cv2.INTER_AREA), np.array(size) / (width, height)


def _pad_to_square(crop: np.ndarray) -> np.ndarray:
    """The crop with its edge repeated below or to the right: the hands' graph is exact on squares only."""
    import cv2

    height, width = crop.shape[:2]
    side = max(height, width)
    return cv2.copyMakeBorder(crop, 0, side - height, 0, side - width, cv2.BORDER_REPLICATE)
