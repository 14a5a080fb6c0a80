"""The norm of an optimizer's gradient."""

from __future__ import annotations

import torch


def gradient_norm(optimizer: torch.optim.Optimizer) -> torch.Tensor:
    """Compute the norm over an optimizer's parameters, () on their device; whole where they are sharded."""
    gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients)
    whole: torch.Tensor = norm.full_tensor() if hasattr(norm, "full_tensor") else norm
    return whole
