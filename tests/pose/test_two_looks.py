"""Both looks at a person run at once, in two threads; an error of either is told."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rib.io.errors import RibError
from rib.pose.detectors.regions import BlazePoseRoi
from rib.pose.walks import PoseEstimationPasses, PoseEstimationSettings

PICTURE = np.zeros((48, 64, 3), np.uint8)
ROIS = {1: np.array([[20.0, 24, 30, 0]]), 2: np.array([[50.0, 24, 30, 0]])}


class BlindNetwork:
    """Sees nobody, and waits until the other look has begun.

    Args:
        both: Where two looks meet.
        fails: Whether it fails.
    """

    def __init__(self, both: threading.Barrier, fails: bool) -> None:
        self.both, self.fails, self.threads = both, fails, list[str]()

    def in_each(self, looks: Sequence[tuple[np.ndarray, BlazePoseRoi]]) -> list[None]:
        self.both.wait(timeout=10)
        self.threads.append(threading.current_thread().name)
        if self.fails:
            raise RibError("no look")
        return [None] * len(looks)

    def close(self) -> None:
        """Nothing is held open."""


def close_ups(*fail: bool) -> tuple[PoseEstimationPasses, list[BlindNetwork]]:
    """Passes of which there is the second alone, and the networks that look straight and into the mirror."""
    both, networks = threading.Barrier(2), list[BlindNetwork]()

    def open_network(*asked: Any, **named: Any) -> BlindNetwork:
        networks.append(BlindNetwork(both, fail[len(networks)]))
        return networks[-1]

    runtime: Any = SimpleNamespace(body_network=open_network)
    settings = PoseEstimationSettings(0.5, 2, 32, 1.0, 1.0, 512, 0.3, 0.3, runtime)
    source: Any = SimpleNamespace(times_s=np.zeros(1), size_px=(64, 48), fps=10)
    none: Any = None
    return PoseEstimationPasses(none, settings, source, everybody=True, rois=ROIS), networks


def test_both_looks_are_under_way_at_once() -> None:
    passes, (straight, mirrored) = close_ups(False, False)
    with closing(passes):
        assert [one.pose.track_id for one in passes.look(PICTURE)] == [1, 2]
    assert straight.threads == [threading.current_thread().name]
    assert mirrored.threads != straight.threads
    assert not [one for one in threading.enumerate() if one.name in mirrored.threads]


@pytest.mark.parametrize("fail", [(True, False), (False, True)])
def test_an_error_of_either_look_is_told_and_no_thread_stays(fail: tuple[bool, bool]) -> None:
    passes, (_, mirrored) = close_ups(*fail)
    with closing(passes), pytest.raises(RibError, match="no look"):
        passes.look(PICTURE)
    assert not [one for one in threading.enumerate() if one.name in mirrored.threads]
