"""Score `render=warp` against its floor on every case of a data folder, as it is and disturbed.

    python run.py data=DATA out=OUT [cases=walk_4,jacks_8] [view=plain|mirrored|cropped|panned] [key=value]

DATA holds `dev_cases.json` and `video/`. Every case hides all frames but each stride-th and predicts them
with `background=rife` alone and with `render=warp` on top, in one configuration. The other arguments are
settings of `rib benchmark`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np

from rib.benchmark.run import benchmark
from rib.config.compose import compose
from rib.video import ArraySource, FrameSource, cut, open_source


def load(data: Path, case: dict) -> tuple[np.ndarray, float]:
    """The case's frames (T, H, W, 3) uint8 RGB and their rate."""
    source = open_source(data / "video" / case["video"])
    crop, size = tuple(case["crop_xywh"]), tuple(case["size_wh"])
    return np.stack(list(cut(source, case["first"], case["count"], crop, size))), float(source.fps)


def view(frames: np.ndarray, name: str) -> np.ndarray:
    """The clip as it is, mirrored, cropped by 5 % on every side, or seen by a camera that pans."""
    height, width = frames.shape[1:3]
    if name == "mirrored":
        return np.ascontiguousarray(frames[:, :, ::-1])
    if name == "cropped":
        y, x = round(0.05 * height), round(0.05 * width)
        return np.ascontiguousarray(frames[:, y : height - y, x : width - x])
    if name == "panned":
        narrow = round(0.8 * width)
        lefts = np.linspace(0, width - narrow, len(frames)).round().astype(int)
        return np.stack([frame[:, left : left + narrow] for frame, left in zip(frames, lefts, strict=True)])
    return frames


def run(source: FrameSource, stride: int, out: Path, settings: list[str]) -> dict[str, dict[str, float]]:
    """The summaries of both methods, kept as metrics.json beside a contact sheet."""
    config = compose(
        "benchmark",
        "input=frames",
        f"output={out}",
        f"stride={stride}",
        "methods=[rife,rib]",
        "render=warp",
        *settings,
    )
    result = benchmark(config, source)
    return {name: method["summary"] for name, method in result["methods"].items()}


def line(name: str, rife: dict[str, float], warp: dict[str, float]) -> str:
    """A row of the table: what the warp changes against RIFE, and the floor's own value."""

    def change(score: str) -> float:
        return warp[score] - rife[score]

    cells = [
        f"{rife['psnr_person']:.2f} / {rife['lpips_person']:.4f}",
        f"{change('psnr_person'):+.2f}",
        f"{change('lpips_person'):+.4f} ({change('lpips_person') / rife['lpips_person']:+.0%})",
        f"{change('psnr_person_worst_tenth'):+.2f} / {change('lpips_person_worst_tenth'):+.4f}",
        f"{change('lpips_full'):+.4f}",
        f"{warp['joint_error'] / rife['joint_error']:.2f}",
    ]
    return f"| {name} | " + " | ".join(cells) + " |"


def main(arguments: list[str]) -> None:
    """See the module."""
    given = dict(argument.split("=", 1) for argument in arguments)
    data, out = Path(given.pop("data")), Path(given.pop("out"))
    chosen, how = given.pop("cases", ""), given.pop("view", "plain")
    cv2.setNumThreads(1)
    for clip, case in json.loads((data / "dev_cases.json").read_text()).items():
        for stride in case["strides"]:
            name = f"{clip}_{stride}"
            if chosen and name not in chosen.split(","):
                continue
            frames, fps = load(data, case)
            source = ArraySource(view(frames, how), fps, name=f"clip {len(frames)}")
            settings = [f"{key}={value}" for key, value in given.items()]
            summary = run(source, stride, out / how / name, settings)
            print(line(name, summary["rife"], summary["rib"]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
