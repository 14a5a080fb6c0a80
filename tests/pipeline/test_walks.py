"""How often a clip is decoded and how often the interpolator runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from small_clips import SIZE, picture
from torch.nn.modules.module import register_module_forward_hook

from rib.background.ifnet import IFNet
from rib.benchmark.run import benchmark
from rib.config.compose import compose
from rib.io.errors import RibError
from rib.io.model_packages import weight_file
from rib.pipeline.chain import Chain
from rib.pipeline.interpolate import interpolate
from rib.video import ArraySource, open_source, subclip


class Counted(ArraySource):
    """Counts the frames that are decoded."""

    decoded = 0

    def __iter__(self) -> Iterator[np.ndarray]:
        for frame in super().__iter__():
            self.decoded += 1
            yield frame


@pytest.fixture
def warp(tmp_path: Path, settings: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """`render=warp` over flow, with poses and mattes from files."""
    (tmp_path / "masks").mkdir()
    for index in range(9):
        matte = np.zeros(SIZE[::-1], np.uint8)
        matte[4:42, 9 + index : 32 + index] = 255
        cv2.imwrite(str(tmp_path / "masks" / f"{index}.png"), matte)
    files = ("mask=files", f"mask.path={tmp_path / 'masks'}")
    return settings(tmp_path, "rate=2", "render=warp", "background=flow", *files)


def test_a_clip_that_fits_into_memory_is_decoded_once(warp: dict[str, Any]) -> None:
    source = Counted([picture(i) for i in range(9)], fps=10)
    source.fingerprint()
    hashed = source.decoded
    interpolate(warp, source)
    assert source.decoded - hashed <= hashed + 9  # hashing frames in memory is a walk of its own


def test_the_holdouts_are_judged_in_the_walk_that_makes_the_frames(warp: dict[str, Any]) -> None:
    source = Counted([picture(i) for i in range(9)], fps=10)
    chain = Chain.from_config(warp)
    analysis = chain.analyse(source, source.fps * 2)
    source.decoded = 0
    assert len(list(chain.frames(source, analysis))) == 17
    assert source.decoded == 9


@pytest.mark.slow
def test_the_benchmark_runs_an_interpolator_once_for_all_methods(tmp_path: Path) -> None:
    try:
        video = open_source(weight_file("sports2d", "Sports2D/Demo/demo.mp4"))
    except RibError as error:
        pytest.skip(f"the demo's clip is not installed: {error}")
    frames = list(subclip(video, 72, 17, (600, 490, 768, 480), (256, 160)))
    asked = {"moments": 0}

    def count(module: torch.nn.Module, given: Any, made: Any) -> None:
        if isinstance(module, IFNet):
            asked["moments"] += len(given[0])

    runs = {}
    hook = register_module_forward_hook(count)
    try:
        for methods in ("[rife]", "[rife,rib]"):
            asked["moments"] = 0
            source = Counted(frames, fps=video.fps)
            source.fingerprint()
            hashed = source.decoded
            where = (f"output={tmp_path / methods}", f"cache.dir={tmp_path / 'cache'}")
            benchmark(compose("benchmark", "input=x", "stride=4", f"methods={methods}", *where), source)
            runs[methods] = asked["moments"]
            assert source.decoded - hashed <= len(frames) + 2 * hashed
    finally:
        hook.remove()
    assert runs["[rife]"] == 12
    assert runs["[rife,rib]"] <= 12 + 3  # and the hold-outs
