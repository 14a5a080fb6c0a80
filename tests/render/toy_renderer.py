"""A net of one convolution and clips of noise: as small as a training of the real module can be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from rib.io.registry import register
from rib.render.clip_batch import RendererClipBatch, RendererClipOutput
from rib.render.nets.spectral import SpectralConv2d

SIZE = (32, 40)


@register("renderer net")
class ToyNet(nn.Module):
    """Blends the background with a picture made from it.

    Args:
        spectral: Whether its weights are divided by their largest singular value, which every step estimates
            better.
    """

    def __init__(self, spectral: bool = True) -> None:
        super().__init__()
        self.paint = SpectralConv2d(3, 4, 3, padding=1) if spectral else nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, batch: RendererClipBatch) -> RendererClipOutput:
        background = batch["backgrounds"]
        made = self.paint(background.flatten(0, 1)).unflatten(0, background.shape[:2])
        foreground, alpha = made[:, :, :3].sigmoid(), made[:, :, 3:].sigmoid()
        return RendererClipOutput(
            picture=background + alpha * (foreground - background), foreground=foreground, alpha=alpha
        )


class NoiseClips(Dataset[RendererClipBatch]):
    """Item i is a batch of noise drawn from i; a value of item `spoilt` is none."""

    def __init__(self, spoilt: int = -1) -> None:
        self.spoilt = spoilt

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> RendererClipBatch:
        generator = torch.Generator().manual_seed(index)
        draw = lambda *shape: torch.rand(*shape, generator=generator)  # noqa: E731
        B, T, (H, W) = 2, 4, SIZE
        poses = draw(B, T, 19, 3) * torch.tensor([W, H, 0.5]) + torch.tensor([0, 0, 0.5])
        masks = (torch.arange(W) < W // 2).float()
        frames = draw(B, T, 3, H, W)
        if index == self.spoilt:
            frames[0, 1, 0, 0, 0] = torch.nan
        return RendererClipBatch(
            frames=frames, poses=poses, masks=masks.expand(B, T, 1, H, W),
            backgrounds=draw(B, T - 2, 3, H, W),
            times_s=torch.arange(T).expand(B, T).double(), names=["a", "b"],
        )  # fmt: skip


def settings(**changes: Any) -> dict[str, Any]:
    """Arguments of `RendererModule` with small discriminators and no ImageNet features."""
    net = {
        "_target_": "rib.render.nets.discriminators.MultiScaleDiscriminator", "width": 4, "max_channels": 8,
        "num_layers": 2, "num_scales": 1,
    }  # fmt: skip
    discriminator = {
        "_target_": "rib.render.training.discriminator.Discriminator",
        "net": net,
        "conditional": True,
        "crops": None,
    }
    crops = {
        "_target_": "rib.render.training.discriminator.BodyPartCrops", "joints": ["left_hand", "right_hand"],
        "side_torsos": 0.5, "size_px": 8,
    }  # fmt: skip
    loss = {
        "_target_": "rib.render.training.losses.RenderLoss", "person_emphasis": 9.0, "prior_margin_px": 2,
        "perceptual": {
            "_target_": "rib.render.training.perceptual.PerceptualLoss", "layers": {"relu1_1": 1.0},
            "scale": 1.0, "vgg19": None,
        },
    }  # fmt: skip
    names = ("l1", "l1_person", "mask_variation", "mask_size")
    kinds = ("adversarial_frame", "features_frame", "adversarial_hands", "features_hands")
    made: dict[str, Any] = {
        "net": {"_target_": "toy_renderer.ToyNet"},
        "conditioning": {
            "_target_": "rib.render.conditioning.native.SkeletonConditioning",
            "sigma_px": 2.0, "radius_px": 1.0,
        },
        "discriminators": {
            "frame": {**discriminator, "sees": "picture"},
            "hands": {**discriminator, "sees": "person", "crops": crops},
        },
        "adversarial": "hinge", "loss": loss, "weights": dict.fromkeys((*names, *kinds), 1.0),
        "optimizer": {"_target_": "torch.optim.Adam", "lr": 1e-2},
        "discriminator_optimizer": {"_target_": "torch.optim.Adam", "lr": 2e-2},
        "warmup_steps": 2, "total_steps": 10, "min_lr_ratio": 0.1, "ema_decay": 0.9, "checkpointed": False,
    }  # fmt: skip
    return {**made, **changes}


def trainer(folder: Path, steps: int, **options: Any) -> pl.Trainer:
    """A trainer that stops after so many steps and validates nothing."""
    return pl.Trainer(
        accelerator="cpu", max_steps=steps, logger=False, enable_progress_bar=False, limit_val_batches=0,
        enable_model_summary=False, default_root_dir=folder, num_sanity_val_steps=0,
        **{"enable_checkpointing": False, **options},
    )  # fmt: skip


def loader(first: int = 0, spoilt: int = -1) -> DataLoader[RendererClipBatch]:
    """Batches `first`, `first` + 1, ..."""
    clips = NoiseClips(spoilt)
    return DataLoader(torch.utils.data.Subset(clips, range(first, len(clips))), batch_size=None)
