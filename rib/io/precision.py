"""The type in which a net's convolutions are computed, where the user may choose it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Annotated, Any

from rib.io.settings.ranges import OneOf

if TYPE_CHECKING:
    import torch

AUTO = "auto"
Precision = Annotated[str, OneOf(AUTO, "float32", "bfloat16")]
"""A setting: auto takes bfloat16 on a CPU that has units for it, else float32."""


def precision_on(device: torch.device, precision: str) -> torch.dtype:
    """The type that a setting means on a device; auto takes one that is fast and changes nothing seen."""
    import torch

    if precision != AUTO:
        dtype: torch.dtype = getattr(torch, precision)
        return dtype
    known = getattr(torch.cpu, "get_capabilities", dict)  # younger than the oldest torch that we take
    able: dict[str, Any] = known() if device.type == "cpu" else {}
    return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else torch.float32


def bfloat16_in_use(wanted: bool, device: torch.device) -> AbstractContextManager[Any]:
    """Compute convolutions and products in bfloat16 inside the block, where no gradient is wanted."""
    import torch

    if wanted and not torch.is_grad_enabled():
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()
