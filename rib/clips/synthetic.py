"""Painted people who walk and wave before a painted scene: clips whose poses and masks are known exactly."""

from __future__ import annotations

from functools import cache
from typing import Annotated

import cv2
import numpy as np

from rib.clips.clips import ClipWindow
from rib.io.settings.ranges import Range, Seed
from rib.mocap.synthetic import synthetic_mocap_recordings
from rib.structures.skeleton import BODY19

STICKS = (
    ("neck", "mid_hip", 0.085), ("left_shoulder", "right_shoulder", 0.04), ("left_hip", "right_hip", 0.05),
    ("neck", "nose", 0.045),
    *((f"{side}_{a}", f"{side}_{b}", radius)
      for side in ("left", "right")
      for a, b, radius in (("shoulder", "elbow", 0.032), ("elbow", "wrist", 0.026), ("wrist", "hand", 0.026),
                           ("hip", "knee", 0.045), ("knee", "ankle", 0.034), ("ankle", "big_toe", 0.024))),
)  # fmt: skip
"""Capsules between joints; radii in parts of the standing height."""
HEAD_RADIUS = 0.062
FRACTION_BITS = 4
"""OpenCV draws at sixteenths of a pixel."""


class SyntheticClips:
    """A store of painted clips (see `ClipStore`); clip i depends on the seed, i and the sizes alone.

    The backgrounds are the plain mean of the frames around: the person is seen twice in them, half
    transparent, which is what an interpolator makes of motion that it does not follow.

    Args:
        count: How many clips.
        frames: Frames a clip.
        size_wh: Width and height, px.
        fps: Frames a second.
        seed: Any whole number.
    """

    def __init__(
        self,
        count: Annotated[int, Range(1, 10**5)],
        frames: Annotated[int, Range(3, 10**5)],
        size_wh: tuple[Annotated[int, Range(16, 4096)], Annotated[int, Range(16, 4096)]],
        fps: Annotated[float, Range(above=0, most=10_000)],
        seed: Seed,
    ) -> None:
        self.frames, self.size_wh, self.fps, self.seed = frames, tuple(size_wh), fps, seed
        self.names = tuple(f"synthetic_{index:03d}" for index in range(count))
        self.recordings = synthetic_mocap_recordings(count, frames, fps, seed)
        self._painted = cache(self._paint)

    def __getstate__(self) -> dict[str, object]:
        return {key: value for key, value in self.__dict__.items() if key != "_painted"}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._painted = cache(self._paint)

    def length(self, name: str) -> int:
        """Frames of a clip."""
        return self.frames

    def window(self, name: str, start: int, frames: int) -> ClipWindow:
        """Frames `start` .. `start + frames - 1` of a clip."""
        pictures, masks, poses = self._painted(name)
        part = slice(start, start + frames)
        wide = pictures[part].astype(np.uint16)
        backgrounds = ((wide[:-2] + wide[2:] + 1) // 2).astype(np.uint8)
        times_s = np.arange(start, start + frames) / self.fps
        return ClipWindow(name, pictures[part], poses[part], masks[part], backgrounds, times_s)

    def _paint(self, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        index = self.names.index(name)
        rng = np.random.default_rng([self.seed, index, 1])
        poses, depth_m, height_px = self._project(self.recordings[index].joints_m, rng)
        scene, colours = _scene(self.size_wh, rng), rng.integers(20, 236, (len(STICKS) + 1, 3))
        painted = [
            _figure(scene, pose, depth, height_px, colours)
            for pose, depth in zip(poses, depth_m, strict=True)
        ]
        pictures, masks = (np.stack(part) for part in zip(*painted, strict=True))
        return pictures, masks, np.concatenate([poses, np.ones((*poses.shape[:2], 1))], axis=2)

    def _project(
        self, joints_m: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """Seen from afar, (T, 19, 2) px, (T, 19) nearness in metres, and the standing height in px.

        The person stands four fifths of the picture high; the way walked is shortened to what fits.
        """
        width, height = self.size_wh
        root_m = joints_m[:, BODY19.index("mid_hip")]
        stature_m = float(np.ptp(joints_m[..., 1], axis=1).max())
        px_per_m = 0.8 * height / stature_m
        way_m = root_m[:, 0] - root_m[:, 0].mean()
        room_m = rng.uniform(0.1, 0.25) * width / px_per_m
        x_m = joints_m[..., 0] - root_m[:, :1] + (way_m * min(1.0, room_m / np.abs(way_m).max()))[:, None]
        y_m = joints_m[..., 1] - (joints_m[..., 1].max() + joints_m[..., 1].min()) / 2
        places = np.stack([width / 2 + px_per_m * x_m, height / 2 - px_per_m * y_m], axis=2)
        return places, joints_m[..., 2], px_per_m * stature_m


def _scene(size_wh: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    coarse = rng.integers(30, 226, (6, 8, 3)).astype(np.uint8)
    return cv2.resize(coarse, size_wh, interpolation=cv2.INTER_CUBIC)


def _figure(
    scene: np.ndarray, pose: np.ndarray, depth_m: np.ndarray, height_px: float, colours: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The person before the scene, far limbs first, (H, W, 3) uint8, and the mask (H, W) uint8."""
    picture, mask = scene.copy(), np.zeros(scene.shape[:2], np.uint8)
    ends = [(BODY19.index(a), BODY19.index(b)) for a, b, _ in STICKS]
    for stick in np.argsort([depth_m[list(pair)].mean() for pair in ends]):
        a, b = (_fixed(pose[joint]) for joint in ends[stick])
        thickness = max(1, round(2 * STICKS[stick][2] * height_px))
        _line(picture, a, b, colours[stick].tolist(), thickness)
        _line(picture, a, b, (colours[stick] // 2 + 60).tolist(), max(1, thickness // 3))
        _line(mask, a, b, 255, thickness)
    head, radius = _fixed(pose[BODY19.index("nose")]), round(HEAD_RADIUS * height_px * 2**FRACTION_BITS)
    for canvas, colour in ((picture, colours[-1].tolist()), (mask, 255)):
        cv2.circle(canvas, head, radius, colour, cv2.FILLED, cv2.LINE_AA, FRACTION_BITS)
    return picture, mask


def _line(
    canvas: np.ndarray, a: tuple[int, int], b: tuple[int, int], colour: int | list[int], thickness_px: int
) -> None:
    cv2.line(canvas, a, b, colour, thickness_px, cv2.LINE_AA, FRACTION_BITS)  # type: ignore[call-overload]


def _fixed(point_px: np.ndarray) -> tuple[int, int]:
    """OpenCV's fixed-point coordinates, whose pixel centres are whole numbers."""
    x, y = np.round((point_px - 0.5) * 2**FRACTION_BITS).astype(int)
    return int(x), int(y)
