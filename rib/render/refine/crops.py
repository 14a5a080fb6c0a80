"""Random crops of drawings for training: mirrored, played backwards, recoloured, cut where the person moves.

Letters: N moments of a gap, B samples of a batch, C planes of `Drawn`, S the crop's side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import torch

from rib.io.ranges import Range, Share
from rib.render.refine.drawings import DrawnBatch, Gap
from rib.render.refine.drawn import PLANES
from rib.structures.keypoints import LAYERS

PICTURES = ("floor", "plate", "colour")
_start = dict(zip(PLANES, np.cumsum([0, *PLANES.values()])[:-1].tolist(), strict=True))
MIRRORED_LAYERS = [
    LAYERS.index(name.replace("left", "x").replace("right", "left").replace("x", "right")) for name in LAYERS
]
COLOURS = [*(_start[name] for name in PICTURES), _start["each"], _start["each"] + 4]
"""First planes of every picture among the planes."""


@dataclass(frozen=True)
class CropRecipe:
    """How a crop is drawn.

    Attributes:
        side_px: Its height and width.
        batch_size: Crops a batch.
        mirrored: Share of crops seen in a mirror.
        reversed: Share of crops played backwards.
        recoloured: Share of crops with red, green and blue exchanged and another contrast.
        focus: Share of crops centred where the drawing is trusted; the others lie anywhere in the box.
    """

    side_px: Annotated[int, Range(16, 4096)]
    batch_size: Annotated[int, Range(1, 4096)]
    mirrored: Share
    reversed: Share
    recoloured: Share
    focus: Share

    def plain(self) -> CropRecipe:
        """The same without mirrors, reversal and other colours."""
        return replace(self, mirrored=0.0, reversed=0.0, recoloured=0.0)

    def batch(self, gaps: Sequence[Gap], seed: int, step: int) -> DrawnBatch:
        """The batch of a step: a function of the seed and the step alone."""
        rng = np.random.default_rng([seed, step])
        pairs = [self._crop(gaps[int(rng.integers(len(gaps)))], rng) for _ in range(self.batch_size)]
        planes, truth = (torch.from_numpy(np.stack(x)) for x in zip(*pairs, strict=True))
        return DrawnBatch(planes=planes, truth=truth)

    def _crop(self, gap: Gap, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        moment = int(rng.integers(len(gap.planes)))
        rows, columns = self._place(gap.planes[moment], rng)
        planes = gap.planes[moment][:, rows, columns].astype(np.float32) / 255
        truth = gap.truth[moment][:, rows, columns].astype(np.float32) / 255
        planes, truth = (_filled(x, self.side_px) for x in (planes, truth))
        if rng.random() < self.mirrored:
            planes, truth = mirror(planes), truth[..., ::-1]
        if rng.random() < self.reversed:
            planes = backwards(planes)
        if rng.random() < self.recoloured:
            planes, truth = recolour(planes, truth, rng)
        return np.ascontiguousarray(planes), np.ascontiguousarray(truth)

    def _place(self, planes: np.ndarray, rng: np.random.Generator) -> tuple[slice, slice]:
        height, width = planes.shape[1:]
        trusted = planes[_start["trust"]] > 127
        if rng.random() < self.focus and trusted.any():
            places = np.argwhere(trusted)
            middle = places[rng.integers(len(places))] + rng.integers(-32, 33, 2)
        else:
            middle = rng.integers(0, [height, width])
        corner = [
            int(np.clip(m - self.side_px // 2, 0, max(0, size - self.side_px)))
            for m, size in zip(middle, (height, width), strict=True)
        ]
        return slice(corner[0], corner[0] + self.side_px), slice(corner[1], corner[1] + self.side_px)


def mirror(planes: np.ndarray) -> np.ndarray:
    """Planes (C, H, W) as in a mirror: left limbs become right ones."""
    planes = planes[..., ::-1].copy()
    limbs = slice(_start["limbs"], _start["limbs"] + len(LAYERS))
    planes[limbs] = planes[limbs][MIRRORED_LAYERS]
    return planes


def backwards(planes: np.ndarray) -> np.ndarray:
    """Planes (C, H, W) with the two keyframes exchanged."""
    planes = planes.copy()
    each, time = _start["each"], _start["fractions"]
    planes[each : each + 8] = np.concatenate([planes[each + 4 : each + 8], planes[each : each + 4]])
    planes[time] = 1 - planes[time]
    return planes


def recolour(
    planes: np.ndarray, truth: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Exchange red, green and blue and bend the tone curve, the same in every picture."""
    order, power = rng.permutation(3), float(np.exp(rng.uniform(-0.4, 0.4)))
    planes = planes.copy()
    for start in COLOURS:
        planes[start : start + 3] = planes[start : start + 3][order] ** power
    return planes, truth[order] ** power


def _filled(x: np.ndarray, side_px: int) -> np.ndarray:
    """Small boxes are continued by their border."""
    missing = [(0, side_px - n) for n in x.shape[1:]]
    return np.pad(x, [(0, 0), *missing], mode="edge") if any(m[1] for m in missing) else x
