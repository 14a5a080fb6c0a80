"""Draw the hidden frames of clips from the keyframes alone, and keep the drawings beside the truth.

    python draw.py data=DATA out=drawings.h5 names=walk_8_0,juggle_4_2     # <clip>_<stride>_<first frame>

A name that the file holds already is left as it is.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import h5py
import torch
from cases import clip

from rib.config.compose import compose
from rib.interval import Interval
from rib.pipeline.chain import Chain
from rib.render.drawings import Gap, write_gaps
from rib.video import FrameSource, cut, every

MOMENTS = 7
"""At most so many hidden frames of a gap are kept."""


@torch.inference_mode()
def draw(source: FrameSource, stride: int) -> Iterator[Gap]:
    """Every gap's hidden frames; poses, mattes, plate and trust come from the keyframes as in the chain."""
    keyframes = every(source, stride)
    chain = Chain.from_config(
        compose("interpolate", "input=x", "output=y", "rate=2", "render=gan", "render.ckpt=untrained")
    )
    analysis = chain.analyse(keyframes, source.fps)
    frames = [torch.from_numpy(frame).permute(2, 0, 1).float() / 255 for frame in source]
    chain.stage("background").prepare(len(analysis.timeline), keyframes.size_px)
    for a, b, neighbours in chain.gaps(keyframes, analysis):
        gap = a[1].index
        wanted = analysis.timeline.wanted(gap)
        wanted = wanted[:: max(1, len(wanted) // MOMENTS)]
        if not analysis.person_at(gap, gap + 1):
            continue
        times_s, poses = analysis.timeline.times_s[wanted], analysis.poses[wanted]
        interval = Interval(a[1], b[1], times_s, poses, neighbours)
        sketch = chain.stage("render").sketch(interval, chain.background(interval))
        if sketch is not None:
            drawing, drawn, gate = sketch
            yield Gap.of(drawn, torch.stack([drawing.box.of(frames[int(n)]) for n in wanted]), gate)


def main(arguments: list[str]) -> None:
    """See the module."""
    given = dict(argument.split("=", 1) for argument in arguments)
    out = Path(given["out"])
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    for name in given["names"].split(","):
        if out.is_file() and name in h5py.File(out):
            continue
        start = time.perf_counter()
        which, stride, first = name.split("_")
        source = clip(Path(given["data"]), which)
        gaps = list(draw(cut(source, int(first), len(source) - int(first)), int(stride)))
        write_gaps(out, name, gaps)
        opened = sum(gap.gate > 0.5 for gap in gaps)
        print(f"{name}: {len(gaps)} gaps, {opened} trusted, {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
