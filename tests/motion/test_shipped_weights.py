"""What comes with the package keeps what its card promises."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from rib.io.recipe import build_recipe
from rib.mocap.stores.bank import MotionBank
from rib.motion.nets.checkpoint import load_motion_net, shipped_motion_weights
from rib.motion.training.module import error_between_keyframes_px, spline_of_motion_batch
from rib.motion.training.windows import MotionWindows

REPO = Path(__file__).parents[2]
MOCAP = REPO.parent / "shared/data/mocap_joints"
# x to the right and y down, px, of a person 250 px tall seen from the front, in the order of body19
STANDING = [
    (0.0, -110.0), (0, -85), (-25, -85), (-32, -45), (-35, -10), (25, -85), (32, -45), (35, -10), (0, 0),
    (-15, 0), (-16, 60), (-17, 118), (15, 0), (16, 60), (17, 118), (22, 128), (-22, 128), (36, 6), (-36, 6),
]  # fmt: skip
HELD_OUT = ["05", "09", "12", "60", "61"]


def test_the_file_is_small_and_says_what_it_is() -> None:
    assert shipped_motion_weights().stat().st_size < 12e6
    with safe_open(shipped_motion_weights(), "pt") as file:
        header = file.metadata()
    assert json.loads(header["facts"])["joint_set"] == "body19"
    assert {"data", "licence", "recipe"} <= set(header)
    assert shipped_motion_weights().with_name("card.md").is_file()


def test_jitter_of_a_standing_person_is_filtered() -> None:
    net, g = load_motion_net(shipped_motion_weights()), torch.Generator().manual_seed(0)
    times = torch.arange(30, dtype=torch.float64)[None] / 10
    stand = torch.tensor(STANDING)[None, None] + 300
    seen = stand + 3 * torch.randn(1, 30, 19, 2, generator=g)
    with torch.inference_mode():
        found, confidence = net(times, seen, torch.full((1, 30, 19), 0.8)).at(times)
    error = lambda x: (x - stand).norm(dim=-1).mean()  # noqa: E731
    assert error(found) < 0.7 * error(seen)
    assert confidence.mean() > 0.5


@pytest.mark.slow
@pytest.mark.skipif(not MOCAP.is_dir(), reason="the motion capture of the project's workplace is not here")
@pytest.mark.parametrize(
    ("condition", "most"), [("clean_r8", 1.0), ("clean_r16", 0.97), ("noisy_r4", 0.7), ("noisy_r8", 0.8)]
)
def test_people_never_trained_on_move_better_than_on_splines(condition: str, most: float) -> None:
    yaml = pytest.importorskip("yaml")
    text = (REPO / "conf/task/motion.yaml").read_text().replace("${seed}", "0").replace("${net}", "null")
    data = yaml.safe_load(text)["data"]
    change = data["checks"][condition]
    _, bank = MotionBank.from_folder(MOCAP).split(HELD_OUT)
    windows = MotionWindows(
        bank,
        build_recipe(data["windows"] | change["windows"]),
        build_recipe(data["views"]),
        build_recipe(data["noise"] | change["noise"]),
        None,
    )
    net, g = load_motion_net(shipped_motion_weights()), torch.Generator().manual_seed(0)
    ours, theirs = 0.0, 0.0
    for _ in range(8):
        batch = windows.draw(g)
        with torch.inference_mode():
            curve = net(batch["times_s"], batch["keypoints_px"], batch["confidence"])
        ours += error_between_keyframes_px(curve, batch).item()
        theirs += error_between_keyframes_px(spline_of_motion_batch(batch), batch).item()
    assert ours / theirs < most
