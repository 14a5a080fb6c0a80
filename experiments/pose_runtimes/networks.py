"""The networks alone beside LiteRT (pip install ai-edge-litert): python networks.py CLIP."""

from __future__ import annotations

import sys
from itertools import islice

import cv2
import numpy as np
import torch
from ai_edge_litert.interpreter import Interpreter
from compare import cpu_ms

from rib.io.weights.model_packages import weight_file
from rib.pose.nets.tflite_net import TfliteNet
from rib.video import open_frame_source

NETS = {
    "pose_detection/pose_detection": -1.0,
    "pose_landmark/pose_landmark_full": 0.0,
    "holistic_landmark/hand_recrop": 0.0,
    "hand_landmark/hand_landmark_full": 0.0,
}
"""Files, and the value of black."""
TIMES = 15


def main(clip: str) -> None:
    """Print, by network and picture, the largest differences of each output, and the CPU time of a call."""
    torch.set_num_threads(1)
    frame = next(islice(open_frame_source(clip), 12, None))
    random = np.random.default_rng(0)
    for name, low in NETS.items():
        path = weight_file("mediapipe", f"mediapipe/modules/{name}.tflite")
        net, runtime = TfliteNet.of_file(path, pinned=True), Interpreter(str(path), num_threads=1)
        runtime.allocate_tensors()
        size = net.size_px
        for kind, picture in (
            ("real", cv2.resize(frame, size, interpolation=cv2.INTER_AREA)),
            ("noise", random.integers(0, 256, (*size, 3), np.uint8)),
        ):
            x = (picture[None] * ((1 - low) / 255) + low).astype(np.float32)
            for line in differences(net, runtime, x):
                print(f"{name} {kind} {line}")
        print(f"{name} CPU ms: LiteRT {cpu_ms(lambda: run(runtime, x), TIMES):.1f}, ", end="")  # noqa: B023
        for num in (1, 4):
            batch = torch.from_numpy(x.repeat(num, 0)).permute(0, 3, 1, 2)
            with torch.inference_mode():
                print(f"torch {num} at once {cpu_ms(lambda: net(batch), TIMES) / num:.1f} each ", end="")  # noqa: B023
        print()


def run(runtime: Interpreter, x: np.ndarray) -> list[np.ndarray]:
    """LiteRT's outputs."""
    runtime.set_tensor(runtime.get_input_details()[0]["index"], x)
    runtime.invoke()
    return [runtime.get_tensor(output["index"]) for output in runtime.get_output_details()]


@torch.inference_mode()
def differences(net: TfliteNet, runtime: Interpreter, x: np.ndarray) -> list[str]:
    """Of each output: LiteRT from torch, and both from torch in double precision."""
    picture = torch.from_numpy(x).permute(0, 3, 1, 2)
    ours, exact = net(picture), net.double()(picture.double())
    net.float()
    lines = []
    for index, (given, *pair) in enumerate(zip(run(runtime, x), ours, exact, strict=True)):
        one, best = ((out.permute(0, 2, 3, 1) if out.ndim == 4 else out).numpy() for out in pair)
        apart = [float(np.abs(a - b).max()) for a, b in ((given, one), (given, best), (one, best))]
        lines.append(
            f"output {index} up to {np.abs(given).max():.3g}: LiteRT - torch {apart[0]:.1e},"
            f" LiteRT - exact {apart[1]:.1e}, torch - exact {apart[2]:.1e}"
        )
    return lines


if __name__ == "__main__":
    main(sys.argv[1])
