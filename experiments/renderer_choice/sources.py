"""Pictures of a stored interval: what the net may choose among, what ships, and how they are scored."""

from __future__ import annotations

import csv
import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from rib.metrics.lpips import Lpips
from rib.render.refine.on_disk import StoredRefinerSample, refiner_samples_on_disk
from rib.render.refine.refiner_input import RefinerInput, RefinerOutput

SEVERAL = ("videomimic_two_walk*", "raga_3people*")
"""Clips with more than one person in view."""
LIMB = 0.05
"""Nearness to a limb from which on a pixel counts as the person's."""
OPEN = 0.5


@dataclass(frozen=True)
class StoredInterval:
    """A stored interval with its clip.

    Attributes:
        clip: `<video>_s<stride>_o<offset>[_<camera>]`.
        number: Its place in the clip.
        sample: Its moments.
    """

    clip: str
    number: int
    sample: StoredRefinerSample

    @property
    def kind(self) -> str:
        """How the warp decided, and whether others are in view."""
        several = any(fnmatch.fnmatchcase(self.clip, pattern) for pattern in SEVERAL)
        return ("open" if self.sample.gate >= OPEN else "closed") + (", several people" if several else "")

    def moment(self, number: int) -> tuple[RefinerInput, torch.Tensor]:
        """The net's input at a moment, and the truth (1, 3, H, W)."""
        channels, truth = (torch.from_numpy(x[number]).float()[None] / 255
                           for x in (self.sample.channels, self.sample.truth))  # fmt: skip
        return RefinerInput.of(channels), truth


def stored_intervals(store: Path, patterns: Sequence[str]) -> Iterator[StoredInterval]:
    """The stored intervals of the clips that are named; of all without a name."""
    for clip, samples in refiner_samples_on_disk(store).items():
        if not patterns or any(fnmatch.fnmatchcase(clip, pattern) for pattern in patterns):
            yield from (StoredInterval(clip, number, sample) for number, sample in enumerate(samples))


def warped(inputs: RefinerInput, gate: float = 1.0) -> torch.Tensor:
    """(1, 3, H, W), the frame that `render=warp` makes."""
    return RefinerOutput(inputs.colour, inputs.alpha, gate * inputs.trust).over(inputs)


def sources(inputs: RefinerInput) -> list[torch.Tensor]:
    """Interpolated frame, blend, both views over the plate, the plate: (1, 3, H, W) each."""
    a, alpha_a, b, alpha_b = inputs.per_keyframe.split([3, 1, 3, 1], 1)
    views = ((inputs.colour, inputs.alpha), (a, alpha_a), (b, alpha_b))
    return [inputs.interpolated, *(torch.lerp(inputs.plate, x, alpha) for x, alpha in views), inputs.plate]


def nearest(pictures: Sequence[torch.Tensor], truth: torch.Tensor, window_px: int) -> torch.Tensor:
    """(1, 3, H, W), around every pixel the picture that is nearest to the truth, mean over a window."""
    stack = torch.cat(list(pictures))
    error = F.avg_pool2d((stack - truth).abs().mean(1, keepdim=True), window_px, 1, window_px // 2)
    return stack.gather(0, error.argmin(0, keepdim=True).expand(-1, 3, -1, -1))


class PictureScores:
    """LPIPS of the person's box and PSNR near the limbs, for some pictures of one moment.

    Args:
        nets: Of LPIPS: "alexnet", "vgg16".
    """

    def __init__(self, nets: Sequence[str]) -> None:
        self.lpips = {net: Lpips(net) for net in nets}

    def __call__(
        self, pictures: Sequence[torch.Tensor], truth: torch.Tensor, inputs: RefinerInput
    ) -> list[dict[str, float]]:
        """One dict a picture: `alexnet`, `vgg16`, `db`."""
        first = [next(j for j, one in enumerate(pictures) if torch.equal(one, this)) for this in pictures]
        made = torch.cat([pictures[j] for j in dict.fromkeys(first)]).clamp(0, 1)
        region = (inputs.limbs.amax(1, keepdim=True) > LIMB).float()
        error = ((made - truth).square().mean(1, keepdim=True) * region).sum(
            (1, 2, 3)
        ) / region.sum().clamp_min(1)
        found = {name: lpips(made, truth).tolist() for name, lpips in self.lpips.items()}
        found["db"] = (-10 * error.clamp_min(1e-9).log10()).tolist()
        places = {j: i for i, j in enumerate(dict.fromkeys(first))}
        return [{name: values[places[j]] for name, values in found.items()} for j in first]


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """A CSV of rows that all have the same columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
