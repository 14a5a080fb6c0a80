"""Random crops of refiner samples for training: mirrored, played backwards, recoloured, around the person.

Letters: N moments of an interval, B samples of a batch, C channels of `RefinerInput`, S the crop's side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import torch

from rib.io.images import to_float
from rib.io.settings.ranges import OneOf, Range, Share
from rib.render.refine.dataset import RefinerBatch
from rib.render.refine.on_disk import StoredRefinerSample
from rib.render.refine.refiner_input import CHANNELS
from rib.structures.keypoints import LAYERS

HIDDEN, INTERPOLATED = "hidden", "interpolated"
OPEN = 0.5
"""Intervals whose gate is at least this are those that the warp is trusted in."""
PICTURES = (INTERPOLATED, "plate", "colour")
_start = dict(zip(CHANNELS, np.cumsum([0, *CHANNELS.values()])[:-1].tolist(), strict=True))
MIRRORED_LAYERS = [
    LAYERS.index(name.replace("left", "x").replace("right", "left").replace("x", "right")) for name in LAYERS
]
PER_KEYFRAME = [_start[name] for name in ("per_keyframe", "carried")]
COLOURS = [*(_start[name] for name in PICTURES), *(start + four for start in PER_KEYFRAME for four in (0, 4))]
"""First channels of every picture among the channels."""


@dataclass(frozen=True)
class RefinerCropRecipe:
    """Size and augmentation of random crops.

    Attributes:
        side_px: Its height and width.
        batch_size: Crops a batch.
        mirrored: Share of crops seen in a mirror.
        reversed: Share of crops played backwards.
        recoloured: Share of crops with red, green and blue exchanged and another contrast.
        focus: Share of crops centred where what is chosen among differs, the more the likelier; the others
            lie anywhere in the box.
        opened: Share of crops from intervals that the warp is trusted in, as far as there are both kinds;
            None takes them as they come.
        closed_truth: The answer in the other intervals: "hidden", the hidden frame, or "interpolated", that
            nothing is drawn there.
    """

    side_px: Annotated[int, Range(16, 4096)]
    batch_size: Annotated[int, Range(1, 4096)]
    mirrored: Share
    reversed: Share
    recoloured: Share
    focus: Share
    opened: Share | None = None
    closed_truth: Annotated[str, OneOf(HIDDEN, INTERPOLATED)] = HIDDEN

    def plain(self) -> RefinerCropRecipe:
        """The same without mirrors, reversal and other colours."""
        return replace(self, mirrored=0.0, reversed=0.0, recoloured=0.0)

    def batch(self, samples: Sequence[StoredRefinerSample], seed: int, step: int) -> RefinerBatch:
        """The batch of a step: a function of the seed and the step alone."""
        rng = np.random.default_rng([seed, step])
        pairs = [self._crop(self._chosen(samples, rng), rng) for _ in range(self.batch_size)]
        channels, truth = (torch.from_numpy(np.stack(x)) for x in zip(*pairs, strict=True))
        return RefinerBatch(channels=channels, truth=truth)

    def _chosen(
        self, samples: Sequence[StoredRefinerSample], rng: np.random.Generator
    ) -> StoredRefinerSample:
        kind = samples
        if self.opened is not None:
            opened = rng.random() < self.opened
            kind = [sample for sample in samples if (sample.gate >= OPEN) == opened] or samples
        return kind[int(rng.integers(len(kind)))]

    def _crop(self, sample: StoredRefinerSample, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        moment = int(rng.integers(len(sample.channels)))
        (rows, columns), read = self._place(sample, moment, rng)
        stored = sample.channels[moment, :, rows, columns] if read is None else read[:, rows, columns]
        channels = to_float(stored)
        truth = to_float(sample.truth[moment, :, rows, columns])
        channels[_start["trust"]] *= sample.gate
        if self.closed_truth == INTERPOLATED and sample.gate < OPEN:
            truth = channels[_start[INTERPOLATED] : _start[INTERPOLATED] + 3]
        channels, truth = (_filled(x, self.side_px) for x in (channels, truth))
        if rng.random() < self.mirrored:
            channels, truth = mirror_refiner_channels(channels), truth[..., ::-1]
        if rng.random() < self.reversed:
            channels = exchange_refiner_keyframes(channels)
        if rng.random() < self.recoloured:
            channels, truth = recolour_refiner_channels(channels, truth, rng)
        return np.ascontiguousarray(channels), np.ascontiguousarray(truth)

    def _place(
        self, sample: StoredRefinerSample, moment: int, rng: np.random.Generator
    ) -> tuple[tuple[slice, slice], np.ndarray | None]:
        """Rows and columns, and all channels (C, H, W) uint8 where they had to be read for that."""
        height, width = sample.channels.shape[2:]
        middle, read = rng.integers(0, [height, width]), None
        if rng.random() < self.focus:
            read = sample.channels[moment]
            likely = refiner_sources_differ(to_float(read)).cumsum()
            if likely[-1] > 0:
                place = int(np.searchsorted(likely, rng.random() * likely[-1]))
                middle = np.array(divmod(place, width)) + rng.integers(-32, 33, 2)
        corner = [
            int(np.clip(m - self.side_px // 2, 0, max(0, size - self.side_px)))
            for m, size in zip(middle, (height, width), strict=True)
        ]
        rows, columns = (slice(start, start + self.side_px) for start in corner)
        return (rows, columns), read


def refiner_sources_differ(channels: np.ndarray) -> np.ndarray:
    """How far (H, W) what is chosen among differs: the keyframes under the flow, and the person rendered."""
    start = _start["carried"]
    views = channels[start : start + 3], channels[start + 4 : start + 7]
    interpolated, colour = (channels[_start[name] : _start[name] + 3] for name in ("interpolated", "colour"))
    drawn = np.abs(colour - interpolated).mean(0) * channels[_start["alpha"]]
    return np.abs(views[0] - views[1]).mean(0) + drawn


def mirror_refiner_channels(channels: np.ndarray) -> np.ndarray:
    """Channels (C, H, W) as in a mirror: left limbs become right ones."""
    channels = channels[..., ::-1].copy()
    limbs = slice(_start["limbs"], _start["limbs"] + len(LAYERS))
    channels[limbs] = channels[limbs][MIRRORED_LAYERS]
    return channels


def exchange_refiner_keyframes(channels: np.ndarray) -> np.ndarray:
    """Channels (C, H, W) with the two keyframes exchanged."""
    channels = channels.copy()
    for start in PER_KEYFRAME:
        channels[start : start + 8] = np.roll(channels[start : start + 8], 4, axis=0)
    channels[_start["fractions"]] = 1 - channels[_start["fractions"]]
    return channels


def recolour_refiner_channels(
    channels: np.ndarray, truth: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Exchange red, green and blue and bend the tone curve, the same in every picture."""
    order, power = rng.permutation(3), float(np.exp(rng.uniform(-0.4, 0.4)))
    channels = channels.copy()
    for start in COLOURS:
        channels[start : start + 3] = channels[start : start + 3][order] ** power
    return channels, truth[order] ** power


def _filled(x: np.ndarray, side_px: int) -> np.ndarray:
    """Pad small boxes by their border."""
    missing = [(0, side_px - n) for n in x.shape[1:]]
    return np.pad(x, [(0, 0), *missing], mode="edge") if any(m[1] for m in missing) else x
