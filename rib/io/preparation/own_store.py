"""A store that a preparation writes, known as rib's own by a list beside it, however many share the work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from rib.io.results.manifest import ResultManifest, digest_of_file, manifest_path, write_manifest
from rib.io.results.result import (
    ResultDestination,
    ResultPart,
    refuse_finished_result,
    refuse_foreign_files,
    refuse_output_touching_input,
)


@contextmanager
def prepared_store(store: Path, reads: Mapping[str, str], overwrite: bool, adds: bool) -> Iterator[None]:
    """Let the block write a store and its note `<store>.skipped.json`, unless they are not rib's to write.

    Args:
        store: The file.
        reads: What the preparation reads, by setting.
        overwrite: Whether a finished store is made again.
        adds: Whether the preparation adds to a finished store.

    Raises:
        RibError: The store is, holds or lies in what is read; it is there and rib did not make it; or it is
            finished, and is neither added to nor to be made again.
    """
    store = store.expanduser().absolute()
    parts = [ResultPart(store.name), ResultPart(f"{store.name}.skipped.json")]
    to = ResultDestination(store.parent, store.name, parts, reads, overwrite)
    refuse_output_touching_input(to)
    refuse_foreign_files(to)
    if not adds:
        refuse_finished_result(to)
    listed = manifest_path(store.parent.resolve(), store.name)
    write_manifest(listed, ResultManifest("", {part.name: None for part in parts}))
    try:
        yield
    finally:
        written = [part.name for part in parts if (store.parent / part.name).is_file()]
        if store.name in written:
            write_manifest(
                listed, ResultManifest("", {name: digest_of_file(store.parent / name) for name in written})
            )
        elif not written:
            listed.unlink(missing_ok=True)
            with suppress(OSError):
                listed.parent.rmdir()  # unless other lists are there
