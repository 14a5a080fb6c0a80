from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_clips import write_masks

from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.chain import Chain
from rib.pipeline.clip_fitter import RendererClipFitter
from rib.video import FrameSource, open_frame_source


@pytest.fixture
def chain(pictures: Path, settings: Callable[..., dict[str, Any]], tmp_path: Path) -> Callable[..., Chain]:
    folder = write_masks(tmp_path / "masks")

    def make(*overrides: str) -> Chain:
        small = (
            "render.net.widths=[8]", "render.net.blocks=[1]", "render=gan", "render.ckpt=untrained",
            "background=flow", "mask=files", f"mask.path={folder}",
        )  # fmt: skip
        crops = (
            () if "render.fit=0" in overrides else ("render.crops.side_px=32", "render.crops.batch_size=1")
        )
        return Chain.from_config(settings(pictures, "input_fps=10", "rate=2", *small, *crops, *overrides))

    return make


def fit_renderer(one: Chain, source: FrameSource, analysis: ClipAnalysis) -> frozenset[int]:
    with torch.inference_mode():
        return RendererClipFitter(one.stages, one.synthesiser(), one.artefacts)(source, analysis, 1)


@pytest.mark.slow
def test_fitted_weights_are_kept_under_what_made_them(pictures: Path, chain: Callable[..., Chain]) -> None:
    source = open_frame_source(pictures, 10)
    made = []
    for overrides in (
        ["render.fit=2"],
        ["render.fit=2"],
        ["render.fit=3"],
        ["render.fit=2", "render.seed=2"],
    ):
        one = chain(*overrides)
        learnt = fit_renderer(one, source, one.analyse(source, source.fps * 2))
        made.append((learnt, "renderer" in one.artefacts.reused))
    assert [reused for _, reused in made] == [False, True, False, False]
    assert made[0][0] == frozenset({1, 3, 4, 6, 7})


@pytest.mark.slow
def test_a_fit_makes_the_same_frames_with_and_without_its_artefact(
    pictures: Path, chain: Callable[..., Chain]
) -> None:
    source = open_frame_source(pictures, 10)
    results = []
    for _ in range(2):
        one = chain("render.fit=1")
        results.append([f.picture for f in one.frames(source, one.analyse(source, source.fps * 2))])
    assert all(np.array_equal(a, b) for a, b in zip(*results, strict=True))
    assert len(results[0]) == 17


def test_nothing_is_fitted_unasked(pictures: Path, chain: Callable[..., Chain]) -> None:
    source = open_frame_source(pictures, 10)
    one = chain("render.fit=0")
    assert fit_renderer(one, source, one.analyse(source, source.fps * 2)) == frozenset()
