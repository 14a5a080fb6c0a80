from __future__ import annotations

import struct
import sys
import zlib

import cv2
import numpy as np
import pytest
import torch

from rib.io.encoded_pictures import decoded_image_bytes
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


def png_with_a_bad_filter() -> bytes:
    """A grey picture of 2 x 1 px whose checksums are right, but whose row is packed in no way there is."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", 2, 1, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\x09\x01\x02")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("content", [b"", b"no picture", png_with_a_bad_filter()])
def test_a_damaged_picture_is_none_and_its_library_says_nothing(
    content: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    assert decoded_image_bytes(content) is None
    print("told", file=sys.stderr)
    assert capfd.readouterr().err == "told\n"


def test_a_picture_is_decoded_as_it_was_encoded() -> None:
    picture = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    encoded = cv2.imencode(".png", picture)[1]
    assert np.array_equal(decoded_image_bytes(encoded), picture)
    assert np.array_equal(decoded_image_bytes(encoded.tobytes()), picture)
