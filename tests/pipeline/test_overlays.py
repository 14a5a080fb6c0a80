"""A logo over a moving picture, through the whole chain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from rib.pipeline.chain import Chain
from rib.pipeline.interpolate import open_interpolation_job
from rib.video import ArraySource


@pytest.mark.parametrize(("overlays", "most_off"), [("keep", 1), ("off", 255)])
@pytest.mark.slow
def test_a_logo_over_a_pan_stays_as_it_is(
    overlays: str, most_off: int, settings: Callable[..., dict[str, Any]], tmp_path: Any
) -> None:
    blocks = np.random.default_rng(1).integers(0, 120, (12, 40, 3), dtype=np.uint8)
    whole = np.kron(blocks, np.ones((8, 8, 1), np.uint8))
    frames = []
    for index in range(9):
        frames.append(np.ascontiguousarray(np.roll(whole, 21 * index, axis=1)[:, :128]))
        cv2.putText(frames[-1], "LIVE", (20, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (255, 255, 255), 3)
    logo = np.all([(frame == 255).all(axis=2) for frame in frames], axis=0)
    config = settings(tmp_path, "rate=2", f"overlays={overlays}", "motion=linear")
    job = open_interpolation_job(config, ArraySource(frames, fps=10))
    chain = Chain.from_config(config)
    made = list(chain.frames(job.source, chain.analyse(job.source, job.moments)))
    assert len(made) == 18
    off = [int((255 - frame.picture[logo].astype(int)).max()) for frame in made]
    assert max(off) <= most_off
