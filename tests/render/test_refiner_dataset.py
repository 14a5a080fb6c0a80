from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from samples_by_hand import SMALL, a_net, channels, same, sample

from rib.io.errors import RibError
from rib.render.refine.crops import (
    RefinerCropRecipe,
    exchange_refiner_keyframes,
    mirror_refiner_channels,
    refiner_sources_differ,
)
from rib.render.refine.dataset import RefinerSample, read_refiner_samples, write_refiner_samples
from rib.render.refine.fitting import RefinerFitRecipe
from rib.render.refine.on_disk import refiner_samples_on_disk
from rib.render.refine.refiner_input import RefinerInput

CROPS = RefinerCropRecipe(side_px=32, batch_size=2, mirrored=0.5, reversed=0.5, recoloured=0.5, focus=0.5)
FIT = RefinerFitRecipe(
    perceptual=0.1, pixels=1.0, lr=3e-3, warmup_steps=1, weight_decay=0.0, ema_decay=0.5, clip_norm=1.0
)


def test_gaps_come_back_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "samples.h5"
    write_refiner_samples(path, {"a": [sample(1), sample(2)], "b": [sample(3)]})
    assert sorted(read_refiner_samples(path)) == ["a", "b"]
    found = read_refiner_samples(path, ["a"])["a"]
    assert all(same(one, other) for one, other in zip(found, [sample(1), sample(2)], strict=True))


def test_crops_from_disk_are_those_from_memory(tmp_path: Path) -> None:
    path = tmp_path / "samples.h5"
    write_refiner_samples(path, {"a": [sample(1), sample(2, size=70)], "b": [sample(3)]})
    held, stored = read_refiner_samples(path), refiner_samples_on_disk(path)
    assert {clip: len(some) for clip, some in stored.items()} == {"a": 2, "b": 1}
    for step in range(3):
        one, other = (CROPS.batch([*x["a"], *x["b"]], 7, step) for x in (held, stored))
        assert torch.equal(one["channels"], other["channels"])
        assert torch.equal(one["truth"], other["truth"])


def of_gate(gate: float, seed: int) -> RefinerSample:
    return RefinerSample(sample(seed).channels, sample(seed).truth, gate)


def test_both_kinds_of_intervals_are_in_balance_however_rare_one_is() -> None:
    samples = [of_gate(1.0, 1), *(of_gate(0.0, seed) for seed in range(2, 12))]
    crops = replace(CROPS, opened=0.5, batch_size=1, mirrored=0, reversed=0, recoloured=0, side_px=40)
    opened = sum(
        np.array_equal(crops.batch(samples, 0, step)["channels"].numpy(), one)
        for step in range(60)
        for one in (samples[0].channels.astype(np.float32)[:, None] / 255)
    )
    assert 20 < opened < 40
    assert crops.batch(samples[1:], 0, 0)["channels"].shape[0] == 1  # there is but one kind


def test_nothing_is_to_be_drawn_where_the_interpolated_frame_is_the_answer() -> None:
    crops = replace(CROPS, closed_truth="interpolated")
    closed, opened = (crops.batch([of_gate(gate, 1)], 0, 0) for gate in (0.0, 1.0))
    assert torch.equal(RefinerInput.of(closed["channels"]).interpolated, closed["truth"])
    assert not torch.equal(RefinerInput.of(opened["channels"]).interpolated, opened["truth"])


def test_crops_are_trusted_as_far_as_their_interval() -> None:
    crops = replace(CROPS, mirrored=0.0, reversed=0.0, recoloured=0.0)
    trust = [
        RefinerInput.of(crops.batch([of_gate(gate, 1)], 0, 0)["channels"]).trust for gate in (0.0, 0.5, 1.0)
    ]
    assert float(trust[0].max()) == 0
    assert torch.equal(trust[1], trust[2] / 2)


def test_crops_lie_where_what_is_chosen_among_differs() -> None:
    x = channels(1, 200, 200)
    inputs = RefinerInput.of(x)
    inputs.alpha[:] = 0
    inputs.carried[:, 4:7] = inputs.carried[:, :3]
    inputs.carried[:, :3, 150:180, 20:40] += 0.5
    places = np.argwhere(refiner_sources_differ(x[0].numpy()) > 1e-6)
    assert (places.min(0).tolist(), places.max(0).tolist()) == ([150, 20], [179, 39])


def test_files_that_are_not_ours_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RibError, match="no refiner dataset at"):
        read_refiner_samples(tmp_path / "absent.h5")
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(RibError, match="no HDF5 file"):
        read_refiner_samples(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file.attrs["format"] = "other"
    with pytest.raises(RibError, match="no refiner dataset of this version"):
        read_refiner_samples(tmp_path / "other.h5")
    write_refiner_samples(tmp_path / "a.h5", {"a": [sample()]})
    with pytest.raises(RibError, match="lacks b"):
        read_refiner_samples(tmp_path / "a.h5", ["b"])


def test_mirrors_and_time_undo_themselves() -> None:
    x = channels(1, 8, 8)[0].numpy()
    assert np.array_equal(mirror_refiner_channels(mirror_refiner_channels(x)), x)
    assert np.allclose(exchange_refiner_keyframes(exchange_refiner_keyframes(x)), x)


def test_a_mirror_exchanges_left_and_right_limbs() -> None:
    x = channels(1, 8, 8)[0].numpy()
    before, after = (
        RefinerInput.of(torch.from_numpy(p)[None]).limbs[0] for p in (x, mirror_refiner_channels(x))
    )
    assert torch.equal(after[1], before[2].flip(-1))
    assert torch.equal(after[0], before[0].flip(-1))


def test_a_batch_is_a_function_of_seed_and_step() -> None:
    samples = [sample(1), sample(2, size=20)]
    one, again, next_ = (CROPS.batch(samples, 7, step) for step in (3, 3, 4))
    assert torch.equal(one["channels"], again["channels"])
    assert not torch.equal(one["channels"], next_["channels"])
    assert one["channels"].shape[2:] == one["truth"].shape[2:] == (32, 32)


def test_picture_and_truth_are_recoloured_alike() -> None:
    """A drawing that is the truth stays the truth, whatever is done to both."""
    inputs = RefinerInput.of(channels(2, 40, 40))
    exact = RefinerSample.of(inputs, inputs.colour, 1.0)
    batch = CROPS.batch([exact], 0, 0)
    assert torch.allclose(RefinerInput.of(batch["channels"]).colour, batch["truth"], atol=1e-5)


@pytest.mark.slow
def test_a_fit_learns_and_is_the_same_twice() -> None:
    losses: list[float] = []
    fitted = [
        FIT.fit(a_net(SMALL), [sample()], CROPS, 12, 1, lambda _, terms: losses.append(terms["l1"]))
        for _ in range(2)
    ]
    assert losses[:12] == losses[12:]
    assert losses[11] < losses[0]
    for one, other in zip(*(net.parameters() for net in fitted), strict=True):
        assert torch.equal(one, other)


def test_a_loss_that_is_not_finite_stops_with_its_terms() -> None:
    net = a_net(SMALL)
    torch.nn.init.constant_(net.leave.bias, float("nan"))
    with pytest.raises(RibError, match=r"step 1 is not finite.*l1"):
        FIT.fit(net, [sample()], CROPS, 2, 1, lambda *_: None)
