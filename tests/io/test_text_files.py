from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from rib.io.errors import RibError
from rib.io.files.text import read_text_file


def test_a_byte_order_mark_is_no_part_of_a_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("grüezi", encoding="utf-8-sig")
    assert read_text_file(tmp_path / "a.txt", "", "") == "grüezi"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe", r"the list .*a\.txt cannot be read \(it is not UTF-8 text\); give a text file"),
        (b"x" * 11, r"the list .*a\.txt is too large \(10 bytes at the most\); give a text file"),
        (None, r"the list .*a\.txt does not exist; give a text file"),
    ],
)
def test_what_keeps_a_text_from_being_read_is_said(tmp_path: Path, content: bytes | None, says: str) -> None:
    if content is not None:
        (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(RibError, match=f"^{says}$"):
        read_text_file(tmp_path / "a.txt", "the list ", "give a text file", largest_bytes=10)


def test_bytes_of_an_old_format_are_read_whatever_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.bvh").write_bytes(b"a\xff\n")
    assert read_text_file(tmp_path / "a.bvh", "", "", any_bytes=True) == "a\ufffd\n"


def test_a_pipe_is_read_only_where_it_may_be_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RibError, match="is a FIFO, expected a file"):
        read_text_file(tmp_path / "pipe", "", "")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=("a.mp4\n",))
    writer.start()
    assert read_text_file(tmp_path / "pipe", "", "", from_pipe=True) == "a.mp4\n"
    writer.join()
