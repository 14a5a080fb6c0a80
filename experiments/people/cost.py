"""Measure what a further person costs: CPU time of one thread, poses, mattes and hold-outs included.

python experiments/people/cost.py DATA [RECORDING ...]

Keyframes of the recordings with several people, 480 x 320 px, RATE times as many frames out. The largest
person alone (people=largest) against everybody (people=all), both from an empty cache; RIFE's time is in
both.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import torch
from run import HERE, Verdicts, truth

from rib.config.compose import compose
from rib.pipeline.chain import Chain
from rib.pipeline.timeline import target_output_fps
from rib.video import ArraySource, subsample_frames

RATE, STRIDE, SIZE = 4, 4, [480, 320]
RECORDINGS = ("videomimic_two_walk", "raga_3people")


def measure(clip: ArraySource, people: str) -> dict[str, Any]:
    """CPU seconds of analysis and of making, frames made, and how often somebody was drawn."""
    with tempfile.TemporaryDirectory() as folder:
        given = (
            "input=x",
            "output=y",
            f"rate={RATE}",
            "device=cpu",
            f"cache.dir={folder}",
            f"people={people}",
        )
        chain, seen = Chain.from_config(compose("interpolate", *given)), Verdicts()
        keyframes, start = subsample_frames(clip, STRIDE), time.process_time()
        analysis = chain.analyse(keyframes, target_output_fps(keyframes.fps, RATE, None))
        middle = time.process_time()
        made = sum(frame.keyframe < 0 for frame in chain.frames(keyframes, analysis, seen))
        end = time.process_time()
    plans = [plan for interval in seen.found.values() for plan in interval.values()]
    return {
        "analysis_s": middle - start, "making_s": end - middle, "made": made,
        "people": len(analysis.keyframe_tracks.track_ids), "planned": len(plans) / len(seen.found),
        "drawn": sum(plan["drawn"] for plan in plans) / len(seen.found), "stages": dict(chain.watch.seconds),
    }  # fmt: skip


def main() -> None:
    """Print a line a recording."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    data, *chosen = sys.argv[1:]
    cases = json.loads((HERE / "cases.json").read_text())
    for name in chosen or RECORDINGS:
        case = {**cases[name], "size_wh": SIZE}
        measure(truth(Path(data), {**case, "count": 2 * STRIDE + 1}), "largest")  # opens the models
        clip = truth(Path(data), case)
        one, every = measure(clip, "largest"), measure(clip, "all")
        further = every["planned"] - one["planned"]
        more = {key: every[key] - one[key] for key in ("analysis_s", "making_s")}
        told = {key: 1e3 * value / one["made"] / max(further, 1e-9) for key, value in more.items()}
        planned = f"{every['planned']:.2f} people an interval for {one['planned']:.2f}"
        drawn = f"drawn {every['drawn']:.2f} for {one['drawn']:.2f}"
        price = ", ".join(f"{key} {value:.0f}" for key, value in told.items())
        print(f"{name}: {one['made']} frames, {planned}, {drawn}", flush=True)
        print(f"  a further person costs {sum(told.values()):.0f} ms a frame made ({price})", flush=True)
        stages = {key: round(every["stages"][key] - one["stages"].get(key, 0), 2) for key in every["stages"]}
        print(
            "  further wall seconds by stage:", {key: value for key, value in stages.items() if value > 0.05}
        )


if __name__ == "__main__":
    main()
