"""The order of the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

FORKING = {"robustness", "fuzz"}
"""Rooms whose tests fork this process: before other tests have started threads of libraries in it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not FORKING & set(Path(str(item.path)).parts))
