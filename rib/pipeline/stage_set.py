"""The chain's stages, each built from its recipe when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar, cast

import torch

from rib.io.recipe import build_recipe
from rib.pipeline.progress import StageStopwatch
from rib.pipeline.stages import (
    ORDER,
    BackgroundStage,
    MaskStage,
    MotionStage,
    PlateStage,
    PoseStage,
    check_stage_wiring,
)
from rib.render.protocol import Renderer

Stage = TypeVar("Stage")


class StageSet:
    """Recipes, and the stages that are built from them lazily.

    Args:
        recipes: A recipe for each stage: pose, motion, mask, background, render.
        plate: A recipe for the plate without people.
        device: Where pictures are made: "cpu", "cuda", ... or "auto".
        watch: Takes the time that loading takes.
        background: An interpolator that is used in the place of the recipe's, or None.

    Attributes:
        wiring: What the chain has to provide for the renderer.

    Raises:
        RibError: A recipe names no class of an allowed package.
    """

    def __init__(
        self,
        recipes: Mapping[str, Mapping[str, Any]],
        plate: Mapping[str, Any],
        device: str,
        watch: StageStopwatch,
        background: BackgroundStage | None = None,
    ) -> None:
        self.recipes = {stage: recipes[stage] for stage in ORDER}
        self.plate_recipe, self.watch = plate, watch
        self.device = resolve_stage_device(device)
        self.wiring = check_stage_wiring(self.recipes)
        self._given_background = background

    def again(self) -> StageSet:
        """The same recipes for another clip, with a new stopwatch and the nets that are loaded already.

        The plate and the renderer are made anew: a renderer may be fitted to its clip.
        """
        other = StageSet(
            self.recipes, self.plate_recipe, self.device, StageStopwatch(), self._given_background
        )
        kept = ("pose", "motion", "mask", "background")
        other.__dict__.update({name: self.__dict__[name] for name in kept if name in self.__dict__})
        return other

    @cached_property
    def pose(self) -> PoseStage:
        """Finds people in the keyframes."""
        return cast(PoseStage, self._build("pose"))

    @cached_property
    def motion(self) -> MotionStage:
        """Works out the poses in between."""
        return cast(MotionStage, self._build("motion"))

    @cached_property
    def mask(self) -> MaskStage:
        """Cuts people out of the keyframes."""
        return cast(MaskStage, self._build("mask"))

    @cached_property
    def background(self) -> BackgroundStage:
        """Interpolates pictures."""
        return self._given_background or cast(BackgroundStage, self._build("background"))

    @cached_property
    def plate(self) -> PlateStage:
        """Shows the scene without people."""
        return cast(PlateStage, self._build("plate"))

    @cached_property
    def renderer(self) -> Renderer[Any]:
        """Draws people."""
        return cast(Renderer[Any], self._build("render"))

    def load_named_weights(self) -> None:
        """Build the stages whose weights somebody named: a file that is none is told before any work."""
        for stage, setting, member in (("motion", "weights", "motion"), ("render", "ckpt", "renderer")):
            if self.recipes[stage].get(setting):
                getattr(self, member)

    def summary(self, notes: Sequence[Mapping[str, float]]) -> dict[str, float]:
        """The renderer's figures on its plans' notes; nothing where it never was asked for."""
        return self.renderer.summary(notes) if "renderer" in self.__dict__ else {}

    def _build(self, stage: str) -> Any:
        recipe = self.plate_recipe if stage == "plate" else self.recipes[stage]
        resolved = {"device": self.device} if "device" in recipe else {}
        with self.watch(f"load {stage}"):
            return build_recipe(recipe, **resolved)


def resolve_stage_device(device: str) -> str:
    """`auto` is the GPU where PyTorch sees one, else the CPU."""
    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"
