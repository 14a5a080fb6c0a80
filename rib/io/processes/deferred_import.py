"""Imports that are put off until somebody uses what they bring."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


@contextmanager
def deferred_import(name: str) -> Iterator[None]:
    """Let whatever is imported inside find a stand-in for a module, which imports it when it is first used.

    For what packages import and nobody here uses: matplotlib takes 30 MB and 0.3 s. Where the module, or the
    package that it lies in, is imported already nothing is put off.

    Args:
        name: Dotted name of the module.
    """
    parts = name.split(".")
    names = [".".join(parts[: number + 1]) for number in range(len(parts))]
    if any(one in sys.modules for one in names):
        yield
        return
    stand_ins = {one: _Deferred(one) for one in names}
    for one, module in stand_ins.items():
        parent, _, last = one.rpartition(".")
        if parent:
            setattr(stand_ins[parent], last, module)
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        _remove(stand_ins)


class _Deferred(ModuleType):
    """Stands in for a module of that name."""

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):  # the import system asks, and takes no for an answer
            raise AttributeError(attribute)
        _remove({one: module for one, module in sys.modules.items() if isinstance(module, _Deferred)})
        return getattr(importlib.import_module(self.__name__), attribute)


def _remove(stand_ins: dict[str, Any]) -> None:
    for name, module in stand_ins.items():
        if sys.modules.get(name) is module:
            del sys.modules[name]
