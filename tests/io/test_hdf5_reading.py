"""What a stranger's HDF5 may hold, and what is refused before it is read."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from rib.io.errors import RibError
from rib.io.hdf5.reading import (
    hdf5_attribute,
    hdf5_dataset,
    hdf5_errors_in_one_line,
    hdf5_groups,
    hdf5_number,
    open_hdf5,
)


@pytest.fixture
def file(tmp_path: Path) -> h5py.File:
    (tmp_path / "secret").write_bytes(bytes(range(48)))
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = np.arange(6.0)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.arange(6.0).reshape(2, 3)
        file["words"] = ["a", "b"]
        file["elsewhere"] = h5py.ExternalLink("other.h5", "x")
        file["again"] = h5py.SoftLink("/x")
        file.create_dataset("raw", (6,), "f8", external=[(str(tmp_path / "secret"), 0, 48)])
        file.create_dataset("bomb", (10**9, 10**3), "f8", chunks=(1, 1000))
        file.create_group("g").attrs["fps"] = np.float64(30)
        file.attrs["name"] = b"bytes"
    with h5py.File(tmp_path / "a.h5", "r") as file:
        yield file


def test_what_fits_is_given(file: h5py.File) -> None:
    assert hdf5_dataset(file, "x", "number", (None, 3), "a.h5")[:].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert list(hdf5_dataset(file, "words", "text", (2,), "a.h5").asstr()[:]) == ["a", "b"]
    assert set(hdf5_groups(file, "a.h5")) == {"g"}
    assert hdf5_attribute(file["g"], "fps") == 30.0
    assert hdf5_attribute(file, "name") == "bytes"
    assert hdf5_attribute(file, "absent", 7) == 7


@pytest.mark.parametrize(
    ("key", "kind", "shape", "message"),
    [
        ("absent", "number", (None,), "lacks absent"),
        ("g", "number", (None,), "no dataset"),
        ("x", "number", (None,), r"of shape \(2, 3\), expected \(any\)"),
        ("x", "number", (2, 4), r"expected \(2, 4\)"),
        ("x", "integer", (2, 3), "holds float64, expected integers"),
        ("words", "number", (2,), "expected numbers"),
        ("words", "bytes", (2,), "expected bytes"),
        ("elsewhere", "number", (6,), "lacks elsewhere"),
        ("again", "number", (2, 3), "lacks again"),
        ("raw", "number", (6,), "lies in another file"),
        ("bomb", "number", (None, 1000), r"promises 8e\+03 GB and holds 0 bytes"),
    ],
)
def test_what_does_not_fit_is_refused(
    file: h5py.File, key: str, kind: str, shape: tuple, message: str
) -> None:
    with pytest.raises(RibError, match=rf"a\.h5.*{message}.*; make it anew"):
        hdf5_dataset(file, key, kind, shape, "a.h5", "make it anew")


@pytest.mark.parametrize("value", [float("nan"), "x", None, True, [1], -1, 1e9])
def test_a_number_is_held_against_its_range(value: object) -> None:
    assert hdf5_number(5, 0, 10, "fps") == 5.0
    with pytest.raises(RibError, match="expected a number from 0 to 10"):
        hdf5_number(value, 0, 10, "fps")


def test_what_h5py_raises_is_one_line(tmp_path: Path) -> None:
    with (
        pytest.raises(RibError, match=r"a\.h5 cannot be read as it should"),
        hdf5_errors_in_one_line("a.h5", "make it anew"),
    ):
        raise KeyError("object\n'x' doesn't exist")
    (tmp_path / "a.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(40))
    with pytest.raises(RibError, match="no HDF5 file"):
        open_hdf5(tmp_path / "a.h5", "")
    os.mkfifo(tmp_path / "fifo.h5")
    with pytest.raises(RibError, match="is a FIFO"):
        open_hdf5(tmp_path / "fifo.h5", "")
