from __future__ import annotations

import errno
import os
import re

import pytest

from rib.io.errors import RibError
from rib.io.files.whole import (
    temporary_folder,
    write_bytes_whole,
    write_errors_in_one_line,
    write_file_whole,
    write_text_whole,
)


def test_a_file_appears_whole_in_folders_made_for_it(tmp_path):
    path = tmp_path / "a" / "b" / "notes.txt"
    write_text_whole(path, "übung")
    assert path.read_text(encoding="utf-8") == "übung"
    assert os.listdir(path.parent) == ["notes.txt"]  # noqa: PTH208


def test_the_temporary_path_keeps_the_suffix_and_the_folder(tmp_path):
    with write_file_whole(tmp_path / ("n" * 250 + ".mp4")) as temporary:
        temporary.touch()
        assert temporary.suffix == ".mp4"
        assert temporary.parent == tmp_path


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failed_block_leaves_nothing_and_keeps_the_older_file(tmp_path, error):
    path = tmp_path / "model.bin"
    write_bytes_whole(path, b"old")
    with pytest.raises(error), write_file_whole(path) as temporary:  # noqa: PT012 (the block is what is tested)
        temporary.write_bytes(b"half")
        raise error
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT])
def test_a_full_disk_is_told_in_one_line(tmp_path, number):
    with pytest.raises(RibError, match="no space left to write"), write_file_whole(tmp_path / "a.bin"):
        raise OSError(number, os.strerror(number))


def test_a_file_where_a_folder_is_needed_is_told(tmp_path):
    (tmp_path / "taken").touch()
    for path in (tmp_path / "taken" / "a.txt", tmp_path / "taken" / "b" / "a.txt"):
        with pytest.raises(RibError, match="cannot be written"):
            write_text_whole(path, "")


def test_a_folder_in_the_files_place_is_told_and_kept(tmp_path):
    with pytest.raises(RibError, match="is a directory"):
        write_text_whole(tmp_path, "")
    assert tmp_path.is_dir()


def test_errors_about_other_files_pass_through(tmp_path):
    with pytest.raises(FileNotFoundError), write_file_whole(tmp_path / "a.txt"):
        (tmp_path / "input.txt").read_text()
    with pytest.raises(PermissionError), write_errors_in_one_line(tmp_path / "a.txt"):
        raise PermissionError(errno.EACCES, "denied", str(tmp_path / "input.txt"))
    with pytest.raises(FileNotFoundError), write_file_whole(tmp_path / "made" / "a.txt"):
        (tmp_path / "cache" / ".0123456789ab.part" / "x.npy").read_bytes()
    with pytest.raises(FileNotFoundError), write_file_whole(tmp_path / "a.txt"):
        raise FileNotFoundError(errno.ENOENT, "gone, and nobody says what")


def test_a_temporary_folder_lies_beside_and_is_gone_afterwards(tmp_path):
    with temporary_folder(tmp_path / "frames") as folder:
        (folder / "a.png").touch()
        assert folder.parent == tmp_path
        assert re.match(r"\..*\.part", folder.name)
    assert list(tmp_path.iterdir()) == []
