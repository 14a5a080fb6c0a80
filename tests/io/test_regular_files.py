"""What is no file is refused before it is opened: a FIFO would be waited for."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from rib.io.errors import RibError
from rib.io.files.regular import (
    check_name_is_text,
    check_regular_file,
    kind_of_file,
    refuse_special_files,
)


@pytest.fixture
def things(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "nowhere").symlink_to("gone")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
    return {name: tmp_path / name for name in ("file", "folder", "fifo", "socket", "nowhere", "missing")}


def test_kinds_are_told_apart(things: dict[str, Path]) -> None:
    assert [kind_of_file(path) for path in things.values()] == [
        "a file",
        "a folder",
        "a FIFO",
        "a socket",
        "",
        "",
    ]
    assert kind_of_file(Path("/dev/null")) == "a device"
    assert kind_of_file(things["file"] / "below") == ""


def test_only_a_file_is_opened(things: dict[str, Path]) -> None:
    check_regular_file(things["file"], "")
    for name in ("folder", "fifo", "socket", "nowhere", "missing"):
        with pytest.raises(RibError, match=f"the list .*{name} (is|does not exist).*; name a CSV"):
            check_regular_file(things[name], "name a CSV", "the list ")


def test_a_folder_may_hold_folders_but_nothing_that_waits(things: dict[str, Path]) -> None:
    refuse_special_files(things["file"])
    refuse_special_files(things["folder"])
    for name in ("fifo", "socket", "nowhere"):
        with pytest.raises(RibError, match=name):
            refuse_special_files(things[name])


def test_a_name_that_is_none_is_told() -> None:
    with pytest.raises(RibError, match="cannot be looked at"):
        kind_of_file(Path("a\0b"))


def test_a_name_that_is_no_text_is_told_in_letters_that_can_be_printed() -> None:
    check_name_is_text("café.mp4")
    for name in (os.fsdecode(b"a\xff.mp4"), "\ud800"):
        with pytest.raises(RibError, match=r"\\ud.*: the name is not UTF-8") as error:
            check_name_is_text(name)
        str(error.value).encode()
