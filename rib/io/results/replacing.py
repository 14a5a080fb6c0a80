"""An old result makes place for a new one: moved aside first, moved back where anything fails, even a kill.

Inside `ManifestPlace.work`, `new/` holds what is to appear and `old/` what was moved aside. `journal.json`
is the list that the result is going to have: once it is in place the new result counts, before it the old.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from rib.io.errors import RibError
from rib.io.processes.signals import signals_held_back
from rib.io.results.manifest import (
    ManifestPlace,
    ResultManifest,
    digest_of_file,
    files_below,
    first_link_on_path,
    read_manifest,
    write_manifest,
)

JOURNAL = "journal.json"


def replace_result_files(shelf: ManifestPlace, made_from: str) -> None:
    """Let the files in `new/` appear in place of rib's own of before.

    Raises:
        RibError: A file is in the way that rib did not make, or the folder cannot be written to; everything
            is as it was then.
    """
    output, work, listed = shelf.output, shelf.work, shelf.list_path
    new = {name: digest_of_file(work / "new" / name) for name in files_below(work / "new")}
    old = shelf.own_files(shelf.listed())
    for name in new:
        if name not in old and not _is_free(output, name):
            raise RibError(
                f"{output / name} was put there meanwhile, and is not replaced",
                "move it, and repeat the command",
            )
    write_manifest(work / JOURNAL, ResultManifest(made_from, new))
    with signals_held_back():
        try:
            for name, place in old.items():
                _move(place, work / "old" / name)
            for name in new:
                _move(work / "new" / name, output / name)
            (work / JOURNAL).replace(listed)
        except OSError as error:
            undo_half_replaced_result(shelf)
            raise RibError(
                f"{output} could not take the new result ({os.strerror(error.errno or 0)}: {error.filename}) "
                "and is as it was",
                "type another output=",
            ) from error
        _remove_empty(output, old)


def undo_half_replaced_result(shelf: ManifestPlace) -> None:
    """Undo what a run that was cut off left half-done, and remove its work.

    Raises:
        RibError: A file of before cannot be moved back; it is kept where it is.
    """
    output, work = shelf.output, shelf.work
    if not work.is_dir() or work.is_symlink():
        return
    journal = read_manifest(work / JOURNAL)
    if journal is not None:  # the new list is not in place
        for name, place in shelf.own_files(journal).items():
            if not (work / "new" / name).exists():  # it has moved already
                _move(place, work / "new" / name)
        for name in files_below(work / "old"):
            if not _is_free(output, name):
                raise RibError(f"{work / 'old' / name} cannot go back to {output / name}", "move one of them")
            _move(work / "old" / name, output / name)
        _remove_empty(output, journal.files)
    shutil.rmtree(work, ignore_errors=True)


def _is_free(output: Path, name: str) -> bool:
    return not os.path.lexists(output / name) and first_link_on_path(output, name) is None


def _move(here: Path, there: Path) -> None:
    there.parent.mkdir(parents=True, exist_ok=True)
    here.replace(there)


def _remove_empty(output: Path, names: Iterable[str]) -> None:
    """Remove the folders of files that are gone, where nothing else is in them."""
    folders = {parent for name in names for parent in (output / name).parents if output in parent.parents}
    for folder in sorted(folders, key=lambda path: -len(path.parts)):
        with suppress(OSError):
            folder.rmdir()
