"""The folder conf/: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path

import rib
from rib.io.errors import RibError


def conf_dir() -> Path:
    """The absolute path of conf/, whatever the working directory."""
    package = Path(rib.__file__).resolve().parent
    for folder in (package.parent / "conf", package / "_conf"):
        if (folder / "interpolate.yaml").is_file():
            return folder
    raise RibError(f"the folder conf/ was not found beside or inside {package}", "install rib again")


def options(group: str) -> list[str]:
    """The names that a config group offers, such as `pose` -> files, mediapipe."""
    return sorted(p.stem for p in (conf_dir() / group).glob("*.yaml"))


def groups() -> list[str]:
    """The names of all config groups."""
    return sorted(p.name for p in conf_dir().iterdir() if p.is_dir() and any(p.glob("*.yaml")))
