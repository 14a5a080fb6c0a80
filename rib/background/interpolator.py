"""The protocol of everything that fills the interval between two keyframes."""

from __future__ import annotations

from abc import ABC, abstractmethod

from rib.structures.interval import Background, Interval


class FrameInterpolator(ABC):
    """Gives the picture at any times between two keyframes; the floor under every renderer."""

    def prepare(  # noqa: B027 - most need nothing
        self, num_frames: int, size_px: tuple[int, int], num_held: int = 0
    ) -> None:
        """Called once before the first interval, so that what cannot work is refused before anything is done.

        Args:
            num_frames: Frames of the whole output, keyframes included.
            size_px: Width and height of the output.
            num_held: How many frames at its end hold the last keyframe.

        Raises:
            RibError: The interpolator cannot serve such an output.
        """

    @abstractmethod
    def __call__(self, interval: Interval) -> Background:
        """The frames at `interval.times_s`, on the device of the keyframes' pictures and clamped to 0..1.

        Any picture size of at least 16 x 16. Frames are independent: asking for several times at once or
        one by one gives the same pictures.
        """
