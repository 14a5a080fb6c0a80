"""Results of the analysis, kept on disk under what made them.

An artefact's key is a hash of its stage's resolved recipe, the input's content and the artefacts it was made
from, so another output reuses it and a changed setting makes anew exactly what depends on it. What is read
back is what was written: the frames are the same bytes whether an artefact was there or not.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import platformdirs

FORMAT = 1
"""Changed whenever an artefact's layout or a stage's meaning changes: older ones are then never found."""


class Artefacts:
    """A folder of artefacts with a limit on its size.

    Args:
        folder: Where they lie; None means the user's cache folder. Where it cannot be written a temporary
            folder serves this run.
        limit_gb: Size in 10^9 bytes above which the ones unused for longest are dropped.
    """

    def __init__(self, folder: str | None, limit_gb: float) -> None:
        self.folder = _writable(
            Path(folder).expanduser() if folder else Path(platformdirs.user_cache_dir("rib"))
        )
        self.limit_bytes = limit_gb * 1e9
        self._in_use: set[Path] = set()
        self.reused: list[str] = []

    def get(
        self, stage: str, recipe: Mapping[str, Any], parents: list[str], make: Callable[[Path], None]
    ) -> tuple[Path, str]:
        """The folder of an artefact, made first where it is not there yet, and its key.

        Args:
            stage: The stage's name, for people who look into the folder.
            recipe: The stage's resolved settings.
            parents: Keys of what it is made from, the input's fingerprint included.
            make: Writes the artefact into the folder it is given; the artefact appears whole or not at all.
        """
        text = json.dumps([FORMAT, stage, recipe, parents], sort_keys=True, default=str)
        key = f"{stage}-{hashlib.sha256(text.encode()).hexdigest()[:24]}"
        path = self.folder / key
        self._in_use.add(path)
        if path.is_dir():
            os.utime(path)
            self.reused.append(stage)
            return path, key
        work = Path(tempfile.mkdtemp(prefix=f".{stage}-", dir=self.folder))
        try:
            make(work)
            work.replace(path)
        except OSError:
            if not path.is_dir():  # another process may have finished the same artefact first
                raise
        finally:
            shutil.rmtree(work, ignore_errors=True)
        self._drop_oldest()
        return path, key

    def _drop_oldest(self) -> None:
        kept = [p for p in self.folder.iterdir() if p.is_dir() and not p.name.startswith(".")]
        sizes = {p: sum(f.stat().st_size for f in p.rglob("*") if f.is_file()) for p in kept}
        total = sum(sizes.values())
        for path in sorted((p for p in kept if p not in self._in_use), key=lambda p: p.stat().st_mtime):
            if total <= self.limit_bytes:
                return
            shutil.rmtree(path, ignore_errors=True)
            total -= sizes[path]


def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return Path(tempfile.mkdtemp(prefix="rib-"))
