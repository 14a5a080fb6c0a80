"""HDF5 of strangers, through `rib evaluate` and `rib train`: parts left out, changed or moved elsewhere."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from harness import FUZZ, Campaign
from hypothesis import given
from hypothesis import strategies as st
from mutations import spoiled_bytes

from rib.clips.synthetic import SyntheticClips
from rib.clips.write import StoredClip, write_clip_store
from rib.mocap.skeletons import SMPLH_JOINTS
from rib.mocap.stores.store import write_motion_store
from rib.mocap.synthetic import synthetic_mocap_recordings
from rib.render.refine.dataset import RefinerSample, write_refiner_samples
from rib.render.refine.refiner_input import NUM_CHANNELS

EVALUATE = (
    "evaluate", "folder=store.h5", "subjects=[]", "strides=[16]", "max_windows=1", "every=2",
    "output=out", "~noise.half", "~noise.double", "~baselines.hampel_linear", "~baselines.hampel_cubic",
)  # fmt: skip
TRAIN = (
    "train", "debug=fast", "logger=csv", "trainer.max_steps=1", "trainer.limit_val_batches=0",
    "callbacks=default", "trainer.accelerator=cpu",
)  # fmt: skip
PARTS = ("frame", "face", "hands")
ADVERSARIAL = [f"{term}_{part}" for term in ("adversarial", "features") for part in PARTS]
LEFT_OUT = ("l1_person", "perceptual", "perceptual_person", "mask_variation", "mask_size", *ADVERSARIAL)
COMMANDS = {
    "motion": EVALUATE,
    "reference": EVALUATE,
    "clips": (
        *TRAIN, "experiment=renderer_smoke", "task.data.store=store.h5", "task.data.size_wh=[32,32]",
        "task.data.batch_size=1", "task.data.validation=[]", "task.data.first_frames=3",
        "task.data.most_frames=3", "task.module.discriminators=null",
        *(f"~task.module.weights.{k}" for k in LEFT_OUT),
    ),
    "samples": (
        *TRAIN, "experiment=renderer_base", "task.data.samples=store.h5", "task.data.crops.side_px=32",
        "task.data.crops.batch_size=1", "~task.module.weights.lpips",
    ),
}  # fmt: skip


def motion(path: Path) -> None:
    write_motion_store(path, synthetic_mocap_recordings(2, 70, 60, seed=0), 60)


def reference(path: Path) -> None:
    with h5py.File(path, "w") as file:
        for clip in ("CMU/01_01", "CMU/02_01"):
            file[f"{clip}/joints"] = np.random.default_rng(0).normal(size=(70, len(SMPLH_JOINTS), 3)) * 0.3


def clips(path: Path) -> None:
    painted = SyntheticClips(count=1, frames=5, size_wh=[48, 40], fps=15.0, seed=0)
    w = painted.window(painted.names[0], 0, 5)
    parts = list(w.frames), w.poses, list(w.masks), list(w.backgrounds)
    write_clip_store(path, [StoredClip("a", "train", *parts, 15.0)])


def samples(path: Path) -> None:
    rng = np.random.default_rng(0)
    sample = RefinerSample(*(rng.integers(0, 255, (2, n, 40, 40), np.uint8) for n in (NUM_CHANNELS, 3)), 0.9)
    write_refiner_samples(path, {"a": [sample], "b": [sample]})


WRITERS: dict[str, Callable[[Path], None]] = {
    "motion": motion, "reference": reference, "clips": clips, "samples": samples,
}  # fmt: skip

JUNK: tuple[Any, ...] = (
    np.zeros((0,)), np.array(np.nan), np.full((3, 19, 3), np.nan), np.full((70, 52, 3), 1e300),
    np.zeros((2, 2), "S3"),
    "text", b"\xff", -1, 10**12, np.float64("inf"), np.arange(5), np.zeros((1, 2, 3, 4), np.uint8),
    np.complex128(1j),
    np.bool_(True), h5py.Empty("f8"),
)  # fmt: skip


def parts_of(content: bytes) -> list[tuple[str, str]]:
    """(path, attribute or "") of everything in a file."""
    found: list[tuple[str, str]] = []
    with h5py.File(io.BytesIO(content), "r") as file:
        found += [("/", name) for name in file.attrs]
        file.visititems(
            lambda name, item: found.extend([(name, ""), *((name, attribute) for attribute in item.attrs)])
        )
    return found


def spoil(content: bytes, place: tuple[str, str], how: int, junk: Any) -> bytes:
    """A file with one of its parts left out, changed, or moved into another file."""
    (path, attribute), buffer = place, io.BytesIO(content)
    with h5py.File(buffer, "r+") as file:
        if attribute:
            del file[path].attrs[attribute]
            if how:
                file[path].attrs[attribute] = junk
            return _closed(file, buffer)
        old = file[path]
        shape = old.shape if isinstance(old, h5py.Dataset) else (3,)
        del file[path]
        if how == 1:
            file[path] = h5py.ExternalLink("/etc/passwd", "x")
        elif how == 2:
            file[path] = h5py.SoftLink("/")
        elif how == 3:
            file.create_dataset(path, (10**9, *shape[1:]), "f4", chunks=True)
        elif how == 4:
            file.create_dataset(path, shape, "f8", data=np.full(shape, np.nan))
        elif how == 5:
            file.create_group(path)
        elif how:
            file[path] = junk
        return _closed(file, buffer)


def _closed(file: h5py.File, buffer: io.BytesIO) -> bytes:
    file.close()
    return buffer.getvalue()


@pytest.mark.slow
def test_stores_are_read_or_refused_in_one_line(tmp_path: Path) -> None:
    contents, parts = {}, {}
    for kind, write in WRITERS.items():
        write(tmp_path / kind)
        contents[kind] = (tmp_path / kind).read_bytes()
        parts[kind] = parts_of(contents[kind])
    campaign = Campaign("HDF5 stores", tmp_path, "out/evaluation.json")
    for kind, content in contents.items():
        campaign.whole(lambda folder, kind=kind, content=content: prepare(folder, kind, content))
    kinds = st.sampled_from([*("motion",) * 4, *("reference",) * 3, "clips", "samples"])
    spoiled = kinds.flatmap(
        lambda kind: st.tuples(
            st.just(kind),
            st.one_of(
                st.builds(
                    spoil, st.just(contents[kind]), st.sampled_from(parts[kind]), st.integers(0, 9),
                    st.sampled_from(JUNK),
                ),
                spoiled_bytes(contents[kind]),
            ),
        )
    )  # fmt: skip

    @FUZZ
    @given(spoiled)
    def fuzz(case: tuple[str, bytes]) -> None:
        result = None if case[0] in ("motion", "reference") else ""
        campaign.run(lambda folder: prepare(folder, *case), result)

    fuzz()
    campaign.close()


def prepare(folder: Path, kind: str, content: bytes) -> list[str]:
    (folder / "store.h5").write_bytes(content)
    return list(COMMANDS[kind])
