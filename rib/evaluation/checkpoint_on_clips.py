"""A renderer's checkpoint scored on clips that it was not trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from rib.engine.checkpoints import KEY, describe_training_data, load_checkpoint_module, read_checkpoint
from rib.evaluation.clips import clips_to_evaluate, summarise_clip_scores
from rib.evaluation.clips_report import clip_evaluation_table, write_clip_evaluation
from rib.evaluation.evaluate_clip import evaluate_clip
from rib.evaluation.settings import ClipEvaluationSettings
from rib.io.registry import REGISTRY
from rib.io.results.result import ResultDestination, ResultPart, write_result_whole
from rib.metrics.frames import FrameScorer

RENDERER = "rib.render.training.module.RendererModule"
Bar = Callable[[Iterable[str], int, str], Iterable[str]]


@dataclass(frozen=True)
class TrainedRenderer:
    """A renderer out of a checkpoint.

    Attributes:
        module: What renders.
        data: The recipe of the data that it was trained on, {} where the checkpoint does not tell.
        trained_on: The same in words.
    """

    module: nn.Module
    data: Mapping[str, Any]
    trained_on: str


def evaluate_checkpoint_on_clips(config: ClipEvaluationSettings, bar: Bar) -> str:
    """Score every clip, write the numbers and the videos, and give the table.

    Args:
        config: Of conf/evaluate_humanslomo.yaml.
        bar: Walks through names, given their number and a label, under a progress bar.

    Raises:
        RibError: A mistake in the settings, or a checkpoint or store that cannot be read.
    """
    renderer = read_trained_renderer(config)
    return evaluate_renderer_on_clips(config, renderer, FrameScorer(config.device), bar)


def read_trained_renderer(config: ClipEvaluationSettings) -> TrainedRenderer:
    """Read the checkpoint that the settings name.

    Raises:
        RibError: It cannot be read.
    """
    ckpt = Path(config.ckpt).expanduser()
    module = load_checkpoint_module(ckpt, RENDERER).to(config.device)
    data = read_checkpoint(ckpt)[KEY].get("data")
    trained = REGISTRY.checked(data, "data module", ckpt) if data else {}
    return TrainedRenderer(module, trained, describe_training_data(ckpt))


def evaluate_renderer_on_clips(
    config: ClipEvaluationSettings, renderer: TrainedRenderer, scorer: FrameScorer, bar: Bar
) -> str:
    """Score every clip as `evaluate_checkpoint_on_clips` does, with a renderer and a scorer given."""
    store, names = clips_to_evaluate(config.store, config.split, config.clips, renderer.data)
    with write_result_whole(_destination(config)) as work:
        here = replace(config, output=str(work))
        rows = {
            name: evaluate_clip(store, name, renderer.module, scorer, here)
            for name in bar(names, len(names), "scoring clips")
        }
        result = summarise_clip_scores(rows)
        write_clip_evaluation(work, result, rows, config.plain())
    output = Path(config.output).expanduser()
    videos = f"\nvideos: {output / 'videos'}" if config.videos else ""
    files = f"{output / 'evaluation.json'}, {output / 'evaluation.csv'}"
    table = clip_evaluation_table(result)
    return f"weights {renderer.trained_on}\n{table}\nevery number: {files}{videos}"


def _destination(config: ClipEvaluationSettings) -> ResultDestination:
    parts = [ResultPart("evaluation.json"), ResultPart("evaluation.csv")]
    parts += [ResultPart("videos", (".mp4",))] if config.videos else []
    reads = {"ckpt": config.ckpt, "store": config.store}
    return ResultDestination(Path(config.output), "evaluate_clips", parts, reads, config.overwrite)
