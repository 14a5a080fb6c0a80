from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import pytest
from clip_module import clip_data, painted, stored

from rib.clips.clips import ClipWindow
from rib.clips.store import BYTES, Hdf5ClipStore
from rib.clips.write import merge_clip_stores, write_clip_store
from rib.io.errors import RibError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_clip_store(tmp_path / "clips.h5", [stored(name) for name in painted().names])
    return tmp_path / "clips.h5"


def assert_same(ours: ClipWindow, theirs: ClipWindow) -> None:
    for part in ("frames", "poses", "masks", "backgrounds"):
        np.testing.assert_array_equal(getattr(ours, part), getattr(theirs, part))
    np.testing.assert_allclose(ours.times_s, theirs.times_s)


def test_windows_come_back_bit_by_bit(path: Path) -> None:
    store = Hdf5ClipStore(path)
    assert store.names == painted().names
    for start, frames in ((0, 8), (3, 4), (2, 3)):
        ours = store.window("synthetic_001", start, frames)
        assert_same(ours, painted().window("synthetic_001", start, frames))


def test_a_background_belongs_to_the_frame_between(path: Path) -> None:
    window = Hdf5ClipStore(path).window("synthetic_002", 2, 3)
    mean = (window.frames[0].astype(float) + window.frames[2]) / 2
    np.testing.assert_allclose(window.backgrounds[0], mean, atol=0.5)


def test_what_is_written_reads_as_the_reference_reads_it(path: Path) -> None:
    """It takes number i of each, with the background of frame i at i - 1, and decodes the bytes."""
    window = painted().window("synthetic_000", 0, 8)
    with h5py.File(path) as file:
        group = file["synthetic_000"]
        assert len(list(group["train_dain"])) + 2 == len(group["train_images"]) == 8
        assert group["train_poses"].dtype == np.float64
        for key, number, truth in (
            ("train_images", 3, window.frames[3]),
            ("train_dain", 2, window.backgrounds[2]),
        ):
            encoded = np.array(group[key][number]).copy()
            assert encoded.dtype == np.uint8
            np.testing.assert_array_equal(cv2.imdecode(encoded, cv2.IMREAD_COLOR)[..., ::-1], truth)


def test_a_file_of_the_reference_reads_with_masks_from_its_poses(tmp_path: Path) -> None:
    window = painted().window("synthetic_000", 0, 8)
    with h5py.File(tmp_path / "theirs.h5", "w") as file:
        group = file.create_group("00_Dance_001")
        for key, pictures in (("train_images", window.frames), ("train_dain", window.backgrounds)):
            dataset = group.create_dataset(
                key, (len(pictures),), maxshape=(len(pictures),), chunks=True, dtype=BYTES
            )
            for index, picture in enumerate(pictures):
                dataset[index] = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98])[
                    1
                ].ravel()
        group.create_dataset("train_poses", data=window.poses)
    read = Hdf5ClipStore(tmp_path / "theirs.h5").window("00_Dance_001", 0, 8)
    assert np.abs(read.frames.astype(float) - window.frames).mean() < 4
    ours, truth = read.masks > 127, window.masks > 127
    assert (ours & truth).sum() / (ours | truth).sum() > 0.6
    assert (ours & truth).sum() / truth.sum() > 0.9


def test_a_test_clip_keeps_a_background_for_every_frame(tmp_path: Path) -> None:
    write_clip_store(tmp_path / "gt.h5", [stored(split="gt", frames=7), stored()])
    store = Hdf5ClipStore(tmp_path / "gt.h5", "gt")
    window = store.window("synthetic_000", 2, 3)
    np.testing.assert_array_equal(window.backgrounds, painted().window("synthetic_000", 2, 3).backgrounds)
    assert store.length("synthetic_000") == 7
    assert Hdf5ClipStore(tmp_path / "gt.h5").length("synthetic_000") == 8


def test_stores_merge(tmp_path: Path) -> None:
    write_clip_store(tmp_path / "a.h5", [stored("synthetic_000")])
    write_clip_store(tmp_path / "b.h5", [stored("synthetic_001"), stored("synthetic_000", "gt", 7)])
    merge_clip_stores(tmp_path / "both.h5", [tmp_path / "a.h5", tmp_path / "b.h5"])
    store = Hdf5ClipStore(tmp_path / "both.h5")
    assert store.names == ("synthetic_000", "synthetic_001")
    assert store.fps("synthetic_001") == 15.0
    assert_same(store.window("synthetic_001", 0, 8), painted().window("synthetic_001", 0, 8))
    assert Hdf5ClipStore(tmp_path / "both.h5", "gt").names == ("synthetic_000",)


def test_a_store_travels_to_another_process_and_feeds_the_data_module(path: Path) -> None:
    copy = pickle.loads(pickle.dumps(Hdf5ClipStore(path)))
    assert copy.window("synthetic_000", 0, 3).frames.shape == (3, 48, 60, 3)
    data = clip_data(store=str(path), num_workers=1)
    assert len(list(data.train_dataloader())) == 3


def read_all(path: Path) -> None:
    store = Hdf5ClipStore(path)
    for name in store.names:
        store.window(name, 0, 3)


@pytest.mark.parametrize("part", [b"SNOD", b"TREE", b"HEAP"])
def test_a_store_whose_list_of_contents_is_damaged_is_told_in_one_line(path: Path, part: bytes) -> None:
    """Of the store, and of each clip in it: the names are there, and what they lead to is not."""
    whole = path.read_bytes()
    places = [at for at in range(len(whole)) if whole.startswith(part, at)]
    assert len(places) > 2
    for at in places[:4]:
        path.write_bytes(whole[:at] + b"\0" * 4 + whole[at + 4 :])
        with pytest.raises(RibError) as error:
            read_all(path)
        assert str(path) in str(error.value)


def damage(path: Path, how: str) -> None:
    with h5py.File(path, "a") as file:
        group = file["synthetic_001"]
        if how in group:
            del group[how]
        elif how == "garbled":
            group["train_images"][0] = np.arange(50, dtype=np.uint8)
        elif how == "empty":
            group["train_dain"][1] = np.zeros(0, np.uint8)
        elif how == "other size":
            group["train_images"][5] = cv2.imencode(".png", np.zeros((9, 9, 3), np.uint8))[1].ravel()
        elif how == "fewer poses":
            poses = group["train_poses"][:5]
            del group["train_poses"]
            group["train_poses"] = poses


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("train_poses", "synthetic_001 lacks train_poses"),
        ("train_dain", "synthetic_001 lacks train_dain"),
        ("train_images", "synthetic_001 lacks train_images"),
        ("garbled", "number 0 of train_images is no picture that can be decoded"),
        ("empty", "number 1 of train_dain is no picture"),
        ("other size", r"number 5 of train_images is 9 x 9 px, the clip's first picture is 60 x 48"),
        ("fewer poses", r"8 pictures, but train_poses of shape \(5, 19, 3\)"),
    ],
)
def test_a_damaged_clip_is_told_in_one_line(path: Path, how: str, told: str) -> None:
    damage(path, how)
    store = Hdf5ClipStore(path)
    with pytest.raises(RibError, match=told) as caught:
        store.window("synthetic_001", 0, 8)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert store.window("synthetic_000", 0, 8).name == "synthetic_000"


def test_a_picture_that_a_worker_process_cannot_decode_is_one_line_too(path: Path) -> None:
    with h5py.File(path, "a") as file:
        for index in range(8):
            file["synthetic_001"]["train_images"][index] = np.arange(50, dtype=np.uint8)
    data = clip_data(store=str(path), clips=["synthetic_001"], num_workers=1)
    refused = next(iter(data.train_dataloader()))
    with pytest.raises(RibError, match="is no picture that can be decoded") as caught:
        data.on_before_batch_transfer(refused)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"most_frames": 9}, "has 8 frames, which is shorter than a window of 9"),
        ({"clips": ["nobody"]}, "no clip 'nobody'"),
    ],
)
def test_a_clip_that_does_not_serve_is_told_before_training(
    path: Path, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(RibError, match=told):
        clip_data(store=str(path), **changes)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RibError, match="does not exist"):
        Hdf5ClipStore(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("no HDF5")
    with pytest.raises(RibError, match="no HDF5 file"):
        Hdf5ClipStore(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["joints"] = np.zeros(3)
    with pytest.raises(RibError, match="holds no clip with train_images"):
        Hdf5ClipStore(tmp_path / "other.h5")
