from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from clip_module import painted, stored

from rib.clips.store import Hdf5ClipStore
from rib.clips.write import write_clip_store
from rib.commands.evaluate import command
from rib.config.compose import compose
from rib.evaluation.checkpoint_on_clips import TrainedRenderer, evaluate_renderer_on_clips
from rib.evaluation.clips import (
    ClipTrial,
    clips_to_evaluate,
    evaluation_frames_of_clip,
    fps_of_evaluation_frames,
    render_evaluation_frames,
    summarise_clip_scores,
)
from rib.evaluation.clips_report import evaluation_panels
from rib.io.errors import RibError
from rib.metrics import pictures
from rib.render.clip_batch import RendererClipBatch, RendererClipOutput
from rib.video import VideoSource


def knowing(batch: RendererClipBatch) -> RendererClipOutput:
    """A renderer that sees the truth within the mask and keeps the background elsewhere."""
    true, mask = batch["frames"][:, 1:-1], batch["masks"][:, 1:-1]
    picture = torch.lerp(batch["backgrounds"], true, mask)
    return RendererClipOutput(picture=picture.contiguous(), foreground=true.contiguous(), alpha=mask)


class Scorer:
    """PSNR of the whole frame alone, without a network."""

    def score_many(
        self, true: np.ndarray, predictions: Mapping[str, np.ndarray]
    ) -> dict[str, dict[str, float]]:
        planes = {
            name: torch.from_numpy(p).permute(2, 0, 1) / 255 for name, p in {**predictions, "": true}.items()
        }
        return {name: {"psnr_full": pictures.psnr_db(planes[name], planes[""])} for name in predictions}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    clips = [stored("synthetic_000", "gt", 7), stored("synthetic_001", "gt", 5), stored("synthetic_002")]
    write_clip_store(tmp_path / "clips.h5", clips)
    return tmp_path / "clips.h5"


def test_what_a_test_does_not_give_is_hidden(path: Path) -> None:
    test, train = Hdf5ClipStore(path, "gt"), Hdf5ClipStore(path, "train")
    assert evaluation_frames_of_clip(test, "synthetic_001") == [
        ClipTrial(0, 1, 2),
        ClipTrial(2, 3, 4),
    ]
    assert evaluation_frames_of_clip(train, "synthetic_002") == [
        ClipTrial(t - 1, t, t + 1) for t in range(1, 7)
    ]
    assert (
        fps_of_evaluation_frames(test, "synthetic_000"),
        fps_of_evaluation_frames(train, "synthetic_002"),
    ) == (
        7.5,
        15.0,
    )


def test_a_test_may_give_every_nth_frame(tmp_path: Path) -> None:
    clip = stored("synthetic_000", "gt", 7)
    write_clip_store(tmp_path / "gt.h5", [type(clip)(**{**vars(clip), "given": [0, 3, 6]})])
    found = evaluation_frames_of_clip(Hdf5ClipStore(tmp_path / "gt.h5", "gt"), "synthetic_000")
    assert found == [
        ClipTrial(0, 1, 3),
        ClipTrial(0, 2, 3),
        ClipTrial(3, 4, 6),
        ClipTrial(3, 5, 6),
    ]


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_every_hidden_frame_is_made_from_the_frames_around_it(path: Path, batch_size: int) -> None:
    seen: list[RendererClipBatch] = []

    def renderer(batch: RendererClipBatch) -> RendererClipOutput:
        seen.append(batch)
        return knowing(batch)

    window = painted().window("synthetic_000", 0, 7)
    made = list(
        render_evaluation_frames(Hdf5ClipStore(path, "gt"), "synthetic_000", renderer, batch_size, 1, "cpu")
    )
    assert [m.trial.hidden for m in made] == [1, 3, 5]
    frames = torch.cat([batch["frames"] for batch in seen])
    for row, m in enumerate(made):
        t = m.trial.hidden
        np.testing.assert_array_equal(m.true, window.frames[t])
        np.testing.assert_array_equal(m.background, window.backgrounds[t - 1])
        before = torch.from_numpy(window.frames[t - 1].copy()).permute(2, 0, 1) / 255
        torch.testing.assert_close(frames[row, 0], before)
        inside = window.masks[t] == 255
        np.testing.assert_array_equal(m.fused[inside], window.frames[t][inside])


def test_the_panels_leave_what_is_scored_as_it_is(path: Path) -> None:
    made = next(render_evaluation_frames(Hdf5ClipStore(path, "gt"), "synthetic_000", knowing, 1, 1, "cpu"))
    before = [made.true.copy(), made.fused.copy(), made.background.copy()]
    row = evaluation_panels(made)
    assert row.shape == (48, 6 * 60, 3)
    for picture, kept in zip((made.true, made.fused, made.background), before, strict=True):
        np.testing.assert_array_equal(picture, kept)


def test_every_clip_weighs_the_same_in_the_mean() -> None:
    def rows(db: float, count: int) -> list[dict[str, Any]]:
        return [
            {"frame": i, "fused": {"psnr_full": db}, "background": {"psnr_full": 1.0}} for i in range(count)
        ]

    result = summarise_clip_scores({"long": rows(20.0, 9), "short": rows(30.0, 1)})
    assert result["mean_of_clips"]["fused"]["psnr_full"] == 25.0
    assert result["all_frames"]["fused"]["psnr_full"] == 21.0
    assert result["clips"]["long"]["fused"]["frames"] == 9


def test_clips_that_the_checkpoint_was_trained_on_are_not_scored_unasked(path: Path) -> None:
    held = {"held_out": ["synthetic_002"], "validation": []}
    assert clips_to_evaluate(str(path), "auto", None, {})[1] == ["synthetic_000", "synthetic_001"]
    assert clips_to_evaluate(str(path), "train", None, held)[1] == ["synthetic_002"]
    assert clips_to_evaluate(str(path), "train", ["*2"], {})[1] == ["synthetic_002"]
    with pytest.raises(RibError, match="held none of its clips out"):
        clips_to_evaluate(str(path), "train", None, {"held_out": ["elsewhere"]})


def test_numbers_a_table_and_videos_are_written(path: Path, tmp_path: Path) -> None:
    module = torch.nn.Identity()
    module.forward = knowing  # type: ignore[method-assign, assignment]
    scorer: Any = Scorer()
    out = tmp_path / "out"
    config = compose("evaluate_humanslomo", "ckpt=x.ckpt", f"store={path}", f"output={out}")
    renderer = TrainedRenderer(module, {}, "of nobody knows what")
    told = evaluate_renderer_on_clips(config, renderer, scorer, lambda items, total, label: items)
    assert "mean of clips" in told
    written = json.loads((out / "evaluation.json").read_text())
    fused, background = (written["mean_of_clips"][m]["psnr_full"] for m in ("fused", "background"))
    assert fused > background + 0.5  # the ghosts outside the mask stay
    assert [row["frame"] for row in written["frames"]["synthetic_000"]] == [1, 3, 5]
    assert len((out / "evaluation.csv").read_text().splitlines()) == 1 + 2 * (3 + 2)
    video = VideoSource(out / "videos" / "synthetic_000.mp4")
    assert (len(video), video.size_px, float(video.fps)) == (3, (6 * 60, 48), 7.5)


def test_the_kind_of_data_chooses_what_is_scored(capsys: pytest.CaptureFixture[str]) -> None:
    command(["data=humanslomo", "--help"])
    assert "frames made at once" in capsys.readouterr().out
    command(["--help"])
    assert "baselines" in capsys.readouterr().out
    with pytest.raises(RibError, match="nothing is scored on data=mnist"):
        command(["data=mnist"])
