"""A clip that knows how often it was decoded."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rib.video import ArraySource


class Counted(ArraySource):
    """Counts the frames that are decoded."""

    decoded = 0

    def __iter__(self) -> Iterator[np.ndarray]:
        for frame in super().__iter__():
            self.decoded += 1
            yield frame
