"""`rib prepare data=humanslomo`: from videos and lists to one store of clips, in parallel and resumable."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from rib.clips.write import merge_clip_stores
from rib.datasets.humanslomo.download import OfflineDownloadError, download_listed_video
from rib.datasets.humanslomo.footage import Footage, FootageCrop, find_footage, videos_in_folder
from rib.datasets.humanslomo.lists import ListedClip, ListedVideo, read_clip_list, read_video_list
from rib.datasets.humanslomo.work_items import (
    ClipItem,
    ClipItemSettings,
    describe_clip_item,
    prepare_clip_item,
)
from rib.io.errors import RibError
from rib.io.preparation.work_items import PreparationReport, Progress, prepare_work_items
from rib.io.recipe import build_recipe
from rib.io.settings.ranges import ListSize, Range, RisingList, Shard, Whole


@dataclass(frozen=True)
class HumanSlomoChoice:
    """The user's choice of clips and sizes.

    Attributes:
        videos: The folder of videos and of folders of frames.
        listed: The video list, by name.
        training: Clips of the training list.
        tests: Clips of the test list, each with the frames that are given.
        crops: For videos and for folders of frames.
        timeout_s: See `download_listed_video`.
    """

    videos: Path
    listed: Mapping[str, ListedVideo]
    training: Sequence[ListedClip]
    tests: Sequence[tuple[ListedClip, tuple[str, ...]]]
    crops: Mapping[bool, FootageCrop]
    timeout_s: float


def prepare_humanslomo(
    videos: str,
    output: str,
    video_list: str | None,
    train_list: str | None,
    test_list: str | None,
    test_input: str | None,
    video_columns: Annotated[Sequence[Whole], ListSize(2, 2), RisingList()] | None,
    folder_columns: Annotated[Sequence[Whole], ListSize(2, 2), RisingList()] | None,
    size_wh: Annotated[Sequence[Annotated[int, Range(16, 16384)]], ListSize(2, 2)] | None,
    strides: Annotated[Sequence[Annotated[int, Range(1, 10_000)]], ListSize(1, 100)],
    finding: Mapping[str, Any],
    stages: Mapping[str, Mapping[str, Any]],
    timeout_s: Annotated[float, Range(above=0, most=86400)],
    workers: Annotated[int, Range(1, 256)],
    shard: Shard,
    progress: Progress | None = None,
) -> PreparationReport:
    """Prepare the clips of lists, or, where no list is given, all that can be found in a folder of videos.

    Args:
        videos: Folder with `<video_name>.mp4` (or another suffix) and folders of frames `<video_name>/`.
        output: The HDF5 to write; `<output>.parts/` beside it holds the work and may be deleted when all is
            done.
        video_list: CSV of videos; those that are not in the folder are fetched. None fetches nothing.
        train_list: JSON of the clips to train on, or None.
        test_list: JSON of the test clips at the full frame rate, or None.
        test_input: JSON of the frames of the test clips that are given; None gives every second one.
        video_columns: First column and the one after the last that are kept of a video; None keeps all.
        folder_columns: The same for folders of frames.
        size_wh: Width and height that listed clips are resized to, px; None keeps their own.
        strides: Training clips are kept at every n-th frame, for each n in the list.
        finding: Recipe of `Finding`, for videos without a list.
        stages: Recipes of `pose`, `mask` and `background`.
        timeout_s: How long a silent connection is waited for, s.
        workers: Processes; each does one clip, or one video without a list, at a time.
        shard: "i/n": this run makes every n-th item, from the i-th; "0/1" makes all.
        progress: Called after each item.

    Raises:
        RibError: A list or the folder cannot be read, or nothing could be prepared.
    """
    wanted = HumanSlomoChoice(
        Path(videos).expanduser().absolute(),
        {video.name: video for video in (read_video_list(video_list) if video_list else [])},
        read_clip_list(train_list) if train_list else [],
        _tests(test_list, test_input),
        {True: _crop(video_columns, size_wh), False: _crop(folder_columns, size_wh)},
        timeout_s,
    )
    if not wanted.videos.is_dir() and not wanted.listed:
        raise RibError(f"{wanted.videos} is no folder", "name a folder of videos: data.prepare.videos=")
    threads = max(1, (os.cpu_count() or 1) // workers) if workers > 1 else None
    settings = ClipItemSettings(stages, tuple(strides), build_recipe(finding), threads)
    store = Path(output).expanduser().absolute()
    work = store.with_name(f"{store.name}.parts")
    items, absent = _items(wanted, work, settings)
    return prepare_work_items(
        store,
        items,
        partial(prepare_clip_item, settings=settings),
        partial(_put_together, store),
        workers,
        shard,
        progress,
        absent,
    )


def _tests(test_list: str | None, test_input: str | None) -> list[tuple[ListedClip, tuple[str, ...]]]:
    """Each test clip with the frames given; every second one where no list says which."""
    if test_list is None:
        return []
    inputs = {clip.name: clip.frames for clip in read_clip_list(test_input)} if test_input else {}
    tests = read_clip_list(test_list)
    if test_input and (lacking := [clip.name for clip in tests if clip.name not in inputs]):
        raise RibError(f"{test_input} lacks the clip {lacking[0]} of {test_list}")
    return [(clip, inputs.get(clip.name, clip.frames[::2])) for clip in tests]


def _crop(columns: Sequence[int] | None, size_wh: Sequence[int] | None) -> FootageCrop:
    return FootageCrop(
        (columns[0], columns[1]) if columns else None, (size_wh[0], size_wh[1]) if size_wh else None
    )


def _items(
    wanted: HumanSlomoChoice, work: Path, settings: ClipItemSettings
) -> tuple[list[ClipItem], dict[str, str]]:
    """List the work items, and by name the reasons for clips whose footage cannot be had."""
    if not wanted.training and not wanted.tests:
        whole = FootageCrop(None, None)
        return [
            describe_clip_item(work, settings, footage, whole) for footage in videos_in_folder(wanted.videos)
        ], {}
    places = _places(wanted)
    items: list[ClipItem] = []
    absent: dict[str, str] = {}
    for clip, given in _listed(wanted):
        place = places[clip.video]
        if isinstance(place, str):
            absent[clip.name] = place
            continue
        video = wanted.listed.get(clip.video)
        crop = wanted.crops[place.is_video]
        items.append(
            describe_clip_item(work, settings, place, crop, clip, given, video.fps if video else None)
        )
    return items, absent


def _listed(wanted: HumanSlomoChoice) -> Iterator[tuple[ListedClip, tuple[str, ...] | None]]:
    yield from ((clip, None) for clip in wanted.training)
    yield from wanted.tests


def _places(wanted: HumanSlomoChoice) -> dict[str, Footage | str]:
    """Every video that the clips need, there or fetched, by name; or why not."""
    places: dict[str, Footage | str] = {}
    offline = False
    for name in dict.fromkeys(clip.video for clip, _ in _listed(wanted)):
        try:
            places[name] = _place(wanted, name, offline)
        except RibError as error:
            places[name] = str(error)
            offline = offline or isinstance(error, OfflineDownloadError)
    return places


def _place(wanted: HumanSlomoChoice, name: str, offline: bool) -> Footage:
    """A video that is there, or else is fetched if the video list has it."""
    try:
        return find_footage(wanted.videos, name)
    except RibError:
        if name not in wanted.listed:
            raise
    if offline:
        raise RibError(f"{name} is not in {wanted.videos}, and was not asked for: the network is absent")
    return Footage(download_listed_video(wanted.listed[name], wanted.videos, wanted.timeout_s))


def _put_together(store: Path, done: Sequence[ClipItem], skipped: Mapping[str, str]) -> None:
    if not done:
        name, reason = next(iter(skipped.items()))
        raise RibError(f"none of {len(skipped)} clips could be prepared; the first, {name}: {reason}")
    merge_clip_stores(store, [item.done for item in done])
