"""A long clip needs no more memory than a short one: keyframes are let go as the renderer is past them."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from small_clips import SIZE, person, picture

from rib.config.compose import compose
from rib.keypoint_files import write_openpose_json
from rib.pipeline.chain import Chain
from rib.pipeline.interpolate import interpolate_clip
from rib.structures.interval import Keyframe
from rib.video import ArraySource, open_frame_source


def most_alive(folder: Path, count: int, settings: Callable[..., dict[str, Any]]) -> int:
    """The greatest number of keyframes that exist at once while `render=warp` makes the frames."""
    write_openpose_json(person(count), folder / "poses")
    for part in ("pictures", "masks"):
        (folder / part).mkdir()
    for index in range(count):
        cv2.imwrite(str(folder / "pictures" / f"{index}.png"), picture(index)[..., ::-1])
        matte = np.zeros(SIZE[::-1], np.uint8)
        matte[4:42, 9:32] = 255
        cv2.imwrite(str(folder / "masks" / f"{index}.png"), matte)
    overrides = ("input_fps=10", "rate=2", "render=warp", "background=flow", "mask=files")
    where = (f"poses={folder / 'poses'}", f"mask.path={folder / 'masks'}")
    chain = Chain.from_config(settings(folder / "pictures", *overrides, *where))
    source = open_frame_source(folder / "pictures", 10)
    gc.collect()
    before = {id(thing) for thing in gc.get_objects() if type(thing) is Keyframe}
    most = 0
    for _ in chain.frames(source, chain.analyse(source, source.fps * 2)):
        gc.collect(0)
        most = max(
            most,
            len([0 for thing in gc.get_objects() if type(thing) is Keyframe and id(thing) not in before]),
        )
    return most


@pytest.mark.slow
def test_few_keyframes_of_a_long_clip_are_held(
    tmp_path: Path, settings: Callable[..., dict[str, Any]]
) -> None:
    waiting = 5 * 5  # small ones, of five hold-outs
    assert most_alive(tmp_path, 60, settings) <= waiting + 8


class PaintedFrames(Sequence[np.ndarray]):
    """Frames of 8 x 8 px, painted whenever they are asked for.

    Args:
        count: So many.
    """

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: Any) -> Any:
        if not 0 <= index < self.count:
            raise IndexError(index)
        return np.full((8, 8, 3), index % 200, np.uint8)


@pytest.mark.slow
def test_what_is_known_of_a_film_takes_little_memory(tmp_path: Path) -> None:
    chain = ("background=blend", "render=none", "report=false", "video.codec=mpeg4", "device=cpu")
    cache, peaks = f"cache.dir={tmp_path / 'cache'}", []
    for count in (200, 200, 1700):  # the first one loads what all share
        output = tmp_path / f"{len(peaks)}.mp4"
        config = compose("interpolate", "input=x", "rate=2", *chain, f"output={output}", cache)
        tracemalloc.start()
        interpolate_clip(config, ArraySource(PaintedFrames(count), 10))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    grown = (peaks[2] - peaks[1]) / 1500
    assert grown < 1200, f"{grown:.0f} bytes a frame; 350 of them are the decoded frame itself"
