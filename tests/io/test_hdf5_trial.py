from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from rib.io.errors import RibError
from rib.io.hdf5.probe import READ_WHOLE, SAMPLES, read_hdf5_in_steps
from rib.io.hdf5.reading import open_hdf5
from rib.io.hdf5.trial import PROBE, check_hdf5_readable


def stored(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        for number in range(2):
            file[f"d{number}"] = [1]
        for number in range(8):
            file.attrs[f"attribute{number}"] = "x" * 40
    return path


def endless(path: Path) -> Path:
    """A file with a piece of its header zeroed, on which HDF5's library loops for ever."""
    content = stored(path).read_bytes()
    path.write_bytes(content[:2112] + bytes(600) + content[2712:])
    return path


@pytest.mark.slow
def test_a_file_whose_reading_never_ends_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(RibError, match=r"a.h5 is damaged so that reading it never ends; name another"):
        check_hdf5_readable(endless(tmp_path / "a.h5"), "name another", step_s=0.2)
    check_hdf5_readable(stored(tmp_path / "b.h5"), "name another")  # the next file is read all the same


def test_a_file_that_was_damaged_since_it_was_read_is_tried_again(tmp_path: Path) -> None:
    check_hdf5_readable(stored(tmp_path / "a.h5"), "")
    with pytest.raises(RibError, match="never ends"):
        check_hdf5_readable(endless(tmp_path / "a.h5"), "", step_s=0.2)


def test_what_merely_cannot_be_read_is_left_to_its_reader(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["elsewhere"] = h5py.ExternalLink("/etc/passwd", "x")
        file["nowhere"] = h5py.SoftLink("/nothing")
        file["itself"] = h5py.SoftLink("/")
        file["again"] = file["/"]
        file["texts"] = np.array([b"a", b"b"], h5py.string_dtype())
        file["empty"] = h5py.Empty("f4")
        file.create_dataset("promised", (10**6, 10**6), "f4", chunks=True)
        file["packed"] = np.zeros(10**6)
    with open_hdf5(tmp_path / "a.h5", "") as file:
        assert len(file) == 8
    (tmp_path / "b.h5").write_bytes(b"no HDF5")
    check_hdf5_readable(tmp_path / "b.h5", "")


def test_the_program_that_tries_files_ends_with_the_one_that_asks() -> None:
    held, asks = os.pipe()
    probe = subprocess.Popen([sys.executable, "-P", str(PROBE)], stdin=held)
    os.close(held)
    os.close(asks)
    assert probe.wait(timeout=30) == 0


def test_a_crash_of_the_library_is_told_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crashing = tmp_path / "probe.py"
    crashing.write_text(f"import os; input(); os.kill(os.getpid(), {int(signal.SIGSEGV)})")
    monkeypatch.setattr("rib.io.hdf5.trial.PROBE", crashing)
    endless(tmp_path / "end.h5")
    with pytest.raises(RibError):  # a program that was started before makes room for this one
        check_hdf5_readable(tmp_path / "end.h5", "", step_s=0.1)
    with pytest.raises(RibError, match="ends the program that does \\(SIGSEGV\\)"):
        check_hdf5_readable(stored(tmp_path / "a.h5"), "")


@pytest.mark.parametrize("largest", [READ_WHOLE, 1000])
def test_of_a_large_file_every_list_is_read_and_samples_from_its_first_row_to_its_last(
    largest: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[slice] = []
    taken = h5py.Dataset.__getitem__
    monkeypatch.setattr(
        h5py.Dataset, "__getitem__", lambda self, rows: (read.append(rows), taken(self, rows))[1]
    )
    with h5py.File(tmp_path / "a.h5", "w") as file:
        texts = file.create_dataset("texts", (50,), h5py.string_dtype(), chunks=(2,))
        texts[:] = [b"a"] * 50
    for _ in read_hdf5_in_steps(str(tmp_path / "a.h5"), largest):
        pass
    assert (read[0].start, read[-1].start) == (0, 49)
    assert len(read) == (50 if largest == READ_WHOLE else SAMPLES)


def test_what_was_read_is_closed_so_that_a_file_of_many_parts_takes_no_more_memory(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for number in range(30):
            file[f"group{number}/numbers"] = [number]
    opened = h5py.h5f.get_obj_count(h5py.h5f.OBJ_ALL)
    most = max(h5py.h5f.get_obj_count(h5py.h5f.OBJ_ALL) for _ in read_hdf5_in_steps(str(tmp_path / "a.h5")))
    assert most - opened <= 6
