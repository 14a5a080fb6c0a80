"""Ranges of arguments of constructors that are not ours: their own annotations do not tell them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from rib.io.settings.ranges import LARGEST_INT, Count, ListSize, NonNegative, OneOf, Positive, Range, Share

_Betas = Annotated[list[Annotated[float, Range(0, below=1)]], ListSize(2, 2)]
_Rate = Annotated[float, Range(0)]
_ADAM: dict[str, Any] = {
    "lr": _Rate,
    "betas": _Betas,
    "eps": Positive,
    "weight_decay": Annotated[float, Range(0, 1e3)],
}
_Endless = Annotated[int, Range(-1, LARGEST_INT)]
_Batches = Annotated[int, Range(0, LARGEST_INT)] | Share | None
_TRAINER: dict[str, Any] = {
    "accelerator": Annotated[str, OneOf("auto", "cpu", "gpu", "cuda", "mps", "tpu", "hpu")],
    "devices": Annotated[int, Range(-1, 1024)] | list[Annotated[int, Range(0, 1024)]] | Literal["auto"],
    "num_nodes": Annotated[int, Range(1, 65536)],
    "precision": Annotated[
        str, OneOf("32-true", "16-mixed", "bf16-mixed", "16-true", "bf16-true", "64-true")
    ],
    "max_epochs": _Endless | None,
    "min_epochs": Annotated[int, Range(0, LARGEST_INT)] | None,
    "max_steps": _Endless,
    "min_steps": Annotated[int, Range(0, LARGEST_INT)] | None,
    "limit_train_batches": _Batches,
    "limit_val_batches": _Batches,
    "limit_test_batches": _Batches,
    "overfit_batches": Annotated[int, Range(0, LARGEST_INT)] | Share,
    "val_check_interval": Count | Share | None,
    "check_val_every_n_epoch": Count | None,
    "num_sanity_val_steps": _Endless | None,
    "log_every_n_steps": Annotated[int, Range(0, LARGEST_INT)] | None,
    "accumulate_grad_batches": Count,
    "gradient_clip_val": NonNegative | None,
}

BORROWED: dict[str, dict[str, Any]] = {
    "pytorch_lightning.Trainer": _TRAINER,
    "pytorch_lightning.callbacks.ModelCheckpoint": {
        "save_top_k": _Endless,
        "mode": Annotated[str, OneOf("min", "max")],
        "every_n_train_steps": Count | None,
        "every_n_epochs": Count | None,
    },
    "pytorch_lightning.callbacks.ModelSummary": {"max_depth": _Endless},
    "torch.optim.Adam": _ADAM,
    "torch.optim.AdamW": _ADAM,
    "torch.optim.SGD": {
        "lr": _Rate,
        "momentum": Annotated[float, Range(0, below=1)],
        "dampening": Share,
        "weight_decay": Annotated[float, Range(0, 1e3)],
    },
}
"""By target and argument: the annotation that counts in the place of the constructor's own."""


def foreign_annotations(target: str) -> dict[str, Any]:
    """Annotations of a constructor that is not ours, by argument; those that are not named keep its own."""
    return BORROWED.get(target, {})
