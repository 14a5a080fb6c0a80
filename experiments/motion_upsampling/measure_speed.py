"""How fast training samples are drawn, and how the net's time and memory grow with the clip.

    python measure_speed.py --mocap MOCAP_JOINTS

One thread. A sample is a window of 321 frames: its 41 keyframes, corrupted, and five moments in each interval
between them, all projected.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from rib.io.recipe import build_recipe
from rib.mocap.stores.bank import MotionBank
from rib.motion.nets.checkpoint import load_motion_net, shipped_motion_weights
from rib.motion.training.windows import MotionWindows

FPS = 60


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--mocap", required=True, type=Path)
    torch.set_num_threads(1)
    print(f"samples drawn a second: {samples_per_second(ask.parse_args().mocap):.0f}")
    net = load_motion_net(shipped_motion_weights())
    with torch.inference_mode():
        for stride in (4, 8, 16):
            least_ms = 1e3 * best(partial(read, net, 321, stride))
            print(f"321 frames, keyframes every {stride}: {least_ms:.1f} ms")
        for frames in (1_281, 10_001, 100_001):
            seconds = best(partial(read, net, frames, 8), repeats=2)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{frames} frames, keyframes every 8: {seconds:.2f} s, peak memory {peak:.0f} MiB")


def samples_per_second(mocap: Path, batch: int = 64) -> float:
    import yaml

    task = Path(__file__).parents[2] / "conf/task/motion.yaml"
    data = yaml.safe_load(task.read_text().replace("${seed}", "0").replace("${net}", "null"))["data"]
    recipe = data["windows"] | {"strides": [8], "keyframes": [41, 41], "tokens": 41 * batch, "irregular": 0.0}
    windows = MotionWindows(
        MotionBank.from_folder(mocap),
        build_recipe(recipe),
        build_recipe(data["views"]),
        build_recipe(data["noise"]),
        None,
    )
    generator = torch.Generator().manual_seed(0)
    return batch / best(lambda: windows.draw(generator), repeats=20)


def read(net: torch.nn.Module, frames: int, stride: int) -> None:
    K = (frames - 1) // stride + 1
    times = torch.arange(K, dtype=torch.float64)[None] * stride / FPS
    place = torch.randn(1, 1, 19, 2) * 60
    keypoints = place + 50 * torch.sin(3 * times[..., None, None].float() + place)
    query = torch.arange(frames, dtype=torch.float64)[None] / FPS
    curve = net(times, keypoints, torch.ones(1, K, 19))
    for part in query.split(8192, 1):
        curve.at(part)


def best(work: Callable[[], object], repeats: int = 30) -> float:
    """The least of several durations, seconds: what remains when nobody else computes."""
    spent = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    return min(spent)


if __name__ == "__main__":
    main()
