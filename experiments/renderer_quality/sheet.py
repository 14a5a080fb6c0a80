"""Hidden frames side by side: interpolator, drawing, drawing mended, truth; where the net moved alpha.

    python sheet.py samples=samples.h5 ckpt=WEIGHTS frames=walk_8_0:1,jacks_3_0:8 out=sheet.jpg

A frame is the middle one of an interval, named <samples>:<interval>.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import torch

from rib.render.nets.checkpoint import load_renderer_net
from rib.render.refine.dataset import RefinerSample, read_refiner_samples
from rib.render.refine.refiner_input import RefinerInput, RefinerOutput

HEIGHT = 240


@torch.inference_mode()
def row(interval: RefinerSample, net: torch.nn.Module) -> np.ndarray:
    """(HEIGHT, W, 3) uint8 RGB."""
    middle = len(interval.channels) // 2
    drawn = RefinerInput.of(torch.from_numpy(interval.channels[[middle]]).float() / 255)
    refined = net.refine(drawn)
    plain = RefinerOutput(drawn.colour, drawn.alpha, drawn.trust).over(drawn)
    moved = ((refined.alpha - drawn.alpha) / 2 + 0.5).expand(-1, 3, -1, -1)
    tiles = [
        drawn.interpolated,
        plain,
        refined.over(drawn),
        torch.from_numpy(interval.truth[[middle]]).float() / 255,
        moved,
    ]
    pictures = [(tile[0] * 255).byte().permute(1, 2, 0).numpy() for tile in tiles]
    zoom = HEIGHT / pictures[0].shape[0]
    size = round(pictures[0].shape[1] * zoom), HEIGHT
    return np.concatenate(
        [cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures], 1
    )


def main(arguments: list[str]) -> None:
    """See the module."""
    given = dict(argument.split("=", 1) for argument in arguments)
    net = load_renderer_net(given["ckpt"], "rib.render.nets.base.RendererBase")
    rows = []
    for frame in given["frames"].split(","):
        name, number = frame.split(":")
        rows.append(row(read_refiner_samples(Path(given["samples"]), [name])[name][int(number)], net))
    width = max(one.shape[1] for one in rows)
    whole = np.concatenate([np.pad(one, ((0, 0), (0, width - one.shape[1]), (0, 0))) for one in rows])
    cv2.imwrite(given["out"], np.ascontiguousarray(whole[..., ::-1]))


if __name__ == "__main__":
    main(sys.argv[1:])
