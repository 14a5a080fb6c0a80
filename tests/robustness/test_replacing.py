"""A result takes an older one's place whole or not at all: killed between renames, or with a file stuck."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from runs import KILLS, Ended, files, leftovers, run
from small_commands import upsample, write_inputs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are looked up in /proc"),
]
OLD, NEW = "rate=2", "rate=3"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def made(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Ended]:
    """Run the command in a folder."""

    def make(folder: Path, *changed: str) -> Ended:
        keys = {word.partition("=")[0] for word in changed}
        kept = [word for word in upsample(inputs).arguments if word.partition("=")[0] not in keys]
        return run(folder, [*kept, *changed])

    return make


@pytest.fixture(scope="module")
def results(
    made: Callable[..., Ended], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, dict[str, bytes]]]:
    """A folder with the older result, and what both results are."""
    contents = {}
    for rate in (NEW, OLD):
        folder = tmp_path_factory.mktemp(rate) / "work"
        folder.mkdir()
        assert made(folder, rate).code == 0
        contents[rate] = poses(folder)
    assert contents[OLD].keys() < contents[NEW].keys()
    return folder, contents


def poses(folder: Path) -> dict[str, bytes]:
    return {name: content for name, content in files(folder).items() if "_keypoints" in name}


def killed_at_rename(number: int, log: Path, patch: pytest.MonkeyPatch) -> None:
    """Every process that is forked from here on dies before its rename of that number, from 0 on."""
    rename = Path.replace

    def replace(self: Path, target: Path) -> Path:
        with log.open("a") as file:
            file.write("x")
        if log.stat().st_size > number >= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return rename(self, target)

    patch.setattr(Path, "replace", replace)


def test_an_older_result_survives_a_kill_between_two_renames(
    made: Callable[..., Ended],
    results: tuple[Path, dict[str, dict[str, bytes]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old, contents = results
    with monkeypatch.context() as patch:
        shutil.copytree(old, tmp_path / "count" / "work")
        killed_at_rename(-1, tmp_path / "renames", patch)
        assert made(tmp_path / "count" / "work", NEW, "overwrite=true").code == 0
    num = (tmp_path / "renames").stat().st_size
    assert num > len(contents[OLD]) + len(contents[NEW])
    draw = random.Random("kills between renames")
    moments = {0, num - 1, *(draw.randrange(num) for _ in range(KILLS))}
    seen = set()
    for moment in sorted(moments):
        folder = tmp_path / f"{moment}" / "work"
        shutil.copytree(old, folder)
        with monkeypatch.context() as patch:
            killed_at_rename(moment, tmp_path / f"log{moment}", patch)
            assert made(folder, NEW, "overwrite=true").code == -signal.SIGKILL
        again = made(folder, OLD)
        assert (again.code, "already holds a finished result" in again.err) == (1, True), (moment, again)
        there = poses(folder)
        assert there in (contents[OLD], contents[NEW]), moment
        assert leftovers(folder.parent) == [], moment
        seen.add(len(there))
    assert len(contents[OLD]) in seen
    assert made(folder, NEW, "overwrite=true").code == 0
    assert poses(folder) == contents[NEW]


@pytest.fixture
def stuck() -> Iterator[Callable[[Path], None]]:
    """Makes a file, or what is in a folder, impossible to move away."""
    undo: list[list[str]] = []

    def stick(path: Path) -> None:
        if os.getuid():  # a folder that may not be written to holds what is in it
            folder = path if path.is_dir() else path.parent
            folder.chmod(0o555)
            undo.append(["chmod", "755", str(folder)])
            return
        try:
            done = subprocess.run(["mount", "--bind", str(path), str(path)], capture_output=True, check=False)
        except FileNotFoundError:
            pytest.skip("there is no mount here")
        if done.returncode:
            pytest.skip("root may not mount here")
        undo.append(["umount", "-l", str(path)])

    yield stick
    for words in undo:
        subprocess.run(words, check=False)


@pytest.mark.parametrize("where", ["out/poses", "out/poses/000007_keypoints.json"])
def test_a_file_that_cannot_be_moved_leaves_all_of_the_older_result(
    where: str,
    made: Callable[..., Ended],
    results: tuple[Path, dict[str, dict[str, bytes]]],
    stuck: Callable[[Path], None],
    tmp_path: Path,
) -> None:
    """A mount point inside it, or for others than root a folder that may not be written to."""
    old, contents = results
    folder = tmp_path / "work"
    shutil.copytree(old, folder)
    before = files(folder)
    stuck(folder / where)
    ended = made(folder, NEW, "overwrite=true")
    assert ended.code == 1, ended.err
    assert "is as it was" in ended.err
    assert len(ended.err.strip().splitlines()) == 1
    assert files(folder) == before
    assert poses(folder) == contents[OLD]
    assert leftovers(tmp_path) == []
