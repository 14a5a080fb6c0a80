"""Frames that are in memory already, as a clip."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from rib.io.errors import RibError
from rib.io.images import to_uint8
from rib.video.colour.look import ColourMetadata
from rib.video.timing.time_stamps import FrameTimes, constant_rate_times, exact_fps, frame_times_from_seconds


class ArraySource:
    """Frames in memory (see `FrameSource`).

    Args:
        frames: K frames: an array or a sequence of arrays (H, W, 3) uint8 RGB, or a torch tensor or a
            sequence of tensors (3, H, W) RGB, float in 0..1 or uint8.
        fps: Frames a second, or
        times_s: (K,) seconds; moved to start at 0. Exactly one of the two.
        name: The clip's name.

    Raises:
        RibError: Fewer than two frames, frames of other shapes or kinds, or times that do not increase.
    """

    audio: Path | None = None
    audio_start_s = 0.0
    file: Path | None = None
    fps_assumed = False

    def __init__(
        self,
        frames: Sequence[Any] | np.ndarray,
        fps: float | str | Fraction | None = None,
        times_s: np.ndarray | Sequence[float] | None = None,
        name: str = "frames",
    ) -> None:
        if len(frames) < 2:
            raise RibError(f"{len(frames)} frame was given", "a clip needs at least two")
        if (fps is None) == (times_s is None):
            raise RibError("a clip from arrays needs either fps or times_s", "give one of the two")
        self._frames, self.name = frames, name
        timing = self._timing(fps, times_s)
        self.fps, self.times_s, self.notes = timing.fps, timing.times_s, timing.notes
        self.duration_s, self.not_kept = timing.duration_s, list[str]()
        self.look = ColourMetadata()
        height, width, _ = array_to_rgb8(frames[0]).shape
        self.size_px = (width, height)

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Every frame in order as (H, W, 3) uint8 RGB."""
        for index in range(len(self._frames)):
            frame = array_to_rgb8(self._frames[index])
            if frame.shape[1::-1] != self.size_px:
                raise RibError(
                    f"frame {index} has shape {frame.shape}, the first is {self.size_px} px", "give one size"
                )
            yield frame

    def stored(self) -> Iterator[np.ndarray]:
        """See `FrameSource.stored`: they are plain."""
        return iter(self)

    def fingerprint(self) -> str:
        """SHA-256 over pixels and times."""
        digest = hashlib.sha256(self.times_s.tobytes() + str(self.size_px).encode())
        for frame in self:
            digest.update(np.ascontiguousarray(frame).data)
        return digest.hexdigest()

    def _timing(
        self, fps: float | str | Fraction | None, times_s: np.ndarray | Sequence[float] | None
    ) -> FrameTimes:
        if fps is not None:
            exact = exact_fps(fps)
            return FrameTimes(constant_rate_times(len(self._frames), exact), exact)
        if len(times_s) != len(self._frames):  # type: ignore[arg-type]
            raise RibError(f"{len(times_s)} times were given for {len(self._frames)} frames")  # type: ignore[arg-type]
        return frame_times_from_seconds(np.asarray(times_s))


def array_to_rgb8(frame: Any) -> np.ndarray:
    """One frame as (H, W, 3) uint8: an array of that kind, or a tensor (3, H, W), float in 0..1 or uint8.

    Raises:
        RibError: It is neither.
    """
    if hasattr(frame, "detach"):
        frame = frame.detach().cpu().numpy()
        frame = np.moveaxis(frame, 0, -1) if frame.ndim == 3 else frame
        if np.issubdtype(frame.dtype, np.floating):
            frame = to_uint8(frame)
    if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
        got = f"{getattr(frame, 'dtype', type(frame).__name__)} of shape {getattr(frame, 'shape', '?')}"
        raise RibError(f"a frame is {got}", "give (H, W, 3) uint8 arrays or (3, H, W) tensors")
    return frame
