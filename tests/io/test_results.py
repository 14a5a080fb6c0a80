"""What rib did not make is never touched, and a result is there whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from rib.io.errors import RibError
from rib.io.preparation.own_store import prepared_store
from rib.io.results.result import ResultDestination, ResultPart, is_result_finished, write_result_whole

PARTS = (ResultPart("video.mp4"), ResultPart("frames", (".png",)))


def to(output: Path, overwrite: bool = False, **reads: Path) -> ResultDestination:
    return ResultDestination(output, "clip", PARTS, reads, overwrite)


def write(destination: ResultDestination, text: str, count: int = 3) -> None:
    with write_result_whole(destination) as work:
        (work / "video.mp4").write_text(text)
        (work / "frames").mkdir()
        for number in range(count):
            (work / "frames" / f"{number}.png").write_text(text)


def content(folder: Path) -> dict[str, str]:
    """All files but rib's own lists, by name."""
    files = (path for path in folder.rglob("*") if path.is_file() and ".rib" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def whole(text: str, count: int = 3) -> dict[str, str]:
    return {"video.mp4": text, **{f"frames/{number}.png": text for number in range(count)}}


def test_a_result_appears_and_only_overwrite_replaces_it_and_all_of_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(to(out), "one", 5)
    assert content(out) == whole("one", 5)
    with pytest.raises(RibError, match=r"already holds a finished result.*overwrite=true"):
        write(to(out), "two")
    assert content(out) == whole("one", 5)
    write(to(out, overwrite=True), "two", 2)
    assert content(out) == whole("two", 2)
    assert [path.name for path in (out / ".rib").iterdir()] == ["clip.json"]


def test_what_others_put_beside_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "frames").mkdir(parents=True)
    mine = {"notes.txt": "mine", "frames/notes.txt": "mine", "config.yaml": "mine"}
    for name, text in mine.items():
        (out / name).write_text(text)
    write(to(out), "one")
    assert content(out) == whole("one") | mine
    write(to(out, overwrite=True), "two", 1)
    assert content(out) == whole("two", 1) | mine


@pytest.mark.parametrize("name", ["video.mp4", "frames/7.png", "frames/mine.PNG"])
@pytest.mark.parametrize("before", [False, True])
def test_what_rib_did_not_make_is_refused_before_any_work(name: str, before: bool, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if before:
        write(to(out), "one")
    (out / name).parent.mkdir(parents=True, exist_ok=True)
    (out / name).write_text("mine")
    there = content(out)
    with pytest.raises(RibError, match=r"was not made by rib for this result, or was changed"):
        write(to(out, overwrite=True), "two")
    assert content(out) == there


@pytest.mark.parametrize("below", ["out", "out/deeper"])
def test_a_place_below_a_file_is_told_in_one_line_and_the_file_stays(below: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RibError, match=r"file.* cannot be written \(not a directory\)"):
        write(to(tmp_path / "file" / below), "a")
    with pytest.raises(RibError, match=r"file.* cannot be written \(not a directory\)"):
        write(to(tmp_path / "file"), "a")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("name", ["frames", "video.mp4", ".rib"])
def test_a_link_in_the_way_is_never_followed(name: str, tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    (out / name).symlink_to(elsewhere)
    with pytest.raises(RibError, match=r"link|not made by rib"):
        write(to(out, overwrite=True), "two")
    assert list(elsewhere.iterdir()) == []
    assert (out / name).is_symlink()


@pytest.mark.parametrize(
    ("output", "source", "words"),
    [
        (".", "frames", "which is input"),
        (".", "video.mp4", "which is input"),
        (".", "frames/deep", "which holds input"),
        ("frames/deep", "frames", "which lies in input"),
        ("link", "frames", "which is input"),
        (".", "other.mp4", "which is input"),
    ],
)
def test_what_would_be_written_never_is_holds_or_lies_in_what_is_read(
    output: str, source: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / "frames" / "deep").mkdir(parents=True)
    (tmp_path / "frames" / "1.png").write_text("mine")
    (tmp_path / "video.mp4").write_text("mine")
    (tmp_path / "other.mp4").hardlink_to(tmp_path / "video.mp4")
    (tmp_path / "link").symlink_to(tmp_path)
    there = content(tmp_path)
    with pytest.raises(RibError, match=words):
        write(to(tmp_path / output, overwrite=True, input=tmp_path / source), "two")
    assert content(tmp_path) == there
    assert not list(tmp_path.rglob(".rib"))


def test_links_to_files_of_the_old_result_count_as_input(tmp_path: Path) -> None:
    write(to(tmp_path / "out"), "one")
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "a.png").symlink_to(tmp_path / "out" / "frames" / "0.png")
    with pytest.raises(RibError, match="leads to files of the earlier result"):
        write(to(tmp_path / "out", overwrite=True, input=tmp_path / "links"), "two")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RibError("mistake"), ZeroDivisionError()])
def test_a_run_that_stops_removes_what_it_made_and_nothing_else(error: BaseException, tmp_path: Path) -> None:
    out = tmp_path / "a" / "out"

    def stop(place: Path) -> None:
        with write_result_whole(to(out)) as work:
            (work / "video.mp4").write_text("half")
            if place == out:
                (out / "notes.txt").write_text("put there meanwhile")
            raise error

    with pytest.raises(type(error)):
        stop(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(type(error)):
        stop(out)
    assert content(tmp_path) == {"a/out/notes.txt": "put there meanwhile"}
    assert not (out / ".rib").exists()


def test_a_file_put_there_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(to(out), "one")
    with pytest.raises(RibError, match="put there meanwhile"), write_result_whole(to(out, True)) as work:  # noqa: PT012
        (work / "video.mp4").write_text("two")
        (work / "more.txt").write_text("two")
        (out / "more.txt").write_text("mine")
    assert content(out) == whole("one") | {"more.txt": "mine"}


def failing_at(call: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let every rename from the n-th fail as one across a mount point does, for two renames."""
    calls = [0]
    rename = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if ".rib" in f"{self}{target}" and self.suffix != ".part" and "part.json" not in self.name:
            calls[0] += 1
            if calls[0] == call:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    return calls


@pytest.mark.parametrize("call", range(1, 10))
def test_a_replacement_that_fails_anywhere_gives_the_old_result_back(
    call: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    write(to(out), "one")
    with monkeypatch.context() as patch:
        failing_at(call, patch)
        with pytest.raises((RibError, OSError)):
            write(to(out, overwrite=True), "two", 4)
    assert content(out) == whole("one")
    assert is_result_finished(out, "clip")
    write(to(out, overwrite=True), "two", 4)
    assert content(out) == whole("two", 4)


class Killed(BaseException):
    """Nothing that runs afterwards changes a file, as after SIGKILL."""


@pytest.mark.parametrize("moment", range(1, 12))
def test_after_a_kill_between_renames_the_next_run_heals(
    moment: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    write(to(out), "one")
    with monkeypatch.context() as patch:
        dead = [moment]

        def dying(call):
            def wrapped(self, *arguments, **options):
                if not dead[0]:
                    raise Killed
                return call(self, *arguments, **options)

            return wrapped

        rename = Path.replace

        def replace(self: Path, target: Path) -> Path:
            dead[0] -= dead[0] > 0
            if not dead[0]:
                raise Killed
            return rename(self, target)

        patch.setattr(Path, "replace", replace)
        for name in ("unlink", "rmdir", "mkdir"):
            patch.setattr(Path, name, dying(getattr(Path, name)))
        patch.setattr(shutil, "rmtree", dying(shutil.rmtree))
        with suppress(Killed):
            write(to(out, overwrite=True), "two")
    with pytest.raises(ZeroDivisionError), write_result_whole(to(out, overwrite=True)):
        raise ZeroDivisionError
    assert content(out) in (whole("one"), whole("two"))
    assert is_result_finished(out, "clip")
    assert sorted(path.name for path in (out / ".rib").iterdir()) == ["clip.json"]


@pytest.mark.parametrize("name", ["../../x", "/x", "frames/../../x", "link/x", "..", ".rib/../../x", "\0"])
def test_a_list_of_a_stranger_leads_to_no_file_outside(name: str, tmp_path: Path) -> None:
    out, x = tmp_path / "a" / "out", tmp_path / "x"
    (out / ".rib").mkdir(parents=True)
    x.write_text("mine")
    (out / "link").symlink_to(tmp_path)
    files = {name.replace("/x", f"{tmp_path}/x", 1) if name == "/x" else name: None}
    listed = {"format": 1, "made_from": "", "identity": "0", "files": files}
    (out / ".rib" / "clip.json").write_text(json.dumps(listed))
    write(to(out, overwrite=True), "two")
    assert x.read_text() == "mine"
    assert (out / "link").is_symlink()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": 2}', '{"format": 1, "files": 3}', "[" * 100_000, "\ud800", "1" * 5000],
)
def test_a_list_that_is_none_makes_nothing_ribs_own(text: str, tmp_path: Path) -> None:
    write(to(tmp_path), "one")
    (tmp_path / ".rib" / "clip.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(RibError, match="not made by rib"):
        write(to(tmp_path, overwrite=True), "two")
    assert content(tmp_path) == whole("one")


def test_two_runs_do_not_write_one_result_at_once(tmp_path: Path) -> None:
    with write_result_whole(to(tmp_path / "out")) as work:
        with pytest.raises(RibError, match="another run is writing"):
            write(to(tmp_path / "out"), "two")
        (work / "video.mp4").write_text("one")
    assert content(tmp_path / "out") == {"video.mp4": "one"}


def prepared(store: Path, text: str, overwrite: bool = False, adds: bool = False, **reads: str) -> None:
    with prepared_store(store, reads, overwrite, adds):
        store.write_text(text)


def test_a_store_is_made_again_or_added_to_only_where_rib_made_it(tmp_path: Path) -> None:
    store = tmp_path / "m.h5"
    prepared(store, "one")
    with pytest.raises(RibError, match="type overwrite=true"):
        prepared(store, "two")
    prepared(store, "two", adds=True)
    prepared(store, "three", overwrite=True)
    store.write_text("mine")
    with pytest.raises(RibError, match="not made by rib"):
        prepared(store, "four", overwrite=True)
    assert content(tmp_path) == {"m.h5": "mine"}


def test_a_preparation_that_stops_leaves_the_store_finished_or_to_be_gone_on_with(tmp_path: Path) -> None:
    store = tmp_path / "m.h5"
    for before in ({}, {"m.h5": "one"}):
        with pytest.raises(KeyboardInterrupt), prepared_store(store, {}, overwrite=True, adds=False):
            raise KeyboardInterrupt
        assert content(tmp_path) == before
        assert is_result_finished(tmp_path, "m.h5") is bool(before)
        if not before:
            assert list(tmp_path.iterdir()) == []
            prepared(store, "one")
    with (
        prepared_store(tmp_path / "n.h5", {}, False, False),
        prepared_store(tmp_path / "n.h5", {}, False, False),
    ):
        (tmp_path / "n.h5").write_text("by the last of two shards")
    assert is_result_finished(tmp_path, "n.h5")


def test_a_store_never_lies_in_the_collection_that_is_read(tmp_path: Path) -> None:
    with pytest.raises(RibError, match="lies in folder"):
        prepared(tmp_path / "m.h5", "one", folder=str(tmp_path))
    assert list(tmp_path.iterdir()) == []
