"""Lists of strangers that say what a data set is made of, through `rib prepare data=humanslomo`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from harness import FUZZ, Campaign
from hypothesis import given
from hypothesis import strategies as st
from mutations import RAW, spoiled_bytes, spoiled_json, spoiled_text

COMMON = (
    "prepare", "data=humanslomo", "data.prepare.videos=videos", "data.prepare.output=out/clips.h5",
    "data.prepare.workers=1", "data.prepare.size_wh=null", "data.prepare.folder_columns=null",
    "pose@data.prepare.stages.pose=files", "data.prepare.stages.pose.path=poses",
    "data.prepare.stages.pose.layout=body25",
    "mask@data.prepare.stages.mask=files", "data.prepare.stages.mask.path=masks",
    "background@data.prepare.stages.background=blend",
)  # fmt: skip
VIDEOS = "File_name,Youtube_id,FPS\n01_Walk,abcdefghijk,25\n02_Box,lmnopqrstuv,30\n"
FRAMES = [f"frame{number:05d}.png" for number in range(6)]
CLIPS: dict[str, Any] = {
    "dance_1": {"video_name": "00_Dance", "video_frames": FRAMES[:4], "num_frames": 4},
    "dance_2": {"video_name": "00_Dance", "video_frames": FRAMES[2:]},
}
LISTS = {"video_list": VIDEOS.encode(), "train_list": json.dumps(CLIPS).encode()}
LISTS |= {"test_list": LISTS["train_list"], "test_input": LISTS["train_list"]}


def prepare(folder: Path, **spoiled: bytes) -> list[str]:
    frames = folder / "videos/00_Dance"
    frames.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in FRAMES:
        cv2.imwrite(str(frames / name), rng.integers(0, 255, (24, 32, 3), np.uint8))
    for kind in ("poses", "masks"):
        (folder / kind).mkdir()
    body = np.c_[rng.uniform(4, 20, (25, 2)), np.full(25, 0.9)].round(2).ravel().tolist()
    for number in range(4):
        person = {"people": [{"pose_keypoints_2d": body}]}
        (folder / f"poses/{number}.json").write_text(json.dumps(person))
        cv2.imwrite(str(folder / f"masks/{number}.png"), np.full((24, 32), 255, np.uint8))
    words = list(COMMON)
    for name, content in {**LISTS, **spoiled}.items():
        (folder / name).write_bytes(content)
        words.append(f"data.prepare.{name}={name}")
    return words


@pytest.mark.slow
def test_lists_are_followed_or_refused_in_one_line(tmp_path: Path) -> None:
    campaign = Campaign("lists of a data set", tmp_path, "out/clips.h5")
    campaign.whole(prepare)
    clips = st.tuples(
        st.sampled_from(["train_list", "test_list", "test_input"]),
        st.one_of(spoiled_json(CLIPS), spoiled_json(CLIPS), spoiled_bytes(LISTS["train_list"])),
    )
    videos = st.tuples(st.just("video_list"), st.one_of(spoiled_text(VIDEOS), spoiled_bytes(VIDEOS.encode())))
    raw = st.tuples(st.sampled_from(sorted(LISTS)), st.sampled_from(RAW))

    @FUZZ
    @given(st.one_of(clips, clips, videos, raw))
    def fuzz(case: tuple[str, bytes]) -> None:
        name, content = case
        campaign.run(lambda folder: prepare(folder, **{name: content}))

    fuzz()
    campaign.close()
