"""`render.fit=N`: the renderer's net is fitted to the clip's own keyframes before a frame is made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rib.pipeline.analysis import Analysis, digest
from rib.pipeline.rehearsal import able_to_hide, hide, shots_of
from rib.pipeline.watch import counter
from rib.render.refine.drawings import Gap
from rib.render.refine.fitting import Report
from rib.video import FrameSource

if TYPE_CHECKING:
    from rib.pipeline.chain import Chain

KEPT = 3
"""One in so many keyframes is kept from the fit, to judge its outcome by."""
MOST = 64
"""So many are learnt from at most, spread over the clip: their drawings are in memory (a few MB each)."""
FILE = "renderer.safetensors"


def fit_renderer(chain: Chain, source: FrameSource, analysis: Analysis) -> frozenset[int]:
    """Fit the chain's renderer to the keyframes, each hidden between its neighbours, where it asks for it.

    The weights are kept among the artefacts under everything that made them.

    Returns:
        The keyframes that it was fitted to; they cannot judge it.
    """
    steps = chain.recipes["render"].get("fit", 0)
    chosen = _to_learn(analysis)
    if not steps or not chosen:
        return frozenset()
    renderer = chain.stage("render")

    def make(folder: Path) -> None:
        with chain.watch("fit"):
            gaps = list(_gaps(chain, source, analysis, chosen))
            with _bar(steps) as report:
                renderer.fit_to(gaps, report, folder / FILE)

    recipe = {"stages": chain.recipes, "plate": chain.plate, "chosen": chosen}
    parents = [source.fingerprint(), digest(analysis.keyframe_poses), _weights(renderer)]
    folder, _ = chain.artefacts.get("renderer", recipe, parents, make)
    renderer.load(folder / FILE)
    return frozenset(chosen)


def _to_learn(analysis: Analysis) -> list[int]:
    """Two keyframes of three, of those that have somebody on both sides in their shot; `MOST` at most."""
    shots = shots_of(analysis)
    able = [able_to_hide(analysis, np.flatnonzero(shots == number)) for number in np.unique(shots)]
    chosen = [k for shot in able for i, k in enumerate(shot) if i % KEPT != KEPT // 2]
    if len(chosen) <= MOST:
        return chosen
    return [chosen[i] for i in np.linspace(0, len(chosen) - 1, MOST).round().astype(int)]


def _gaps(chain: Chain, source: FrameSource, analysis: Analysis, chosen: list[int]) -> Iterator[Gap]:
    """The drawing of each hidden keyframe beside the truth."""
    for hidden in hide(chain, source, analysis, chosen):
        sketch = chain.stage("render").sketch(hidden.interval, hidden.background)
        if sketch is not None:
            drawing, drawn, gate = sketch
            yield Gap.of(drawn, drawing.box.of(hidden.keyframe.picture)[None], gate)


def _weights(renderer: Any) -> str:
    """A hash of the weights that the fit starts from."""
    return str(renderer.start)


@contextmanager
def _bar(steps: int) -> Iterator[Report]:
    with counter("fitting the renderer") as count:

        def report(step: int, terms: Any) -> None:
            if count:
                count(step, steps, ", ".join(f"{name} {value:.4f}" for name, value in terms.items()))

        yield report
