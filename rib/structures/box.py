"""A rectangle of the picture: everything is drawn inside the person's box only."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import torch


@dataclass(frozen=True)
class Box:
    """Rows and columns of a picture, in pixels."""

    top: int
    left: int
    height: int
    width: int

    @classmethod
    def around(
        cls, points_px: torch.Tensor, margin_px: float, size_px: tuple[int, int], multiple: int = 1
    ) -> Box | None:
        """The box of points (..., 2) plus a margin, inside a picture (width, height); None where empty.

        Its left and top are multiples of `multiple`.
        """
        points = points_px.reshape(-1, 2)
        if not len(points):
            return None
        low = (points.amin(0) - margin_px).floor().long().clamp_min(0).tolist()
        high = (points.amax(0) + margin_px).ceil().long().tolist()
        left, top = (x // multiple * multiple for x in low)
        width, height = min(high[0], size_px[0]) - left, min(high[1], size_px[1]) - top
        return cls(top, left, height, width) if width > 0 and height > 0 else None

    @classmethod
    def empty(cls) -> Box:
        """The box without a pixel."""
        return cls(0, 0, 0, 0)

    @classmethod
    def of_mask(cls, mask: torch.Tensor) -> Box:
        """The smallest box that holds all of a mask (1, H, W) above 0; of no size where there is nothing."""
        rows, columns = (mask[0].any(dim).nonzero()[:, 0].tolist() for dim in (1, 0))
        if not rows:
            return cls.empty()
        return cls(rows[0], columns[0], rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1)

    def common(self, other: Box) -> Box | None:
        """Intersect two boxes; None where they share nothing."""
        top, left = max(self.top, other.top), max(self.left, other.left)
        height = min(self.top + self.height, other.top + other.height) - top
        width = min(self.left + self.width, other.left + other.width) - left
        return Box(top, left, height, width) if height > 0 and width > 0 else None

    def union(self, other: Box) -> Box:
        """The smallest box that holds two."""
        top, left = min(self.top, other.top), min(self.left, other.left)
        height = max(self.top + self.height, other.top + other.height) - top
        width = max(self.left + self.width, other.left + other.width) - left
        return Box(top, left, height, width)

    def grown(self, margin_px: int, size_px: tuple[int, int]) -> Box:
        """The box and so much around it, inside a picture (width, height)."""
        top, left = max(self.top - margin_px, 0), max(self.left - margin_px, 0)
        height = min(self.top + self.height + margin_px, size_px[1]) - top
        return Box(top, left, height, min(self.left + self.width + margin_px, size_px[0]) - left)

    def resized(self, old_px: tuple[int, int], size_px: tuple[int, int]) -> Box:
        """A box that holds it, and what is blurred around it, in the picture at another width and height."""
        x, y = (new / old for old, new in zip(old_px, size_px, strict=True))
        left, top = max(floor(self.left * x) - 1, 0), max(floor(self.top * y) - 1, 0)
        right = min(ceil((self.left + self.width) * x) + 1, size_px[0])
        bottom = min(ceil((self.top + self.height) * y) + 1, size_px[1])
        return Box(top, left, bottom - top, right - left)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Its rows and its columns."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)

    def within(self, other: Box) -> Box:
        """The same box, measured from another's corner."""
        return Box(self.top - other.top, self.left - other.left, self.height, self.width)

    def moved(self, top: int, left: int) -> Box:
        """The same box so much further down and to the right."""
        return Box(self.top + top, self.left + left, self.height, self.width)

    def of(self, picture: torch.Tensor) -> torch.Tensor:
        """A view of the box in (..., H, W)."""
        return picture[..., *self.slices]

    def corner(self, device: torch.device) -> torch.Tensor:
        """(2,) float32, x and y of the left top corner."""
        return torch.tensor([self.left, self.top], dtype=torch.float32, device=device)

    def centres(self, step: int, device: torch.device) -> torch.Tensor:
        """(2, h, w) centres x and y of the step x step cells that cover the box, in the picture's pixels."""
        x = self.left + step / 2 + torch.arange(0, self.width, step, device=device, dtype=torch.float32)
        y = self.top + step / 2 + torch.arange(0, self.height, step, device=device, dtype=torch.float32)
        return torch.stack([x.expand(len(y), -1), y[:, None].expand(-1, len(x))])


def row_strips(height: int, num_rows: int) -> list[slice]:
    """Runs of at most so many rows that cover a picture: all of it at once may be much memory."""
    return [slice(first, min(first + num_rows, height)) for first in range(0, height, num_rows)]
