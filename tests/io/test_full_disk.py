"""Wherever a disk fills, HDF5 and torch end with one error, and nothing half made stays."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from rib.engine.checkpoints import AtomicCheckpointIO
from rib.io.errors import RibError
from rib.io.files.whole import NoSpaceError, write_errors_in_one_line, write_file_whole
from rib.io.hdf5.writing import write_hdf5
from rib.mocap.stores.store import MotionStore, write_motion_store
from rib.mocap.synthetic import synthetic_mocap_recordings

FILLED = """
import os, resource, sys
from pathlib import Path
from rib.mocap.stores.store import write_motion_store
from rib.mocap.synthetic import synthetic_mocap_recordings
from rib.io.errors import RibError
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
recordings = synthetic_mocap_recordings(6, 300, 60, seed=0)
for limit in range(0, {most}, {step}):
    if os.fork() == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        try:
            write_motion_store(Path(sys.argv[1]) / "m.h5", recordings, 60)
        except RibError as error:
            assert "no space left to write" in str(error) and "m.h5" in str(error), error
            sys.exit(7)
        sys.exit(0)
    print(limit, os.waitstatus_to_exitcode(os.wait()[1]))
"""


@pytest.mark.slow
def test_an_hdf5_may_run_out_of_space_at_any_byte(tmp_path: Path) -> None:
    write_motion_store(tmp_path / "whole.h5", synthetic_mocap_recordings(6, 300, 60, seed=0), 60)
    size = (tmp_path / "whole.h5").stat().st_size
    script = FILLED.format(most=size, step=max(1, size // 12))
    folder = tmp_path / "full"
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=True
    )
    codes = [int(line.split()[1]) for line in done.stdout.splitlines()]
    assert len(codes) >= 12
    assert set(codes) == {7}, done.stdout
    assert list(folder.iterdir()) == []


def test_an_hdf5_is_what_h5py_would_have_written(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((300, 5))
    with write_hdf5(tmp_path / "a.h5") as writer:
        for part in range(3):
            with writer.step() as file:
                file[f"part{part}"] = values[part * 100 : part * 100 + 100]
    with h5py.File(tmp_path / "a.h5") as file:
        np.testing.assert_array_equal(np.concatenate([file[f"part{part}"][:] for part in range(3)]), values)


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_failed_write_is_raised_at_the_end_of_its_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    full_after(monkeypatch, after)
    with pytest.raises(NoSpaceError, match=r"no space left to write .*a\.h5"):
        write_nine(tmp_path / "a.h5")
    assert list(tmp_path.iterdir()) == []


def write_nine(path: Path) -> None:
    with write_hdf5(path) as writer:
        for part in range(9):
            with writer.step() as file:
                file[f"part{part}"] = np.ones(100_000)


def test_a_checkpoint_on_a_full_disk_is_one_line_and_the_last_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    io, path = AtomicCheckpointIO(), tmp_path / "last.ckpt"
    io.save_checkpoint({"state_dict": {"w": torch.ones(3)}}, path)
    with monkeypatch.context() as patch:
        full_after(patch, 2)
        with pytest.raises(NoSpaceError, match=r"no space left to write .*last\.ckpt"):
            io.save_checkpoint({"state_dict": {"w": torch.zeros(300_000)}}, path)
    assert list(tmp_path.iterdir()) == [path]
    assert torch.equal(io.load_checkpoint(path)["state_dict"]["w"], torch.ones(3))


def test_the_disk_that_is_full_is_named_and_not_another(tmp_path: Path) -> None:
    def fill(path: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    with (
        pytest.raises(RibError, match="no space left to write /cache/x"),
        write_errors_in_one_line("/result"),
    ):
        fill(Path("/cache/x"))
    with (
        pytest.raises(RibError, match=f"no space left to write {tmp_path / 'a'} "),
        write_file_whole(tmp_path / "a") as t,
    ):
        fill(t)


def full_after(monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
    """Every file that is opened to be written and read fails after so many writes."""
    opened, left = Path.open, [writes]

    class Full:
        def __init__(self, file: Any) -> None:
            self.file = file

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

        def write(self, content: Any) -> int:
            if not left[0]:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            left[0] -= 1
            return self.file.write(content)

    def open_full(path: Path, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        file = opened(path, mode, *arguments, **options)
        return Full(file) if mode == "w+b" else file

    monkeypatch.setattr(Path, "open", open_full)


def test_a_motion_store_comes_back(tmp_path: Path) -> None:
    recordings = synthetic_mocap_recordings(2, 200, 60, seed=0)
    write_motion_store(tmp_path / "m.h5", recordings, 60)
    assert [len(r) for r in MotionStore(tmp_path / "m.h5")] == [200, 200]
