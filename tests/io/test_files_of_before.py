"""Files that were made before rooms were renamed keep working.

`data/files_of_before.zip` was written by the first release's code: weights, stores, run folders and a result,
as small as they go and with every weight zero.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml

from rib.clips.store import Hdf5ClipStore
from rib.config.compose import compose
from rib.engine.checkpoints import load_checkpoint_module
from rib.engine.restore import finished_run_status
from rib.io.errors import RibError
from rib.io.registry import REGISTRY
from rib.motion.nets.checkpoint import load_motion_net as load_motion
from rib.render.nets.checkpoint import load_renderer_net as load_renderer
from rib.render.refine.dataset import refiner_clips_in_file

ARCHIVE = Path(__file__).resolve().parents[1] / "data" / "files_of_before.zip"


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("before")
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(folder)
    return folder


@pytest.mark.parametrize("name", ["motion.safetensors", "run/checkpoints/last.ckpt"])
def test_a_motion_net_loads(before: Path, name: str) -> None:
    assert type(load_motion(before / name)).__name__ == "MotionBase"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("renderer.safetensors", "rib.render.nets.base.RendererBase"),
        ("renderer_run/checkpoints/last.ckpt", "rib.render.nets.reference.RendererReference"),
    ],
)
def test_a_renderer_net_loads(before: Path, name: str, wanted: str) -> None:
    assert type(load_renderer(before / name, wanted)).__name__ == wanted.rpartition(".")[2]


@pytest.mark.parametrize("run", ["run", "renderer_run"])
def test_the_module_of_a_run_loads(before: Path, run: str) -> None:
    assert load_checkpoint_module(before / run / "checkpoints" / "last.ckpt").training is False


def test_a_store_of_clips_is_read_and_a_refiner_dataset_of_fewer_channels_refused_in_one_line(
    before: Path,
) -> None:
    window = Hdf5ClipStore(before / "clips.h5").window("walk", 0, 4)
    assert np.asarray(window.frames).shape == (4, 16, 24, 3)
    with pytest.raises(
        RibError, match="no refiner dataset of this version; name another file, or make it anew"
    ):
        refiner_clips_in_file(before / "drawings.h5")


@pytest.mark.slow
@pytest.mark.parametrize("run", ["run", "renderer_run"])
def test_a_run_is_known_to_be_finished_with_the_same_settings(before: Path, run: str) -> None:
    overrides = yaml.safe_load((before / run / ".hydra" / "overrides.yaml").read_text())
    config = compose("train", *overrides, f"run_dir={before / run}", "restore=continue")
    status = finished_run_status(config)
    assert status is not None
    assert status.state == "finished"


def test_names_of_before_are_names_of_classes_today(before: Path) -> None:
    frozen = yaml.safe_load((before / "result" / "config.yaml").read_text())
    for stage in ("pose", "mask", "motion", "background", "render"):
        assert REGISTRY.checked(frozen[stage], f"{stage} stage", "config.yaml")
