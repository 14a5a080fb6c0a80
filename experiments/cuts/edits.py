"""Edits made by script of clips without cuts: where the cut is, and what only looks like one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

LENGTH = 32
"""Frames of an edited clip."""
CUTS = ("other", "other_grey", "other_dark", "room", "room_grey", "punch_in", "jump")
NO_CUTS = ("none", "flash", "flash_2", "fade", "dissolve", "pan", "zoom", "light")
ROOMS = ("pose2sim_single", "gmdcsa_s1", "gmdcsa_s3", "gmdcsa_s4", "intel_asl", "raga", "videomimic")
"""Clips whose names begin alike show one place, or places that look alike."""


@dataclass(frozen=True)
class Edit:
    """An edited clip: frames (T, H, W, 3) uint8 RGB, the cut's frame or None, and how it was made."""

    frames: np.ndarray
    cut: int | None
    kind: str
    clip: str
    stride: int


def edits(clips: dict[str, np.ndarray], each: int, seed: int) -> Iterator[Edit]:
    """`each` edits of every kind, at one frame in 1, 2 and 4 by turns."""
    rng = np.random.default_rng(seed)
    names = sorted(clips)
    for kind in (*CUTS, *NO_CUTS):
        made = 0
        while made < each:
            stride = (1, 2, 4)[made % 3]
            name = names[rng.integers(len(names))]
            edit = _edit(kind, name, clips, stride, rng)
            if edit is not None:
                made += 1
                yield edit


def _edit(
    kind: str, name: str, clips: dict[str, np.ndarray], stride: int, rng: np.random.Generator
) -> Edit | None:
    a = _part(clips[name], stride, LENGTH, rng)
    at = int(rng.integers(6, LENGTH - 8))
    if len(a) < LENGTH // 2:
        return None
    at = min(at, len(a) - 7)
    if kind in CUTS:
        b = _second(kind, name, clips, stride, at, rng)
        if b is None:
            return None
        frames = np.concatenate([a[:at], b[: LENGTH - at]])
        if kind.endswith("grey"):
            frames = np.repeat(
                np.stack([cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in frames])[..., None], 3, -1
            )
        if kind.endswith("dark"):
            frames = (frames * 0.13).astype(np.uint8)
        return Edit(_coded(frames), at, kind, name, stride)
    return Edit(_coded(_disturbed(kind, a, at, name, clips, stride, rng)), None, kind, name, stride)


def _part(clip: np.ndarray, stride: int, length: int, rng: np.random.Generator) -> np.ndarray:
    usable = clip[rng.integers(stride) :: stride]
    first = int(rng.integers(max(1, len(usable) - length)))
    return np.asarray(usable[first : first + length])


def _second(
    kind: str, name: str, clips: dict[str, np.ndarray], stride: int, at: int, rng: np.random.Generator
) -> np.ndarray | None:
    """The second shot."""
    if kind.startswith("other"):
        others = [n for n in clips if _room(n) != _room(name)]
        return _part(clips[others[rng.integers(len(others))]], stride, LENGTH - at, rng)
    if kind.startswith("room"):
        others = [n for n in clips if _room(n) == _room(name) and n != name]
        if not others or _room(name) == name:
            return None
        return _part(clips[others[rng.integers(len(others))]], stride, LENGTH - at, rng)
    clip = np.asarray(clips[name][::stride])
    if kind == "jump":  # the same camera, later and moved a little, as an edited talk
        if len(clip) < 40 // stride + 12:
            return None
        return _cropped(clip[-(LENGTH - at) :], 1.08, rng)
    follows = clip[at : at + LENGTH]
    return _cropped(follows, float(rng.uniform(1.3, 2.0)), rng) if len(follows) > 6 else None


def _room(name: str) -> str:
    return next((room for room in ROOMS if name.startswith(room)), name)


def _cropped(frames: np.ndarray, by: float, rng: np.random.Generator) -> np.ndarray:
    height, width = frames.shape[1:3]
    h, w = int(height / by), int(width / by)
    y, x = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
    return np.stack([cv2.resize(f[y : y + h, x : x + w], (width, height)) for f in frames])


def _disturbed(
    kind: str,
    a: np.ndarray,
    at: int,
    name: str,
    clips: dict[str, np.ndarray],
    stride: int,
    rng: np.random.Generator,
) -> np.ndarray:
    frames = a.astype(np.float32)
    if kind.startswith("flash"):
        for k in range(at, at + (2 if kind == "flash_2" else 1)):
            frames[k] = np.clip(frames[k] * rng.uniform(0, 1) + rng.uniform(120, 255), 0, 255)
    if kind == "fade":
        gain = np.clip(1 - np.arange(len(frames)) / rng.integers(8, 20), 0, 1)
        frames = frames * np.roll(gain[:: rng.choice([-1, 1])], 0)[:, None, None, None]
    if kind == "dissolve":
        others = [n for n in clips if _room(n) != _room(name)]
        b = _part(clips[others[rng.integers(len(others))]], stride, len(frames), rng)
        frames = frames[: len(b)]
        mix = np.clip((np.arange(len(frames)) - at + 4) / rng.integers(6, 14), 0, 1)[:, None, None, None]
        frames = frames * (1 - mix) + b * mix
    if kind in ("pan", "zoom"):
        frames = _camera(kind, a, rng).astype(np.float32)
    if kind == "light":  # a lamp, or a camera's exposure, changes at once
        frames[at:] = np.clip(frames[at:] * rng.uniform(0.6, 1.5) + rng.uniform(-15, 15), 0, 255)
    return frames.astype(np.uint8)


def _camera(kind: str, a: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A window that moves by up to 7 % of the picture's width a frame and turns back, or closes in."""
    height, width = a.shape[1:3]
    share = 0.55
    h, w = int(height * share), int(width * share)
    speed, position, moved = rng.uniform(3, 13), 0.0, []
    for k, frame in enumerate(a):
        if kind == "zoom":
            grow = 1 - 0.4 * k / len(a)
            crop = cv2.resize(frame, (width, height))[: int(height * grow), : int(width * grow)]
        else:
            room = width - w
            x = int(abs((position + room) % (2 * room) - room))
            position += speed
            crop = frame[height // 5 : height // 5 + h, x : x + w]
        moved.append(cv2.resize(crop, (width, height)))
    return np.stack(moved)


def _coded(frames: np.ndarray) -> np.ndarray:
    """As a codec leaves them: JPEG at a quality that video has."""
    return np.stack(
        [
            cv2.imdecode(cv2.imencode(".jpg", f, [cv2.IMWRITE_JPEG_QUALITY, 70])[1], cv2.IMREAD_COLOR)
            for f in frames
        ]
    )
