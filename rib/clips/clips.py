"""Clips to learn from: what a store of them can do, and the window of frames that it gives.

Letters: T frames of a window, H and W the picture's height and width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

import numpy as np

from rib.io.errors import RibError
from rib.io.recipe import did_you_mean


@dataclass(frozen=True)
class ClipWindow:
    """Consecutive frames of a clip, as they are stored.

    Attributes:
        name: The clip's.
        frames: (T, H, W, 3) uint8 RGB.
        poses: (T, 19, 3) float64, x and y in px and confidence 0..1 (0 = missing), in `BODY19`'s order.
        masks: (T, H, W) uint8, the person's matte, 255 inside.
        backgrounds: (T - 2, H, W, 3) uint8, frame t interpolated from t - 1 and t + 1, for t = 1 .. T - 2.
        times_s: (T,) float64.
    """

    name: str
    frames: np.ndarray
    poses: np.ndarray
    masks: np.ndarray
    backgrounds: np.ndarray
    times_s: np.ndarray

    def backwards(self) -> ClipWindow:
        """The same frames in the opposite order."""
        return ClipWindow(
            self.name, self.frames[::-1], self.poses[::-1], self.masks[::-1], self.backgrounds[::-1],
            self.times_s[-1] - self.times_s[::-1],
        )  # fmt: skip


class ClipStore(Protocol):
    """Clips by name, read a window at a time.

    Attributes:
        names: Of all clips.
    """

    names: tuple[str, ...]

    def length(self, name: str) -> int:
        """Frames of a clip."""
        ...

    def window(self, name: str, start: int, frames: int) -> ClipWindow:
        """Frames `start` .. `start + frames - 1` of a clip."""
        ...


def choose_clips(names: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """The clips that a list of names or patterns (`walk_*`) means, in the store's order.

    Raises:
        RibError: A pattern that no clip fits.
    """
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise RibError(f"there is no clip {pattern!r}", did_you_mean(pattern, list(names)))
    return [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]


def refuse_short_clips(store: ClipStore, names: Sequence[str], frames: int) -> None:
    """Refuse clips that a window does not fit into.

    Raises:
        RibError: Names the first of them.
    """
    short = [name for name in names if store.length(name) < frames]
    if short:
        others = f" (so are {len(short) - 1} other clips)" if len(short) > 1 else ""
        raise RibError(
            f"the clip {short[0]} has {store.length(short[0])} frames, which is shorter than a window of "
            f"{frames}{others}",
            f"leave it out by data.clips, or let windows be shorter (data.most_frames <= "
            f"{store.length(short[0])})",
        )
