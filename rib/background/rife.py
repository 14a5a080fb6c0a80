"""RIFE: intermediate flow estimation for video frame interpolation (Huang et al., ECCV 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch

from rib.background.ifnet.net import WEIGHTS, load_ifnet, merge_warped_pair
from rib.background.interpolator import FrameInterpolator
from rib.io.errors import RibError
from rib.io.precision import Precision, precision_on
from rib.io.settings.ranges import Range, TorchDevice
from rib.structures.interval import Background, Interval

FINE_UP_TO_PX = 1920 * 1080
"""Pictures of fewer pixels are looked at in full resolution, where the scale is left to the size."""


class RifeInterpolator(FrameInterpolator):
    """Interpolates with RIFE's network, trained on natural video, at any time between the keyframes.

    Args:
        device: Where the network runs: "cpu", "cuda", "cuda:1".
        scale: Resolution at which motion is estimated, relative to the picture's: 1, 0.5 or 0.25; smaller
            finds longer motion and costs less. None takes 1 below 1920 x 1080 pixels and 0.5 from there on.
        batch_mpx: Megapixels that are computed at once, so that memory stays bounded; at least one frame is.
        precision: Of the convolutions: float32, bfloat16, or auto, which takes bfloat16 on a CPU that has
            units for it; pictures and flows are float32. Results of before say nothing and are float32.
        version: Of the network, 4.0 or 4.6. Results of before say nothing and are 4.0.

    Raises:
        RibError: The weights' package is absent or damaged, or scale or version is none of those above.
    """

    gives = frozenset({"flow"})

    def __init__(
        self,
        device: Annotated[str, TorchDevice(auto=True)],
        scale: Annotated[float, Range(0.25, 1)] | None,
        batch_mpx: Annotated[float, Range(above=0, most=1000)],
        precision: Precision = "float32",
        version: Annotated[float, Range(4.0, 4.6)] = 4.0,
    ) -> None:
        if version not in WEIGHTS:
            raise RibError(f"background.version is {version}", "give 4.0 or 4.6")
        if scale not in (None, 1, 0.5, 0.25):
            raise RibError(f"background.scale is {scale}", "give 1, 0.5, 0.25 or null")
        self.device = torch.device(device)
        self.scale = scale
        self.batch_mpx = batch_mpx
        net = load_ifnet(version).to(self.device, precision_on(self.device, precision))
        self.net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def __call__(self, interval: Interval) -> Background:
        """Frames, flows and a's share at every time of the interval."""
        pair, (width, height) = self._padded_pair(interval), interval.a.size_px
        coarseness, fractions = self._coarseness(height, width), interval.fractions.to(pair)
        size = max(1, int(self.batch_mpx * 1e6 / pair[0, 0, 0].numel()))
        with torch.no_grad():
            parts = [
                self._run(pair.expand(len(some), -1, -1, -1, -1), some, coarseness)
                for some in fractions.split(size)
            ]
        device = interval.a.device
        frames, flow, share = (_joined(part, height, width, device) for part in zip(*parts, strict=True))
        return Background(frames.clamp_(0, 1), flow=flow, weight_a=share)

    def _padded_pair(self, interval: Interval) -> torch.Tensor:
        """(1, 2, 3, H, W) both keyframes, zeros beyond them, at a size that the net can halve."""
        width, height = interval.a.size_px
        multiple = 64 * self._coarseness(height, width)
        size = height + -height % multiple, width + -width % multiple
        pair = torch.empty(1, 2, 3, *size, device=self.device)
        pair[..., height:, :], pair[..., width:] = 0, 0
        for number, keyframe in enumerate((interval.a, interval.b)):
            keyframe.write_picture(pair[0, number, :, :height, :width])
        return pair

    def _run(self, pair: torch.Tensor, t: torch.Tensor, coarseness: int) -> tuple[torch.Tensor, ...]:
        estimate = self.net(pair, t, coarseness)
        frames, share = merge_warped_pair(pair, estimate)
        return frames, estimate[:, :4], share

    def _coarseness(self, height: int, width: int) -> int:
        scale = self.scale or (1 if height * width < FINE_UP_TO_PX else 0.5)
        return round(1 / scale)


def _joined(parts: Sequence[torch.Tensor], height: int, width: int, device: torch.device) -> torch.Tensor:
    """Parts of a batch without the padding; one part is not copied."""
    whole = parts[0] if len(parts) == 1 else torch.cat(list(parts))
    return whole[..., :height, :width].to(device)
