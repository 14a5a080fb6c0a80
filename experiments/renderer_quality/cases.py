"""The cases of a data folder: `dev_cases.json` beside `video/`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from rib.video import ArraySource, open_frame_source, subclip


def cases(data: Path) -> dict[str, dict[str, Any]]:
    """By clip: video, recording, first, count, crop_xywh, size_wh, strides."""
    return json.loads((data / "dev_cases.json").read_text())


def clip(data: Path, name: str) -> ArraySource:
    """A clip's frames at its case's size."""
    case = cases(data)[name]
    video = open_frame_source(data / "video" / case["video"])
    crop, size = tuple(case["crop_xywh"]), tuple(case["size_wh"])
    frames = np.stack(list(subclip(video, case["first"], case["count"], crop, size)))
    return ArraySource(frames, float(video.fps), name=name)
