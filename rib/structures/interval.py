"""Keyframes, the intervals between them, and the interpolated background.

Letters: N times wanted inside the interval, H and W the picture's height and width.
Pictures are RGB float32 in 0..1, masks and alphas float32 in 0..1, flows in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from rib.io.images import resized, to_float
from rib.structures.person import PersonView


@dataclass(frozen=True)
class Keyframe:
    """A frame that the input video has.

    Attributes:
        index: Its number in the input, from 0.
        time_s: Its time in seconds.
        pixels: (3, H, W) float32 in 0..1, or uint8 as it was stored, which takes a quarter of the memory.
        people: Those who were found in it.
        alpha: (1, H, W), by which the pixels are multiplied; None where the clip has no transparency.
        white: The stored number of full intensity: 255, or 65535 where the clip has more than 8 bits.
    """

    index: int
    time_s: float
    pixels: torch.Tensor
    people: tuple[PersonView, ...] = ()
    alpha: torch.Tensor | None = None
    white: int = 255

    @property
    def picture(self) -> torch.Tensor:
        """(3, H, W) float32 in 0..1; made anew at every call where 8 bits are stored."""
        return to_float(self.pixels) if self.pixels.dtype == torch.uint8 else self.pixels

    def part(self, box: tuple[slice, slice]) -> torch.Tensor:
        """(3, h, w) float32 in 0..1, some rows and columns of the picture."""
        pixels = self.pixels[..., box[0], box[1]]
        return to_float(pixels) if pixels.dtype == torch.uint8 else pixels

    def write_picture(self, to: torch.Tensor) -> None:
        """Write the picture, 0..1, into a tensor (3, H, W) float32, without a copy between."""
        to.copy_(self.pixels)
        if self.pixels.dtype == torch.uint8:
            to.div_(255)

    @property
    def device(self) -> torch.device:
        """The device that the picture lies on."""
        return self.pixels.device

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the picture."""
        return self.pixels.shape[2], self.pixels.shape[1]

    def resized(self, size_px: tuple[int, int]) -> Keyframe:
        """The same keyframe, people included, at another width and height."""
        people = tuple(view.resized(self.size_px, size_px) for view in self.people)
        alpha = None if self.alpha is None else resized(self.alpha[None], size_px)[0]
        return replace(self, pixels=resized(self.pixels[None], size_px)[0], people=people, alpha=alpha)

    def person(self, track_id: int) -> PersonView | None:
        """One of the people in it, or None."""
        return next((view for view in self.people if view.track_id == track_id), None)


@dataclass(frozen=True)
class Interval:
    """Two neighbouring keyframes and the times wanted strictly between them.

    Attributes:
        a: The earlier keyframe.
        b: The later keyframe.
        times_s: (N,) float64 seconds, a.time_s < t < b.time_s.
        neighbours: Other keyframes near by, for the person-free plate.
        indices: The number of each wanted frame in the output, from 0 (length N); empty where nothing
            counts the output.
    """

    a: Keyframe
    b: Keyframe
    times_s: np.ndarray
    neighbours: tuple[Keyframe, ...] = ()
    indices: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def fractions(self) -> torch.Tensor:
        """(N,) float32, 0 at a and 1 at b, on the pictures' device."""
        return torch.as_tensor(self.shares, device=self.a.device)

    @property
    def shares(self) -> np.ndarray:
        """The fractions as an array, for which nobody waits."""
        span = self.b.time_s - self.a.time_s
        t = (np.asarray(self.times_s, dtype=np.float64) - self.a.time_s) / span
        return t.astype(np.float32)

    def of_alpha(self) -> Interval | None:
        """The same interval with transparency in the place of the pictures; None where there is none."""
        shown = [_of_alpha(keyframe) for keyframe in (self.a, self.b, *self.neighbours)]
        if any(keyframe.alpha is None for keyframe in shown):
            return None
        return replace(self, a=shown[0], b=shown[1], neighbours=tuple(shown[2:]))

    def at(self, moments: slice) -> Interval:
        """The same interval with some of its moments."""
        return replace(self, times_s=self.times_s[moments], indices=self.indices[moments])


def _of_alpha(keyframe: Keyframe) -> Keyframe:
    alpha = keyframe.alpha
    return keyframe if alpha is None else replace(keyframe, pixels=alpha.expand_as(keyframe.pixels))


@dataclass(frozen=True)
class Background:
    """An interpolator's frames between two keyframes, and the scene behind the people.

    Attributes:
        interpolated: (N, 3, H, W), the output where no drawn person is trusted.
        plate: (N, 3, H, W), the scene without the people that are drawn, or None where no stage asked for it.
        flow: (N, 4, H, W), x and y from the time to a, then to b, in pixels, or None (blend, folder).
        weight_a: (N, 1, H, W), the share of a's colour in `interpolated`, or None.
        moved: (N, 1, H, W), how far `interpolated` is what moved along `flow`; the rest is a cross-fade. None
            is all of it.
    """

    interpolated: torch.Tensor
    plate: torch.Tensor | None = None
    flow: torch.Tensor | None = None
    weight_a: torch.Tensor | None = None
    moved: torch.Tensor | None = None

    def resized_motion(self, size_px: tuple[int, int]) -> Background:
        """The flow and its weights alone, at another width and height; the picture is black."""
        width, height = self.interpolated.shape[:-3:-1]
        ratio = self.interpolated.new_tensor([size_px[0] / width, size_px[1] / height] * 2).view(1, 4, 1, 1)
        flow = None if self.flow is None else resized(self.flow, size_px) * ratio
        weight_a = None if self.weight_a is None else resized(self.weight_a, size_px)
        black = self.interpolated.new_zeros(()).expand(len(self.interpolated), 3, *size_px[::-1])
        return Background(black, flow=flow, weight_a=weight_a)
