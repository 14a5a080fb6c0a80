"""Weights of strangers, wherever they are read: `.ckpt` and `.safetensors`, spoiled."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import forked
import numpy as np
import pytest
import torch
from harness import FUZZ, Campaign
from hypothesis import given
from hypothesis import strategies as st
from mutations import JUNK, RAW, spoiled_bytes
from safetensors.torch import save
from test_hdf5_stores import EVALUATE, motion

from rib.config.compose import compose
from rib.io.recipe import build_recipe
from rib.motion.nets.checkpoint import facts_of_motion_net
from rib.render.nets.checkpoint import FORMAT

MOTION = {
    "_target_": "rib.motion.nets.base.MotionBase", "width": 16, "num_heads": 2, "num_layers": [1],
    "expansion": 1,
}  # fmt: skip
TRAIN = (
    "train", "experiment=motion_smoke", "net.width=8", "net.num_heads=1", "task.data.batches_per_epoch=1",
    "task.data.windows.tokens=20", "task.data.windows.keyframes=[5,6]", "task.module.checks=[clean_r4]",
    "trainer.log_every_n_steps=1", "trainer.max_epochs=1", "trainer.enable_progress_bar=false", "logger=csv",
    *(f"~task.data.checks.{kind}_r{rate}" for kind in ("clean", "noisy") for rate in (4, 8, 16)
      if (kind, rate) != ("clean", 4)),
)  # fmt: skip
RESUME = (*TRAIN, "trainer.max_epochs=2", "restore=resume", "ckpt=")
VALUES = (
    None, "x", torch.tensor(float("nan")), torch.zeros(3, dtype=torch.int64), torch.full((4, 4), 1e30),
    torch.zeros(0), torch.zeros(2, dtype=torch.complex64), [1, 2], {"a": 1}, 10**30,
)  # fmt: skip


def content() -> dict[str, Any]:
    net = build_recipe(MOTION)
    facts = {"joint_set": "body19", "fps": None, "format": "rib.motion", "format_version": 1}
    assert facts_of_motion_net(net).joint_set == facts["joint_set"]
    state = {f"ema.{name}": tensor for name, tensor in net.state_dict().items()}
    return {"state_dict": state, "hyper_parameters": {"net": MOTION}, "rib.motion": facts}


def saved(document: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(document, buffer)
    return buffer.getvalue()


def packed(document: dict[str, Any], header: dict[str, str]) -> bytes:
    state = {name.partition(".")[2]: t.contiguous() for name, t in document["state_dict"].items()}
    return save(state, header)


def changed(document: Any, path: list[int], value: Any) -> Any:
    """The document with what lies at a path (numbers of keys) replaced."""
    if not isinstance(document, dict) or not document or not path:
        return value
    key = sorted(document)[path[0] % len(document)]
    return {**document, key: changed(document[key], path[1:], value)}


def motion_net(folder: Path) -> tuple[Any, dict[str, str]]:
    whole = content()
    return whole, {"recipe": json.dumps(MOTION), "facts": json.dumps(whole["rib.motion"])}


def renderer_net(folder: Path) -> tuple[Any, dict[str, str]]:
    settings = compose("interpolate", "input=x", "output=out", "rate=2", "render=gan")
    recipe = {**settings.render["net"], "widths": [4, 4], "blocks": [1, 1]}
    state = {f"ema.{name}": tensor for name, tensor in build_recipe(recipe).state_dict().items()}
    header = {"recipe": json.dumps(recipe), "format": FORMAT}
    return {"state_dict": state, "hyper_parameters": {"net": recipe}}, header


def training(folder: Path) -> tuple[Any, dict[str, str]]:
    """A training's own checkpoint, which has no form in `.safetensors`."""
    code, _, err = forked.import_what_it_imports([*TRAIN, "hydra.run.dir=run"], folder)
    assert (code, err) == (0, "")
    last = next((folder / "run").rglob("last.ckpt"))
    return torch.load(last, weights_only=True), {}


def keypoints(folder: Path, people: bool = True) -> None:
    (folder / "poses").mkdir()
    for number in range(3):
        body = [value for joint in range(25) for value in (10 + joint, 20 + 3 * joint + number, 0.9)]
        frame = {"people": [{"pose_keypoints_2d": body}] if people else []}
        (folder / "poses" / f"{number}.json").write_text(json.dumps(frame))


def pictures(folder: Path) -> None:
    keypoints(folder, people=False)
    (folder / "pictures").mkdir()
    for number in range(3):
        picture = np.random.default_rng(number).integers(0, 255, (32, 48, 3), np.uint8)
        cv2.imwrite(str(folder / f"pictures/{number}.png"), picture)


@dataclass(frozen=True)
class Use:
    """Where weights are read: what makes them, what lies beside them, what is typed, what is made."""

    weights: Callable[[Path], tuple[Any, dict[str, str]]]
    inputs: Callable[[Path], None]
    words: tuple[str, ...]
    result: str


USES = {
    "upsample": Use(motion_net, keypoints, (
        "upsample", "input=poses", "rate=2", "output=out", "device=cpu", "input_fps=10", "motion.weights=",
    ), "out"),
    "evaluate": Use(motion_net, lambda folder: motion(folder / "store.h5"), (*EVALUATE, "ckpt="), "out"),
    "interpolate": Use(renderer_net, pictures, (
        "interpolate", "input=pictures", "input_fps=10", "output=out", "rate=2", "background=blend",
        "render=gan", "motion=linear", "video=frames", "report=false", "device=cpu", "cache.dir=cache",
        "pose=files", "poses=poses", "keypoints=body25", "render.ckpt=",
    ), "out"),
    "train": Use(training, lambda folder: None, RESUME, ""),
}  # fmt: skip


def prepare(folder: Path, use: str, suffix: str, weights: bytes) -> list[str]:
    USES[use].inputs(folder)
    (folder / f"net.{suffix}").write_bytes(weights)
    *words, last = USES[use].words
    return [*words, f"{last}net.{suffix}"]


def spoiled(whole: Any, header: dict[str, str]) -> st.SearchStrategy[tuple[str, bytes]]:
    """Files of both kinds, with the bytes or what is in them changed."""
    ckpt, junk = saved(whole), st.sampled_from((*VALUES, *JUNK))
    inside = st.builds(changed, st.just(whole), st.lists(st.integers(0, 99), max_size=3), junk).map(saved)
    pickled = st.one_of(inside, inside, spoiled_bytes(ckpt), st.sampled_from(RAW))
    if not header:
        return st.tuples(st.just("ckpt"), pickled)
    recipe = json.loads(header["recipe"])
    texts = st.one_of(
        st.sampled_from(["", "[", "null", "{}", "[" * 5000, "9" * 5000, '{"_target_": "os.system"}']),
        st.builds(lambda path, value: json.dumps(changed(recipe, path, value), default=str),
                  st.lists(st.integers(0, 9), max_size=2), st.sampled_from(JUNK)),
    )  # fmt: skip
    headers = st.builds(
        lambda key, value: packed(whole, {**header, key: value}), st.sampled_from(sorted(header)), texts
    )
    tensors = packed(whole, header)
    flat = st.one_of(headers, spoiled_bytes(tensors), st.sampled_from(RAW), st.just(ckpt))
    return st.one_of(st.tuples(st.just("ckpt"), pickled), st.tuples(st.just("safetensors"), flat))


@pytest.mark.slow
def test_weights_are_used_or_refused_in_one_line(tmp_path: Path) -> None:
    campaign = Campaign("weights", tmp_path)
    files = {}
    for name, use in USES.items():
        (tmp_path / name).mkdir()
        whole, header = use.weights(tmp_path / name)
        files[name] = spoiled(whole, header)
        kinds = {"ckpt": saved(whole)} | ({"safetensors": packed(whole, header)} if header else {})
        for kind, weights in kinds.items():
            campaign.whole(partial(prepare, use=name, suffix=kind, weights=weights))

    @FUZZ
    @given(st.sampled_from(["upsample", "upsample", "evaluate", "interpolate", "train"]), st.data())
    def fuzz(name: str, data: st.DataObject) -> None:
        case = data.draw(files[name])
        campaign.run(lambda folder: prepare(folder, name, *case), USES[name].result)

    fuzz()
    campaign.close()
