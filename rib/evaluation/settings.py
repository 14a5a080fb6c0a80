"""The settings of an evaluation of clips; conf/evaluate_humanslomo.yaml says what each value means."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from rib.io.settings.paths import PATH
from rib.io.settings.ranges import Count, Crf, OneOf, Range, TorchDevice
from rib.io.settings.reads import ReadWith
from rib.io.settings.records import Settings


@dataclass(kw_only=True)
class ClipEvaluationSettings(Settings):
    """conf/evaluate_humanslomo.yaml."""

    plugins: list[str]
    ckpt: str = field(metadata=PATH)
    store: str = field(metadata=PATH)
    split: Annotated[str, OneOf("auto", "gt", "train")]
    clips: list[str] | None = None
    every: Count
    batch_size: Annotated[int, Range(1, 4096)]
    device: Annotated[str, TorchDevice()]
    output: str = field(metadata=PATH)
    overwrite: bool = False
    videos: bool
    codec: Annotated[str, ReadWith("videos")]
    crf: Annotated[Crf, ReadWith("videos")]
