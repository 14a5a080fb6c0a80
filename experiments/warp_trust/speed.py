"""What `render=warp` costs on top of the interpolator, on one thread.

    python speed.py data=DATA out=OUT [strides=8,4] [repeats=3]

A walking person at 480 x 320 px, through the chain with all that it does for the renderer: drawing, trust,
plate, mattes read, and what else the renderer needs. CPU time of the process, so that neighbours on the
machine count little; finding the poses and the mattes is told apart.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import torch

from rib.config.compose import compose
from rib.pipeline.chain import Chain
from rib.pipeline.timeline import target_output_fps
from rib.video import ArraySource, open_frame_source, subclip, subsample_frames

CROP_XYWH, SIZE_WH = (624, 490, 720, 480), (480, 320)


def chain(out: Path, render: str) -> Chain:
    """The chain with its defaults, its weights loaded on first use."""
    config = compose(
        "interpolate", "input=x", "output=x", "rate=2", f"render={render}", f"cache.dir={out / 'cache'}"
    )
    return Chain.from_config(config)


def cpu_s(
    source: ArraySource, rate: int, out: Path, render: str
) -> tuple[float, float, int, dict[str, float]]:
    """CPU seconds of the analysis and of making the frames, frames made, wall seconds by stage."""
    some = chain(out, render)
    stages = some.stages
    loaded = [stages.background, stages.renderer, *([stages.plate] if render == "warp" else [])]
    assert all(loaded)
    start = time.process_time()
    analysis = some.analyse(source, target_output_fps(source.fps, rate, None))
    ready = time.process_time()
    made = sum(frame.keyframe < 0 for frame in some.frames(source, analysis))
    return ready - start, time.process_time() - ready, made, dict(some.watch.seconds)


def main(arguments: list[str]) -> None:
    """See the module."""
    given = dict(argument.split("=", 1) for argument in arguments)
    data, out = Path(given["data"]), Path(given["out"]).absolute()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    case = json.loads((data / "dev_cases.json").read_text())["walk"]
    video = open_frame_source(data / "video" / case["video"])
    frames = np.stack(list(subclip(video, case["first"], case["count"], CROP_XYWH, SIZE_WH)))
    whole = ArraySource(frames, video.fps, name="walk")
    for stride in map(int, given.get("strides", "8,4").split(",")):
        source = subsample_frames(whole, stride)
        looked, *_ = cpu_s(source, stride, out, "warp")
        print(f"stride {stride}: poses and mattes {looked / len(source):.2f} s a keyframe")
        for _ in range(int(given.get("repeats", 3))):
            _, floor_s, made, _ = cpu_s(source, stride, out, "none")
            _, warp_s, _, stages = cpu_s(source, stride, out, "warp")
            parts = ", ".join(f"{k} {1000 * v / made:.0f}" for k, v in stages.items() if "load" not in k)
            print(
                f"  {made} frames: RIFE {1000 * floor_s / made:.0f} ms, warp on top "
                f"{1000 * (warp_s - floor_s) / made:.0f} ms a frame (wall by stage: {parts})",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
