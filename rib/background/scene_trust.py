"""Trust in each pixel of a picture to show the scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rib.structures.box import Box

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
