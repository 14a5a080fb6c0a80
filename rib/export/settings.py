"""The settings of an export; conf/export.yaml says what each value means."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from rib.io.settings.paths import PATH
from rib.io.settings.ranges import ListSize, OneOf, Positive, Range, Seed
from rib.io.settings.records import Settings

FORMATS = {"safetensors": "model.safetensors", "onnx": "model.onnx", "torch_export": "model.pt2"}
"""The formats, and what the file is called in each."""


@dataclass(kw_only=True)
class ExportSettings(Settings):
    """conf/export.yaml."""

    plugins: list[str]
    ckpt: str = field(metadata=PATH)
    format: Annotated[str, OneOf(*FORMATS)]
    output: str = field(metadata=PATH)
    overwrite: bool = False
    licence: str | None = None
    clips: Annotated[int, Range(1, 4096)]
    keyframes: Annotated[int, Range(2, 1024)]
    size_wh: Annotated[list[Annotated[int, Range(8, 4096)]], ListSize(2, 2)]
    opset: Annotated[int, Range(18, 25)]
    tolerance: Positive
    seed: Seed
