"""Small painted clips, a data module on them and a store of them."""

from __future__ import annotations

from functools import cache
from typing import Any

from rib.clips.data import ClipDataModule
from rib.clips.synthetic import SyntheticClips
from rib.clips.write import StoredClip

PAINTED: dict[str, Any] = {"count": 3, "frames": 10, "size_wh": [60, 48], "fps": 15.0, "seed": 0}

"""Settings of painted clips, small enough for tests."""
NOTHING: dict[str, float] = dict.fromkeys(
    ("shift", "rotation_deg", "scale", "flip", "limb_drop", "part_blur", "blur_radius", "blur_sigma",
     "brightness", "contrast", "saturation", "hue_deg"), 0.0,
)  # fmt: skip
"""Settings of an augmentation that does nothing."""


@cache
def painted() -> SyntheticClips:
    return SyntheticClips(**PAINTED)


def clip_data(**changes: Any) -> ClipDataModule:
    settings: dict[str, Any] = {
        "store": "synthetic", "synthetic": {"_target_": "rib.clips.synthetic.SyntheticClips", **PAINTED},
        "clips": [], "held_out": [], "validation": [], "first_frames": 4, "grow_every_epochs": 2,
        "most_frames": 6, "batch_size": 2, "size_wh": [32, 40], "scale": None, "reversed_share": 0.5,
        "augment": None, "batches_per_epoch": 3, "validation_batches": 2, "seed": 5, "num_workers": 0,
    }  # fmt: skip
    data = ClipDataModule(**{**settings, **changes})
    data.setup()
    return data


def stored(name: str = "synthetic_000", split: str = "train", frames: int = 8) -> StoredClip:
    """One painted clip as a store holds it."""
    window = painted().window(name, 0, frames)
    backgrounds = window.backgrounds
    if split == "gt":  # keyframes stand where a test gives them
        backgrounds = [*window.frames]
        backgrounds[1::2] = window.backgrounds[::2]
    return StoredClip(
        name, split, list(window.frames), window.poses, list(window.masks), list(backgrounds), 15.0
    )
