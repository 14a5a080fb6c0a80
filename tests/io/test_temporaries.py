from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from rib.io.files.locks import FileLock
from rib.io.files.temporaries import remove_leftover_temporaries
from rib.io.files.whole import temporary_folder, write_file_whole, write_text_whole

KILLED = """
import os, signal, sys
from rib.io.files.whole import temporary_folder, write_file_whole
with temporary_folder(sys.argv[1] + "/out") as folder, write_file_whole(sys.argv[1] + "/store.h5") as file:
    (folder / "half.png").touch()
    file.touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_in(folder: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False)


def test_what_a_killed_process_left_is_removed_by_the_next_that_writes_there(tmp_path: Path) -> None:
    killed_in(tmp_path)
    assert len(list(tmp_path.iterdir())) == 4
    write_text_whole(tmp_path / "notes.txt", "")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_what_a_living_process_is_at_and_what_others_call_alike_is_kept(tmp_path: Path) -> None:
    strangers = [tmp_path / ".0123456789ab.part.png", tmp_path / ".notes.lock"]
    for path in strangers:
        path.touch()
    with write_file_whole(tmp_path / "a.txt") as file, temporary_folder(tmp_path / "b") as folder:
        file.touch()
        remove_leftover_temporaries(tmp_path)
        assert file.exists()
        assert folder.exists()
    assert all(path.exists() for path in strangers)
    assert sorted(tmp_path.iterdir()) == sorted([*strangers, tmp_path / "a.txt"])


def test_inside_a_temporary_folder_nothing_more_is_locked(tmp_path: Path) -> None:
    with temporary_folder(tmp_path / "out") as folder, write_file_whole(folder / "a" / "b.txt") as file:
        file.touch()
        assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_lock_is_shared_or_held_alone_and_ends_with_its_file(tmp_path: Path) -> None:
    one, two = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert one.acquire(shared=True)
    assert two.acquire(shared=True)
    assert not FileLock(tmp_path / "lock").acquire(wait=False)
    two.release()
    one.release()
    assert one.acquire(wait=False)
    assert not two.acquire(shared=True, wait=False)
    one.release(remove=True)
    assert not (tmp_path / "lock").exists()
    assert two.acquire(wait=False)
    two.release()


def test_a_lock_outlives_no_process_that_was_forked_meanwhile(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    lock.acquire()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(read, 1)
        os._exit(0)
    lock.release()
    assert FileLock(tmp_path / "lock").acquire(wait=False)
    os.write(write, b"x")
    os.waitpid(child, 0)
