"""Pictures that the chain made once: the guard of every rebuilding that is to change nothing.

    PYTHONPATH=. python tests/render/golden.py [case ...]     # renews tests/golden/, with what changes it

A case's file has some of its frames side by side. Processors round differently, hence a tolerance.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from painted import figure, paint

from rib.config.compose import compose
from rib.io.recipe import build_recipe
from rib.keypoint_files import write_openpose_json
from rib.pipeline.chain import Chain
from rib.pipeline.timeline import target_output_fps
from rib.render.nets.checkpoint import save_renderer_net
from rib.structures.keypoints import PoseSequence
from rib.video import ArraySource, FrameSource, open_frame_source, subclip, subsample_frames

FOLDER = Path(__file__).parents[1] / "golden"
DEGREES = (-10, 70, 10, 60, -20, 50, 0)
POSES = ("pose=files", "keypoints=body25")
FILES = (*POSES, "mask=files")
SMALL_NET = {
    "width": 4, "embedding": 8, "max_channels": 32, "mask_width": 8, "mask_blocks": 1, "bfloat16": False,
}  # fmt: skip
PAINTED = {
    "painted_none": (*POSES, "background=flow", "render=none"),
    "painted_warp": (*FILES, "background=flow", "render=warp"),
    "painted_reference": (*POSES, "background=flow", "render=reference"),
    "painted_gan": (*FILES, "background=flow", "render=gan", "render.guard_lpips=9", "render.guard_db=-99"),
}
DEMO = {"demo_warp": ("render=warp",), "demo_gan": ("render=gan",)}
"""With RIFE, mediapipe and the demo's clip: slow, and only where the model packages are."""


def frames_of(case: str, folder: Path) -> np.ndarray:
    """Frames 6 and 13 (of the painted clip) or 2 and 14 (of the demo's), side by side, (H, 2 W, 3) uint8."""
    if case in PAINTED:
        source, settings, chosen = (
            painted_clip(folder),
            [*PAINTED[case], *painted_files(case, folder)],
            (6, 13),
        )
    else:
        source, settings, chosen = demo_clip(), list(DEMO[case]), (2, 14)
    given = ("input=x", "output=y", "rate=4", "device=cpu", f"cache.dir={folder / 'cache'}")
    chain = Chain.from_config(compose("interpolate", *given, *settings))
    frames = chain.frames(source, chain.analyse(source, target_output_fps(source.fps, 4, None)))
    return np.concatenate([frame.picture for frame in frames if frame.index in chosen], axis=1)


def painted_clip(folder: Path) -> FrameSource:
    """The figure waving, seven keyframes at 10 a second; its poses and mattes lie in the folder."""
    poses = [figure(angle, moment / 10) for moment, angle in enumerate(DEGREES)]
    pictures = []
    (folder / "masks").mkdir(exist_ok=True)
    for index, pose in enumerate(poses):
        picture, mask = paint(pose)
        pictures.append(picture)
        cv2.imwrite(str(folder / "masks" / f"{index}.png"), (mask * 255).round().astype(np.uint8))
    whole = PoseSequence(
        np.concatenate([pose.keypoints_px for pose in poses]),
        np.concatenate([pose.confidence for pose in poses]),
        np.arange(len(poses)) / 10,
        "body25_hands",
        poses[0].size_px,
    )
    write_openpose_json(whole, folder / "poses")
    return ArraySource(np.stack(pictures), fps=10, name="painted")


def painted_files(case: str, folder: Path) -> list[str]:
    masks = [f"mask.path={folder / 'masks'}"] if "mask=files" in PAINTED[case] else []
    weights = [f"render.ckpt={untrained(folder)}"] if case == "painted_reference" else []
    return [f"poses={folder / 'poses'}", *masks, *weights]


def untrained(folder: Path) -> Path:
    """Weights of a small reference net as they are drawn from one seed."""
    path = folder / "reference.safetensors"
    given = ("input=x", "output=y", "rate=4", "render=reference", "render.ckpt=x")
    recipe = {**compose("interpolate", *given)["render"]["net"], **SMALL_NET}
    torch.manual_seed(0)
    save_renderer_net(path, build_recipe(recipe), recipe, {})
    return path


def demo_clip() -> FrameSource:
    """Five keyframes of the demo's walk, one frame in four, 256 x 160 px."""
    from rib.io.weights.model_packages import weight_file

    path = weight_file("sports2d", "Sports2D/Demo/demo.mp4")
    return subsample_frames(subclip(open_frame_source(path), 72, 17, (600, 490, 768, 480), (256, 160)), 4)


def read(case: str) -> np.ndarray:
    stored: Any = cv2.imread(str(FOLDER / f"{case}.png"))
    assert stored is not None, f"there is no {case}.png: python tests/render/golden.py {case}"
    return stored[..., ::-1]


def main(cases: list[str]) -> None:
    for case in cases or [*PAINTED, *DEMO]:
        with tempfile.TemporaryDirectory() as folder:
            picture = frames_of(case, Path(folder))
        cv2.imwrite(str(FOLDER / f"{case}.png"), picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
        print(case)


if __name__ == "__main__":
    main(sys.argv[1:])
