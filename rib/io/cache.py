"""Results on disk under what made them: one mechanism for what the chain keeps and for prepared pieces.

An entry is a folder called by a hash of everything that it depends on. It appears whole or not at all, one
process makes it while others that want it wait, and a list of its files' lengths and hashes lies in it: one
that was damaged since counts as absent and is made anew. What is read back is what was written: results are
the same bytes whether an entry was there or not.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import platformdirs

from rib.io.files.locks import FileLock
from rib.io.files.temporaries import remove_leftover_temporaries
from rib.io.files.whole import temporary_folder, write_errors_in_one_line

FORMAT = 2
"""Changed whenever an entry's layout or a stage's meaning changes: older ones are then never found."""
LIST = "whole.json"
"""What an entry holds: the length in bytes and the hash of each file, by its path inside."""

GROWS_FOR_S = 30 * 86400.0
"""So long after it was last used nobody's limit drops work that waits to go on."""

REMEDY = "type cache.dir= with a folder on another disk"

_seen_intact: dict[Path, str] = {}
"""By entry a hash of its files' lengths and times."""


def cache_key(content: object) -> str:
    """Hash all that an entry depends on to its name; `content` is distinguished by its `repr`."""
    return hashlib.blake2b(repr(content).encode(), digest_size=12).hexdigest()


def file_state(path: Path) -> tuple[str, int, int]:
    """What tells a file from another or from an older one without reading it: path, size, time in ns."""
    state = path.stat()
    return str(path), state.st_size, state.st_mtime_ns


def is_entry_intact(entry: Path) -> bool:
    """Whether an entry is there with all its files as they were written; read once a process."""
    try:
        state = cache_key([(p, s.st_size, s.st_mtime_ns) for p, s in _files(entry)])
        if _seen_intact.get(entry) == state:
            return True
        wanted = json.loads((entry / LIST).read_text(encoding="utf-8"))
        there = _listed(entry)
    except (OSError, ValueError):
        return False
    if wanted != there:
        return False
    _seen_intact[entry] = state
    return True


def make_cache_entry(entry: Path, make: Callable[[Path], None], remedy: str = "name another folder") -> bool:
    """Make an entry unless it is there and intact; says whether it was made.

    Args:
        entry: Its folder-to-be.
        make: Writes its files into the folder that it is given.
        remedy: What to type where the disk is full.

    Raises:
        RibError: No space is left, or the place cannot be written to.
    """
    if is_entry_intact(entry):
        return False
    with write_errors_in_one_line(entry, remedy):
        entry.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(entry.with_name(f".{entry.name}.making"))
        lock.acquire()
        try:
            if is_entry_intact(entry):  # by another process, while this one waited
                return False
            with temporary_folder(entry, remedy) as work:
                make(work)
                (work / LIST).write_text(json.dumps(_listed(work)), encoding="utf-8")
                remove_cache_entry(entry)
                work.replace(entry)
            return True
        finally:
            lock.release(remove=True)


def remove_cache_entry(entry: Path) -> None:
    """Remove an entry, damaged or not; nobody sees half of it."""
    if entry.exists():
        with temporary_folder(entry) as aside:
            entry.replace(aside / "old")


class Cache:
    """A folder of entries with a limit on its size.

    Entries that a process has asked for are its own until it ends or lets go of this object: no other process
    drops them meanwhile.

    Args:
        folder: Where they lie; None means the user's cache folder. Where it cannot be written a temporary
            folder serves this run.
        limit_gb: Size in 10^9 bytes above which the ones unused for longest are dropped. On a file system
            without locks none is.

    Attributes:
        reused: Stages whose results were there.
    """

    def __init__(self, folder: str | None, limit_gb: float) -> None:
        self.folder = self._writable(
            Path(folder).expanduser() if folder else Path(platformdirs.user_cache_dir("rib"))
        )
        self.limit_bytes = limit_gb * 1e9
        self.reused: list[str] = []
        self._held: dict[str, FileLock] = {}
        remove_leftover_temporaries(self.folder)

    def get(
        self, stage: str, recipe: Mapping[str, Any], parents: list[str], make: Callable[[Path], None]
    ) -> tuple[Path, str]:
        """The folder of an entry, made first where it is not there intact, and its key.

        Args:
            stage: The stage's name, for people who look into the folder.
            recipe: The stage's resolved settings.
            parents: Keys of what it is made from, the input's fingerprint included.
            make: Writes the entry into the folder it is given.

        Raises:
            RibError: No space is left for it.
        """
        path, key = self._hold(stage, recipe, parents)
        try:
            made = make_cache_entry(path, make, REMEDY)
            os.utime(path)
        except BaseException:
            self._let_go(key)
            raise
        if made:
            self._drop_oldest()
        else:
            self.reused.append(stage)
        return path, key

    def has(self, stage: str, recipe: Mapping[str, Any], parents: list[str]) -> bool:
        """Whether an entry is there intact; another process may still drop it."""
        return is_entry_intact(self.folder / self.key(stage, recipe, parents))

    def key(self, stage: str, recipe: Mapping[str, Any], parents: list[str]) -> str:
        """The key of an entry, made or not; arguments as of `get`."""
        text = json.dumps([FORMAT, stage, recipe, parents], sort_keys=True, default=str)
        return f"{stage}-{cache_key(text)}"

    def growing(self, stage: str, recipe: Mapping[str, Any], parents: list[str]) -> tuple[Path, str]:
        """The folder of an entry whose files come one by one, each whole or absent, and its key.

        For work that goes on where it was stopped: what a killed process put there stays until `drop`; once
        nobody has used it for `GROWS_FOR_S` it is dropped as a whole, in its turn, when nobody holds it.
        """
        path, key = self._hold(stage, recipe, parents)
        with write_errors_in_one_line(self.folder, REMEDY):
            path.mkdir(exist_ok=True)
            os.utime(path)
        return path, key

    def release(self, key: str) -> None:
        """Let go of an entry before this object ends: others may drop it from here on.

        Args:
            key: As `get` or `growing` gave it.
        """
        self._held.pop(key).release()

    def drop(self, key: str) -> None:
        """Remove an entry that this process holds, and that nobody else is at work on.

        Args:
            key: As `get` or `growing` gave it.
        """
        self.release(key)
        lock = FileLock(self._used(key))
        if lock.acquire(wait=False):
            remove_cache_entry(self.folder / key)
            lock.release(remove=True)

    def _hold(self, stage: str, recipe: Mapping[str, Any], parents: list[str]) -> tuple[Path, str]:
        key = self.key(stage, recipe, parents)
        if key not in self._held:
            self._held[key] = FileLock(self._used(key))
            with write_errors_in_one_line(self.folder, REMEDY):
                self._held[key].acquire(shared=True)
        return self.folder / key, key

    def _let_go(self, key: str) -> None:
        """Forget an entry that could not be made, and its lock unless others wait for it."""
        self._held.pop(key).release()
        lock = FileLock(self._used(key))
        if not (self.folder / key).exists() and lock.acquire(wait=False):
            lock.release(remove=True)

    def _used(self, key: str) -> Path:
        return self.folder / f".{key}.used"

    def _drop_oldest(self) -> None:
        """Drop entries that nobody uses until all, with what is being made, keeps to the limit."""
        remove_leftover_temporaries(self.folder)
        entries: dict[Path, float] = {}
        for path in self.folder.iterdir():
            with suppress(OSError):  # others may remove it at this moment
                if path.is_dir() and not path.name.startswith(".") and not _waits_to_go_on(path):
                    entries[path] = path.stat().st_mtime
        total = _size(self.folder)
        for path in sorted(entries, key=lambda p: entries[p]):
            if total <= self.limit_bytes:
                return
            lock = FileLock(self._used(path.name))
            if lock.acquire(wait=False):
                total -= _size(path)
                remove_cache_entry(path)
                lock.release(remove=True)

    def _writable(self, folder: Path) -> Path:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            stack = ExitStack()
            weakref.finalize(self, stack.close)
            return stack.enter_context(temporary_folder(Path(tempfile.gettempdir()) / "rib"))


def _waits_to_go_on(entry: Path) -> bool:
    """Whether an entry is unfinished work that somebody will want to go on with."""
    return not (entry / LIST).exists() and time.time() - entry.stat().st_mtime < GROWS_FOR_S


def _files(folder: Path) -> list[tuple[str, os.stat_result]]:
    return [
        (path.relative_to(folder).as_posix(), path.stat())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]


def _listed(folder: Path) -> dict[str, list[Any]]:
    found = {}
    for name, stat in _files(folder):
        if name != LIST:
            with (folder / name).open("rb") as file:
                digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
            found[name] = [stat.st_size, digest]
    return found


def _size(folder: Path) -> int:
    """Bytes in a folder; what others remove meanwhile, folders too, counts or not."""
    total, waiting = 0, [str(folder)]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as inside:
            for found in inside:
                if found.is_dir(follow_symlinks=False):
                    waiting.append(found.path)
                else:
                    with suppress(OSError):
                        total += found.stat(follow_symlinks=False).st_size
    return total
