from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rib.io.errors import RibError
from rib.motion.nets.checkpoint import load_motion_net, save_motion_net
from rib.motion.nets.published import RECIPE, convert_published_motion_weights, load_published_motion_weights
from rib.motion.nets.reference import (
    MotionReference,
    joints_from_reference_values,
    joints_to_reference_values,
)
from rib.motion.nets.reference_transformer import (
    ReferenceTransformer,
    linear_between_keyframes,
    published_position_angles,
)
from rib.motion.transformer import TransformerMotion
from rib.structures.keypoints import PoseSequence

Keyframes = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "reference_forward"
needs_vectors = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"the reference's test vectors are not at {SHARED}"
)


def net(published: bool = False, **changes: Any) -> MotionReference:
    torch.manual_seed(0)
    small = {"width": 16, "num_heads": 2, "num_layers": 1, "hidden": 16, "dropout": 0.1, "frame_rate": 60.0}
    return MotionReference(**{**small, **changes}, published=published).eval()


@needs_vectors
def test_published_names_and_shapes_load_strictly() -> None:
    shapes = json.loads((SHARED / "motion_state_dict.json").read_text())
    made = {name: torch.zeros(shape) for name, shape in shapes.items()}
    big = MotionReference(**{key: value for key, value in RECIPE.items() if key != "_target_"})
    load_published_motion_weights(big, made)
    assert sum(p.numel() for p in big.transformer.parameters()) == 1_997_990
    with pytest.raises(RibError, match="another; name weights of the published motion model"):
        load_published_motion_weights(big, {**made, "another": torch.zeros(1)})


@needs_vectors
@pytest.mark.parametrize("frames", [41, 81])
def test_the_forward_pass_is_the_published_one(frames: int) -> None:
    vectors = np.load(SHARED / "motion.npz")
    reference = ReferenceTransformer(128, 8, 6, 256, 0.1).eval()
    reference.load_state_dict({k[2:]: torch.from_numpy(vectors[k]) for k in vectors if k.startswith("w.")})
    x = torch.from_numpy(vectors[f"input_{frames}"]).T[None]
    is_key = ~torch.from_numpy(vectors[f"src_mask_{frames}"])[None]
    with torch.inference_mode():
        told = reference(x, is_key, published_position_angles(frames), None, identity=True)
    for name, found in (("pred", told.predicted), ("reco", told.keyframes)):
        torch.testing.assert_close(found[0], torch.from_numpy(vectors[f"{name}_{frames}"]), atol=1e-5, rtol=0)


def test_values_go_round() -> None:
    x = torch.randn(2, 3, 19, 2)
    torch.testing.assert_close(joints_from_reference_values(joints_to_reference_values(x)), x)
    torch.testing.assert_close(joints_to_reference_values(x)[..., -2:], x[..., 8, :])


def test_lines_between_keyframes_are_held_at_the_ends() -> None:
    x = torch.tensor([0.0, 1, 0, 0, 7, 0])[None, :, None]
    is_key = torch.tensor([[False, True, False, False, True, False]])
    found = linear_between_keyframes(x, is_key, torch.arange(6.0)[None])
    torch.testing.assert_close(found[0, :, 0], torch.tensor([1.0, 1, 3, 5, 7, 7]))


@pytest.mark.parametrize("published", [False, True])
def test_moments_of_the_curve_meet_its_keyframes_and_its_pieces(
    keyframes: Callable[..., Keyframes], published: bool
) -> None:
    times, x, confidence = keyframes(6)
    curve = net(published)(times, x, confidence)
    torch.testing.assert_close(curve.at(times)[0], curve.position_px)
    middles = 0.5 * (times[:, 1:] + times[:, :-1])
    torch.testing.assert_close(
        curve.between(middles[..., None])[:, :, 0], curve.at(middles)[0], atol=1e-3, rtol=0
    )
    assert ((curve.at(times)[1] >= 0) & (curve.at(times)[1] <= 1)).all()


@pytest.mark.parametrize("published", [False, True])
def test_one_keyframe_none_and_no_joint_have_defined_results(published: bool) -> None:
    model = net(published)
    times = torch.tensor([[0.0, 0.1, 0.2]], dtype=torch.float64)
    x, confidence = torch.rand(1, 3, 19, 2) * 100, torch.ones(1, 3, 19)
    moments = torch.linspace(-1, 1, 5, dtype=torch.float64)[None]
    cases = [
        model(times[:, :1], x[:, :1], confidence[:, :1]),
        model(times, x, confidence, torch.tensor([[True, False, False]])),
        model(times, x, confidence, torch.zeros(1, 3, dtype=torch.bool)),
        model(times, 0 * x, 0 * confidence),
    ]
    for curve in cases:
        keypoints, belief = curve.at(moments)
        assert torch.isfinite(keypoints).all()
        assert torch.isfinite(belief).all()


def test_a_padded_batch_agrees_with_single_clips(keyframes: Callable[..., Keyframes]) -> None:
    model = net()
    short, long = keyframes(4, seed=1), keyframes(7, seed=2)
    padded = [torch.cat([s, torch.zeros_like(w[:, 4:])], 1) for s, w in zip(short, long, strict=True)]
    padded[0][:, 4:] = short[0][:, -1:]
    batch = [torch.cat([p, w]) for p, w in zip(padded, long, strict=True)]
    present = torch.arange(7) < torch.tensor([[4], [7]])
    together = model(*batch, present)
    for row, clip in enumerate((short, long)):
        moments = torch.linspace(0, float(clip[0][0, -1]), 9, dtype=torch.float64)[None]
        alone = model(*clip).at(moments)[0]
        torch.testing.assert_close(together.at(moments.expand(2, -1))[0][row], alone[0], atol=1e-3, rtol=0)


def test_moving_and_scaling_the_picture_moves_and_scales_the_result(
    keyframes: Callable[..., Keyframes],
) -> None:
    times, x, confidence = keyframes(6, missing=0.0)
    model = net()
    plain = model(times, x, confidence).at(times)[0]
    changed = model(times + 3, 2 * x + 50, confidence).at(times + 3)[0]
    torch.testing.assert_close(changed, 2 * plain + 50, atol=1e-2, rtol=0)


def test_published_weights_become_a_file_of_ours(tmp_path: Path) -> None:
    big = MotionReference(**{key: value for key, value in RECIPE.items() if key != "_target_"})
    state = {f"module.{name}": tensor for name, tensor in big.transformer.state_dict().items()}
    torch.save({"epoch": 3, "model": state}, tmp_path / "published.pth")
    np.savez(tmp_path / "statistics.npz", mean=np.full((19, 2), 0.1), std=np.full((19, 2), 0.5))
    convert_published_motion_weights(
        tmp_path / "published.pth", tmp_path / "statistics.npz", tmp_path / "net.safetensors"
    )
    found = load_motion_net(tmp_path / "net.safetensors")
    assert found.published
    assert found.mean.eq(0.1).all()
    torch.testing.assert_close(found.transformer.state_dict(), big.transformer.state_dict())


def test_it_serves_as_a_stage_of_the_chain(tmp_path: Path) -> None:
    recipe = {
        "_target_": "rib.motion.nets.reference.MotionReference", "width": 16, "num_heads": 2, "num_layers": 1,
        "hidden": 16, "dropout": 0.1, "frame_rate": 60.0, "published": False,
    }  # fmt: skip
    save_motion_net(tmp_path / "net.safetensors", net(), recipe, {})
    stage = TransformerMotion(
        str(tmp_path / "net.safetensors"),
        "cpu",
        hold_s=0.5,
        half_life_s=0.5,
        max_absence_s=1,
        min_confidence=0.05,
    )
    x = np.random.default_rng(0).uniform(0, 200, (5, 19, 2))
    poses = PoseSequence(x, np.ones((5, 19)), np.arange(5) / 10, "body19", (200, 200))
    dense = stage(poses, np.arange(17) / 40)
    assert dense.keypoints_px.shape == (17, 19, 2)
    assert np.isfinite(dense.keypoints_px).all()
    assert (dense.confidence > 0).all()


def test_what_is_no_published_file_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "damaged.pth").write_bytes(b"nothing")
    torch.save({"epoch": 3}, tmp_path / "empty.pth")
    np.savez(tmp_path / "statistics.npz", mean=np.zeros(3), std=np.ones(3))
    for name in ("absent.pth", "damaged.pth", "empty.pth"):
        with pytest.raises(RibError, match=name) as error:
            convert_published_motion_weights(tmp_path / name, None, tmp_path / "net.safetensors")
        assert "\n" not in str(error.value)


def test_every_parameter_learns(keyframes: Callable[..., Keyframes]) -> None:
    times, x, confidence = keyframes(5)
    model = net().train()
    curve = model(times, x, confidence)
    (curve.at(times + 0.01)[0].square().mean() + curve.log_error.square().mean()).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []
