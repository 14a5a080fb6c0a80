"""The settings of `rib prepare`, whatever the collection; conf/ says what each value means."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from rib.io.settings.paths import paths_in_recipe
from rib.io.settings.ranges import Range, Shard, TorchDevice, Whole
from rib.io.settings.reads import PassedOn
from rib.io.settings.records import Recipe, Settings


@dataclass(kw_only=True)
class CollectionSettings(Settings):
    """conf/data/: a collection, and how it becomes a store."""

    prepare: Recipe = field(
        metadata=paths_in_recipe(
            *("folder", "body_models", "videos", "output", "video_list", "train_list", "test_list"),
            *("test_input", "chain.*.path", "chain.*.weights", "chain.*.ckpt", "chain.cache.dir"),
        )
    )


@dataclass(kw_only=True)
class PrepareSettings(Settings):
    """conf/prepare.yaml."""

    plugins: list[str]
    data: CollectionSettings
    overwrite: bool = False
    shard: Annotated[Shard, PassedOn()]
    max_reasons: Whole
    device: Annotated[str, TorchDevice(), PassedOn()]
    batch_mpx: Annotated[float, Range(above=0, most=1000), PassedOn()]
