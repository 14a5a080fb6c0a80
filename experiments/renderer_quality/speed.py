"""Seconds a frame of `renderer_base` and `renderer_reference` at 480 x 320, in turn, on one thread.

    python speed.py [repeats=7] [training=true]

Nets are untrained: the time does not depend on the weights. `whole` is everything between an interval's
pictures and its rendered frames (cutting, posing, trust, net), `net` the net alone. `training=true` takes the
time of a training step at 240 x 160 instead: windows of four frames of painted clips, two of them made, with
`task=renderer` as it is (three discriminators, VGG16).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import pytorch_lightning as pl
import torch

from rib.config.compose import compose
from rib.io.recipe import build_recipe
from rib.render.clip_batch import RendererClipBatch
from rib.render.refine.refiner_input import NUM_CHANNELS

WIDTH, HEIGHT = 480, 320
STANDING = {  # x and y in px of a person 260 px tall, in the order of BODY19
    "nose": (240, 45), "neck": (240, 80), "right_shoulder": (212, 82), "right_elbow": (190, 125),
    "right_wrist": (178, 165), "left_shoulder": (268, 82), "left_elbow": (290, 125), "left_wrist": (302, 165),
    "mid_hip": (240, 165), "right_hip": (225, 165), "right_knee": (220, 220), "right_ankle": (218, 278),
    "left_hip": (255, 165), "left_knee": (260, 220), "left_ankle": (262, 278), "left_big_toe": (275, 290),
    "right_big_toe": (205, 290), "left_hand": (306, 180), "right_hand": (174, 180),
}  # fmt: skip


def window() -> RendererClipBatch:
    """Noise with a person standing in it, whose arms swing."""
    from rib.structures.skeleton import BODY19

    generator = torch.Generator().manual_seed(0)
    frames = torch.rand(1, 3, 3, HEIGHT, WIDTH, generator=generator)
    pose = torch.tensor([[*STANDING[name], 1.0] for name in BODY19])
    poses = pose.repeat(1, 3, 1, 1)
    for moment, shift in enumerate((-20, 0, 20)):
        poses[0, moment, [BODY19.index(f"{side}_wrist") for side in ("left", "right")], 0] += shift
    masks = torch.zeros(1, 3, 1, HEIGHT, WIDTH)
    masks[..., 25:300, 170:310] = 1
    times_s = torch.tensor([[0.0, 0.5, 1.0]], dtype=torch.float64)
    return RendererClipBatch(
        frames=frames, poses=poses, masks=masks, backgrounds=frames[:, :1], times_s=times_s, names=[""]
    )


def seconds(call: Callable[[], object], repeats: int) -> list[float]:
    """CPU seconds of each call, so that other processes on the machine do not count."""
    call()
    found = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        found.append(time.process_time() - start)
    return found


class Clock(pl.Callback):
    """CPU seconds of every training step."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def on_train_batch_start(self, *_: object) -> None:
        """Start."""
        self.start = time.process_time()

    def on_train_batch_end(self, *_: object) -> None:
        """Stop."""
        self.seconds.append(time.process_time() - self.start)


def training_step(net: str, steps: int) -> float:
    """Median CPU seconds of a step, without the first."""
    config = compose(
        "train", "task=renderer", f"net={net}", "task.data.store=synthetic", "task.data.synthetic.count=2",
        "task.data.synthetic.size_wh=[240,160]", "task.data.first_frames=4", "task.data.most_frames=4",
        "task.data.batch_size=1", f"task.data.batches_per_epoch={steps}",
    ).task  # fmt: skip
    clock = Clock()
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=1, callbacks=[clock], logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, limit_val_batches=0,
    )  # fmt: skip
    trainer.fit(build_recipe(config.module), build_recipe(config.data))
    return float(np.median(clock.seconds[1:]))


def main(arguments: list[str]) -> None:
    """See the module."""
    given = dict(argument.split("=", 1) for argument in arguments)
    torch.set_num_threads(1)
    names, repeats = ("renderer_base", "renderer_reference"), int(given.get("repeats", 7))
    if given.get("training") == "true":
        for name in names:
            print(f"| {name} | {training_step(name, repeats):.2f} |", flush=True)
        return
    task = "task=renderer", "task.data.store=synthetic"
    nets = {name: build_recipe(compose("train", f"net={name}", *task).net).eval() for name in names}
    nets["renderer_reference"].for_inference()
    batch, channels = window(), torch.rand(1, NUM_CHANNELS, HEIGHT, WIDTH)
    calls = {
        "renderer_base whole": lambda: nets["renderer_base"](batch),
        "renderer_base net": lambda: nets["renderer_base"].changes(channels),
        "renderer_reference whole": lambda: nets["renderer_reference"](batch),
    }
    with torch.inference_mode():
        medians = {name: float(np.median(seconds(call, repeats))) for name, call in calls.items()}
    for name, median in medians.items():
        print(f"| {name} | {median:.3f} | {medians['renderer_reference whole'] / median:.1f} |")


if __name__ == "__main__":
    main(sys.argv[1:])
