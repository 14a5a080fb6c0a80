"""Encoded pictures of strangers, through OpenCV: damaged ones are none, and nothing is printed about them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np

_lock = threading.Lock()


def decoded_image_bytes(encoded: bytes | np.ndarray, mode: int = cv2.IMREAD_COLOR) -> np.ndarray | None:
    """Decode a picture: BGR as OpenCV gives it, or None where it is none, or larger than OpenCV takes.

    Args:
        encoded: A file's bytes, or (N,) uint8.
        mode: One of `cv2.IMREAD_*`.
    """
    numbers = np.frombuffer(encoded, np.uint8) if isinstance(encoded, bytes) else encoded
    if not len(numbers):
        return None
    with _nothing_printed():
        try:
            return cv2.imdecode(numbers, mode)
        except cv2.error:
            return None


@contextmanager
def _nothing_printed() -> Iterator[None]:
    """Lead stderr nowhere: libpng, libjpeg and libtiff write there what they think of a picture."""
    with _lock:
        try:
            kept = os.dup(2)
        except OSError:  # there is none
            yield
            return
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 2)
            os.close(nowhere)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
