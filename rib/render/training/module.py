"""Train a renderer's net: named losses, discriminators, an EMA of the weights. A step is the generator's.

Letters: B clips, T frames of a window, N = B (T - 2) frames that are learnt.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.checkpoint import checkpoint

from rib.io.errors import RibError
from rib.io.recipe import build_recipe
from rib.io.settings.ranges import Count, Range, Share, Weight, Whole
from rib.render.clip_batch import RendererClipBatch, RendererClipOutput
from rib.render.nets.checkpoint import shipped_renderer_weights
from rib.render.nets.spectral import iterate_spectral_norms
from rib.render.refine.refiner_input import RefinerInput, RefinerOutput
from rib.render.training.adversarial import RendererGanLoss, feature_matching_loss
from rib.render.training.discriminator import Discriminator, DiscriminatorScenes
from rib.render.training.losses import RenderLoss, RenderPair, check_render_loss_names, weighted_render_loss
from rib.render.training.scores import RenderScores
from rib.training.adversarial import run_discriminator
from rib.training.ema import ema_of, rename_old_ema_state, update_ema
from rib.training.schedules import WarmupCosine


class RendererModule(pl.LightningModule):
    """Fits a net to `RendererClipBatch`es; the EMA of its weights is validated and shipped.

    Net and discriminators learn in one step from one backward pass: the net's terms go through the
    discriminators with their weights held, the discriminators' terms through the net's answer with its
    gradient cut. Each side has its optimizer; only the net's steps are counted, so that steps, schedules,
    logs and checkpoints are its own.

    Args:
        net: Recipe of the net, a `RendererClipBatch` in and `RendererClipOutput` out.
        conditioning: Recipe of the conditioning maps that the discriminators are told.
        discriminators: Recipe of each `Discriminator` by name; none, or null in the place of one, trains
            without.
        adversarial: See `RendererGanLoss`.
        loss: Recipe of `RenderLoss`.
        weights: Weight of each term: those of `RenderLoss`, and `adversarial_<name>` and `features_<name>` of
            every discriminator. A term without a weight is not computed.
        optimizer: Recipe of the net's optimizer, without parameters.
        discriminator_optimizer: Recipe of the discriminators'.
        warmup_steps: Steps in which both learning rates rise from 0.
        total_steps: Steps after which they have come down along a cosine; they stay there.
        min_lr_ratio: The share of their peak that they come down to.
        ema_decay: Decay of the EMA of the weights, a step.
        checkpointed: Whether the net is computed a second time instead of keeping what its gradient needs.

    Raises:
        RibError: A weight of a term that there is not.
    """

    def __init__(
        self,
        net: Mapping[str, Any],
        conditioning: Mapping[str, Any],
        discriminators: Mapping[str, Any] | None,
        adversarial: str,
        loss: Mapping[str, Any],
        weights: Mapping[str, Weight],
        optimizer: Mapping[str, Any],
        discriminator_optimizer: Mapping[str, Any],
        warmup_steps: Whole,
        total_steps: Count,
        min_lr_ratio: Share,
        ema_decay: Annotated[float, Range(0, below=1)],
        checkpointed: bool,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.automatic_optimization = False
        self.net: nn.Module = build_recipe(net)
        self.ema = ema_of(self.net)
        self.conditioning = build_recipe(conditioning)
        chosen = {name: recipe for name, recipe in (discriminators or {}).items() if recipe}
        self.discriminators = nn.ModuleDict({name: build_recipe(recipe) for name, recipe in chosen.items()})
        self.adversarial = RendererGanLoss(adversarial)
        self.loss: RenderLoss = build_recipe(loss)
        self.weights = {name: weight for name, weight in weights.items() if weight}
        check_render_loss_names(self.weights, self._known_terms(discriminators or {}))
        self.clip_norm: float | None = None
        """Norm above which a step's gradient is scaled down, each side's by itself; the engine sets it."""
        self.accumulate = 1
        """Batches whose gradients are added up for a step; the engine sets it."""
        self.terms: dict[str, Tensor] = {}
        self._scores = RenderScores()

    @staticmethod
    def shipped_weights() -> Path:
        """The weights that come with rib, which restore=finetune begins from where no others are named."""
        return shipped_renderer_weights()

    def _known_terms(self, discriminators: Mapping[str, Any]) -> set[str]:
        theirs = {f"{kind}_{name}" for name in discriminators for kind in ("adversarial", "features")}
        return {*self.loss.terms, *theirs}

    def forward(self, batch: RendererClipBatch) -> RendererClipOutput:
        """Generate frames 1 .. T - 2 with the EMA weights."""
        return self.ema(batch)

    def training_step(self, batch: RendererClipBatch, batch_idx: int) -> None:
        """Named losses, one backward pass, one step of each side."""
        iterate_spectral_norms(self.net)
        iterate_spectral_norms(self.discriminators)
        made: RendererClipOutput = (
            checkpoint(self.net, batch, use_reentrant=False)
            if self.hparams["checkpointed"]
            else self.net(batch)
        )
        ours, theirs = self.losses(made, batch)
        total = weighted_render_loss(ours, self.weights)
        self.terms = {name: term.detach() for name, term in (ours | theirs).items()}
        whole = torch.stack([total, *theirs.values()]).sum() + self._all_weights_times_0()
        self.manual_backward(whole / self.accumulate)
        if (batch_idx + 1) % self.accumulate == 0 or self.trainer.is_last_batch:
            self._step()
        size = len(batch["frames"])
        self.log_dict({f"train/{k}_loss": v for k, v in self.terms.items()}, batch_size=size)
        self.log("train/loss", total.detach(), batch_size=size, prog_bar=True)
        if self.discriminators:
            won = sum(self.weights[name] * self.terms[name] for name in ours.keys() - self.loss.terms.keys())
            self.log("train/reconstruction_loss", total.detach() - won, batch_size=size)

    def _all_weights_times_0(self) -> Tensor | float:
        """Lets processes that train together wait for no weight that this one's batch did not reach."""
        if self.trainer.world_size == 1:
            return 0.0
        return 0.0 * torch.stack([p.sum() for p in self.parameters() if p.requires_grad]).sum()

    def losses(
        self, made: RendererClipOutput, batch: RendererClipBatch
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Named, unweighted terms of the net, and of its discriminators."""
        frames = predicted_and_target_frames(made, batch)
        ours, theirs = self.loss(frames, self.weights), {}
        if self.discriminators:
            poses = batch["poses"][:, 1:-1].flatten(0, 1)
            with torch.no_grad():
                maps = self.conditioning(poses, frames.target.shape[-2:]).to(frames.target)
            fake = DiscriminatorScenes(frames.pred, frames.foreground, frames.mask, maps, poses)
            real = DiscriminatorScenes(frames.target, frames.target, frames.mask, maps, poses)
            for name, discriminator in self.discriminators.items():
                won, lost = self._adversarial(name, discriminator, fake, real)  # type: ignore[arg-type]
                ours |= won
                theirs[f"discriminator_{name}"] = lost
        return ours, theirs

    def _adversarial(
        self, name: str, discriminator: Discriminator, fake: DiscriminatorScenes, real: DiscriminatorScenes
    ) -> tuple[dict[str, Tensor], Tensor]:
        """The net's terms against one discriminator, and that discriminator's."""
        (seen, weight), (true, _) = discriminator.view(fake), discriminator.view(real)
        convince, resemble = f"adversarial_{name}", f"features_{name}"
        learns = bool({convince, resemble} & self.weights.keys())
        outputs = run_discriminator(discriminator, (true,), (seen,), learns)
        lost = self.adversarial.discriminator(outputs.real, outputs.made, weight)
        if not learns:
            return {}, lost
        terms = {
            convince: self.adversarial.generator(outputs.held, weight),
            resemble: feature_matching_loss(outputs.real, outputs.held, weight),
        }
        return {key: term for key, term in terms.items() if key in self.weights}, lost

    def _step(self) -> None:
        """Step both sides and their schedules, and let the EMA follow at once."""
        for number, optimizer in enumerate(self._optimizers()):
            if self.clip_norm is not None:
                self.clip_gradients(optimizer, self.clip_norm, "norm")  # type: ignore[arg-type]
            if number:
                _uncounted(optimizer)
            optimizer.step()
            optimizer.zero_grad()
        schedules: Any = self.lr_schedulers()
        for schedule in schedules if isinstance(schedules, list) else [schedules]:
            schedule.step()
        update_ema(self.ema, self.net, self.hparams["ema_decay"], self.trainer.global_step)

    def _optimizers(self) -> list[Any]:
        """The net's, and the discriminators' if there are any."""
        found: Any = self.optimizers()
        return found if isinstance(found, list) else [found]

    def train(self, mode: bool = True) -> RendererModule:
        """The EMA is never in training mode."""
        super().train(mode)
        self.ema.eval()
        return self

    def on_fit_start(self) -> None:
        """Refuse what two optimizers cannot do.

        Raises:
            RibError: Training in float16, whose one scale of losses cannot serve two optimizers.
        """
        if str(self.trainer.precision) == "16-mixed":
            raise RibError(
                "a renderer cannot be trained with precision=16-mixed", "use bf16-mixed or 32-true"
            )

    def validation_step(self, batch: RendererClipBatch, batch_idx: int) -> None:
        """Errors of the EMA weights, over the frame and over the person."""
        self._check("val", batch)

    def test_step(self, batch: RendererClipBatch, batch_idx: int) -> None:
        """The same of held-out clips."""
        self._check("test", batch)

    def _check(self, split: str, batch: RendererClipBatch) -> None:
        """Log the errors, and those over the person of what needs no net."""
        frames = predicted_and_target_frames(self(batch), batch)
        scores = self._scores(frames)
        for name, picture in pictures_without_net(batch).items():
            frames.pred = picture
            scores |= {f"{name}_{score}": value for score, value in self._scores(frames, True).items()}
        self.log_dict(
            {f"{split}/{name}": value for name, value in scores.items()},
            batch_size=len(batch["frames"]),
            sync_dist=True,
        )

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take checkpoints of earlier releases too."""
        rename_old_ema_state(checkpoint)

    def configure_optimizers(self) -> Any:
        """Warm-up, then a cosine, for both sides."""
        optimizers = [build_recipe(self.hparams["optimizer"], params=list(self.net.parameters()))]
        if self.discriminators:
            theirs = list(self.discriminators.parameters())
            optimizers.append(build_recipe(self.hparams["discriminator_optimizer"], params=theirs))
        share = WarmupCosine(*(self.hparams[k] for k in ("warmup_steps", "total_steps", "min_lr_ratio")))
        return optimizers, [LambdaLR(optimizer, share) for optimizer in optimizers]


def predicted_and_target_frames(made: RendererClipOutput, batch: RendererClipBatch) -> RenderPair:
    """The frames that are learnt, N in a row."""
    learnt = slice(1, -1)
    return RenderPair(
        made["picture"].flatten(0, 1), made["foreground"].flatten(0, 1), made["alpha"].flatten(0, 1),
        batch["frames"][:, learnt].flatten(0, 1), batch["masks"][:, learnt].flatten(0, 1),
    )  # fmt: skip


def pictures_without_net(batch: RendererClipBatch) -> dict[str, Tensor]:
    """What a net has to beat, (N, 3, H, W) by name, where a batch tells what the warp makes of its frames."""
    if "channels" not in batch:
        return {}
    inputs = RefinerInput.of(batch["channels"])  # type: ignore[typeddict-item]
    warp = RefinerOutput(inputs.colour, inputs.alpha, inputs.trust).over(inputs)
    return {"interpolated": inputs.interpolated, "warp": warp}


def _uncounted(optimizer: Any) -> None:
    """Keep an optimizer's next step out of the trainer's count of steps.

    Lightning counts every optimizer's step in `global_step`, by which `max_steps`, checkpoints and seeds go:
    with two optimizers a run of 10 steps would end after 5.
    """
    optimizer._on_before_step = optimizer._on_after_step = lambda: None
