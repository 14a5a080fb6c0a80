"""A device that only pretends to be one: what lies on it is kept apart, and what waits for it is counted."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

import rib

WAITS = frozenset(
    (
        *("cpu", "numpy", "item", "tolist", "nonzero"),
        *("__bool__", "__float__", "__int__", "__index__", "__array__"),
    )
)
DEVICE = torch.device("cpu", 0)
"""What lies there lies in the memory of the CPU, whose own tensors say `cpu` without a number."""
PACKAGE = Path(rib.__file__).parent


class OnDevice(torch.Tensor):
    """A tensor that pretends to lie on a GPU: whatever is computed of it does, and what waits is counted."""

    waits: ClassVar[Counter[str]] = Counter()
    is_cpu = False
    device = DEVICE

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Sequence[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        index = args[1] if name in ("__getitem__", "__setitem__") else None
        if name in WAITS or getattr(index, "dtype", None) == torch.bool:
            ours = [one for one in traceback.extract_stack() if PACKAGE in Path(one.filename).parents]
            cls.waits[f"{name} in {Path(ours[-1].filename).stem}.{ours[-1].name}" if ours else name] += 1
        made = super().__torch_function__(func, types, args, kwargs or {})
        return made.as_subclass(torch.Tensor) if name == "cpu" else made


class GeneratorOnDevice(torch.Generator):
    """A generator that pretends to lie there."""

    device = DEVICE


class PretendedDevice(TorchFunctionMode):
    """What is made on a device, or sent there, lies there; what meets it must lie there, too."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        given = tree_leaves((args, kwargs := kwargs or {}))
        tensors = [one for one in given if isinstance(one, torch.Tensor)]
        name = getattr(func, "__name__", "")
        if name != "to" and any(isinstance(one, OnDevice) for one in tensors):
            strangers = [one for one in tensors if one.dim() and not isinstance(one, OnDevice)]
            assert not strangers, f"{name} of tensors on two devices"
        made = func(*args, **kwargs)
        places = {one for one in given if isinstance(one, torch.device)}
        if places and isinstance(made, torch.Tensor):
            return made.as_subclass(OnDevice if DEVICE in places else torch.Tensor)
        return made
