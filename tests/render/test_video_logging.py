from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from samples_by_hand import SMALL, sample
from test_refiner_dataset import CROPS
from toy_renderer import NoiseClips, settings

from rib.engine.loggers.wandb_logger import WandbRun
from rib.render.clip_batch import RendererClipBatch
from rib.render.refine.refiner_input import RefinerInput, RefinerOutput
from rib.render.training import image_logging
from rib.render.training.module import RendererModule
from rib.render.training.refiner_data import refiner_crops_to_clips
from rib.render.training.video_logging import VideoLogging, render_validation_video
from rib.video import open_frame_source


@pytest.fixture
def module() -> RendererModule:
    return RendererModule(**settings())


class TakesVideos:
    """A logger as W&B's."""

    def __init__(self) -> None:
        self.given: list[tuple[str, list[str], int]] = []

    def log_video(self, title: str, videos: list[str], step: int) -> None:
        self.given.append((title, videos, step))


def validate(callback: VideoLogging, module: Any, step: int, *loggers: Any, sanity: bool = False) -> None:
    trainer: Any = SimpleNamespace(
        global_step=step, loggers=list(loggers), sanity_checking=sanity, is_global_zero=True
    )
    for number in range(2):
        callback.on_validation_batch_end(trainer, module, None, NoiseClips()[number], number)
    callback.on_validation_end(trainer, module)


def test_a_film_lies_in_the_run_folder_now_and_then(tmp_path: Path, module: RendererModule) -> None:
    callback, logger = VideoLogging(str(tmp_path), 2, 6, 4, "libx264", 20), TakesVideos()
    validate(callback, module, 0, logger, sanity=True)
    for step in (10, 20, 30):
        validate(callback, module, step, logger, object())
    assert sorted(path.name for path in (tmp_path / "videos").iterdir()) == ["10.mp4", "30.mp4"]
    film = open_frame_source(tmp_path / "videos" / "10.mp4")
    # two batches of two windows of two learnt frames would be eight
    assert (len(film), film.size_px, film.fps) == (6, (3 * 40, 32), 4)
    assert logger.given == [("val/video", [str(tmp_path / "videos" / f"{s}.mp4")], s) for s in (10, 30)]


def test_side_by_side_are_what_was_made_the_truth_and_the_background(module: RendererModule) -> None:
    batch = NoiseClips()[0]
    film = render_validation_video(module, batch)
    assert len(film) == 4
    shown = torch.from_numpy(film[1]).float() / 255
    wanted = [module(batch)["picture"][0, 1], batch["frames"][0, 2], batch["backgrounds"][0, 1]]
    for number, picture in enumerate(wanted):
        part = shown[:, 40 * number : 40 * (number + 1)].permute(2, 0, 1)
        torch.testing.assert_close(part, picture.detach().clamp(0, 1), atol=0.003, rtol=0)


def test_beside_what_a_net_mends_is_the_drawing_that_it_began_with() -> None:
    batch: RendererClipBatch = refiner_crops_to_clips(CROPS.batch([sample(1)], 0, 0))
    module = RendererModule(**settings(net=SMALL, discriminators=None, weights={"l1": 1.0}))
    inputs = RefinerInput.of(batch["channels"])  # type: ignore[typeddict-item]
    plain = RefinerOutput(inputs.colour, inputs.alpha, inputs.trust).over(inputs)[0]
    shown = torch.from_numpy(render_validation_video(module, batch)[0]).float() / 255
    torch.testing.assert_close(shown[:, 64:].permute(2, 0, 1), plain, atol=0.003, rtol=0)


def test_our_loggers_take_pictures_and_films() -> None:
    assert hasattr(WandbRun, "log_video")
    assert image_logging.takes_renderer_images(WandbRun.__new__(WandbRun))
    board = SimpleNamespace(experiment=SimpleNamespace(add_image=print))
    assert image_logging.takes_renderer_images(board)
    assert not image_logging.takes_renderer_images(SimpleNamespace())
