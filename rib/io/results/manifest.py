"""Manifest of the files that rib made in a folder: read as data only, names nothing outside the folder."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from rib.io.files.whole import write_text_whole

FOLDER = ".rib"
"""Where the lists of a folder's results lie, inside it."""

FORMAT = 1
LARGEST_BYTES = 1 << 28
DIGESTED_BYTES = 1 << 20
"""Files up to this size are told apart by their content too; larger ones by their size."""

_LONGEST_NAME = 100


@dataclass(frozen=True)
class FileDigest:
    """A file's size and digest when it was written.

    Attributes:
        size: In bytes.
        digest: BLAKE2b of the content, or None for a file above `DIGESTED_BYTES`.
    """

    size: int
    digest: str | None


@dataclass(frozen=True)
class ResultManifest:
    """One result of a folder.

    Attributes:
        made_from: What tells two results of one name apart, such as the settings' digest.
        files: By their path inside the folder; None for one that is being written.
        identity: Sampled anew for every result.
    """

    made_from: str
    files: Mapping[str, FileDigest | None]
    identity: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def finished(self) -> bool:
        """Whether every file was written."""
        return None not in self.files.values()


@dataclass(frozen=True)
class ManifestPlace:
    """A result's name in a folder, and where its list lies.

    Attributes:
        output: The folder, links in its own path followed.
        key: The result's name in it; any text.
        lists: The folder inside it that holds the list. Where it is not `FOLDER`, it is the result's own, and
            the result may be there and in the file called `key` alone.
    """

    output: Path
    key: str
    lists: str = FOLDER

    @property
    def list_path(self) -> Path:
        """Where the list lies."""
        return self.output / self.lists / f"{short_file_name(self.key)}.json"

    @property
    def work(self) -> Path:
        """Where the result is made before it appears."""
        # a temporary, so that what lies in it needs no locks of its own
        token = hashlib.blake2b(os.fsencode(self.key), digest_size=6).hexdigest()
        return self.output / self.lists / f".{token}.part"

    @property
    def lock(self) -> Path:
        """The file that is locked while a run writes the result."""
        return self.list_path.with_suffix(".lock")

    def listed(self) -> ResultManifest | None:
        """Its list, or None where there is none."""
        return read_manifest(self.list_path)

    def own_files(self, manifest: ResultManifest | None) -> dict[str, Path]:
        """The files of a list that are still what rib wrote; links, and what lies elsewhere, are left out."""
        listed = manifest.files.items() if manifest else ()
        return {
            name: place
            for name, mark in listed
            if (place := self._inside(name)) and is_unchanged_file(place, mark)
        }

    def _inside(self, name: str) -> Path | None:
        """A listed file's place, or None for a name that leads out of the result or into rib's own papers."""
        pure = PurePosixPath(name)
        if pure.is_absolute() or not pure.parts or ".." in pure.parts or "\0" in name:
            return None
        if self.lists == FOLDER:
            mine = pure.parts[0] != FOLDER
        else:
            papers = pure.parts[0] == self.lists and len(pure.parts) > 1 and pure.parts[1][0] != "."
            mine = name == self.key or (papers and self.output / pure != self.list_path)
        return self.output / pure if mine and not first_link_on_path(self.output, name) else None


def manifest_path(output: Path, key: str) -> Path:
    """Build the path of a result's manifest."""
    return ManifestPlace(output, key).list_path


def short_file_name(key: str) -> str:
    """A file's name for any text: itself where it is short."""
    plain = key.replace("/", "_").replace(os.sep, "_")
    if plain == key and len(os.fsencode(key)) <= _LONGEST_NAME:
        return key
    return f"{plain[:20]}-{hashlib.blake2b(os.fsencode(key), digest_size=8).hexdigest()}"


def read_manifest(path: Path) -> ResultManifest | None:
    """The list at a path, or None where there is none that this version wrote."""
    try:
        before = path.lstat()
        if not stat.S_ISREG(before.st_mode) or before.st_size > LARGEST_BYTES:
            return None
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            return None
        files = {str(name): _mark(value) for name, value in content["files"].items()}
        return ResultManifest(str(content["made_from"]), files, str(content["identity"]))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def write_manifest(path: Path, manifest: ResultManifest) -> None:
    """Write a list, whole or not at all.

    Raises:
        RibError: It cannot be written.
    """
    files = {name: mark and asdict(mark) for name, mark in manifest.files.items()}
    content = {
        "format": FORMAT, "finished": manifest.finished, "made_from": manifest.made_from,
        "identity": manifest.identity, "files": files,
    }  # fmt: skip
    write_text_whole(path, json.dumps(content, indent=0) + "\n")


def is_unchanged_file(path: Path, mark: FileDigest | None) -> bool:
    """Whether a regular file is as it was marked; one that was being written may be anything."""
    try:
        now = path.lstat()
        if not stat.S_ISREG(now.st_mode) or mark is None:
            return stat.S_ISREG(now.st_mode)
        return now.st_size == mark.size and (mark.digest is None or _digest(path) == mark.digest)
    except OSError:
        return False


def digest_of_file(path: Path) -> FileDigest:
    """Measure a file's size and digest now."""
    size = path.stat().st_size
    return FileDigest(size, _digest(path) if size <= DIGESTED_BYTES else None)


def files_below(folder: Path) -> list[str]:
    """The paths of all files below a folder, relative to it, with forward slashes."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def first_link_on_path(output: Path, name: str) -> Path | None:
    """The first thing between a folder and a place in it that is no folder of its own, or None."""
    place = output
    for part in PurePosixPath(name).parts[:-1]:
        place = place / part
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            return place
    return None


def _mark(value: Any) -> FileDigest | None:
    if value is None:
        return None
    digest = value["digest"]
    return FileDigest(int(value["size"]), None if digest is None else str(digest))


def _digest(path: Path) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest()
