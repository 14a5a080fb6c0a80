from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from test_corruption import NONE

from rib.mocap.cameras.views import RandomCameras
from rib.mocap.stores.bank import MotionBank
from rib.motion.corruption.detector_noise import DetectorNoise
from rib.motion.training.data import MotionBatches
from rib.motion.training.windows import NUM_QUERIES, MotionWindowRecipe, MotionWindows
from rib.structures.skeleton import BODY19
from rib.training.epochs import EpochSampler

RECIPE: dict[str, Any] = {
    "keyframes": (5, 9), "tokens": 90, "strides": [2, 4, 8], "irregular": 0.5, "speed": (0.5, 2.0),
    "reversed": 0.5, "mirrored": 0.0, "bone_spread": 0.0, "landmark_spread": 0.0, "recombined": 0.0,
    "swayed": 0.0, "sway_deg": 20.0, "sway_hz": (0.3, 2.0), "turned": 0.0, "turn_deg_s": 300.0,
    "lean_deg": 10.0, "length_power": 1.0,
}  # fmt: skip


def bank() -> MotionBank:
    """Two recordings in which every joint moves along x by 0.01 m a frame: place tells time."""
    lengths = [90, 70]
    stand = torch.randn(len(BODY19), 3, generator=torch.Generator().manual_seed(0)) * 0.4
    clips = [
        stand + 0.01 * torch.arange(float(n))[:, None, None] * torch.tensor([1.0, 0, 0]) for n in lengths
    ]
    return MotionBank(
        torch.cat(clips), torch.tensor(np.cumsum([0, *lengths])), ("a", "b"), ("1", "2"), torch.tensor([1.7,
        1.8]), torch.ones(2, len(BODY19), dtype=torch.bool), 60.0,
    )  # fmt: skip


def windows(**changes: Any) -> MotionWindows:
    views = RandomCameras(0, 0, 0, (4, 4), 1.0, 250, (0, 0), perspective=False)
    return MotionWindows(
        bank(), MotionWindowRecipe(**{**RECIPE, **changes}), views, DetectorNoise(**NONE), None
    )


def test_times_of_keyframes_and_queries_increase_and_interleave() -> None:
    batch = windows().draw(torch.Generator().manual_seed(0))
    assert (batch["times_s"][:, 0] == 0).all()
    assert (batch["times_s"].diff(dim=1) > 0).all()
    queries, times = batch["query_times_s"], batch["times_s"]
    assert queries.shape[2] == NUM_QUERIES
    assert (queries >= times[:, :-1, None] - 1e-9).all()
    assert (queries <= times[:, 1:, None] + 1e-9).all()
    step = queries[:, :, 2:4] - queries[:, :, 1:3]
    torch.testing.assert_close(step, batch["frame_s"][:, None, None].expand_as(step))


def test_the_truth_is_the_motion_at_its_times() -> None:
    """The motion is uniform, so places are a straight line over times, forwards or backwards."""
    batch = windows(mirrored=0.5).draw(torch.Generator().manual_seed(1))
    for b in range(len(batch["times_s"])):
        x, t = batch["target_px"][b, :, 0, 0], batch["times_s"][b].float()
        speed = (x[-1] - x[0]) / t[-1]
        torch.testing.assert_close(x, x[0] + speed * t, atol=1e-2, rtol=0)
        queries = batch["query_px"][b, :, :, 0, 0]
        torch.testing.assert_close(
            queries, x[0] + speed * batch["query_times_s"][b].float(), atol=1e-2, rtol=0
        )


def test_other_bones_keep_the_body_symmetric_and_the_hip_in_place() -> None:
    drawn = [windows(bone_spread=s, reversed=0.0).draw(torch.Generator().manual_seed(2)) for s in (0.0, 0.3)]
    hip = BODY19.index("mid_hip")
    plain, styled = (d["target_px"] for d in drawn)
    assert plain.shape == styled.shape
    torch.testing.assert_close(plain[0, :, hip].diff(dim=0), styled[0, :, hip].diff(dim=0), atol=1e-2, rtol=0)
    assert (plain[0, :, 0] - styled[0, :, 0]).abs().max() > 1


@pytest.mark.parametrize("stride", [2, 40])
def test_a_stride_too_long_for_the_recording_is_shortened(stride: int) -> None:
    batch = windows(strides=[stride], keyframes=(30, 30), irregular=0.0).draw(
        torch.Generator().manual_seed(0)
    )
    assert (batch["times_s"].diff(dim=1) > 0).all()


def test_a_batch_is_a_function_of_seed_epoch_and_place() -> None:
    first, again = (MotionBatches(windows(), 4, seed=3) for _ in range(2))
    torch.testing.assert_close(first[5]["keypoints_px"], again[5]["keypoints_px"])
    seen = [MotionBatches(windows(), 4, seed)[i]["frame_s"][0].item() for seed in (3, 4) for i in (0, 1, 4)]
    assert len(set(seen)) == len(seen)


def test_the_sampler_counts_on_through_epochs_and_shares_between_ranks() -> None:
    batches = MotionBatches(windows(), 4, seed=3)
    taken = []
    for rank in range(2):
        sampler = EpochSampler(batches, num_ranks=2, rank=rank)
        sampler.set_epoch(7)
        taken += list(sampler)
    assert sorted(taken) == [28, 29, 30, 31]
