"""A rectangle of the picture: everything is drawn inside the person's box only."""

from __future__ import annotations

from dataclasses import dataclass

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

    def of(self, picture: torch.Tensor) -> torch.Tensor:
        """A view of the box in (..., H, W)."""
        return picture[..., self.top : self.top + self.height, self.left : self.left + self.width]

    def corner(self, device: torch.device) -> torch.Tensor:
        """(2,) float32, x and y of the left top corner."""
        return torch.tensor([self.left, self.top], dtype=torch.float32, device=device)

    def centres(self, step: int, device: torch.device) -> torch.Tensor:
        """(2, h, w) centres x and y of the step x step cells that cover the box, in the picture's pixels."""
        x = self.left + step / 2 + torch.arange(0, self.width, step, device=device, dtype=torch.float32)
        y = self.top + step / 2 + torch.arange(0, self.height, step, device=device, dtype=torch.float32)
        return torch.stack([x.expand(len(y), -1), y[:, None].expand(-1, len(x))])
