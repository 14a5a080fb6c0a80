"""Batches that renderers learn from: windows of clips, and a net's output for them.

Letters: B clips, T frames of a window, H and W the picture's height and width. Frames 1 .. T - 2 are learnt,
each from the frames before and after it; pictures are RGB float32 in 0..1.
"""

from __future__ import annotations

from typing import TypedDict

from torch import Tensor


class RendererClipBatch(TypedDict):
    """Windows of consecutive frames with what is known of them.

    Keys:
        frames: (B, T, 3, H, W).
        poses: (B, T, 19, 3), x and y in px and confidence 0..1 (0 = missing), joints in `BODY19`'s order.
        masks: (B, T, 1, H, W), the person's matte 0..1.
        backgrounds: (B, T - 2, 3, H, W), frame t interpolated from frames t - 1 and t + 1 without seeing t.
        times_s: (B, T) float64.
        names: B names of the clips.
    """

    frames: Tensor
    poses: Tensor
    masks: Tensor
    backgrounds: Tensor
    times_s: Tensor
    names: list[str]


class RendererClipOutput(TypedDict):
    """A renderer's output for frames 1 .. T - 2.

    Keys:
        picture: (B, T - 2, 3, H, W), the finished frames.
        foreground: (B, T - 2, 3, H, W), the person before it is laid over anything.
        alpha: (B, T - 2, 1, H, W), the share of `foreground` in `picture`.
    """

    picture: Tensor
    foreground: Tensor
    alpha: Tensor
