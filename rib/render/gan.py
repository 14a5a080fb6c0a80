"""`render=gan`: the person as `render=warp` draws it, mended by a net where the drawing is trusted at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import torch
from torch import nn

from rib.io.ranges import NonNegative, Range, Seed
from rib.io.recipe import build
from rib.render.nets.checkpoint import load_weights, save_net, shipped_weights
from rib.render.refine.crops import CropRecipe
from rib.render.refine.drawings import Gap
from rib.render.refine.drawn import Drawn, Refined, surround
from rib.render.refine.fitting import FitRecipe, Report
from rib.render.skinning.puppet import Drawing
from rib.render.trust import floor_person
from rib.render.warp import WarpRenderer
from rib.structures.interval import Background, Interval, Refinement, Rendered

UNTRAINED = "untrained"


class GanRenderer(WarpRenderer):
    """Draws by the training-free renderer and lets a net mend colour, alpha and trust.

    The net works only in gaps that the training-free renderer trusts; elsewhere the interpolated frame stays
    bit by bit. In a shot where the net lost on hidden keyframes the drawing stays as it was.

    Args:
        puppet: See `WarpRenderer`.
        trust: See `WarpRenderer`.
        net: Recipe of the net where it starts untrained.
        ckpt: Weights, a .safetensors or a .ckpt of `rib train`; None takes those that come with rib;
            "untrained" starts from `net`, which changes nothing until it is fitted.
        fit: Steps for which the net is fitted to the clip's own keyframes first; 0 takes it as it is.
        fitting: Recipe of the fit (`rib.render.refine.fitting.FitRecipe`).
        crops: Recipe of what it learns from (`rib.render.refine.crops.CropRecipe`).
        seed: Every draw of the fit follows from it.
        guard_lpips: The net is used where it changed LPIPS over the person of hidden keyframes by less, as
            AlexNet sees it and as VGG16 does, ...
        guard_errors: ... both together by so many standard errors ...
        guard_db: ... and PSNR by more than this.

    Raises:
        RibError: The weights are absent, damaged or of another net.
    """

    def __init__(
        self,
        puppet: Mapping[str, Any],
        trust: Mapping[str, Any],
        net: Mapping[str, Any],
        ckpt: str | None,
        fit: Annotated[int, Range(0, 10**7)],
        fitting: Mapping[str, Any],
        crops: Mapping[str, Any],
        seed: Seed,
        guard_lpips: float,
        guard_errors: NonNegative,
        guard_db: float,
    ) -> None:
        super().__init__(puppet, trust)
        self.net, self.recipe, self.start = _start(net, ckpt)
        self.fit, self.seed = fit, seed
        self.fitting: FitRecipe = build(fitting)
        self.crops: CropRecipe = build(crops)
        self.guard_lpips, self.guard_errors, self.guard_db = guard_lpips, guard_errors, guard_db
        self._used: dict[tuple[int, int], bool] = {}
        self._found: dict[tuple[int, int], Refinement] = {}

    def __call__(self, interval: Interval, background: Background) -> Rendered:
        """The person at the wanted times; trust is 0 where no bone is seen."""
        sketch = self.sketch(interval, background)
        if sketch is None:
            return _nothing(background)
        drawing, drawn, gate = sketch
        use = gate > 0 and self.is_better(interval)
        if not _rehearsing(interval):
            gap = interval.a.index, interval.b.index
            self._used[gap] = use
            if interval.refinement is not None:
                self._found[gap] = interval.refinement
        plain = Refined(drawn.colour, drawn.alpha, drawn.trust)
        refined: Refined = self.net.to(drawn.floor.device).refine(drawn) if use else plain  # type: ignore[operator]
        return _placed(background, drawing, refined, gate, self._noted)

    def plain(self, interval: Interval, background: Background) -> Rendered:
        """The training-free drawing, to compare with."""
        return super().__call__(interval, background)

    def is_better(self, interval: Interval) -> bool:
        """Whether the net won on hidden keyframes of the shot; it is always used while these are tried."""
        if _rehearsing(interval):
            return True
        found: Refinement | None = interval.refinement
        if found is None:
            return False
        surely = (found.lpips + found.lpips_vgg16 + self.guard_errors * found.lpips_error) / 2
        worst = max(found.lpips, found.lpips_vgg16, surely)
        return worst < self.guard_lpips and found.psnr_db > self.guard_db

    def sketch(self, interval: Interval, background: Background) -> tuple[Drawing, Drawn, float] | None:
        """What the net sees of an interval, and how far the gap is trusted; None where no bone is seen."""
        drawing = self.puppet.draw(interval, each=True)
        if drawing is None:
            return None
        person = floor_person(interval, background, drawing)
        gate = self._gate(interval, drawing, person)
        drawn = surround(interval, background, drawing, self.trust.where(drawing, person))
        return drawing, drawn, gate

    @torch.inference_mode(False)
    def fit_to(self, gaps: Sequence[Gap], report: Report, path: Path) -> None:
        """Fit the net to a clip's own hidden keyframes and write it.

        Args:
            gaps: Their drawings beside the truth.
            report: Told of every step.
            path: The .safetensors file to write.
        """
        torch.manual_seed(self.seed)
        net: nn.Module = build(self.recipe)
        net.load_state_dict(self.net.state_dict())
        if gaps:  # a clip in which no bone is ever seen teaches nothing
            net = self.fitting.fit(net, gaps, self.crops, self.fit, self.seed, report)
        save_net(path, net, self.recipe, {"steps": str(self.fit)})

    def load(self, path: Path) -> None:
        """Take other weights from here on."""
        self.net, self.recipe = load_weights(path, self.recipe["_target_"])

    def told(self) -> dict[str, float]:
        """What the verdict was and what it followed from.

        `net_gaps`: the share of all gaps drawn in which the net was used. `hidden_<field>`: what it changed
        on hidden keyframes (`rib.structures.interval.Refinement`), a mean over the gaps that were judged.
        """
        found = [asdict(one) for one in self._found.values()]
        changes = {f"hidden_{key}": sum(one[key] for one in found) / len(found) for key in (found or [{}])[0]}
        return {"net_gaps": sum(self._used.values()) / max(len(self._used), 1), **changes}


def _start(net: Mapping[str, Any], ckpt: str | None) -> tuple[nn.Module, dict[str, Any], str]:
    """A net, its recipe, and a hash of its weights."""
    if ckpt == UNTRAINED:
        return build(net).eval().requires_grad_(False), dict(net), UNTRAINED
    path = Path(ckpt).expanduser() if ckpt else shipped_weights()
    loaded, recipe = load_weights(path, net["_target_"])
    return loaded, recipe, sha256(path.read_bytes()).hexdigest()


def _rehearsing(interval: Interval) -> bool:
    return interval.rehearsed_db is not None and interval.rehearsed_db == float("inf")


def _nothing(background: Background) -> Rendered:
    floor = background.interpolated
    return Rendered(floor.clone(), torch.zeros_like(floor[:, :1]), torch.zeros_like(floor[:, :1]))


def _placed(
    background: Background, drawing: Drawing, refined: Refined, gate: float, notes: dict[str, float]
) -> Rendered:
    """From the person's box to the whole picture."""
    rendered = _nothing(background)
    drawing.box.of(rendered.foreground).copy_(refined.colour)
    drawing.box.of(rendered.alpha).copy_(refined.alpha)
    drawing.box.of(rendered.trust).copy_(gate * refined.trust)
    return Rendered(rendered.foreground, rendered.alpha, rendered.trust, notes=dict(notes))
