"""What could be gained by choosing, if the truth chose: the bound of a net that only selects.

    python oracle.py samples=samples.h5 names=walk_8_0,jacks_4_0

In windows of 9 px the candidate nearest to the truth is taken. Candidates: the interpolator, the drawing, the
same with either keyframe's colours alone, with either's silhouette too, and the plate.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from rib.metrics.lpips import Lpips
from rib.render.refine.dataset import RefinerSample, read_refiner_samples
from rib.render.refine.refiner_input import RefinerInput, RefinerOutput

WINDOW_PX = 9


@torch.inference_mode()
def chosen(interval: RefinerSample, lpips: Lpips) -> list[float]:
    """LPIPS of the drawing, of the choice between it and the interpolator, of the choice among all."""
    middle = len(interval.channels) // 2
    drawn = RefinerInput.of(torch.from_numpy(interval.channels[[middle]]).float() / 255)
    truth = torch.from_numpy(interval.truth[[middle]]).float() / 255
    whole = torch.ones_like(drawn.trust)
    a, alpha_a, b, alpha_b = drawn.per_keyframe.split([3, 1, 3, 1], 1)
    views = [(drawn.colour, drawn.alpha), (a, drawn.alpha), (b, drawn.alpha), (a, alpha_a), (b, alpha_b)]
    painted = [RefinerOutput(colour, alpha, whole).over(drawn) for colour, alpha in views]
    few, all_ = (
        _nearest(choice, truth)
        for choice in ([drawn.interpolated, painted[0]], [drawn.interpolated, *painted, drawn.plate])
    )
    plain = RefinerOutput(drawn.colour, drawn.alpha, drawn.trust).over(drawn)
    return lpips(torch.cat([plain, few, all_]), truth).tolist()


def _nearest(pictures: list[torch.Tensor], truth: torch.Tensor) -> torch.Tensor:
    stack = torch.cat(pictures)
    error = F.avg_pool2d((stack - truth).abs().mean(1, keepdim=True), WINDOW_PX, 1, WINDOW_PX // 2)
    best = error.argmin(0, keepdim=True).expand(-1, 3, -1, -1)
    return stack.gather(0, best)


def main(arguments: list[str]) -> None:
    """See the module."""
    given = dict(argument.split("=", 1) for argument in arguments)
    torch.set_num_threads(1)
    lpips = Lpips("alexnet")
    for name, intervals in read_refiner_samples(Path(given["samples"]), given["names"].split(",")).items():
        plain, few, all_ = np.mean(
            [chosen(interval, lpips) for interval in intervals[::2] if interval.gate > 0.5], 0
        )
        print(f"| {name} | {plain:.4f} | {few / plain - 1:+.0%} | {all_ / plain - 1:+.0%} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
