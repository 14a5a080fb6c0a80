"""What leaves the device while frames are made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from small_clips import picture

from rib.background.blend import BlendInterpolator
from rib.io.images import to_tensor
from rib.pipeline.progress import StageStopwatch
from rib.pipeline.synthesis.synthesiser import Synthesiser
from rib.structures.interval import Interval, Keyframe


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts what would make a GPU wait."""
    counted = Counter[str]()

    def counting(name: str, way: Callable[..., Any]) -> Callable[..., Any]:
        def counted_way(tensor: torch.Tensor, *given: Any) -> Any:
            counted[name] += 1
            return way(tensor, *given)

        return counted_way

    for name in ("cpu", "numpy", "item", "tolist"):
        monkeypatch.setattr(torch.Tensor, name, counting(name, getattr(torch.Tensor, name)))
    return counted


def test_a_batch_of_frames_without_people_is_downloaded_once(downloads: Counter[str]) -> None:
    stages: Any = SimpleNamespace(watch=StageStopwatch(), background=BlendInterpolator())
    for stored in (lambda x: torch.from_numpy(x).permute(2, 0, 1), to_tensor):
        a, b = (Keyframe(k, float(k), stored(picture(k))) for k in (0, 1))
        interval = Interval(a, b, np.array([0.25, 0.5, 0.75]), indices=(1, 2, 3))
        downloads.clear()
        made = list(Synthesiser(stages, batch_mpx=1.0).frames(interval, []))
        assert downloads == {"cpu": 1, "numpy": 1}
        assert [frame.index for frame in made] == [1, 2, 3]
        assert not any(frame.trust.any() for frame in made if frame.trust is not None)
