"""The settings of a training; conf/ says what each value means."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from rib.io.settings.paths import PATH, paths_in_recipe
from rib.io.settings.ranges import OneOf, Range, Seed, Share
from rib.io.settings.records import Recipe, Settings

RESTORE = ("fresh", "resume", "finetune", "continue")
"""Where a run may begin."""


MODES = OneOf("min", "max")


@dataclass(kw_only=True)
class TaskObjective(Settings):
    """The logged number that a task is judged by."""

    metric: str
    mode: Annotated[str, MODES]


@dataclass(kw_only=True)
class OptimizeSettings(Settings):
    """Metric that checkpoints, early stopping and sweeps judge a run by (`rib.engine.score`)."""

    metric: str
    mode: Annotated[str, MODES]
    select: Annotated[str, OneOf("best", "last")]
    also: dict[str, Annotated[str, MODES]]


@dataclass(kw_only=True)
class TaskSettings(Settings):
    """conf/task/: what is trained, on what, and the logged number that it is judged by."""

    optimize: TaskObjective
    module: Recipe = field(metadata=paths_in_recipe("loss.perceptual.vgg19"))
    data: Recipe = field(
        metadata=paths_in_recipe("folder", "store", "drawings", "samples", "detector_tracks.*.0")
    )


@dataclass(kw_only=True)
class RunSettings(Settings):
    """Id and words that a run is known by (`rib.engine.run_folder.identity.RunIdentity`)."""

    id: str | None = None
    tags: list[str]
    notes: str | None = None
    group: str | None = None


@dataclass(kw_only=True)
class LearningRateSearch(Settings):
    """A range test of the learning rate (`rib.engine.finders.learning_rate`)."""

    lowest: Annotated[float, Range(above=0)]
    highest: Annotated[float, Range(above=0)]
    num_steps: Annotated[int, Range(10, 100_000)]


@dataclass(kw_only=True)
class BatchSizeSearch(Settings):
    """A search of the largest batch (`rib.engine.finders.batch_size`)."""

    most_times: Annotated[int, Range(1, 4096)]
    num_steps: Annotated[int, Range(2, 1000)]
    memory_share: Share


@dataclass(kw_only=True)
class FindSettings(Settings):
    """Searches before a run's first step."""

    lr: LearningRateSearch | None = None
    batch_size: BatchSizeSearch | None = None
    use: bool = True


@dataclass(kw_only=True)
class TrainSettings(Settings):
    """conf/train.yaml."""

    plugins: list[str]
    task: TaskSettings
    net: Recipe
    trainer: Recipe
    callbacks: dict[str, Recipe | None] | None = None
    logger: dict[str, Recipe | None] | None = None
    name: str
    run: RunSettings
    seed: Seed
    restore: Annotated[str, OneOf(*RESTORE)]
    ckpt: str | None = field(default=None, metadata=PATH)
    optimize: OptimizeSettings
    find: FindSettings = field(default_factory=FindSettings)
    test_after_fit: bool = False
    config_tree: bool = False
    run_dir: str
