from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import faults  # noqa: F401 - registers what settings name
import pytest
from tiny_runs import TINY

from rib.config.compose import compose

Settings = Callable[..., dict[str, Any]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a run of two epochs of four steps, on synthetic people, in tmp_path/<name>."""

    def make(name: str, *overrides: str) -> dict[str, Any]:
        return compose("train", *TINY, f"run_dir={tmp_path / name}", *overrides)

    return make
