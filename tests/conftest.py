"""The order of the tests, and when garbage is looked for."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

FORKING = {"robustness", "fuzz"}
"""Rooms whose tests fork this process: before other tests have started threads of libraries in it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not FORKING & set(Path(str(item.path)).parts))


def pytest_collection(session: pytest.Session) -> None:
    """What is imported now stays: looking through it for garbage, again and again, costs seconds."""
    gc.disable()


def pytest_collection_finish(session: pytest.Session) -> None:
    gc.freeze()
    gc.enable()
