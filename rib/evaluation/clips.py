"""A renderer's checkpoint on whole clips: every hidden frame made from the frames around it, and scored.

Letters: B hidden frames made at once, H and W the picture's height and width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from rib.clips.batches import collate_clip_windows
from rib.clips.clips import ClipWindow, choose_clips
from rib.clips.data import to_clip_batch
from rib.clips.store import Hdf5ClipStore
from rib.io.errors import RibError
from rib.io.images import to_pictures
from rib.metrics.frames import summarise_scores
from rib.render.clip_batch import RendererClipBatch, RendererClipOutput

Renderer = Callable[[RendererClipBatch], RendererClipOutput]
METHODS = ("fused", "background")
"""What is scored: the finished frame, and the interpolated background that the net was given."""


@dataclass(frozen=True)
class ClipTrial:
    """A hidden frame between the two that are given.

    Attributes:
        before: Number of the frame given before it.
        hidden: Its own number.
        after: Number of the frame given after it.
    """

    before: int
    hidden: int
    after: int


@dataclass(frozen=True)
class ClipEvaluation:
    """A hidden frame and what was made of it; pictures are (H, W, 3) uint8, alpha (H, W) uint8.

    Attributes:
        trial: Which frame.
        time_s: When.
        true: The frame itself.
        background: What the interpolator made of it.
        generated: The person before it is laid over anything.
        alpha: The share of the person.
        fused: The finished frame.
        pose: (19, 3) px and confidence.
    """

    trial: ClipTrial
    time_s: float
    true: np.ndarray
    background: np.ndarray
    generated: np.ndarray
    alpha: np.ndarray
    fused: np.ndarray
    pose: np.ndarray


def clips_to_evaluate(
    path: str, split: str, clips: Sequence[str] | None, trained: Mapping[str, Any]
) -> tuple[Hdf5ClipStore, list[str]]:
    """The store, and which of its clips are scored.

    Args:
        path: The HDF5.
        split: "gt", "train" or "auto", which takes gt where the store has test clips.
        clips: Names or patterns; None takes all test clips, or of training clips those that the checkpoint
            was not trained on.
        trained: The recipe of the data that the checkpoint was trained on.

    Raises:
        RibError: The store cannot be read, a name fits no clip, or nothing says which clips were held out.
    """
    store = _open(path, split)
    if clips is not None:
        return store, choose_clips(store.names, clips)
    if store.split == "gt":
        return store, list(store.names)
    unseen = [
        pattern
        for key in ("held_out", "validation")
        for pattern in map(str, trained.get(key) or ())
        if any(fnmatchcase(name, pattern) for name in store.names)
    ]
    if not unseen:
        raise RibError(
            f"{path} has no test clips, and the checkpoint held none of its clips out from training",
            f"type clips=[NAME,...] of clips that it was not trained on; the store has {_some(store.names)}",
        )
    return store, choose_clips(store.names, unseen)


def _some(names: Sequence[str]) -> str:
    """Names, the first few of many."""
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def _open(path: str, split: str) -> Hdf5ClipStore:
    if split != "auto":
        return Hdf5ClipStore(path, split)
    try:
        return Hdf5ClipStore(path, "gt")
    except RibError:
        return Hdf5ClipStore(path, "train")


def evaluation_frames_of_clip(store: Hdf5ClipStore, name: str) -> list[ClipTrial]:
    """The hidden frames of a clip.

    Of a training clip all but the first and last, each between its neighbours; of a test clip those that the
    test does not give.
    """
    if store.split == "train":
        return [ClipTrial(t - 1, t, t + 1) for t in range(1, store.length(name) - 1)]
    given = store.given(name)
    return [ClipTrial(a, t, b) for a, b in pairwise(given) for t in range(a + 1, b)]


def fps_of_evaluation_frames(store: Hdf5ClipStore, name: str) -> float:
    """At how many frames a second a clip's hidden frames follow each other, on average."""
    numbers = [trial.hidden for trial in evaluation_frames_of_clip(store, name)]
    apart = (numbers[-1] - numbers[0]) / (len(numbers) - 1) if len(numbers) > 1 else 1.0
    return store.fps(name) / apart


@torch.inference_mode()
def render_evaluation_frames(
    store: Hdf5ClipStore, name: str, renderer: Renderer, batch_size: int, every: int, device: str
) -> Iterator[ClipEvaluation]:
    """Make the hidden frames of a clip.

    Args:
        store: The clips.
        name: Which clip.
        renderer: A `RendererClipBatch` in and `RendererClipOutput` out, on `device`.
        batch_size: Frames made at once.
        every: Only every n-th hidden frame.
        device: Where.

    Raises:
        RibError: The clip is too short or damaged.
    """
    hidden = evaluation_frames_of_clip(store, name)[::every]
    if not hidden:
        raise RibError(f"the clip {name} has {store.length(name)} frames and hides none of them")
    whole = store.window(name, 0, store.length(name))
    for first in range(0, len(hidden), batch_size):
        some = hidden[first : first + batch_size]
        batch = to_clip_batch(collate_clip_windows([_window(whole, trial) for trial in some], -1))
        moved: Any = {k: v.to(device) if isinstance(v, torch.Tensor) else v for k, v in batch.items()}
        made = renderer(moved)
        yield from (_made(whole, trial, made, row) for row, trial in enumerate(some))


def _made(whole: ClipWindow, trial: ClipTrial, made: RendererClipOutput, row: int) -> ClipEvaluation:
    return ClipEvaluation(
        trial,
        float(whole.times_s[trial.hidden]),
        whole.frames[trial.hidden],
        whole.backgrounds[trial.hidden - 1],
        to_pictures(made["foreground"][row, 0].float()),
        to_pictures(made["alpha"][row, 0].float())[..., 0],
        to_pictures(made["picture"][row, 0].float()),
        whole.poses[trial.hidden],
    )


def _window(whole: ClipWindow, trial: ClipTrial) -> ClipWindow:
    """The hidden frame between the two given, as a window of three."""
    index = [trial.before, trial.hidden, trial.after]
    return ClipWindow(
        whole.name, whole.frames[index], whole.poses[index], whole.masks[index],
        whole.backgrounds[[trial.hidden - 1]], whole.times_s[index],
    )  # fmt: skip


def summarise_clip_scores(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """Scores of every clip, and over clips.

    Args:
        rows: Of each clip, a row a frame with a dict of scores for each of `METHODS`.

    Returns:
        `clips`: by clip and method what `summarise_scores` gives; `mean_of_clips`: by method the mean of the
        clips' means, each clip weighing the same; `all_frames`: by method `summarise_scores` over all frames.
    """
    clips = {
        name: {method: summarise_scores([row[method] for row in frames]) for method in METHODS}
        for name, frames in rows.items()
    }
    return {
        "clips": clips,
        "mean_of_clips": {
            method: _mean([summary[method] for summary in clips.values()]) for method in METHODS
        },
        "all_frames": {
            method: summarise_scores([row[method] for frames in rows.values() for row in frames])
            for method in METHODS
        },
    }


def _mean(summaries_of_clips: Sequence[Mapping[str, float]]) -> dict[str, float]:
    keys = {key for summary in summaries_of_clips for key in summary if key != "frames"}
    means = {}
    for key in sorted(keys):
        values = [summary[key] for summary in summaries_of_clips if key in summary]
        means[key] = sum(values) / len(values)
    return means
