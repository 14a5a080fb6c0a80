"""A full disk, whichever it is: one line that names it, exit code 1, nothing half made."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from runs import files, leftovers, run
from small_commands import COMMANDS, write_inputs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits and mounts are Linux's"),
]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount here to make a small disk with")
    if done.returncode:
        pytest.skip("only root may mount a small disk, and not everywhere")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=False)


@pytest.mark.parametrize("largest_file", [600, 4_000, 20_000])
@pytest.mark.parametrize("name", ["interpolate", "prepare", "train"])
def test_no_file_may_grow_further(name: str, largest_file: int, inputs: Path, tmp_path: Path) -> None:
    command, folder = COMMANDS[name](inputs), tmp_path / "work"
    folder.mkdir()
    ended = run(folder, command.arguments, largest_file=largest_file)
    if name != "train" and ended.code == 0:
        pytest.fail("all of it fits in such files: the limit is no test")
    assert ended.code == 1, ended.err
    assert "no space left to write" in ended.err
    assert str(folder) in ended.err
    assert len(ended.err.strip().splitlines()) == 1, ended.err
    assert leftovers(tmp_path) == []
    assert command.result(folder) == {}
    assert ended.orphans == []


@pytest.mark.parametrize(
    ("name", "changes", "named"),
    [
        ("interpolate", ("output={disk}/out",), "disk/out"),
        ("interpolate", ("cache.dir={disk}/cache",), "cache.dir="),
        ("prepare", ("data.prepare.output={disk}/store.h5",), "disk/store.h5"),
        ("train", ("hydra.run.dir={disk}/run",), "disk/run"),
    ],
)
def test_the_disk_that_is_full_is_the_one_that_is_named(
    name: str, changes: tuple[str, ...], named: str, inputs: Path, tmp_path: Path, small_disk: Path
) -> None:
    if named == "cache.dir=":
        (small_disk / "full").write_bytes(b"x" * 60_000)
    folder = tmp_path / "work"
    folder.mkdir()
    keys = {change.partition("=")[0] for change in changes}
    kept = [word for word in COMMANDS[name](inputs).arguments if word.partition("=")[0] not in keys]
    ended = run(folder, [*kept, *(change.format(disk=small_disk) for change in changes)])
    assert ended.code == 1, ended.err
    assert "no space left" in ended.err.lower()  # met, or foreseen before the work
    assert named in ended.err
    assert len(ended.err.strip().splitlines()) == 1, ended.err
    assert leftovers(tmp_path) == []
    if name == "interpolate":
        assert not (folder / "out").exists()
        assert set(files(small_disk)) <= {"full"}
