"""HDF5 files of strangers: every part is looked at before it is read, and every fault is one line.

A part has to lie in the file itself: HDF5 can also point into other files of the user's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from rib.io.errors import RibError, reason_of_error
from rib.io.files.regular import check_regular_file
from rib.io.hdf5.trial import check_hdf5_readable

MAX_UNPACKED = 2000
"""Bytes in memory for each one on disk; packing reaches a thousand, and a promise of more is a bomb."""
KINDS = {"number": "fiu", "integer": "iu", "bool": "b", "text": "OS", "bytes": "O"}
_FAULTS = (OSError, ValueError, TypeError, KeyError, RuntimeError, AttributeError, IndexError, MemoryError,
           OverflowError, NotImplementedError)  # fmt: skip
"""What h5py raises for a damaged file."""


@contextmanager
def hdf5_errors_in_one_line(path: str | Path, remedy: str) -> Iterator[None]:
    """Turn what h5py raises in the block into one line for the user.

    Raises:
        RibError: The file is damaged, or holds something else than was expected.
    """
    try:
        yield
    except RibError:
        raise
    except _FAULTS as error:
        raise RibError(f"{path} cannot be read as it should ({reason_of_error(error)})", remedy) from error


def open_hdf5(path: Path, remedy: str, what: str = "") -> h5py.File:
    """Open an HDF5 for reading.

    Args:
        path: The file.
        remedy: What to give instead.
        what: What it is for, before its path in the message: "the store of clips ".

    Raises:
        RibError: It is absent, no file, no HDF5, or damaged so that HDF5's own library would not come back.
    """
    check_regular_file(path, remedy, what)
    check_hdf5_readable(path, remedy)
    try:
        return h5py.File(path, "r")
    except Exception as error:  # a damaged header raises nearly anything
        raise RibError(
            f"{path} is no HDF5 file that can be read ({reason_of_error(error)})", remedy
        ) from error


def hdf5_groups(parent: h5py.Group, told: str) -> dict[str, h5py.Group]:
    """The groups in a group that lie in the file itself; other things are passed over.

    Raises:
        RibError: A name holds what no name may hold.
    """
    found: dict[str, h5py.Group] = {}
    for name in parent:
        if not isinstance(name, str) or not name.isprintable():
            raise RibError(f"{told} holds a part with the name {name!r}", "write the file again")
        if isinstance(parent.get(name, getlink=True), h5py.HardLink) and isinstance(parent[name], h5py.Group):
            found[name] = parent[name]
    return found


def hdf5_dataset(
    parent: h5py.Group, key: str, kind: str, shape: Sequence[int | None], told: str, remedy: str = ""
) -> h5py.Dataset:
    """A dataset of a kind and shape, nothing of it read yet.

    Args:
        parent: The group that holds it.
        key: Its name there.
        kind: One of `KINDS`; "bytes" are rows of uint8 of any length.
        shape: Lengths of its axes; None takes any.
        told: What holds it, for the message.
        remedy: What to do where it is not as it should be.

    Raises:
        RibError: It is absent, no dataset, of another kind or shape, elsewhere, or larger than it can be.
    """
    if not isinstance(parent.get(key, getlink=True, default=None), h5py.HardLink):
        raise RibError(f"{told} lacks {key} (it has {', '.join(list(parent)[:8]) or 'nothing'})", remedy)
    found = parent[key]
    if not isinstance(found, h5py.Dataset):
        raise RibError(f"{told}: {key} is no dataset", remedy)
    fits = found.shape is not None and len(found.shape) == len(shape)
    if not fits or any(want not in (None, has) for want, has in zip(shape, found.shape or (), strict=False)):
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise RibError(f"{told}: {key} is of shape {found.shape}, expected ({wanted})", remedy)
    if found.dtype.kind not in KINDS[kind] or (kind == "bytes" and _vlen(found) != np.uint8):
        raise RibError(f"{told}: {key} holds {found.dtype}, expected {kind}s", remedy)
    if found.is_virtual or found.external:
        raise RibError(f"{told}: {key} lies in another file", remedy)
    stored, size = found.id.get_storage_size(), found.size * found.dtype.itemsize
    if size > MAX_UNPACKED * max(stored, 1):
        raise RibError(f"{told}: {key} promises {size / 1e9:.3g} GB and holds {stored} bytes", remedy)
    return found


def hdf5_attribute(parent: h5py.Group | h5py.Dataset, key: str, default: Any = None) -> Any:
    """An attribute as a plain value: a number, a string, or an array; `default` where it is absent."""
    value = parent.attrs.get(key, default)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return (
        value.item()
        if isinstance(value, np.generic) or (hasattr(value, "shape") and value.shape == ())
        else value
    )


def hdf5_number(value: Any, low: float, high: float, told: str, remedy: str = "") -> float:
    """A number between two others, both taken.

    Raises:
        RibError: It is something else.
    """
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise RibError(f"{told} is {str(value)[:40]}, expected a number from {low:g} to {high:g}", remedy)
    return float(value)


def _vlen(found: h5py.Dataset) -> Any:
    return h5py.check_vlen_dtype(found.dtype)
