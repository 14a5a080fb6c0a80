"""Weights of strangers, through `rib upsample motion.weights=`: `.ckpt` and `.safetensors`, spoiled."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from harness import FUZZ, Campaign
from hypothesis import given
from hypothesis import strategies as st
from mutations import JUNK, RAW, spoiled_bytes
from safetensors.torch import save

from rib.io.recipe import build
from rib.motion.nets.checkpoint import facts_of

RECIPE = {
    "_target_": "rib.motion.nets.base.MotionBase", "width": 16, "num_heads": 2, "num_layers": [1],
    "expansion": 1,
}  # fmt: skip
VALUES = (
    None, "x", torch.tensor(float("nan")), torch.zeros(3, dtype=torch.int64), torch.full((4, 4), 1e30),
    torch.zeros(0), torch.zeros(2, dtype=torch.complex64), [1, 2], {"a": 1}, 10**30,
)  # fmt: skip


def content() -> dict[str, Any]:
    net = build(RECIPE)
    facts = {"joint_set": "body19", "fps": None, "format": "rib.motion", "format_version": 1}
    assert facts_of(net).joint_set == facts["joint_set"]
    state = {f"ema.{name}": tensor for name, tensor in net.state_dict().items()}
    return {"state_dict": state, "hyper_parameters": {"net": RECIPE}, "rib.motion": facts}


def saved(document: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(document, buffer)
    return buffer.getvalue()


def packed(document: dict[str, Any], header: dict[str, str]) -> bytes:
    state = {name.partition(".")[2]: t for name, t in document["state_dict"].items()}
    return save(state, header)


def changed(document: Any, path: list[int], value: Any) -> Any:
    """The document with what lies at a path (numbers of keys) replaced."""
    if not isinstance(document, dict) or not document or not path:
        return value
    key = sorted(document)[path[0] % len(document)]
    return {**document, key: changed(document[key], path[1:], value)}


@pytest.mark.slow
def test_weights_are_used_or_refused_in_one_line(tmp_path: Path) -> None:
    campaign = Campaign("weights", tmp_path)
    whole = content()
    header = {"recipe": json.dumps(RECIPE), "facts": json.dumps(whole["rib.motion"])}
    ckpt, tensors = saved(whole), packed(whole, header)
    for suffix, weights in (("ckpt", ckpt), ("safetensors", tensors)):
        campaign.whole(lambda folder, suffix=suffix, weights=weights: prepare(folder, suffix, weights))
    junk = st.sampled_from((*VALUES, *JUNK))
    inside = st.builds(changed, st.just(whole), st.lists(st.integers(0, 99), max_size=3), junk).map(saved)
    headers = st.builds(
        lambda key, value: packed(whole, {**header, key: value}),
        st.sampled_from(["recipe", "facts"]),
        st.one_of(
            st.sampled_from(["", "[", "null", "{}", "[" * 5000, "9" * 5000, '{"_target_": "os.system"}']),
            st.builds(lambda path, value: json.dumps(changed(RECIPE, path, value), default=str),
                      st.lists(st.integers(0, 9), max_size=2), st.sampled_from(JUNK)),
        ),
    )  # fmt: skip
    files = st.one_of(
        st.tuples(st.just("ckpt"), st.one_of(inside, inside, spoiled_bytes(ckpt), st.sampled_from(RAW))),
        st.tuples(
            st.just("safetensors"),
            st.one_of(headers, spoiled_bytes(tensors), st.sampled_from(RAW), st.just(ckpt)),
        ),
    )

    @FUZZ
    @given(files)
    def fuzz(case: tuple[str, bytes]) -> None:
        campaign.run(lambda folder: prepare(folder, *case))

    fuzz()
    campaign.close()


def prepare(folder: Path, suffix: str, weights: bytes) -> list[str]:
    (folder / f"net.{suffix}").write_bytes(weights)
    (folder / "poses").mkdir()
    for number in range(3):
        body = [value for joint in range(25) for value in (10 + joint, 20 + 3 * joint + number, 0.9)]
        frame = {"people": [{"pose_keypoints_2d": body}]}
        (folder / "poses" / f"{number}.json").write_text(json.dumps(frame))
    return [
        "upsample", "input=poses", "rate=2", "output=out", "device=cpu", "input_fps=10",
        f"motion.weights=net.{suffix}",
    ]  # fmt: skip
