"""`render=gan`: the person as `render=warp` renders it, refined by a net where it is trusted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import torch
from torch import nn

from rib.io.precision import Precision, precision_on
from rib.io.recipe import build_recipe
from rib.io.settings.ranges import NonNegative, Range, Seed
from rib.io.settings.reads import ReadWith
from rib.render.nets.base import CHOICE, DRAWING, RendererBase
from rib.render.nets.checkpoint import (
    load_renderer_net_and_recipe,
    save_renderer_net,
    shipped_renderer_weights,
)
from rib.render.refine.crops import RefinerCropRecipe
from rib.render.refine.dataset import RefinerSample
from rib.render.refine.fitting import RefinerFitRecipe, Report
from rib.render.refine.refiner_input import RefinerInput, RefinerOutput, build_refiner_input
from rib.render.trust import TrustEvidence
from rib.render.warp import WarpCandidates, WarpPlan, WarpRenderer, no_rendered_person, place_rendered_person
from rib.structures.interval import Background
from rib.structures.person import RenderedPerson
from rib.structures.person_interval import HoldoutEvidence, PersonInterval

UNTRAINED = "untrained"
NET, HIDDEN = "net", "hidden_"
"""Notes of plans: whether the net was used, and what it changed on held-out keyframes."""
FITTED = ReadWith("fit", example="300")


@dataclass
class GanPlan(WarpPlan):
    """See `WarpPlan`.

    Attributes:
        use_net: Whether the net refines the rendered person.
    """

    use_net: bool = False


class GanRenderer(WarpRenderer):
    """Renders the person by layered skinning and refines colour, alpha and trust with a net.

    The net works only in intervals that the training-free renderer trusts; elsewhere the interpolated frame
    stays bit by bit. In a shot whose held-out keyframes speak against the net the rendering stays as it was.

    Args:
        skinning: See `WarpRenderer`.
        trust: See `WarpRenderer`.
        net: Recipe of the net where it starts untrained.
        ckpt: Weights, a .safetensors or a .ckpt of `rib train`; None takes those that come with rib;
            "untrained" starts from `net`, which changes nothing until it is fitted.
        fit: Steps for which the net is fitted to the clip's own keyframes first; 0 takes it as it is.
        fitting: Recipe of the fit (`rib.render.refine.fitting.RefinerFitRecipe`).
        crops: Recipe of what it learns from (`rib.render.refine.crops.RefinerCropRecipe`).
        seed: Seed of the fit.
        guard_lpips: The net is used unless it raised LPIPS over the person of held-out keyframes by more, the
            mean of what AlexNet and VGG16 see, ...
        guard_errors: ... and by more than so many standard errors of it, ...
        guard_db: ... or changed PSNR by less than this.
        precision: Of the net's convolutions: float32, bfloat16, or auto, which takes bfloat16 on a CPU that
            has units for it; what they say is applied in float32.
        decides: Whether a net that was taught on others also decides where the interpolated frame stays; else
            it weighs only what can be drawn (`rib.render.nets.source_choice`).

    Raises:
        RibError: The weights are absent, damaged or of another net.
    """

    per_keyframe = True

    def __init__(
        self,
        skinning: Mapping[str, Any],
        trust: Mapping[str, Any],
        net: Annotated[Mapping[str, Any], ReadWith("ckpt", UNTRAINED)],
        ckpt: str | None,
        fit: Annotated[int, Range(0, 10**7)],
        fitting: Annotated[Mapping[str, Any], FITTED],
        crops: Annotated[Mapping[str, Any], FITTED],
        seed: Annotated[Seed, FITTED],
        guard_lpips: Annotated[float, Range(-1000, 1000)],
        guard_errors: NonNegative,
        guard_db: Annotated[float, Range(-1000, 1000)],
        decides: bool,
        precision: Precision = "float32",
    ) -> None:
        super().__init__(skinning, trust)
        self.precision = precision
        self.net, self.recipe, self.start = _start(net, ckpt, decides)
        self.fit, self.seed = fit, seed
        self.fitting: RefinerFitRecipe = build_recipe(fitting)
        self.crops: RefinerCropRecipe = build_recipe(crops)
        self.guard_lpips, self.guard_errors, self.guard_db = guard_lpips, guard_errors, guard_db

    def plan(self, person: PersonInterval, moments: slice, background: Background) -> GanPlan:
        """Decide as `WarpRenderer` does, and whether the net refines the person; see `Renderer`."""
        plan = super().plan(person, moments, background)
        use_net = plan.drawn and self.is_better(plan.holdout)
        notes = dict(plan.notes)
        if plan.evidence is not None:
            found = plan.holdout.refinement if plan.holdout else None
            notes |= {NET: float(use_net)}
            notes |= (
                {} if found is None else {f"{HIDDEN}{key}": value for key, value in asdict(found).items()}
            )
        return GanPlan(
            person, plan.drawn, plan.cut, plan.gate, plan.evidence, plan.decided_at,
            plan.decided_on, use_net, notes=notes, holdout=plan.holdout,
        )  # fmt: skip

    def render(self, plan: WarpPlan, moments: slice, background: Background) -> RenderedPerson:
        """The person at the wanted times; trust is 0 where no bone is seen. See `Renderer`."""
        assert isinstance(plan, GanPlan)
        if not plan.use_net:
            return super().render(plan, moments, background)
        found = self._drawn(plan, moments, background)
        if found is None:
            return no_rendered_person(plan.person, moments, background)
        assert plan.evidence is not None
        gate = plan.gate if self._weighs else 1.0
        person, box = plan.person.at(moments), found.skinned.box
        inputs = self._inputs(person, background, found, plan.evidence)
        after = None if self._weighs else plan.gate * self._afterwards(found, background)
        del found  # its pictures are large, and the net needs room
        refined = self._refine(inputs.gated(gate))
        trust = refined.trust if after is None else refined.trust * after
        return place_rendered_person(plan.person, moments, box, refined.colour, refined.alpha, trust)

    def versions(self, person: PersonInterval, background: Background) -> Iterator[RenderedPerson]:
        """Render the person without the net, then with it; see `rib.render.protocol.HoldoutRenderer`."""
        cut = self.skinning.cut(person)
        found = None if cut is None else self._draw(cut, slice(None), background)
        if found is None:
            yield from [no_rendered_person(person, slice(None), background)] * 2
            return
        evidence = self.trust.evidence(found.skinned, found.baseline)
        inputs, everything = self._inputs(person, background, found, evidence), slice(None)
        box, after = found.skinned.box, self._afterwards(found, background)
        yield place_rendered_person(
            person, everything, box, inputs.colour, inputs.alpha, inputs.trust * after
        )
        refined = self._refine(inputs)
        yield place_rendered_person(
            person, everything, box, refined.colour, refined.alpha, refined.trust * after
        )

    def gain_db(self, holdout: HoldoutEvidence) -> float | None:
        """See `WarpRenderer`: of the person as the net refines them, where it is used."""
        found, gain_db = holdout.refinement, super().gain_db(holdout)
        if gain_db is None or found is None or not self.is_better(holdout):
            return gain_db
        return gain_db + found.psnr_db

    def is_better(self, holdout: HoldoutEvidence | None) -> bool:
        """Whether held-out keyframes of the shot do not speak against the net; False where too few tell."""
        found = holdout.refinement if holdout else None
        if found is None:
            return False
        surely = (found.lpips + found.lpips_vgg16 - self.guard_errors * found.lpips_error) / 2
        return surely < self.guard_lpips and found.psnr_db > self.guard_db

    def sample(
        self, person: PersonInterval, background: Background, truth: torch.Tensor
    ) -> RefinerSample | None:
        """Make a training sample of the refiner; see `rib.render.protocol.FittedRenderer`."""
        cut = self.skinning.cut(person)
        found = None if cut is None else self._draw(cut, slice(None), background)
        if found is None:
            return None
        evidence = self.trust.evidence(found.skinned, found.baseline)
        gain_db = person.ask_holdouts().gain_db if person.ask_holdouts else None
        gate = self.trust.gate(evidence, gain_db)
        gate *= self.trust.knows(person)
        inputs = self._inputs(person, background, found, evidence)
        return RefinerSample.of(inputs, found.skinned.box.of(truth), gate)

    def _inputs(
        self,
        person: PersonInterval,
        background: Background,
        found: WarpCandidates,
        evidence: TrustEvidence,
    ) -> RefinerInput:
        """Trust is all of it that the net is to weigh."""
        if self._weighs:
            trust = self._trusted(found, background)
        else:
            trust = self.trust.where(found.skinned, found.baseline)
        return build_refiner_input(person, background, found.skinned, found.baseline, evidence, trust)

    def _afterwards(self, found: WarpCandidates, background: Background) -> torch.Tensor:
        """(N, 1, H, W), the part of the trust that the net was not given."""
        if self._weighs:
            return torch.ones_like(found.skinned.alpha)
        return self._supported(found, background)

    @property
    def _weighs(self) -> bool:
        return bool(getattr(self.net, "weighs_trust", False))

    def _refine(self, inputs: RefinerInput) -> RefinerOutput:
        device = inputs.interpolated.device
        if hasattr(self.net, "in_bfloat16"):
            self.net.in_bfloat16 = precision_on(device, self.precision) is torch.bfloat16  # type: ignore[assignment]
        refined: RefinerOutput = self.net.to(device).refine(inputs)  # type: ignore[operator]
        return refined

    @torch.inference_mode(False)
    def fit_to(self, samples: Sequence[RefinerSample], report: Report, path: Path) -> None:
        """Fit the net to a clip's own hidden keyframes and write it.

        Args:
            samples: Rendered people beside the truth.
            report: Told of every step.
            path: The .safetensors file to write.
        """
        torch.manual_seed(self.seed)
        net: nn.Module = build_recipe(self.recipe)
        net.load_state_dict(self.net.state_dict())
        if samples:  # a clip in which no bone is ever seen teaches nothing
            net = self.fitting.fit(net, samples, self.crops, self.fit, self.seed, report)
        save_renderer_net(path, net, self.recipe, {"steps": str(self.fit)})

    def load(self, path: Path) -> None:
        """Take other weights from here on."""
        self.net, self.recipe = load_renderer_net_and_recipe(path, self.recipe["_target_"])

    def summary(self, notes: Sequence[Mapping[str, float]]) -> dict[str, float]:
        """Report how often the net was used, and what that followed from.

        `net_intervals`: the share of all intervals with a rendered person in which the net was used.
        `hidden_<field>`: what it changed on held-out keyframes (`rib.structures.person_interval.Refinement`),
        a mean over the intervals that were judged.
        """
        used = [one[NET] for one in notes if NET in one]
        judged = [{key: one[key] for key in one if key.startswith(HIDDEN)} for one in notes]
        judged = [one for one in judged if one]
        changes = {key: sum(one[key] for one in judged) / len(judged) for key in (judged or [{}])[0]}
        return {"net_intervals": sum(used) / max(len(used), 1), **changes}


def _start(net: Mapping[str, Any], ckpt: str | None, decides: bool) -> tuple[nn.Module, dict[str, Any], str]:
    """A net, its recipe, and a hash of its weights; an untrained net may decide on what it will be taught."""
    if ckpt == UNTRAINED:
        return build_recipe(net).eval().requires_grad_(False), dict(net), UNTRAINED
    path = Path(ckpt).expanduser() if ckpt else shipped_renderer_weights()
    loaded, recipe = load_renderer_net_and_recipe(path, net["_target_"])
    if not decides and isinstance(loaded, RendererBase) and loaded.head == CHOICE:
        loaded, recipe = loaded.drawing(), recipe | {"head": DRAWING}
    return loaded, recipe, sha256(path.read_bytes()).hexdigest()
