from __future__ import annotations

import numpy as np
import pytest

from rib.pipeline.outputs.trust_shares import OutputTrustShares
from rib.pipeline.synthesis.output_frames import OutputFrame


def test_pixels_are_a_mean_over_frames_and_a_gap_counts_once() -> None:
    shares = OutputTrustShares()
    for interval, trusted in ((0, 0.0), (0, 0.3), (1, 0.0), (1, 0.0)):
        shares.add(interval, trusted)
    assert shares.summary() == {"trusted_pixels": pytest.approx(0.075), "trusted_intervals": 0.5}


def test_nothing_made_is_nothing_trusted() -> None:
    assert OutputTrustShares().summary() == {"trusted_pixels": 0.0, "trusted_intervals": 0.0}


def test_a_frame_is_trusted_where_its_map_is_above_one_half() -> None:
    picture = np.zeros((2, 2, 3), np.uint8)
    trust = np.array([[0.4, 0.5], [0.6, 1.0]], np.float32)
    assert OutputFrame(1, picture, -1, trust).trusted == 0.5
    assert OutputFrame(0, picture, 0).trusted == 0.0
