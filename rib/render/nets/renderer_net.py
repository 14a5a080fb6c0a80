"""Renderer nets as functions of tensors alone: for programs of one's own, and for export."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from rib.io.errors import RibError
from rib.render.conditioning.limbs import NUM_CHANNELS as NUM_MAPS
from rib.render.nets.checkpoint import load_renderer_net_and_recipe, shipped_renderer_weights
from rib.render.refine.refiner_input import NUM_CHANNELS, RefinerInput


class RendererNet(nn.Module):
    """A trained renderer net; N moments, H and W the size of the picture.

    Args:
        net: A net of conf/net/renderer_*.yaml or of a plugin.
    """

    INPUTS: ClassVar[dict[str, str]]
    OUTPUTS: ClassVar[dict[str, str]]

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    @staticmethod
    def of(net: nn.Module) -> RendererNet:
        """The interface that fits a net.

        Raises:
            RibError: It is neither a refiner nor one that makes frames.
        """
        for method, interface in (("refine", RefinerNet), ("frame", FrameNet)):
            if hasattr(net, method):
                return interface(net)
        name = type(net).__name__
        raise RibError(f"{name} has no function of tensors", "give it a method `refine` or `frame`")

    @staticmethod
    def from_weights(path: str | Path | None = None) -> RendererNet:
        """Load a net, ready for use; nothing in the file is run, and it may name registered nets alone.

        Args:
            path: A .safetensors or .ckpt of `rib train` or `rib export`; None takes the weights that come
                with rib.

        Returns:
            A `RefinerNet` for net=renderer_base, a `FrameNet` for net=renderer_reference.

        Raises:
            RibError: The file is absent, damaged, or holds no renderer net.
        """
        return RendererNet.of(load_renderer_net_and_recipe(path or shipped_renderer_weights())[0])

    def example(self, size_wh: tuple[int, int], seed: int) -> dict[str, Tensor]:
        """Inputs of the right shapes for a batch of two, drawn from a seed."""
        raise NotImplementedError


class RefinerNet(RendererNet):
    """Refines a person that `render=warp` rendered (`rib.render.nets.base`)."""

    INPUTS: ClassVar[dict[str, str]] = {
        "channels": f"(N, {NUM_CHANNELS}, H, W) float32, 0..1, `rib.render.refine.refiner_input.CHANNELS`"
    }
    OUTPUTS: ClassVar[dict[str, str]] = {
        "colour": "(N, 3, H, W) float32, RGB 0..1",
        "alpha": "(N, 1, H, W) float32, 0..1",
        "trust": "(N, 1, H, W) float32, 0..1",
    }

    def forward(self, channels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Colour, alpha and trust; `INPUTS` and `OUTPUTS` say the shapes."""
        refined = self.net.refine(RefinerInput.of(channels))  # type: ignore[operator]
        return refined.colour, refined.alpha, refined.trust

    def example(self, size_wh: tuple[int, int], seed: int) -> dict[str, Tensor]:
        """See `RendererNet.example`."""
        draw = torch.Generator().manual_seed(seed)
        return {"channels": torch.rand(2, NUM_CHANNELS, size_wh[1], size_wh[0], generator=draw)}


class FrameNet(RendererNet):
    """Makes a frame from its pose, its background and the frame before it (`rib.render.nets.reference`)."""

    INPUTS: ClassVar[dict[str, str]] = {
        "conditioning": f"(N, {NUM_MAPS}, H, W) float32, the pose as maps (`rib.render.conditioning`)",
        "background": "(N, 3, H, W) float32, RGB 0..1",
        "previous": "(N, 3, H, W) float32, RGB 0..1, the frame before",
    }
    OUTPUTS: ClassVar[dict[str, str]] = {
        "picture": "(N, 3, H, W) float32, RGB 0..1",
        "foreground": "(N, 3, H, W) float32, RGB 0..1",
        "mask": "(N, 1, H, W) float32, 0..1",
    }

    def __init__(self, net: nn.Module) -> None:
        super().__init__(net)
        net.in_bfloat16 = False  # type: ignore[assignment]

    def forward(
        self, conditioning: Tensor, background: Tensor, previous: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Picture, foreground and mask; `INPUTS` and `OUTPUTS` say the shapes."""
        made = self.net.frame(conditioning, background, previous)  # type: ignore[operator]
        return made.picture, made.foreground, made.mask

    def example(self, size_wh: tuple[int, int], seed: int) -> dict[str, Tensor]:
        """See `RendererNet.example`."""
        draw = torch.Generator().manual_seed(seed)
        shapes = {"conditioning": NUM_MAPS, "background": 3, "previous": 3}
        return {n: torch.rand(2, c, size_wh[1], size_wh[0], generator=draw) for n, c in shapes.items()}
