"""Work items of a preparation, sharded over machines and processes, and reported at the end.

Nothing is shared between the runs but the folder of items, so `shard=0/8` to `shard=7/8` may run on eight
machines and be started again at will; whichever finds all items done puts them together.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, TypeVar

from rib.io.cache import is_entry_intact, make_cache_entry
from rib.io.errors import RibError
from rib.io.files.regular import check_name_is_text
from rib.io.files.temporaries import remove_leftover_temporaries
from rib.io.files.whole import NoSpaceError, write_text_whole
from rib.io.processes.workers import worker_pool

Progress = Callable[[int, int, str], None]
"""Called after each item with how many are done, how many there are, and the item's name."""


@dataclass(frozen=True)
class PreparationReport:
    """Outcome of a preparation.

    Attributes:
        store: The store, or None while other shards have not done their items.
        prepared: Items of this shard made now.
        reused: Items of this shard that an earlier run had made.
        skipped: Why items of all shards were left out, by name; also in `<store>.skipped.json`.
        waiting: Items of other shards that are not done.
    """

    store: Path | None
    prepared: int
    reused: int
    skipped: dict[str, str]
    waiting: int


@dataclass(frozen=True)
class WorkItem:
    """A work item: an entry (`rib.io.cache`) of one file, or a note that says why it is none.

    Attributes:
        name: What people call it.
        folder: Where items lie.
        key: What its entry is called: a hash of everything that it depends on.
    """

    suffix: ClassVar[str] = ".h5"

    name: str
    folder: Path
    key: str

    @property
    def entry(self) -> Path:
        """The item's folder."""
        return self.folder / self.key

    @property
    def done(self) -> Path:
        """The item's file."""
        return self.entry / f"part{self.suffix}"

    @property
    def is_done(self) -> bool:
        """Whether the file is there, as it was written."""
        return is_entry_intact(self.entry)

    @property
    def note(self) -> Path:
        """Path of the note with the reason for skipping it."""
        return self.folder / f"{self.key}.skipped.json"

    @property
    def reason(self) -> str | None:
        """Read the reason for skipping it; None where it was not skipped, or is done by now."""
        if self.is_done:
            return None
        try:
            return str(json.loads(self.note.read_text(encoding="utf-8"))["reason"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def make(self, write: Callable[[Path], None]) -> str | None:
        """Make the file with `write` unless it is there; an item that was skipped is tried again.

        Returns:
            Why it was skipped, or None.
        """
        try:
            check_name_is_text(self.name)
            make_cache_entry(self.entry, lambda folder: write(folder / self.done.name))
            self.note.unlink(missing_ok=True)
            return None
        except NoSpaceError:
            raise
        except Exception as error:  # one odd file must not end a night's work; it is reported
            reason = str(error) if isinstance(error, RibError) else f"{type(error).__name__}: {error}"
            write_text_whole(self.note, json.dumps({"part": self.name, "reason": reason}))
            return reason


Item = TypeVar("Item")
Work = TypeVar("Work", bound=WorkItem)


def prepare_work_items(
    store: Path,
    items: Sequence[Work],
    make: Callable[[Work], str | None],
    put_together: Callable[[list[Work], Mapping[str, str]], None],
    workers: int,
    shard: str,
    progress: Progress | None,
    absent: Mapping[str, str] = MappingProxyType({}),
) -> PreparationReport:
    """Make this shard's items, and put all together once none waits.

    Args:
        store: What is made of the items.
        items: Those of all shards.
        make: See `work_item_results`.
        put_together: Called with the items that are done and with why the others were skipped, by name.
        workers: Processes.
        shard: See `items_of_shard`.
        progress: Called after each item, or None.
        absent: Why others did not even become items, by name.

    Raises:
        RibError: The shard is written wrongly, or what `put_together` raises.
    """
    mine = items_of_shard(items, shard)
    reused = sum(item.is_done for item in mine)
    for number, (item, _) in enumerate(work_item_results(mine, make, workers), start=1):
        if progress is not None:
            progress(number, len(mine), item.name)
    done = [item for item in items if item.is_done]
    left_out = [(item.name, reason) for item in items if (reason := item.reason) is not None]
    skipped = dict(absent) | dict(left_out)
    waiting = len(items) - len(done) - len(left_out)
    if not waiting:
        write_text_whole(store.with_name(f"{store.name}.skipped.json"), json.dumps(skipped, indent=2))
        put_together(done, skipped)
    prepared = sum(item.is_done for item in mine) - reused
    return PreparationReport(None if waiting else store, prepared, reused, skipped, waiting)


def items_of_shard(items: Sequence[Item], shard: str) -> list[Item]:
    """Choose every n-th item from the i-th.

    Args:
        items: All of them.
        shard: "i/n", i in 0..n-1; "0/1" is all.

    Raises:
        RibError: The shard is written otherwise.
    """
    index, _, count = shard.partition("/")
    if not (index.isdigit() and count.isdigit() and int(index) < int(count)):
        raise RibError(f"shard is {shard!r}", "write shard=i/n with i from 0 to n - 1, such as shard=0/8")
    return list(items[int(index) :: int(count)])


def work_item_results(
    items: Sequence[Work], make: Callable[[Work], str | None], workers: int
) -> Iterator[tuple[Work, str | None]]:
    """Make the items in `workers` processes; each with why it was skipped, or None, as they get done.

    Args:
        items: What to make; they travel to the processes.
        make: A function of a module, or a `functools.partial` of one; 1 worker calls it here.
        workers: Processes; they end with this one, however it ends.
    """
    if workers <= 1:
        yield from ((item, make(item)) for item in items)
        return
    with _swept({item.folder for item in items}), worker_pool(workers) as pool:
        jobs = {pool.submit(make, item): item for item in items}
        yield from ((jobs[job], job.result()) for job in as_completed(jobs))


@contextmanager
def _swept(folders: set[Path]) -> Iterator[None]:
    """Remove what workers were at when they were stopped in the block."""
    try:
        yield
    except BaseException:
        for folder in folders:
            remove_leftover_temporaries(folder)
        raise
