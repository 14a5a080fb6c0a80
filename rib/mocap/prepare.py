"""Turn a mocap collection into one store file (`rib.io.preparation.work_items` shares the work out)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

from rib.io.errors import RibError
from rib.io.preparation.work_items import PreparationReport, Progress, prepare_work_items
from rib.io.settings.ranges import OneOf, Range, Shard, Whole
from rib.mocap.readers.joint_files import read_mocap_joint_file
from rib.mocap.readers.reader import AmassReader, MocapReader
from rib.mocap.recording import MocapRecording
from rib.mocap.work_items import (
    MocapItem,
    MocapRecipe,
    list_mocap_items,
    prepare_mocap_item,
    remove_stale_items,
)


def prepare_mocap(
    folder: str | Path,
    output: str | Path,
    fps: Annotated[float, Range(above=0, most=10_000)],
    units: Mapping[str, str],
    drop_frames: Mapping[str, Whole],
    up: Annotated[str, OneOf("y", "z")],
    amc_fps: Annotated[float, Range(above=0, most=10_000)],
    workers: Annotated[int, Range(1, 256)],
    shard: Shard,
    progress: Progress | None = None,
) -> PreparationReport:
    """Prepare BVH files, ASF/AMC pairs and `.npz` files of joint positions.

    Args:
        folder: The collection; its subfolders are searched.
        output: The store to write; `<output>.parts/` beside it holds the work and may be deleted when all is
            done.
        fps: Frames a second of the store.
        units: See `MocapReader`.
        drop_frames: See `MocapReader`.
        up: See `MocapReader`.
        amc_fps: See `MocapReader`.
        workers: Processes.
        shard: "i/n": this run does every n-th file, starting with the i-th, i in 0..n-1; "0/1" does all.
        progress: Called after each file.

    Raises:
        RibError: There is nothing to read, or nothing that could be read.
    """
    reader = MocapReader(dict(units), dict(drop_frames), up, amc_fps)
    return _prepare(
        Path(folder), Path(output), MocapRecipe(reader, fps, all_joints=False), workers, shard, progress
    )


def prepare_amass(
    folder: str | Path,
    body_models: str | Path,
    output: str | Path,
    fps: Annotated[float, Range(above=0, most=10_000)],
    layout: Annotated[str, OneOf("rib", "reference")],
    workers: Annotated[int, Range(1, 256)],
    shard: Shard,
    progress: Progress | None = None,
) -> PreparationReport:
    """Prepare AMASS (`<folder>/<database>/<subject>/*_poses.npz` or `*_stageii.npz`).

    Args:
        folder: The databases' folder.
        body_models: SMPL-H or SMPL-X models as `.npz` (see `BodyModels`).
        output: The store to write; `<output>.parts/` beside it holds the work and may be deleted when all is
            done.
        fps: Frames a second of the store; the reference's layout takes 60.
        layout: "rib": a store of 19 joints; "reference": all joints, as its `AMASS_3D_joints.h5`.
        workers: Processes.
        shard: "i/n": this run does every n-th file, starting with the i-th, i in 0..n-1; "0/1" does all.
        progress: Called after each file.

    Raises:
        RibError: There is nothing to read, nothing that could be read, or no body model.
    """
    if layout not in ("rib", "reference"):
        raise RibError(f"layout is {layout!r}, expected rib or reference")
    if layout == "reference" and fps != 60:
        raise RibError(f"the reference's layout has 60 frames a second, got fps={fps}", "set fps=60")
    models = Path(body_models).expanduser().absolute()
    if not any(models.rglob("*.npz")):
        raise RibError(
            f"{models} holds no .npz body model (pickles need chumpy, which is dead)",
            "put SMPL-H or SMPL-X models there, as <gender>/model.npz or SMPLH_<GENDER>.npz",
        )
    recipe = MocapRecipe(AmassReader(str(models)), fps, all_joints=layout == "reference")
    return _prepare(Path(folder), Path(output), recipe, workers, shard, progress)


def _prepare(
    collection: Path, output: Path, recipe: MocapRecipe, workers: int, shard: str, progress: Progress | None
) -> PreparationReport:
    collection, output = collection.expanduser().absolute(), output.expanduser().absolute()
    work = output.with_name(f"{output.name}.parts")
    items = list_mocap_items(collection, work, recipe)
    work.mkdir(parents=True, exist_ok=True)

    def put_together(done: list[MocapItem], skipped: Mapping[str, str]) -> None:
        _merge(done, skipped, output, recipe)
        remove_stale_items(work, items)

    make = partial(prepare_mocap_item, recipe=recipe)
    return prepare_work_items(output, items, make, put_together, workers, shard, progress)


def _merge(done: list[MocapItem], skipped: Mapping[str, str], output: Path, recipe: MocapRecipe) -> None:
    from rib.mocap.stores.reference_store import write_reference_mocap_store
    from rib.mocap.stores.store import write_motion_store  # brings torch, which workers do without

    if not done:
        name, reason = next(iter(skipped.items()))
        raise RibError(f"none of {len(skipped)} files could be read; the first, {name}: {reason}")
    recordings: Iterator[MocapRecording] = (read_mocap_joint_file(item.done) for item in done)
    if recipe.all_joints:
        write_reference_mocap_store(output, recordings)
    else:
        write_motion_store(output, recordings, recipe.fps)
