"""How long conditioning, training steps and frames of the renderers take, on one thread.

    python experiments/renderer_speed/run.py [conditioning] [steps] [frames]

Both the seconds that pass and the seconds that the processor works are told: where other programs run on the
same cores the latter are the ones to compare.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch

from rib.config.compose import compose
from rib.io.recipe import build_recipe
from rib.render.conditioning.native import SkeletonConditioning
from rib.render.conditioning.reference import ReferenceConditioning

SIZE_HW = (320, 480)
ORIGINAL_LABELS_MS, ORIGINAL_STEP_S, ORIGINAL_FRAME_S = 97 + 122, 4.8, 1.11


def fastest(work: Callable[[], Any], repeats: int) -> tuple[float, float]:
    """The least seconds that passed and that the processor worked."""
    passed, worked = [], []
    for _ in range(repeats):
        start, busy = time.perf_counter(), time.process_time()
        work()
        passed.append(time.perf_counter() - start)
        worked.append(time.process_time() - busy)
    return min(passed), min(worked)


def people(number: int) -> torch.Tensor:
    """Poses of a walk, 250 px high, in a picture of 480 x 320: (number, 19, 3)."""
    from rib.clips.synthetic import SyntheticClips

    clips = SyntheticClips(1, number, (SIZE_HW[1], SIZE_HW[0]), 15, 1)
    return torch.from_numpy(np.array(clips.window(clips.names[0], 0, number).poses)).float()


def conditioning() -> None:
    for kind in (SkeletonConditioning(5.0, 4.0), ReferenceConditioning(5.0, 0.0)):
        for number in (1, 2):
            poses = people(4)[:number]
            passed, worked = fastest(lambda: kind(poses, SIZE_HW), 30)  # noqa: B023
            gain = ORIGINAL_LABELS_MS / (1e3 * worked / number)
            print(
                f"{type(kind).__name__}, batch of {number}: {1e3 * passed / number:.1f} ms a frame, "
                f"{1e3 * worked / number:.1f} ms of the processor, "
                f"{gain:.0f} times less than {ORIGINAL_LABELS_MS} ms"
            )


class StepTimes(pl.Callback):
    """Seconds that passed and that the processor worked, of every step."""

    def __init__(self) -> None:
        self.found: list[tuple[float, float]] = []

    def on_train_batch_start(self, *arguments: Any) -> None:
        self._start = time.perf_counter(), time.process_time()

    def on_train_batch_end(self, *arguments: Any) -> None:
        self.found.append((time.perf_counter() - self._start[0], time.process_time() - self._start[1]))


def steps() -> None:
    """A window of 4 frames at 240 x 160, 2 of them generated, with all losses and discriminators."""
    for net, more in (("renderer_base", []), ("renderer_reference", ["experiment=renderer_reference"])):
        config = compose(
            "train", "task=renderer", f"net={net}", *more, "task.data.store=synthetic",
            "task.data.size_wh=[240,160]", "task.data.batch_size=1", "task.data.synthetic.size_wh=[240,160]",
            "task.data.synthetic.count=3",
        )  # fmt: skip
        module, data, times = build_recipe(config.task.module), build_recipe(config.task.data), StepTimes()
        trainer = pl.Trainer(
            accelerator="cpu", max_steps=6, logger=False, enable_checkpointing=False, limit_val_batches=0,
            enable_progress_bar=False, enable_model_summary=False, callbacks=[times],
        )  # fmt: skip
        trainer.fit(module, datamodule=data)
        passed, worked = (min(values) for values in zip(*times.found[1:], strict=True))
        gain = ORIGINAL_STEP_S / worked
        print(
            f"{net}: a step takes {passed:.2f} s, {worked:.2f} s of the processor, "
            f"{gain:.1f} times less than {ORIGINAL_STEP_S} s"
        )


@torch.no_grad()
def frames() -> None:
    """One frame at 480 x 320 of the published design, its conditioning among it."""
    config = compose("train", "experiment=renderer_reference", "task.data.store=none")
    net = build_recipe(config.net).for_inference()
    background, previous = torch.rand(1, 3, *SIZE_HW), torch.rand(1, 3, *SIZE_HW)
    poses = people(4)[:1]
    for net.in_bfloat16 in (False, True):
        passed, worked = fastest(lambda: net.frame(net.maps(poses, background), background, previous), 5)
        print(
            f"renderer_reference, bfloat16 {net.in_bfloat16}: a frame takes {passed:.2f} s, "
            f"{worked:.2f} s of the processor (the original: {ORIGINAL_FRAME_S} s on two threads)"
        )


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    for name in sys.argv[1:] or ["conditioning", "steps", "frames"]:
        {"conditioning": conditioning, "steps": steps, "frames": frames}[name]()
