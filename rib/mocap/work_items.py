"""Work items of a motion-capture collection, one a file, so that work can be split, stopped and resumed.

An item is called by a hash of everything it depends on: the file's place, size and time of change, the
reader's settings, the frame rate. A file that cannot be read leaves a note with the reason instead, and is
tried again next time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rib.io.cache import cache_key, remove_cache_entry
from rib.io.errors import RibError
from rib.io.preparation.work_items import WorkItem
from rib.mocap.readers.joint_files import write_mocap_joint_file
from rib.mocap.readers.reader import RecordingReader
from rib.mocap.recording import MocapRecording
from rib.mocap.resample import resample_recording
from rib.mocap.skeletons import mocap_joints_to_body19

PART_VERSION = 1
_OURS = re.compile(r"[0-9a-f]{24}(\.npz|\.skipped\.json)?")
"""Entries, notes, and items as they were before entries."""


@dataclass(frozen=True)
class MocapItem(WorkItem):
    """A file of a collection as a work item; its name is its path below the folder, without suffix.

    Attributes:
        path: The file.
    """

    suffix = ".npz"

    path: Path


@dataclass(frozen=True)
class MocapRecipe:
    """Settings under which a file becomes a work item's store.

    Attributes:
        reader: Reads the file.
        fps: The frame rate to resample to.
        all_joints: Keep the source's own joints in double precision, else map to the 19 in single.
    """

    reader: RecordingReader
    fps: float
    all_joints: bool

    def prepare(self, item: MocapItem) -> MocapRecording:
        """Read, map and resample."""
        recording = self.reader(item.path, item.name)
        if not self.all_joints:
            recording = mocap_joints_to_body19(recording)
            recording = replace(recording, joints_m=recording.joints_m.astype(np.float32))
        return resample_recording(recording, self.fps)


def list_mocap_items(collection: Path, folder: Path, recipe: MocapRecipe) -> list[MocapItem]:
    """List the work items of a collection, in the order of their files' names.

    Raises:
        RibError: There is no such folder, or it holds nothing that the reader reads.
    """
    if not collection.exists():
        raise RibError(f"{collection} does not exist", "name a folder of motion capture")
    files = sorted({path for pattern in recipe.reader.patterns for path in collection.rglob(pattern)})
    if not files:
        raise RibError(
            f"{collection} holds no {' or '.join(recipe.reader.patterns)}",
            "name a folder of motion capture",
        )
    return [_item(path, collection, folder, recipe) for path in files]


def prepare_mocap_item(item: MocapItem, recipe: MocapRecipe) -> str | None:
    """Make an item unless it is there.

    Returns:
        Why the file was skipped, or None.
    """
    return item.make(lambda path: write_mocap_joint_file(path, recipe.prepare(item)))


def remove_stale_items(folder: Path, items: Iterable[MocapItem]) -> None:
    """Delete what files or settings left behind that are no longer there; what is none of ours stays."""
    current = {path for item in items for path in (item.entry, item.note)}
    for path in folder.iterdir():
        if path in current or not _OURS.fullmatch(path.name):
            continue
        if path.is_dir():
            remove_cache_entry(path)
        else:
            path.unlink(missing_ok=True)


def _item(path: Path, collection: Path, folder: Path, recipe: MocapRecipe) -> MocapItem:
    name = path.relative_to(collection).with_suffix("").as_posix()
    stat = path.stat()
    content = (PART_VERSION, path.name, name, stat.st_size, stat.st_mtime_ns, repr(recipe))
    key = cache_key(content)
    return MocapItem(name, folder, key, path)
