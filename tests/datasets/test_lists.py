from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from rib.datasets.humanslomo.download import download_listed_video
from rib.datasets.humanslomo.lists import ListedVideo, listed_frame_number, read_clip_list, read_video_list
from rib.io.errors import RibError

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "humanslomo_metadata"


def written(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def entry(**changes: Any) -> dict[str, Any]:
    clip = {"video_name": "02_Boxing", "video_frames": ["frame00010.png", "frame00012.png"], "num_frames": 2}
    return {"a": {**clip, **changes}}


def test_a_clip_list_names_video_and_frames(tmp_path: Path) -> None:
    (clip,) = read_clip_list(written(tmp_path / "list.json", entry()))
    assert (clip.name, clip.video, clip.frames) == ("a", "02_Boxing", ("frame00010.png", "frame00012.png"))


def test_an_own_list_may_count_frames_by_plain_numbers(tmp_path: Path) -> None:
    (clip,) = read_clip_list(
        written(tmp_path / "list.json", {"a": {"video_name": "v", "video_frames": [3, 14]}})
    )
    assert [listed_frame_number(name) for name in clip.frames] == [3, 14]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "is not JSON"),
        ([1], "holds a list"),
        ({"a": 3}, "'a' lacks video_name or video_frames"),
        (entry(video_name="../../etc/passwd"), "is no file name"),
        (entry(video_frames=["frame2.png", "frame1.png"]), "do not increase"),
        (entry(video_frames=["frame.png", "frame1.png"]), "holds no number"),
        (entry(num_frames=3), "num_frames is 3, but it names 2"),
        ({"a/b": entry()["a"]}, "'a/b' is no file name"),
    ],
)
def test_a_bad_clip_list_is_told_in_one_line(content: Any, told: str, tmp_path: Path) -> None:
    with pytest.raises(RibError, match=told) as caught:
        read_clip_list(written(tmp_path / "list.json", content))
    assert "\n" not in str(caught.value)


def test_a_video_list_without_a_last_line_break_reads(tmp_path: Path) -> None:
    path = written(tmp_path / "video.csv", "File_name,Youtube_id,FPS\n02_Boxing,hqu6vzAxeos,30")
    assert read_video_list(path) == [ListedVideo("02_Boxing", "hqu6vzAxeos", 30.0)]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("../x,hqu6vzAxeos,30", "line 2: '../x' is no file name"),
        ("x,--exec=rm -rf,30", "no YouTube id"),
        ("x,hqu6vzAxeos,fast", "'fast' is no frame rate"),
        ("x,hqu6vzAxeos", "'' is no frame rate"),
    ],
)
def test_a_bad_row_is_told_with_its_line(row: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(RibError, match=told):
        read_video_list(written(tmp_path / "video.csv", f"File_name,Youtube_id,FPS\n{row}\n"))


def test_a_missing_column_is_told(tmp_path: Path) -> None:
    with pytest.raises(RibError, match="lacks the column FPS"):
        read_video_list(written(tmp_path / "video.csv", "File_name,Youtube_id\nx,hqu6vzAxeos\n"))


def test_without_the_downloader_it_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yt_dlp", None)
    with pytest.raises(RibError, match=r"pip install 'render-in-between\[youtube\]'"):
        download_listed_video(ListedVideo("02_Boxing", "hqu6vzAxeos", 30.0), tmp_path, 1.0)


@pytest.mark.parametrize("fails", [True, False])
def test_a_download_is_whole_or_absent(fails: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Client:
        def __init__(self, options: dict[str, Any]) -> None:
            self.place = Path(options["outtmpl"]).parent

        def __enter__(self) -> Client:
            return self

        def __exit__(self, *_: object) -> None: ...

        def download(self, urls: list[str]) -> None:
            assert urls == ["https://www.youtube.com/watch?v=hqu6vzAxeos"]
            (self.place / "hqu6vzAxeos.mp4").write_bytes(b"half")
            if fails:
                raise utils.YoutubeDLError("the network\nis unreachable")

    utils = types.SimpleNamespace(YoutubeDLError=type("YoutubeDLError", (Exception,), {}))
    network = types.SimpleNamespace(exceptions=types.SimpleNamespace(TransportError=OSError))
    fake = types.SimpleNamespace(YoutubeDL=Client, utils=utils, networking=network)
    monkeypatch.setitem(sys.modules, "yt_dlp", fake)
    video = ListedVideo("02_Boxing", "hqu6vzAxeos", 30.0)
    if fails:
        with pytest.raises(RibError, match="could not be fetched: the network is unreachable"):
            download_listed_video(video, tmp_path, 1.0)
        assert list(tmp_path.iterdir()) == []
    else:
        assert download_listed_video(video, tmp_path, 1.0) == tmp_path / "02_Boxing.mp4"
        assert [path.name for path in tmp_path.iterdir()] == ["02_Boxing.mp4"]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the reference's lists are not at hand")
def test_the_lists_of_the_reference_read() -> None:
    train, test, given = (
        read_clip_list(SHARED / f"{n}.json") for n in ("train_list", "test_list", "test_input")
    )
    assert (len(train), sum(len(clip.frames) for clip in train)) == (80, 4492)
    assert (len(test), sum(len(clip.frames) for clip in test)) == (28, 734)
    assert all(a.frames[::2] == b.frames for a, b in zip(test, given, strict=True))
    videos = {video.name for video in read_video_list(SHARED / "video.csv")}
    assert {clip.video for clip in train} - videos == {"00_Dance", "01_Dance"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[" * 100_000, "is nested too deeply"),
        ("9" * 5000, "holds a number of thousands of digits"),
        ('{"a": {"video_name": "v", "video_frames": [-1]}}', "'-1' is no file name"),
        ('{"a": {"video_name": "v", "video_frames": [1000000000000]}}', "is no file name"),
        ('{"a": {"video_name": "v", "video_frames": ["' + "9" * 5000 + '"]}}', "holds no number"),
    ],
)
def test_a_list_that_was_written_to_do_harm_is_one_line(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "clips.json").write_text(content)
    with pytest.raises(RibError, match=message):
        read_clip_list(tmp_path / "clips.json")
