"""Windows of clips brought to one size and put together: every batch follows from (seed, epoch, place)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, get_worker_info

from rib.clips.clips import ClipStore, ClipWindow, refuse_short_clips
from rib.io.errors import RibError
from rib.training.epochs import seeded_training_generator


class RawClipBatch(TypedDict):
    """A batch as it travels to the device: 8-bit pictures, and the seeds of its augmentation.

    Keys:
        frames: (B, T, 3, H, W) uint8.
        poses: (B, T, 19, 3) float32.
        masks: (B, T, 1, H, W) uint8.
        backgrounds: (B, T - 2, 3, H, W) uint8.
        times_s: (B, T) float64.
        names: B names of the clips.
        seed: Seeds the augmentation; -1 for none.
    """

    frames: Tensor
    poses: Tensor
    masks: Tensor
    backgrounds: Tensor
    times_s: Tensor
    names: list[str]
    seed: int


@dataclass(frozen=True)
class RefusedClipBatch:
    """A `RibError` of a worker process, handed over in the place of a batch.

    An error that is raised there would reach the user with both processes' tracebacks in it.
    """

    what: str
    remedy: str


@dataclass(frozen=True)
class WindowCurriculum:
    """Curriculum of window lengths: `first` frames, one more every `every_epochs` epochs, up to `most`."""

    first: int
    every_epochs: int
    most: int

    def frames(self, epoch: int) -> int:
        """The length of the windows of an epoch."""
        return min(self.most, self.first + epoch // self.every_epochs)


class ClipWindowBatches(Dataset[RawClipBatch | RefusedClipBatch]):
    """`num_batches` batches an epoch; item `epoch * num_batches + i` is drawn from (seed, epoch, i).

    Every window of every clip is equally likely.

    Args:
        store: The clips.
        names: Those to draw from.
        growth: The length of the windows.
        batch_size: Windows a batch.
        num_batches: Batches an epoch.
        size_wh: Width and height of the windows, px.
        scale: Factor by which pictures are resized before the window is cut out around the person; None
            shrinks or enlarges each until it just covers the window.
        reversed_share: Share of windows that are played backwards.
        augmented: False places every window over the middle of its person and asks for no augmentation.
        seed: The run's seed.
    """

    def __init__(
        self, store: ClipStore, names: Sequence[str], growth: WindowCurriculum, batch_size: int,
        num_batches: int, size_wh: tuple[int, int], scale: float | None, reversed_share: float,
        augmented: bool, seed: int,
    ) -> None:  # fmt: skip
        refuse_short_clips(store, names, growth.most)
        self.store, self.names, self.growth = store, list(names), growth
        self.batch_size, self.num_batches = batch_size, num_batches
        self.size_wh, self.scale = size_wh, scale
        self.reversed_share, self.augmented, self.seed = reversed_share, augmented, seed

    def __len__(self) -> int:
        return self.num_batches

    def __getitem__(self, index: int) -> RawClipBatch | RefusedClipBatch:
        try:
            return self.draw(index)
        except RibError as error:
            if get_worker_info() is None:
                raise
            return RefusedClipBatch(error.what, error.remedy)

    def draw(self, index: int) -> RawClipBatch:
        """The batch of that number.

        Raises:
            RibError: A clip is damaged.
        """
        epoch, place = divmod(index, self.num_batches)
        generator = seeded_training_generator(self.seed, epoch, place)
        frames = self.growth.frames(epoch)
        room = torch.tensor([self.store.length(name) - frames + 1 for name in self.names])
        windows = [self._window(int(i), frames, room, generator) for i in self._clips(room, generator)]
        seed = int(torch.randint(1 << 62, (), generator=generator)) if self.augmented else -1
        return collate_clip_windows(windows, seed)

    def _clips(self, room: Tensor, generator: torch.Generator) -> Tensor:
        return torch.multinomial(room.float(), self.batch_size, replacement=True, generator=generator)

    def _window(self, clip: int, frames: int, room: Tensor, generator: torch.Generator) -> ClipWindow:
        start = int(torch.randint(int(room[clip]), (), generator=generator))
        x, y, turn = torch.rand(3, generator=generator).tolist()
        window = self.store.window(self.names[clip], start, frames)
        if turn < self.reversed_share:
            window = window.backwards()
        return cut_window_around_person(
            window, self.size_wh, self.scale, (x - 0.5, y - 0.5) if self.augmented else (0, 0)
        )


def cut_window_around_person(
    window: ClipWindow, size_wh: tuple[int, int], scale: float | None, shift: tuple[float, float]
) -> ClipWindow:
    """Resize a window's pictures and cut a rectangle around the person out of them.

    Args:
        window: As stored.
        size_wh: Width and height of the result.
        scale: Factor of the size; None takes the one by which the picture just covers the result.
        shift: By how much of its own width and height the rectangle is moved from the person's middle; it
            stays inside the picture where that is large enough, and is filled up by mirroring where not.
    """
    height, width = window.frames.shape[1:3]
    factor = max(size_wh[0] / width, size_wh[1] / height) if scale is None else scale
    resized = max(1, round(width * factor)), max(1, round(height * factor))
    poses = window.poses.copy()
    poses[..., :2] *= np.array(resized) / (width, height)
    corner = [
        _corner(middle, resized[axis], size_wh[axis], shift[axis])
        for axis, middle in enumerate(_middle(poses, resized))
    ]
    poses[..., :2] -= corner
    poses[poses[..., 2] <= 0] = 0

    def cut(pictures: np.ndarray) -> np.ndarray:
        return np.stack([_cut(_resize(picture, resized), corner, size_wh) for picture in pictures])

    masks, backgrounds = cut(window.masks), cut(window.backgrounds)
    return ClipWindow(window.name, cut(window.frames), poses, masks, backgrounds, window.times_s)


def _middle(poses: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """(2,) px, the middle of all joints found, or of the picture where there are none."""
    seen = poses[poses[..., 2] > 0][:, :2]
    return (seen.min(0) + seen.max(0)) / 2 if len(seen) else np.array(size_wh) / 2


def _corner(middle: float, given: int, wanted: int, shift: float) -> int:
    if given <= wanted:
        return -((wanted - given) // 2)
    return int(np.clip(round(middle + (shift - 0.5) * wanted), 0, given - wanted))


def _resize(picture: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    if picture.shape[1::-1] == size_wh:
        return picture
    shrinks = size_wh[0] < picture.shape[1]
    return cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _cut(picture: np.ndarray, corner: Sequence[int], size_wh: tuple[int, int]) -> np.ndarray:
    left, top = (max(0, -c) for c in corner)
    x, y = (max(0, c) for c in corner)
    inside = picture[y : y + size_wh[1], x : x + size_wh[0]]
    right, bottom = size_wh[0] - inside.shape[1] - left, size_wh[1] - inside.shape[0] - top
    if max(left, top, right, bottom) == 0:
        return inside
    return cv2.copyMakeBorder(inside, top, bottom, left, right, cv2.BORDER_REFLECT)


def collate_clip_windows(windows: Sequence[ClipWindow], seed: int) -> RawClipBatch:
    """Windows of one size and length as tensors."""
    frames, backgrounds = (
        torch.from_numpy(np.stack([getattr(w, part) for w in windows])).permute(0, 1, 4, 2, 3)
        for part in ("frames", "backgrounds")
    )
    return RawClipBatch(
        frames=frames,
        poses=torch.from_numpy(np.stack([w.poses for w in windows]).astype(np.float32)),
        masks=torch.from_numpy(np.stack([w.masks for w in windows]))[:, :, None],
        backgrounds=backgrounds,
        times_s=torch.from_numpy(np.stack([w.times_s for w in windows])),
        names=[w.name for w in windows],
        seed=seed,
    )
