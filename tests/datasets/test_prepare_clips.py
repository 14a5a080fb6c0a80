from __future__ import annotations

import json
import pickle
import sys
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import h5py
import numpy as np
import pytest
import stand_ins  # noqa: F401 - registers its stages

from rib.clips.store import Hdf5ClipStore
from rib.datasets.humanslomo import work_items
from rib.datasets.humanslomo.find import ClipCriteria
from rib.datasets.humanslomo.footage import Footage, FootageCrop
from rib.datasets.humanslomo.prepare import prepare_humanslomo
from rib.datasets.humanslomo.work_items import ClipItemSettings, prepare_clip_item
from rib.io.errors import RibError
from rib.video import VideoWriter
from rib.video.source import FrameWriter

WIDTH, HEIGHT, LENGTH = 128, 72, 24
STAGES = {
    "pose": {"_target_": "stand_ins.RedPose"},
    "mask": {"_target_": "stand_ins.RedMask"},
    "background": {"_target_": "rib.background.blend.BlendInterpolator"},
}
SETTINGS: dict[str, Any] = {
    "video_list": None, "train_list": None, "test_list": None, "test_input": None, "video_columns": [10, 118],
    "folder_columns": None, "size_wh": [54, 36], "strides": [1], "stages": STAGES,
    "timeout_s": 1.0, "workers": 1, "shard": "0/1",
    "finding": {"_target_": "rib.datasets.humanslomo.find.ClipCriteria", "shortest": 5, "longest": 8,
                "margin": 0.2, "height_px": 20,
                "cuts": {"residual": 0.12, "contrast": 2.25}},
}  # fmt: skip


def picture(number: int, person: bool = True, scene: int = 0) -> np.ndarray:
    """A red person walks to the right over a scene, 2 px a frame."""
    coarse = (
        np.random.default_rng(scene).integers(60 + 19 * scene, 160 + 19 * scene, (4, 6, 3)).astype(np.uint8)
    )
    frame = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    if person:
        frame[20:52, 30 + 2 * number : 42 + 2 * number] = (250, 10, 10)
    return frame


def video(path: Path, frames: list[np.ndarray]) -> None:
    writer: FrameWriter = VideoWriter(path, Fraction(25), (WIDTH, HEIGHT), "libx264", 5, "yuv444p")
    with writer:
        for frame in frames:
            writer.write(frame)


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    folder = tmp_path / "videos"
    (folder / "00_Dance" / "val" / "test_img").mkdir(parents=True)
    video(folder / "02_Boxing.mp4", [picture(i) for i in range(LENGTH)])
    for i in range(10):
        name = folder / "00_Dance" / "val" / "test_img" / f"frame{i + 3:06d}.png"
        cv2.imwrite(str(name), picture(i)[..., ::-1])
    return folder


def listed(path: Path, digits: int = 5, **clips: tuple[str, list[int]]) -> str:
    content = {
        name: {"video_name": footage, "video_frames": [f"frame{n:0{digits}d}.png" for n in frames],
               "num_frames": len(frames)}
        for name, (footage, frames) in clips.items()
    }  # fmt: skip
    path.write_text(json.dumps(content))
    return str(path)


def prepare(videos: Path, **changes: Any) -> Any:
    return prepare_humanslomo(
        **{**SETTINGS, "videos": str(videos), "output": str(videos / "out.h5"), **changes}
    )


def reasons(videos: Path) -> dict[str, str]:
    return json.loads((videos / "out.h5.skipped.json").read_text())


def test_a_listed_clip_of_a_video_holds_the_frames_named(videos: Path) -> None:
    train = listed(videos / "t.json", boxing_1=("02_Boxing", [2, 6, 10, 14]))
    report = prepare(videos, train_list=train)
    assert (report.prepared, report.skipped) == (1, {})
    window = Hdf5ClipStore(videos / "out.h5").window("boxing_1", 0, 4)
    for place, number in enumerate((2, 6, 10, 14)):
        truth = cv2.resize(picture(number)[:, 10:118], (54, 36), interpolation=cv2.INTER_AREA)
        assert np.abs(window.frames[place].astype(int) - truth).mean() < 6
        assert window.poses[place, 5, 0] == pytest.approx((30 + 2 * number + 6 - 10) / 2, abs=0.6)
    np.testing.assert_allclose(np.diff(window.times_s), 4 / 25)
    mean = (window.frames[0].astype(float) + window.frames[2]) / 2
    np.testing.assert_allclose(window.backgrounds[0], mean, atol=0.51)
    assert (window.masks[0] > 127).mean() == pytest.approx(32 * 12 / (108 * 72), rel=0.2)


@pytest.mark.parametrize("digits", [5, 6])
def test_folders_of_frames_are_found_whatever_the_digits_of_their_numbers(videos: Path, digits: int) -> None:
    train = listed(videos / "t.json", digits, dance=("00_Dance", [3, 5, 7, 9]))
    prepare(videos, train_list=train, size_wh=None)
    window = Hdf5ClipStore(videos / "out.h5").window("dance", 0, 4)
    np.testing.assert_array_equal(window.frames[1], picture(2))


def test_a_test_clip_keeps_every_frame_and_interpolates_those_not_given(videos: Path) -> None:
    test = listed(videos / "t.json", test_001=("00_Dance", [3, 4, 5, 6, 7]))
    given = listed(videos / "i.json", test_001=("00_Dance", [3, 5, 7]))
    prepare(videos, test_list=test, test_input=given, size_wh=None)
    with h5py.File(videos / "out.h5") as file:
        assert set(file["test_001"]) == {"gt_images", "gt_dain", "gt_poses", "gt_masks"}
        assert [len(file["test_001"][key]) for key in ("gt_images", "gt_dain", "gt_poses")] == [5, 5, 5]
    whole = Hdf5ClipStore(videos / "out.h5", "gt").window("test_001", 0, 5)
    np.testing.assert_array_equal(whole.backgrounds[1], whole.frames[2])
    mean = (whole.frames[0].astype(float) + whole.frames[2]) / 2
    np.testing.assert_allclose(whole.backgrounds[0], mean, atol=0.51)


def test_what_cannot_be_made_is_listed_with_its_reason_and_the_rest_is_made(videos: Path) -> None:
    (videos / "03_Broken.mp4").write_text("no video")
    video(videos / "04_Empty.mp4", [picture(i, person=False) for i in range(8)])
    train = listed(
        videos / "t.json", good=("02_Boxing", [0, 2, 4]), absent=("09_Kungfu", [0, 1, 2]),
        late=("02_Boxing", [22, 23, 24]), broken=("03_Broken", [0, 1, 2]), empty=("04_Empty", [0, 1, 2]),
        short=("02_Boxing", [0, 1]), gap=("00_Dance", [3, 4, 99]),
    )  # fmt: skip
    report = prepare(videos, train_list=train)
    assert report.prepared == 1
    assert Hdf5ClipStore(videos / "out.h5").names == ("good",)
    assert report.skipped == reasons(videos)
    told = {
        "absent": "holds neither 09_Kungfu.mp4 nor a folder", "late": "frame 24 was asked for",
        "broken": "03_Broken.mp4", "empty": "nobody", "short": "too few",
        "gap": "lacks the frame frame00099.png",
    }  # fmt: skip
    assert set(report.skipped) == set(told)
    for name, words in told.items():
        assert words in report.skipped[name]
        assert "\n" not in report.skipped[name]


def no_network(asked: list[str]) -> Any:
    """The downloader on a machine without one."""

    class TransportError(Exception): ...

    class YoutubeDLError(Exception):
        exc_info = (TransportError,)

    class YoutubeDL:
        def __init__(self, options: Any) -> None: ...

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *error: Any) -> None: ...

        def download(self, addresses: list[str]) -> None:
            asked.extend(addresses)
            raise YoutubeDLError("no network")

    return SimpleNamespace(
        YoutubeDL=YoutubeDL, utils=SimpleNamespace(YoutubeDLError=YoutubeDLError),
        networking=SimpleNamespace(exceptions=SimpleNamespace(TransportError=TransportError)),
    )  # fmt: skip


def test_without_a_network_one_video_is_asked_for_and_the_rest_is_made(
    videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setitem(sys.modules, "yt_dlp", no_network(asked))
    rows = "".join(f"{name},{name[:2]}-6vzAxeos,25\n" for name in ("02_Boxing", "08_Kungfu", "09_Kungfu"))
    (videos / "video.csv").write_text(f"File_name,Youtube_id,FPS\n{rows}")
    train = listed(
        videos / "t.json", a=("08_Kungfu", [0, 1, 2]), b=("09_Kungfu", [0, 1, 2]), c=("02_Boxing", [0, 1, 2]),
        d=("08_Kungfu", [4, 5, 6]),
    )  # fmt: skip
    report = prepare(videos, train_list=train, video_list=str(videos / "video.csv"))
    assert asked == ["https://www.youtube.com/watch?v=08-6vzAxeos"]
    assert (report.prepared, set(report.skipped)) == (1, {"a", "b", "d"})
    assert "the network is absent" in report.skipped["b"]


def test_when_nothing_can_be_made_it_is_an_error(videos: Path) -> None:
    train = listed(videos / "t.json", absent=("09_Kungfu", [0, 1, 2]))
    with pytest.raises(RibError, match="none of 1 clips could be prepared; the first, absent"):
        prepare(videos, train_list=train)
    assert "absent" in reasons(videos)


def test_a_crop_that_leaves_the_picture_and_a_rate_that_differs_are_told(videos: Path) -> None:
    (videos / "video.csv").write_text("File_name,Youtube_id,FPS\n02_Boxing,hqu6vzAxeos,50\n")
    train = listed(videos / "t.json", boxing=("02_Boxing", [0, 2, 4]))
    with pytest.raises(RibError, match="columns 100 to 1180 were asked for of frames 128 px wide"):
        prepare(videos, train_list=train, video_columns=[100, 1180])
    with pytest.raises(RibError, match="25 frames a second and the list says 50"):
        prepare(videos, train_list=train, video_list=str(videos / "video.csv"))


def test_a_second_run_makes_only_what_is_missing(videos: Path) -> None:
    train = listed(videos / "t.json", a=("02_Boxing", [0, 2, 4]), b=("02_Boxing", [1, 3, 5]))
    assert prepare(videos, train_list=train).prepared == 2
    again = prepare(videos, train_list=train)
    assert (again.prepared, again.reused) == (0, 2)
    work = videos / "out.h5.parts"
    next(work.glob("*/part.h5")).unlink()
    (work / ".0123456789ab.part.h5").write_bytes(b"what a killed run left")
    third = prepare(videos, train_list=train)
    assert (third.prepared, third.reused) == (1, 1)
    assert prepare(videos, train_list=train, size_wh=[27, 18]).prepared == 2
    assert Hdf5ClipStore(videos / "out.h5").window("b", 0, 3).frames.shape == (3, 18, 27, 3)


def test_a_part_and_how_it_is_made_travel_to_another_process(videos: Path) -> None:
    finding = ClipCriteria(5, 8, 0.2, 20, SETTINGS["finding"]["cuts"])
    settings = ClipItemSettings(SETTINGS["stages"], (1, 2), finding, 1)
    item = work_items.describe_clip_item(
        videos, settings, Footage(videos / "02_Boxing.mp4"), FootageCrop(None, None)
    )
    make = pickle.loads(pickle.dumps(partial(prepare_clip_item, settings=settings)))
    assert make(pickle.loads(pickle.dumps(item))) is None
    assert item.done.exists()


def test_shards_share_the_clips_and_the_last_one_writes_the_store(videos: Path) -> None:
    train = listed(videos / "t.json", a=("02_Boxing", [0, 2, 4]), b=("02_Boxing", [1, 3, 5]))
    first = prepare(videos, train_list=train, shard="0/2")
    assert (first.store, first.prepared, first.waiting) == (None, 1, 1)
    assert prepare(videos, train_list=train, shard="1/2").store == videos / "out.h5"
    assert Hdf5ClipStore(videos / "out.h5").names == ("a", "b")


def test_clips_are_found_in_videos_without_a_list(videos: Path) -> None:
    """Two shots; the person is away in the middle of the second."""
    frames = [picture(i) for i in range(10)] + [picture(i, person=not 6 <= i < 9, scene=5) for i in range(14)]
    video(videos / "05_Two.mp4", frames)
    (videos / "02_Boxing.mp4").unlink()
    report = prepare(videos, strides=[1, 2])
    assert (report.prepared, report.skipped) == (1, {})
    store = Hdf5ClipStore(videos / "out.h5")
    assert store.names == (
        "05_Two_000000", "05_Two_000005", "05_Two_000010", "05_Two_000019",
    )  # fmt: skip
    assert [store.length(name) for name in store.names] == [5, 5, 6, 5]
    window = store.window("05_Two_000010", 0, 6)
    assert window.frames.shape[1] == 20
    inside = (window.poses[..., :2] >= 0).all() and (window.poses[..., 0] <= window.frames.shape[2]).all()
    assert inside
    red = window.frames[3, :, :, 0] > 180
    assert np.nonzero(red)[1].mean() + 0.5 == pytest.approx(window.poses[3, 5, 0], abs=1.0)


def test_a_clip_is_also_kept_at_every_nth_frame(videos: Path) -> None:
    prepare(videos, strides=[1, 2], finding={**SETTINGS["finding"], "longest": 24})
    store = Hdf5ClipStore(videos / "out.h5")
    assert store.names == ("02_Boxing_000000", "02_Boxing_000000_s2_o0", "02_Boxing_000000_s2_o1")
    whole, half = store.window(store.names[0], 0, 24), store.window(store.names[2], 0, 12)
    np.testing.assert_array_equal(half.frames, whole.frames[1::2])
    np.testing.assert_array_equal(half.poses, whole.poses[1::2])
    mean = (half.frames[3].astype(float) + half.frames[5]) / 2
    np.testing.assert_allclose(half.backgrounds[3], mean, atol=0.51)
    assert np.diff(half.times_s) == pytest.approx(2 / 25)


def test_a_folder_without_videos_is_told(tmp_path: Path) -> None:
    with pytest.raises(RibError, match="holds no video"):
        prepare(tmp_path)
