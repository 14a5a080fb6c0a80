"""A fingerprint of the data that a run is trained on: its stores, and how they are read."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rib.engine.settings import TaskSettings
from rib.io.errors import RibError
from rib.io.settings.paths import is_path_setting

log = logging.getLogger(__name__)
EDGE_BYTES = 1 << 20
"""Of a file its length and so many bytes at both ends count: stores are too large to be read in whole."""
UNLIKE = ("seed", "num_workers")
"""Settings of the data that say nothing about what they are."""


def data_fingerprint(data: Mapping[str, Any]) -> dict[str, Any]:
    """Describe what a data module's recipe reads.

    Args:
        data: The recipe.

    Returns:
        `stores`: of each path setting the path and a digest of what lies there; `settings`: a digest of the
        others, which say the subset and how it is prepared.
    """
    found = dict(_paths(data))
    rest = {key: value for key, value in data.items() if key not in (*found, *UNLIKE)}
    return {
        "stores": {key: {"path": str(path), "digest": digest_of_data(path)} for key, path in found.items()},
        "settings": _short(json.dumps(rest, sort_keys=True, default=str).encode()),
    }


def digest_of_data(path: Path) -> str:
    """Sixteen hexadecimal digits of a file, or of the names and sizes in a folder."""
    if path.is_dir():
        parts = sorted((str(p.relative_to(path)), p.stat().st_size) for p in path.rglob("*") if p.is_file())
        return _short(json.dumps(parts).encode())
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(EDGE_BYTES)
        file.seek(max(size - EDGE_BYTES, 0))
        return _short(f"{size}".encode() + head + file.read())


def check_same_training_data(before: Any, now: Mapping[str, Any], ckpt: Path) -> None:
    """Hold the data that a run goes on with against what its checkpoint was trained on.

    Raises:
        RibError: A store holds something else. Another subset or preparation is only told in the log.
    """
    if not isinstance(before, Mapping) or not isinstance(stores := before.get("stores"), Mapping):
        return  # of an earlier release
    for key, store in now["stores"].items():
        known = stores.get(key)
        if isinstance(known, Mapping) and known.get("digest") != store["digest"]:
            raise RibError(
                f"task.data.{key}={store['path']} is not the data that {ckpt} was trained on "
                f"({str(known.get('path'))[:200]}, fingerprint {str(known.get('digest'))[:16]})",
                "name the same data, or type restore=finetune",
            )
    if before.get("settings") != now["settings"]:
        log.warning("%s was trained on another subset, or one prepared in another way", ckpt)


def describe_data_fingerprint(before: Any) -> str:
    """A line about the data that a checkpoint was trained on, or "" where it does not say."""
    if not isinstance(before, Mapping) or not isinstance(stores := before.get("stores"), Mapping):
        return ""
    told = [f"{str(s.get('path'))[:200]} (fingerprint {str(s.get('digest'))[:16]})"
            for s in stores.values() if isinstance(s, Mapping)]  # fmt: skip
    return f"trained on {' and '.join(told) or 'synthetic data'}; settings {str(before.get('settings'))[:16]}"


def _paths(data: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    for key, value in data.items():
        if isinstance(value, str) and is_path_setting(TaskSettings, f"data.{key}"):
            path = Path(value).expanduser().absolute()
            if path.exists():
                yield key, path


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
