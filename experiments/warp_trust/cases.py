"""The cases of a data folder as folders of pictures: what a method is given, and what is true."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from rib.video import open_frame_source, subclip

VIEWS = ("plain", "mirrored", "cropped", "panned")
PANNED = ("walk_8", "jacks_4")
"""The cases that are also seen by a camera that pans."""


@dataclass(frozen=True)
class Case:
    """A stretch of a video, with all frames but each stride-th hidden.

    Attributes:
        name: Clip and stride.
        recording: What it was filmed with; rules are judged on recordings they were not made on.
        keyframes: A folder that holds the pictures a method is given and nothing else.
        true: A folder with all pictures.
        fps: Of all pictures, a second.
        stride: Frames from one keyframe to the next.
    """

    name: str
    recording: str
    keyframes: Path
    true: Path
    fps: Fraction
    stride: int


def cases(listing: Path, videos: Path, out: Path, view: str, chosen: tuple[str, ...] = ()) -> Iterator[Case]:
    """Write the pictures of every case, or of those chosen by name, and give them in order.

    Args:
        listing: JSON: by clip, `video`, `recording`, `first`, `count`, `crop_xywh`, `size_wh`, `strides`.
        videos: Where the videos lie.
        out: Pictures go to `out/<view>/<case>/keyframes` and `.../true`; those that are there are kept.
        view: One of `VIEWS`.
        chosen: Names of cases; all where empty.
    """
    for clip, case in json.loads(listing.read_text()).items():
        names = {f"{clip}_{stride}": stride for stride in case["strides"]}
        wanted = {name: stride for name, stride in names.items() if _wanted(name, view, chosen)}
        if not wanted:
            continue
        source = open_frame_source(videos / case["video"])
        stretch = subclip(
            source, case["first"], case["count"], tuple(case["crop_xywh"]), tuple(case["size_wh"])
        )
        frames = seen(np.stack(list(stretch)), view)
        for name, stride in wanted.items():
            folder = out / view / name
            _write(frames[::stride], folder / "keyframes")
            _write(frames, folder / "true")
            fps = Fraction(source.fps)
            yield Case(name, case["recording"], folder / "keyframes", folder / "true", fps, stride)


def seen(frames: np.ndarray, view: str) -> np.ndarray:
    """The clip (T, H, W, 3): as it is, mirrored, 5 % cropped at every side, or by a camera that pans."""
    height, width = frames.shape[1:3]
    if view == "mirrored":
        return np.ascontiguousarray(frames[:, :, ::-1])
    if view == "cropped":
        y, x = round(0.05 * height), round(0.05 * width)
        return np.ascontiguousarray(frames[:, y : height - y, x : width - x])
    if view == "panned":
        narrow = round(0.8 * width)
        lefts = np.linspace(0, width - narrow, len(frames)).round().astype(int)
        return np.stack([frame[:, left : left + narrow] for frame, left in zip(frames, lefts, strict=True)])
    return frames


def read(path: Path) -> np.ndarray:
    """A picture as (H, W, 3) uint8 RGB."""
    stored = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert stored is not None, path
    return np.ascontiguousarray(stored[..., ::-1])


def _wanted(name: str, view: str, chosen: tuple[str, ...]) -> bool:
    return name in chosen if chosen else view != "panned" or name in PANNED


def _write(frames: np.ndarray, folder: Path) -> None:
    if folder.is_dir() and len(list(folder.iterdir())) == len(frames):
        return
    folder.mkdir(parents=True, exist_ok=True)
    for index, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"{index:06d}.png"), frame[..., ::-1])
