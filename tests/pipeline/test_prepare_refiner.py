from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest
import torch
from small_clips import SIZE, person, picture

from rib.config.compose import compose
from rib.io.errors import RibError
from rib.io.registry import register
from rib.pipeline.chain import Chain
from rib.pipeline.refiner_dataset.prepare import prepare_refiner_dataset
from rib.pipeline.refiner_dataset.samples import render_refiner_samples
from rib.pipeline.refiner_dataset.videos import strides_for_keyframe_rates
from rib.render.refine.dataset import (
    RefinerSample,
    read_refiner_samples,
    refiner_clips_in_file,
    write_refiner_samples,
)
from rib.render.refine.refiner_input import RefinerInput
from rib.structures.keypoints import PoseSequence
from rib.video import ArraySource, FrameSource

FPS, LENGTH = 10, 9


@register("pose stage")
class Stiff:
    """The stiff figure, wherever it is at a source's times; nobody in clips called empty."""

    keep = True
    seen_px: ClassVar[list[tuple[int, int]]] = []

    def __call__(self, source: FrameSource, cuts: Sequence[int] = ()) -> PoseSequence:
        self.seen_px.append(source.size_px)
        missing = tuple(range(LENGTH)) if source.name == "empty" else ()
        everywhere = person(LENGTH, missing)
        assert np.allclose(source.times_s * FPS, (source.times_s * FPS).round())
        found = everywhere[(source.times_s * FPS).round().astype(int)]
        return PoseSequence(
            found.keypoints_px * source.size_px / SIZE,
            found.confidence,
            source.times_s,
            found.joint_set,
            source.size_px,
        )  # fmt: skip


@register("mask stage")
class Box:
    """A rectangle that covers the figure."""

    def __call__(self, source: FrameSource, poses: PoseSequence) -> Iterator[np.ndarray]:
        for time_s in source.times_s:
            matte = np.zeros(SIZE[::-1], np.float32)
            left = 9 + round(time_s * FPS)
            matte[4:42, left : left + 23] = 1
            yield cv2.resize(matte, source.size_px)


@pytest.fixture
def chain(tmp_path: Path) -> dict[str, Any]:
    """The chain's settings; its pose and matte come from stand-ins."""
    near = "data.prepare.chain"
    config = compose(
        "prepare", "data=refiner", "data.prepare.videos=x", f"background@{near}.background=flow",
        f"motion@{near}.motion=linear", f"{near}.cache.dir={tmp_path / 'cache'}",
    )  # fmt: skip
    stand_ins = {name: {"_target_": f"{__name__}.{it}"} for name, it in (("pose", "Stiff"), ("mask", "Box"))}
    return config["data"]["prepare"]["chain"] | stand_ins


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    for seed, name in enumerate(("walk", "empty")):
        folder = tmp_path / "videos" / name
        folder.mkdir(parents=True)
        for index in range(LENGTH):
            cv2.imwrite(str(folder / f"{index}.png"), picture(index, seed)[..., ::-1])
    return tmp_path / "videos"


def prepare(folder: Path, chain: dict[str, Any], **changes: Any) -> Any:
    settings = {
        "videos": str(folder), "output": str(folder.parent / "out.h5"), "input_fps": FPS, "clips": [],
        "strides": [4], "keyframe_rates": [5], "offsets": [0], "cameras": ["still"], "height_px": None,
        "max_frames": None, "max_intervals": None, "max_moments": 7, "max_people": None,
        "chain": chain, "workers": 1, "shard": "0/1",
    }  # fmt: skip
    return prepare_refiner_dataset(**{**settings, **changes})


def test_every_gap_of_a_clip_is_drawn_beside_its_truth(chain: dict[str, Any]) -> None:
    frames = [picture(i) for i in range(LENGTH)]
    samples = list(render_refiner_samples(Chain.from_config(chain), ArraySource(frames, fps=FPS), 4, None, 7))
    assert [len(sample.channels) for sample in samples] == [3, 3]
    for sample, numbers in zip(samples, [(1, 2, 3), (5, 6, 7)], strict=True):
        for truth, number in zip(sample.truth, numbers, strict=True):
            whole = frames[number].transpose(2, 0, 1)
            height, width = truth.shape[1:]
            places = [
                (y, x)
                for y in range(whole.shape[1] - height + 1)
                for x in range(whole.shape[2] - width + 1)
                if np.array_equal(whole[:, y : y + height, x : x + width], truth)
            ]
            assert places


@pytest.mark.slow
def test_gaps_and_moments_are_spread_over_the_clip(chain: dict[str, Any]) -> None:
    source = ArraySource([picture(i) for i in range(LENGTH)], fps=FPS)
    (sample,) = render_refiner_samples(Chain.from_config(chain), source, 4, 1, 1)
    every = list(render_refiner_samples(Chain.from_config(chain), source, 4, None, 7))
    assert np.array_equal(sample.truth[0], every[1].truth[1])


def test_nothing_is_drawn_across_a_cut(chain: dict[str, Any]) -> None:
    frames = [picture(i) for i in range(5)] + [255 - picture(i, seed=7) // 3 for i in range(5, 9)]
    samples = list(render_refiner_samples(Chain.from_config(chain), ArraySource(frames, fps=FPS), 4, None, 7))
    assert len(samples) == 1


@pytest.mark.slow
def test_a_folder_becomes_one_file_and_a_list_of_what_was_skipped(
    videos: Path, chain: dict[str, Any]
) -> None:
    (videos / "broken.mp4").write_text("hello")
    chain["cuts"]["residual"] = 2.0  # two frames of a rough picture, far apart, look like a cut
    report = prepare(videos, chain, strides=[2, 4], offsets=[0, 1])
    assert set(refiner_clips_in_file(report.store)) == {f"walk_s{s}_o{o}" for s in (2, 4) for o in (0, 1)}
    assert (report.prepared, report.reused, report.waiting) == (4, 0, 0)
    assert "nobody is found" in report.skipped["empty_s2_o0"]
    assert "broken.mp4" in report.skipped["broken_s4_o1"]
    assert json.loads(Path(f"{report.store}.skipped.json").read_text()) == report.skipped
    assert len(read_refiner_samples(report.store)["walk_s2_o0"]) == 4


@pytest.mark.slow
def test_a_clip_that_the_file_holds_is_kept_and_others_are_added(videos: Path, chain: dict[str, Any]) -> None:
    first = prepare(videos, chain, clips=["walk"])
    before = refiner_clips_in_file(first.store)
    more = prepare(videos, chain, clips=["w*"], strides=[4, 2])
    assert (more.prepared, more.reused) == (1, 1)
    assert before.items() < refiner_clips_in_file(first.store).items()
    shutil.rmtree(videos.parent / "out.h5.parts")
    assert prepare(videos, chain, clips=["walk"], strides=[4, 2]).reused == 2
    changed = prepare(videos, chain, clips=["walk"], max_moments=1)
    assert changed.prepared == 1
    assert len(read_refiner_samples(first.store)["walk_s4_o0"][0].channels) == 1
    assert len(read_refiner_samples(first.store)) == 2


@pytest.mark.slow
def test_shards_share_the_work_and_the_last_puts_it_together(videos: Path, chain: dict[str, Any]) -> None:
    first = prepare(videos, chain, clips=["walk"], strides=[2, 4], shard="0/2")
    assert (first.store, first.waiting) == (None, 1)
    last = prepare(videos, chain, clips=["walk"], strides=[2, 4], shard="1/2")
    assert len(refiner_clips_in_file(last.store)) == 2


def test_one_folder_of_frames_alone_is_drawn_and_pictures_are_shrunk(
    videos: Path, chain: dict[str, Any]
) -> None:
    Stiff.seen_px.clear()
    report = prepare(videos / "walk", chain, height_px=24)
    assert set(Stiff.seen_px) == {(32, 24)}
    assert refiner_clips_in_file(report.store).keys() == {"walk_s4_o0"}


def test_a_video_is_taken_at_the_strides_that_leave_the_wanted_keyframes() -> None:
    wanted = {60: [4, 8, 15], 30: [2, 4, 8], 25: [2, 3, 6], 10: [2], 5: [2]}
    assert {fps: strides_for_keyframe_rates(fps, [15, 7.5, 4]) for fps in wanted} == wanted
    assert strides_for_keyframe_rates(30, [1]) == [2]  # a stride of 30 would leave too few


@pytest.mark.slow
def test_frames_at_uneven_times_are_taken_at_their_own(chain: dict[str, Any]) -> None:
    """A frame of a phone's clip is missing; what is hidden is predicted for its own moment."""
    there = [0, 1, 2, 4, 5, 6, 7]
    source = ArraySource([picture(i) for i in there], times_s=np.array(there) / FPS)
    samples = list(render_refiner_samples(Chain.from_config(chain), source, 3, None, 7))
    fractions = [
        RefinerInput.of(torch.from_numpy(sample.channels)).fractions[:, 0, 0, 0] / 255 for sample in samples
    ]
    assert np.allclose(fractions, [[1 / 4, 2 / 4], [1 / 3, 2 / 3]], atol=0.005)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"videos": "/nowhere"}, "/nowhere does not exist"),
        ({"clips": ["nobody"]}, "no video is called nobody"),
        ({"strides": [1]}, r"strides=\[1\]: expected whole numbers from 2"),
        ({"offsets": [-1]}, "offsets="),
        ({"clips": ["empty"]}, "no video could be rendered; the first of 1, empty_s4_o0: nobody is found"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_file(
    videos: Path, chain: dict[str, Any], changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(RibError, match=told):
        prepare(videos, chain, **changes)
    assert not (videos.parent / "out.h5").exists()


def test_a_file_of_another_kind_is_not_written_over(videos: Path, chain: dict[str, Any]) -> None:
    (videos.parent / "out.h5").write_text("mine")
    with pytest.raises(RibError, match="HDF5 file"):
        prepare(videos, chain)
    assert (videos.parent / "out.h5").read_text() == "mine"


def test_a_failure_half_way_leaves_the_older_file(tmp_path: Path) -> None:
    sample = RefinerSample(np.zeros((1, 1, 2, 2), np.uint8), np.zeros((1, 3, 2, 2), np.uint8), 1.0)
    write_refiner_samples(tmp_path / "a.h5", {"old": [sample]})

    def broken() -> Iterator[RefinerSample]:
        yield sample
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_refiner_samples(tmp_path / "a.h5", {"new": broken()})
    assert set(refiner_clips_in_file(tmp_path / "a.h5")) == {"old"}
