"""What a fork imported is imported by its parent too, so that later forks find it there."""

from __future__ import annotations

import contextlib
import gc
import importlib
import sys
from pathlib import Path


def write_module_list(path: Path) -> None:
    """Write the names of all modules that are imported here."""
    path.write_text("\n".join(name for name in list(sys.modules) if not name.startswith("__")))


def import_module_list(path: Path) -> None:
    """Import what is listed, as far as that works; memory is left shared with later forks."""
    for name in path.read_text().split() if path.exists() else ():
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.freeze()
