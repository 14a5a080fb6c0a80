"""Everybody that a detector found in a clip, in the joint set of the chain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rib.io.errors import RibError

_NOBODY = np.zeros((0, 67, 3))
MAX_SPARSE = 1000
"""So many frames at most for each one in the file, where nothing else tells a clip's length."""
_NORMALISED = 1.5
"""No coordinate beyond this: they were divided by the picture's size."""


@dataclass(frozen=True)
class PeopleKeypoints:
    """Everybody in every frame.

    Attributes:
        frames: For each frame (P, 67, 3) float64 x, y in pixels and confidence 0..1, in the joint set
            `body25_hands`; 0, 0, 0 where missing.
        names: Each frame's file or image.
        layout: The joint set that the files are in.
        path: Where they were read.
        numbers: The frames' own numbers where frames without people are left out, else None.
        first_number: What the format calls its first frame.
        ids: For each frame each person's number in the clip, -1 where the files tell none.
    """

    frames: tuple[np.ndarray, ...]
    names: tuple[str, ...]
    layout: str
    path: Path
    numbers: tuple[int, ...] | None = None
    first_number: int = 0
    ids: tuple[tuple[int, ...], ...] = ()

    @property
    def identified(self) -> bool:
        """Whether the files tell who everybody is: a number for each person, no two alike in a frame."""
        everybody = [one for frame in self.ids for one in frame]
        apart = all(len(set(frame)) == len(frame) for frame in self.ids)
        return bool(everybody) and min(everybody) >= 0 and apart

    def __len__(self) -> int:
        return len(self.frames)

    def aligned(self, num_frames: int | None = None) -> PeopleKeypoints:
        """The same people with one entry for every frame, also for those where nobody was found.

        Args:
            num_frames: How many frames the clip has; None where nothing but the files tells.

        Raises:
            RibError: The files do not fit that many frames.
        """
        if self.numbers is None or len(self) == num_frames:
            if num_frames not in (None, len(self)):
                raise RibError(
                    f"{self.path} holds poses of {len(self)} frames, but the clip has {num_frames} frames",
                    "give one file for every frame",
                )
            return replace(self, numbers=None)
        places = self._places(num_frames)
        total = num_frames or int(places[-1]) + 1
        if num_frames is None and total > MAX_SPARSE * len(self):
            raise RibError(
                f"{self.path} numbers its frames {self.numbers[0]} to {self.numbers[-1]}: that would be "
                f"{total} frames, and {len(self)} of them hold poses",
                "number the images of a clip one by one",
            )
        frames, names = [_NOBODY] * total, [f"{self.path}, nobody"] * total
        ids: list[tuple[int, ...]] = [()] * total
        given = self.ids or tuple((-1,) * len(frame) for frame in self.frames)
        for place, frame, name, owners in zip(places, self.frames, self.names, given, strict=True):
            frames[place], names[place], ids[place] = frame, name, owners
        return replace(self, frames=tuple(frames), names=tuple(names), numbers=None, ids=tuple(ids))

    def _places(self, num_frames: int | None) -> np.ndarray:
        """Place numbered frames: counted from the format's first number, from 1, or from the first."""
        numbers = np.array(self.numbers)
        step = int(np.gcd.reduce(np.diff(numbers))) or 1
        if num_frames is None:
            return (numbers - numbers[0]) // step
        for first, stride in ((self.first_number, 1), (1, 1), (numbers[0], 1), (numbers[0], step)):
            places = (numbers - first) // stride
            if places[0] >= 0 and places[-1] < num_frames:
                return places
        raise RibError(
            f"{self.path} holds poses of {len(self)} frames, numbered {numbers[0]} to {numbers[-1]}, "
            f"but the clip has {num_frames} frames",
            "give the poses of this clip",
        )

    def extent_px(self) -> tuple[int, int]:
        """The smallest picture that holds every point: width and height."""
        points = [p[p[..., 2] > 0][:, :2] for p in self.frames]
        corner = np.ceil(np.concatenate([*points, np.ones((1, 2))]).max(axis=0)).astype(int)
        return max(int(corner[0]), 1), max(int(corner[1]), 1)

    def check_fits(self, size_px: tuple[int, int] | None = None) -> None:
        """Refuse poses that cannot belong to the picture.

        Args:
            size_px: Width and height, or None where only normalised coordinates can be told.

        Raises:
            RibError: No point lies in the picture, or all are fractions of its size.
        """
        points = np.concatenate([p[p[..., 2] > 0][:, :2] for p in (*self.frames, _NOBODY)])
        if len(points) == 0:
            return
        low, high = points.min(axis=0), points.max(axis=0)
        span = f"x {low[0]:g} to {high[0]:g}, y {low[1]:g} to {high[1]:g}"
        if np.abs(points).max() <= _NORMALISED:
            raise RibError(
                f"the points in {self.path} are no pixels ({span})", "multiply by width and height"
            )
        if size_px is not None and not ((points >= 0) & (points <= size_px)).all(axis=1).any():
            raise RibError(
                f"no point in {self.path} lies in the picture of {size_px[0]} x {size_px[1]} ({span})",
                "give the poses of this clip, in its pixels",
            )
