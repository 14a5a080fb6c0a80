from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rib.io.cache import Cache
from rib.io.errors import RibError
from rib.io.files.whole import write_errors_in_one_line


def store(tmp_path: Path, limit_gb: float = 1.0) -> Cache:
    return Cache(str(tmp_path / "cache"), limit_gb)


def writes(content: str, calls: list[str]):
    def make(folder: Path) -> None:
        calls.append(content)
        (folder / "x").write_text(content)

    return make


def test_an_artefact_is_made_once_and_found_again(tmp_path: Path) -> None:
    calls: list[str] = []
    first = store(tmp_path).get("poses", {"a": 1}, ["clip"], writes("1", calls))
    again = store(tmp_path)
    assert again.get("poses", {"a": 1}, ["clip"], writes("2", calls)) == first
    assert calls == ["1"]
    assert again.reused == ["poses"]


@pytest.mark.parametrize(
    ("stage", "recipe", "parents"),
    [("masks", {"a": 1}, ["clip"]), ("poses", {"a": 2}, ["clip"]), ("poses", {"a": 1}, ["other"])],
)
def test_a_changed_stage_setting_or_parent_is_made_anew(
    tmp_path: Path, stage: str, recipe: dict[str, int], parents: list[str]
) -> None:
    calls: list[str] = []
    store(tmp_path).get("poses", {"a": 1}, ["clip"], writes("1", calls))
    store(tmp_path).get(stage, recipe, parents, writes("2", calls))
    assert calls == ["1", "2"]


def test_an_artefact_that_failed_is_absent(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise KeyboardInterrupt

    artefacts = store(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        artefacts.get("poses", {}, [], fail)
    assert list(artefacts.folder.iterdir()) == []


def test_the_ones_unused_for_longest_are_dropped_but_none_of_this_run(tmp_path: Path) -> None:
    calls: list[str] = []
    old, _ = store(tmp_path).get("a", {}, [], writes("x" * 1000, calls))
    used, _ = store(tmp_path).get("b", {}, [], writes("x" * 1000, calls))
    os.utime(old, (1, 1))
    os.utime(used, (2, 2))
    small = store(tmp_path, limit_gb=2500 / 1e9)
    small.get("b", {}, [], writes("", calls))
    new, _ = small.get("c", {}, [], writes("x" * 1000, calls))
    assert not old.exists()
    assert used.exists()
    assert new.exists()


def test_what_another_process_removes_while_the_cache_is_measured_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artefacts = store(tmp_path)
    another = artefacts.folder / ".0123456789ab.part"
    another.mkdir()
    look = os.scandir

    def vanishing(path: str | os.PathLike[str] = ".") -> Any:
        if Path(path) == another:
            another.rmdir()
        return look(path)

    monkeypatch.setattr(os, "scandir", vanishing)
    assert artefacts.get("a", {}, [], writes("1", []))[0].is_dir()
    assert not another.exists()


def test_a_folder_that_cannot_be_written_is_replaced_by_a_temporary_one(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    artefacts = Cache(str(blocked / "cache"), 1.0)
    assert artefacts.get("a", {}, [], writes("1", []))[0].is_dir()


DAMAGES = {
    "empty": lambda file: file.write_bytes(b""),
    "half": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "another type": lambda file: file.write_text("not what was written"),
    "one byte": lambda file: file.write_bytes(file.read_bytes()[:-1] + b"?"),
    "NaN": lambda file: np.save(file, np.full(9, np.nan)),
    "missing": lambda file: file.unlink(),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
    "no list": lambda file: (file.parent / "whole.json").unlink(),
    "half a list": lambda file: (file.parent / "whole.json").write_text('{"x.npy": ['),
    "one more": lambda file: (file.parent / "more").touch(),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_entry_counts_as_absent_and_is_made_anew(tmp_path: Path, name: str) -> None:
    calls: list[int] = []

    def make(folder: Path) -> None:
        calls.append(1)
        np.save(folder / "x.npy", np.arange(9.0))

    path, _ = store(tmp_path).get("a", {}, [], make)
    whole = (path / "x.npy").read_bytes()
    DAMAGES[name](path / "x.npy")
    again = store(tmp_path)
    assert again.get("a", {}, [], make)[0] == path
    assert (len(calls), again.reused) == (2, [])
    assert (path / "x.npy").read_bytes() == whole
    store(tmp_path).get("a", {}, [], make)
    assert len(calls) == 2


def test_a_file_in_an_entrys_place_is_replaced(tmp_path: Path) -> None:
    path, _ = store(tmp_path).get("a", {}, [], writes("1", []))
    shutil.rmtree(path)
    path.write_text("")
    assert (store(tmp_path).get("a", {}, [], writes("1", []))[0] / "x").read_text() == "1"


def test_what_another_user_holds_is_not_dropped_until_it_lets_go(tmp_path: Path) -> None:
    other = store(tmp_path)
    held, _ = other.get("held", {}, [], writes("x" * 1000, []))
    growing, _ = other.growing("film", {}, [])
    (growing / "segment").write_text("x" * 1000)
    for path in (held, growing):
        os.utime(path, (1, 1))
    small = store(tmp_path, limit_gb=1e-6)
    small.get("b", {}, [], writes("x" * 1000, []))
    assert held.exists()
    assert growing.exists()
    del other
    small.get("c", {}, [], writes("x" * 1000, []))
    assert not held.exists()
    assert not growing.exists()


def test_an_entry_that_grows_is_found_as_it_was_left(tmp_path: Path) -> None:
    path, key = store(tmp_path).growing("film", {"a": 1}, ["clip"])
    (path / "segment").write_text("1")
    again, same = store(tmp_path).growing("film", {"a": 1}, ["clip"])
    assert (again, same) == (path, key)
    assert (again / "segment").read_text() == "1"


def test_what_a_killed_run_left_is_gone_with_the_next(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from rib.io.cache import Cache\n"
        "def make(folder):\n"
        "    (folder / 'half').touch()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "Cache(sys.argv[1], 1.0).get('a', {}, [], make)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "cache")], check=False)
    assert any(".part" in path.name for path in (tmp_path / "cache").iterdir())
    path, key = store(tmp_path).get("a", {}, [], writes("1", []))
    assert {p.name for p in path.parent.iterdir()} <= {key, f".{key}.used"}


def test_a_full_disk_of_the_cache_is_not_taken_for_the_outputs(tmp_path: Path) -> None:
    def fill(folder: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with (
        pytest.raises(RibError, match=f"no space left to write {tmp_path / 'cache'}.*cache.dir="),
        write_errors_in_one_line(tmp_path / "out"),
    ):
        store(tmp_path).get("a", {}, [], fill)
    assert list((tmp_path / "cache").iterdir()) == []


MAKERS = """
import os, sys, time
from pathlib import Path
from rib.io.cache import Cache
from rib.io.errors import RibError
from rib.io.files.whole import write_errors_in_one_line
def make(folder):
    (Path(sys.argv[2]) / str(os.getpid())).touch()
    for number in range(20):
        (folder / f"{number}.txt").write_text(str(number) * 1000)
        time.sleep(0.01)
path, _ = Cache(sys.argv[1], 1.0).get("a", {}, [], make)
assert [(path / f"{n}.txt").read_text() for n in range(20)] == [str(n) * 1000 for n in range(20)]
"""


@pytest.mark.slow
def test_processes_that_want_one_entry_make_it_once(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    command = [sys.executable, "-c", MAKERS, str(tmp_path / "cache"), str(tmp_path / "made")]
    started = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait(60) for process in started] == [0] * 4
    assert len(list((tmp_path / "made").iterdir())) == 1
