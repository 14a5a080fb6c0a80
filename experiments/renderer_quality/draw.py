"""Draw the hidden frames of the study's cases: `rib prepare data=refiner` for clips of `dev_cases.json`.

    python draw.py data=DATA out=samples.h5 names=walk_8_0,juggle_4_2     # <clip>_<stride>_<first frame>

A name that the file holds already is left as it is; the others are added one by one.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import cv2
import torch
from cases import clip

from rib.config.compose import compose
from rib.pipeline.chain import Chain
from rib.pipeline.refiner_dataset.samples import render_refiner_samples
from rib.render.refine.dataset import add_refiner_clips, refiner_clips_in_file, write_refiner_samples
from rib.video import subclip


def main(arguments: list[str]) -> None:
    """See the module."""
    given = dict(argument.split("=", 1) for argument in arguments)
    out = Path(given["out"])
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    recipe = compose("prepare", "data=refiner", "data.prepare.videos=").data.prepare
    for name in given["names"].split(","):
        if name in refiner_clips_in_file(out):
            continue
        start = time.perf_counter()
        which, stride, first = name.split("_")
        source = subclip(clip(Path(given["data"]), which), int(first))
        intervals = list(
            render_refiner_samples(
                Chain.from_config(recipe["chain"]), source, int(stride), None, recipe["max_moments"]
            )
        )
        part = out.with_name(f"{out.name}.part.h5")
        write_refiner_samples(part, {name: intervals})
        add_refiner_clips(out, [part])
        part.unlink()
        opened = sum(interval.gate > 0.5 for interval in intervals)
        print(
            f"{name}: {len(intervals)} intervals, {opened} trusted, {time.perf_counter() - start:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
