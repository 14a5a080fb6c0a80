from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from drawings_by_hand import SMALL, a_net, gap, planes, same

from rib.io.errors import RibError
from rib.render.refine.crops import CropRecipe, backwards, mirror
from rib.render.refine.drawings import Gap, read_gaps, write_gaps
from rib.render.refine.drawn import Drawn
from rib.render.refine.fitting import FitRecipe

CROPS = CropRecipe(side_px=32, batch_size=2, mirrored=0.5, reversed=0.5, recoloured=0.5, focus=0.5)
FIT = FitRecipe(
    perceptual=0.1, pixels=1.0, lr=3e-3, warmup_steps=1, weight_decay=0.0, ema_decay=0.5, clip_norm=1.0
)


def test_gaps_come_back_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "drawings.h5"
    write_gaps(path, {"a": [gap(1), gap(2)], "b": [gap(3)]})
    assert sorted(read_gaps(path)) == ["a", "b"]
    found = read_gaps(path, ["a"])["a"]
    assert all(same(one, other) for one, other in zip(found, [gap(1), gap(2)], strict=True))


def test_files_that_are_not_ours_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RibError, match="no drawings at"):
        read_gaps(tmp_path / "absent.h5")
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(RibError, match="no HDF5 file"):
        read_gaps(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file.attrs["format"] = "other"
    with pytest.raises(RibError, match="no drawings of this version"):
        read_gaps(tmp_path / "other.h5")
    write_gaps(tmp_path / "a.h5", {"a": [gap()]})
    with pytest.raises(RibError, match="lacks b"):
        read_gaps(tmp_path / "a.h5", ["b"])


def test_mirrors_and_time_undo_themselves() -> None:
    x = planes(1, 8, 8)[0].numpy()
    assert np.array_equal(mirror(mirror(x)), x)
    assert np.allclose(backwards(backwards(x)), x)


def test_a_mirror_exchanges_left_and_right_limbs() -> None:
    x = planes(1, 8, 8)[0].numpy()
    before, after = (Drawn.of(torch.from_numpy(p)[None]).limbs[0] for p in (x, mirror(x)))
    assert torch.equal(after[1], before[2].flip(-1))
    assert torch.equal(after[0], before[0].flip(-1))


def test_a_batch_is_a_function_of_seed_and_step() -> None:
    gaps = [gap(1), gap(2, size=20)]
    one, again, next_ = (CROPS.batch(gaps, 7, step) for step in (3, 3, 4))
    assert torch.equal(one["planes"], again["planes"])
    assert not torch.equal(one["planes"], next_["planes"])
    assert one["planes"].shape[2:] == one["truth"].shape[2:] == (32, 32)


def test_picture_and_truth_are_recoloured_alike() -> None:
    """A drawing that is the truth stays the truth, whatever is done to both."""
    drawn = Drawn.of(planes(2, 40, 40))
    exact = Gap.of(drawn, drawn.colour, 1.0)
    batch = CROPS.batch([exact], 0, 0)
    assert torch.allclose(Drawn.of(batch["planes"]).colour, batch["truth"], atol=1e-5)


def test_a_fit_learns_and_is_the_same_twice() -> None:
    losses: list[float] = []
    fitted = [
        FIT.fit(a_net(SMALL), [gap()], CROPS, 12, 1, lambda _, terms: losses.append(terms["l1"]))
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
        FIT.fit(net, [gap()], CROPS, 2, 1, lambda *_: None)
