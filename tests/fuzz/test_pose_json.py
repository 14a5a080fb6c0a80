"""Keypoint files of strangers, through `rib upsample`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness import FUZZ, Campaign
from hypothesis import given
from hypothesis import strategies as st
from mutations import RAW, spoiled_json

COMMON = ("rate=2", "output=out", "motion=linear", "device=cpu", "input_fps=10")
BODY = np.random.default_rng(0).uniform(10, 90, (25, 3)).round(2)
BODY[:, 2] = 0.9
FLAT = BODY.ravel().tolist()
COCO = BODY[:17].ravel().tolist()
HAND = np.random.default_rng(1).uniform(10, 90, (21, 3)).clip(0, 1).ravel().tolist()

OPENPOSE = {
    "version": 1.3,
    "people": [{"person_id": [-1], "pose_keypoints_2d": FLAT, "hand_left_keypoints_2d": HAND}],
}
DOCUMENTS: dict[str, Any] = {
    "alphapose": [
        {"image_id": f"{n}.jpg", "category_id": 1, "keypoints": COCO, "score": 2.0} for n in range(3)
    ],
    "images": {f"{n}.jpg": {"version": 1.0, "bodies": [{"joints": COCO}]} for n in range(3)},
    "coco": {
        "images": [{"id": n, "file_name": f"{n}.jpg"} for n in range(3)],
        "annotations": [{"id": n, "image_id": n, "keypoints": COCO, "num_keypoints": 17} for n in range(3)],
    },
    "results": [{"image_id": n, "keypoints": COCO, "score": 0.5} for n in range(3)],
    "kinetics": {
        "data": [
            {
                "frame_index": n,
                "skeleton": [{"pose": BODY[:18, :2].ravel().tolist(), "score": BODY[:18, 2].tolist()}],
            }
            for n in range(1, 4)
        ],
        "label": "x",
    },
}


@pytest.mark.slow
def test_keypoint_files_are_answered_or_refused_in_one_line(tmp_path: Path) -> None:
    campaign = Campaign("keypoint files", tmp_path)
    for kind, document in [("frame", OPENPOSE), *(("clip", document) for document in DOCUMENTS.values())]:
        content = json.dumps(document).encode()
        campaign.whole(lambda folder, kind=kind, content=content: prepare(folder, kind, content))
    single = st.sampled_from(sorted(DOCUMENTS)).flatmap(lambda name: spoiled_json(DOCUMENTS[name]))
    contents = st.one_of(
        st.tuples(st.just("clip"), single),
        st.tuples(st.just("frame"), spoiled_json(OPENPOSE)),
        st.tuples(st.sampled_from(["clip", "frame"]), st.sampled_from(RAW)),
    )

    @FUZZ
    @given(contents)
    def fuzz(case: tuple[str, bytes]) -> None:
        campaign.run(lambda folder: prepare(folder, *case))

    fuzz()
    campaign.close()


def prepare(folder: Path, kind: str, content: bytes) -> list[str]:
    if kind == "clip":
        (folder / "poses.json").write_bytes(content)
        return ["upsample", "input=poses.json", *COMMON]
    (folder / "poses").mkdir()
    for number in range(3):
        spoiled = content if number == 1 else json.dumps(OPENPOSE).encode()
        (folder / "poses" / f"{number}.json").write_bytes(spoiled)
    return ["upsample", "input=poses", *COMMON]
