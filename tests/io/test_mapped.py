"""Arrays in files have the values that they had in memory, and take none of it once they are given back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rib.io.files.mapped import ArrayFileWriter, array_in_file, chunks_of_rows, map_array_file
from rib.io.processes.memory import trim_memory


def resident_bytes() -> int:
    """Of files that this process has mapped."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssFile"))


@pytest.mark.parametrize("shape", [(0, 3), (5,), (40_000, 1, 3), (7, 0, 2)])
def test_an_array_in_a_file_has_its_values(tmp_path: Path, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).normal(size=shape)
    np.save(tmp_path / "a.npy", array)
    writer = ArrayFileWriter(tmp_path)
    for rows in (array[: len(array) // 3], array[len(array) // 3 :]):
        writer.append(rows)
    for found in (array_in_file(array, tmp_path), map_array_file(tmp_path / "a.npy"), writer.array()):
        assert found.dtype == array.dtype
        assert found.shape == array.shape
        assert np.array_equal(found, array)
    assert b"".join(rows.tobytes() for rows in chunks_of_rows(array)) == array.tobytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npy"]


def test_a_constant_array_takes_no_file(tmp_path: Path) -> None:
    nothing = np.broadcast_to(0.0, (10**6, 3))
    assert array_in_file(nothing, tmp_path) is nothing


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux alone tells of resident pages")
def test_pages_that_were_read_are_given_back(tmp_path: Path) -> None:
    array = array_in_file(np.ones((2_000_000, 1)), tmp_path)
    assert array.sum() == 2_000_000
    read = resident_bytes()
    trim_memory()
    assert read - resident_bytes() > 12_000_000
    assert array.sum() == 2_000_000
