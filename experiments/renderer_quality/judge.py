"""What a net changes on drawings that it was not trained on, quickly: no clip is decoded and nobody detected.

    python judge.py samples=samples.h5 ckpt=WEIGHTS names=walk_8_0,jacks_4_0 [vgg=true]

Over the moments of trusted intervals: LPIPS (AlexNet, also what is trained on; VGG16, which is not) on
the person's box and PSNR where the drawing is trusted, without the net and with it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from rib.metrics.lpips import Lpips
from rib.render.nets.checkpoint import load_renderer_net
from rib.render.refine.dataset import RefinerSample, read_refiner_samples
from rib.render.refine.refiner_input import RefinerInput, RefinerOutput

EVERY = 6
"""One moment in so many is judged."""


@torch.inference_mode()
def judged(interval: RefinerSample, net: torch.nn.Module, nets: dict[str, Lpips]) -> list[list[float]]:
    """Rows of numbers: each LPIPS without and with the net, then PSNR without and with it."""
    rows = []
    for moment in range(len(interval.channels) // 2 % EVERY, len(interval.channels), EVERY):
        drawn = RefinerInput.of(torch.from_numpy(interval.channels[[moment]]).float() / 255)
        truth = torch.from_numpy(interval.truth[[moment]]).float() / 255
        plain = RefinerOutput(drawn.colour, drawn.alpha, drawn.trust).over(drawn)
        both = torch.cat([plain, net.refine(drawn).over(drawn)])
        weight = (drawn.trust > 0.5).float()
        error = ((both - truth).square().mean(1, keepdim=True) * weight).sum(
            (1, 2, 3)
        ) / weight.sum().clamp_min(1)
        psnr_db = -10 * error.clamp_min(1e-9).log10()
        rows.append([*(x for lpips in nets.values() for x in lpips(both, truth).tolist()), *psnr_db.tolist()])
    return rows


def main(arguments: list[str]) -> None:
    """See the module."""
    given = dict(argument.split("=", 1) for argument in arguments)
    torch.set_num_threads(1)
    net = load_renderer_net(given["ckpt"], "rib.render.nets.base.RendererBase")
    kinds = ["alexnet", "vgg16"] if given.get("vgg") == "true" else ["alexnet"]
    nets = {kind: Lpips(kind) for kind in kinds}
    for name, intervals in read_refiner_samples(Path(given["samples"]), given["names"].split(",")).items():
        rows = [row for interval in intervals if interval.gate > 0.5 for row in judged(interval, net, nets)]
        means = np.mean(rows, 0) if rows else []
        cells = [
            f"{kind} {a:.4f} -> {b:.4f} ({b / a - 1:+.1%})"
            for kind, a, b in zip(kinds, means[::2], means[1::2], strict=False)
        ]
        told = f"; {means[-2]:.2f} -> {means[-1]:.2f} dB" if len(means) else "no trusted interval"
        print(f"{name}: {len(rows)} frames; " + "; ".join(cells) + told, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
