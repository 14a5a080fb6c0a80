import numpy as np
import torch

from rib.io.images import to_float, to_pictures, to_tensor, to_uint8

EVERY = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
PICTURE = np.concatenate([EVERY, EVERY[:, ::-1], EVERY]).transpose(1, 2, 0)


def test_eight_bits_survive_the_way_through_floats() -> None:
    assert np.array_equal(to_pictures(to_tensor(PICTURE)[None])[0], PICTURE)
    assert np.array_equal(to_uint8(to_float(PICTURE)), PICTURE)
    assert torch.equal(to_uint8(to_float(torch.from_numpy(PICTURE))), torch.from_numpy(PICTURE))


def test_arrays_and_tensors_are_rounded_alike_halves_upwards() -> None:
    values = np.array([-1.0, 0.0, 0.5 / 255, 1.5 / 255, 2.4 / 255, 0.5, 1.0, 2.0])
    expected = np.array([0, 0, 1, 2, 2, 128, 255, 255], np.uint8)
    assert np.array_equal(to_uint8(values), expected)
    assert np.array_equal(to_uint8(torch.from_numpy(values)).numpy(), expected)
    noise = np.random.default_rng(0).uniform(-0.1, 1.1, (3, 64, 64)).astype(np.float32)
    assert np.array_equal(to_uint8(noise), to_uint8(torch.from_numpy(noise)).numpy())
