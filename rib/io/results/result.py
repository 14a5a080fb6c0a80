"""A result appears in a folder whole or not at all, and nothing there that rib did not make is touched."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rib.io.errors import RibError
from rib.io.files.whole import write_errors_in_one_line
from rib.io.results.manifest import FOLDER, ManifestPlace, first_link_on_path
from rib.io.results.one_at_a_time import one_writer_at_a_time
from rib.io.results.replacing import replace_result_files, undo_half_replaced_result


@dataclass(frozen=True)
class ResultPart:
    """A file of a result, or a folder of files of one kind.

    Attributes:
        name: Its path inside the output folder.
        suffixes: What the files of a folder end in; empty for a single file.
    """

    name: str
    suffixes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ResultDestination:
    """The place of a result, and the paths that it must not touch.

    Attributes:
        output: The folder.
        key: The result's name in it: results of other names stay.
        parts: What is going to be written.
        reads: What the run reads, by setting.
        overwrite: Whether an earlier result of this name is replaced.
        made_from: What tells two results of one name apart, such as the input's name.
        lists: The folder inside it that holds the result's list (see `ManifestPlace`).
        keeps_list: Whether the list stays; without it nobody knows later that rib made the result.
    """

    output: Path
    key: str
    parts: Sequence[ResultPart]
    reads: Mapping[str, str | Path]
    overwrite: bool = False
    made_from: str = ""
    lists: str = FOLDER
    keeps_list: bool = True

    @property
    def shelf(self) -> ManifestPlace:
        """The result's name and place."""
        return ManifestPlace(_real(self.output), self.key, self.lists)


@contextmanager
def write_result_whole(to: ResultDestination) -> Iterator[Path]:
    """Give an empty folder whose files move into the output folder when the block ends well.

    Rib's own earlier result of the name is moved aside, and back where something fails; other files stay.
    When the block raises, the output folder is as it was but for what others put there meanwhile.

    Raises:
        RibError: What would be written is, holds or lies in what is read; something is in the way that rib
            did not make; the result is there and `overwrite` is not set; another run is writing it; or the
            folder cannot be written to.
    """
    refuse_output_touching_input(to)
    shelf = to.shelf
    output, work, lists = shelf.output, shelf.work, shelf.output / to.lists
    for path in (lists, work):
        if path.is_symlink():
            raise _in_the_way(path, "is a link")
    made = _make(lists)
    try:
        with one_writer_at_a_time(shelf.lock, str(to.output)):
            undo_half_replaced_result(shelf)
            refuse_foreign_files(to)
            refuse_finished_result(to)
            try:
                with write_errors_in_one_line(output):
                    (work / "new").mkdir(parents=True)
                    yield work / "new"
                    replace_result_files(shelf, to.made_from)
                    if not to.keeps_list:
                        shelf.list_path.unlink()
            finally:
                with suppress(RibError):  # the reason why the run stopped is told, not this
                    undo_half_replaced_result(shelf)
    finally:
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()  # only what this run made, and only if nobody put anything there


def refuse_result(to: ResultDestination) -> None:
    """Refuse what `write_result_whole` would refuse, without writing anything.

    Raises:
        RibError: As of `write_result_whole`.
    """
    refuse_output_touching_input(to)
    refuse_foreign_files(to)
    refuse_finished_result(to)


def is_result_finished(output: Path, key: str, made_from: str | None = None, lists: str = FOLDER) -> bool:
    """Whether a result is there whole, once what a killed run left half-done is undone.

    Args:
        output: The folder.
        key: The result's name in it.
        made_from: See `ResultDestination`; None for any.
        lists: See `ResultDestination`.
    """
    shelf = ManifestPlace(_real(output), key, lists)
    _heal_after_a_kill(shelf)
    manifest = shelf.listed()
    if manifest is None or not manifest.finished or not shelf.own_files(manifest):
        return False
    return made_from is None or manifest.made_from == made_from


def refuse_finished_result(to: ResultDestination) -> None:
    """Refuse to replace a result that is there, unless that was asked for.

    Raises:
        RibError: It is there.
    """
    if not to.overwrite and is_result_finished(to.output, to.key, lists=to.lists):
        raise RibError(
            f"{to.output} already holds a finished result ({', '.join(part.name for part in to.parts[:3])})",
            "type overwrite=true to replace it, or another output=",
        )


def refuse_output_touching_input(to: ResultDestination) -> None:
    """Refuse to write what is read, into it, or around it; links are followed.

    Raises:
        RibError: A part is, holds or lies in something that is read.
    """
    output = _real(to.output)
    _heal_after_a_kill(to.shelf)
    own = to.shelf.own_files(to.shelf.listed())
    old = {_identity(path) for path in own.values()}
    for setting, source in ((name, _real(Path(given))) for name, given in to.reads.items()):
        if not source.exists():
            continue
        for part in to.parts:
            target = (output / part.name).resolve()
            if (relation := _relation(target, source)) is not None:
                raise RibError(
                    f"{target} would be written, which {relation} {setting}={source}",
                    "type another output=",
                )
        if old and not old.isdisjoint(map(_identity, _files_of(source))):
            raise RibError(
                f"{setting}={source} leads to files of the earlier result in {to.output}, which it replaces",
                "type another output=",
            )


def refuse_foreign_files(to: ResultDestination) -> None:
    """Refuse to write where something is that rib did not make, or that was changed since.

    Raises:
        RibError: Something is in the way.
    """
    output = _real(to.output)
    _heal_after_a_kill(to.shelf)
    own = set(to.shelf.own_files(to.shelf.listed()))
    for part in to.parts:
        place = first_link_on_path(output, f"{part.name}/*" if part.suffixes else part.name)
        if place is not None:
            raise _in_the_way(place, "is a link or a file, where a folder would be made")
        target = output / part.name
        if not part.suffixes and part.name not in own and os.path.lexists(target):
            raise _in_the_way(target, "was not made by rib for this result, or was changed since")
        if part.suffixes and target.is_dir():
            for path in sorted(target.iterdir()):
                if path.suffix.lower() in part.suffixes and f"{part.name}/{path.name}" not in own:
                    raise _in_the_way(path, "was not made by rib for this result, or was changed since")


def _heal_after_a_kill(shelf: ManifestPlace) -> None:
    """Undo what a run that was cut off left, where no other is at work there and a list may be looked at."""
    lock = shelf.lock
    if not shelf.work.is_dir() and not lock.is_file():
        return
    with suppress(RibError), one_writer_at_a_time(lock, str(shelf.output)):
        undo_half_replaced_result(shelf)  # what cannot be undone is told by the run that writes there


def _in_the_way(path: Path, why: str) -> RibError:
    return RibError(f"{path} {why}, and is not replaced", "move it, or type another output=")


def _real(path: Path) -> Path:
    return path.expanduser().resolve()


def _relation(target: Path, source: Path) -> str | None:
    """Describe the relation of a place to an existing path, if there is one."""
    if target == source or (target.exists() and target.samefile(source)):
        return "is"
    if target in source.parents:
        return "holds"
    return "lies in" if source in target.parents else None


def _identity(path: Path) -> tuple[int, int]:
    try:
        now = path.stat()
    except OSError:
        return -1, -1
    return now.st_dev, now.st_ino


def _files_of(source: Path) -> Iterable[Path]:
    """A file, or the files of a folder and of the folders in it, links followed."""
    if not source.is_dir():
        yield from [source] if source.exists() else []
        return
    for pattern in ("*", "*/*"):
        yield from (path for path in source.glob(pattern) if path.is_file())


def _make(folder: Path) -> list[Path]:
    """Make a folder, and tell what was made of it, outermost first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()][::-1]
    with write_errors_in_one_line(folder), write_errors_in_one_line(folder.parent):
        folder.mkdir(parents=True, exist_ok=True)
    return missing
