"""Layers warped from two keyframes to the wanted poses, merged, and composited front to back.

Letters: N wanted poses, L layers, C channels, H and W the size of the person's box, h and w of a layer's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from rib.structures.box import Box

NOTHING = 1e-4


@dataclass(frozen=True)
class WarpedBodyLayer:
    """One layer of the body in the wanted poses.

    Attributes:
        box: Where it lies.
        channels: (N, 13, h, w): colour (3), how far the colours of the two keyframes differ (mean over RGB,
            0..1), how far their alphas differ where both can tell (0..1), colour and alpha as keyframe a
            alone has them (3 + 1), the same of b. Without `per_keyframe` (`merge_layer_views`) the first 5.
        alpha: (N, 1, h, w).
    """

    box: Box
    channels: torch.Tensor
    alpha: torch.Tensor


def warp_body_layer(cut: torch.Tensor, where_px: torch.Tensor) -> torch.Tensor:
    """Sample a cut layer (C, H, W) at places (N, 2, h, w) in pixels; outside it all is 0 and unknown."""
    size = where_px.new_tensor([cut.shape[2], cut.shape[1]]).view(1, 2, 1, 1)
    grid = (2 * where_px / size - 1).permute(0, 2, 3, 1)
    cuts = cut.expand(len(where_px), -1, -1, -1)
    return F.grid_sample(cuts, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def merge_layer_views(
    from_a: torch.Tensor,
    from_b: torch.Tensor,
    fractions: torch.Tensor,
    near: torch.Tensor,
    nearer: float,
    sharpness: float,
    per_keyframe: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Merge one layer's views in the two keyframes.

    A view counts by its nearness in time and by what it knows: a keyframe in which the place is hidden
    behind another layer has no say in the alpha.

    Args:
        from_a: (N, 5, h, w) as `KeyframeLayers.inside` gives, seen in keyframe a.
        from_b: The same in keyframe b.
        fractions: (N,), 0 at a and 1 at b.
        near: (N, 1, h, w), 1 close to the layer's bones, 0 beyond its reach.
        nearer: Power to which nearness in time counts for colour; 1 mixes in proportion.
        sharpness: Steepness of alpha where the two disagree: 1 mixes them, large takes the likelier.
        per_keyframe: Give what each view alone has, too.

    Returns:
        The channels (N, 5 or 13, h, w) and alpha (N, 1, h, w) of a `WarpedBodyLayer`.
    """
    t = fractions.view(-1, 1, 1, 1)
    alpha, known = torch.lerp(from_a[:, 3:], from_b[:, 3:], t).split(1, dim=1)
    covered = ((alpha / known.clamp_min(NOTHING) - 0.5) * sharpness + 0.5).clamp(0, 1)
    covered = covered * near * (alpha * 20).clamp(0, 1)
    t = t**nearer / (t**nearer + (1 - t) ** nearer)
    seen = torch.lerp(from_a[:, :4], from_b[:, :4], t)
    both = 2 * torch.minimum(from_a[:, 3:4], from_b[:, 3:4]).clamp_max(0.5)
    colour, colour_a, colour_b = (x[:, :3] / x[:, 3:4].clamp_min(NOTHING) for x in (seen, from_a, from_b))
    colour_differs = (colour_a - colour_b).abs().mean(1, keepdim=True) * both
    alpha_differs = (from_a[:, 3:4] - from_b[:, 3:4]).abs() * from_a[:, 4:] * from_b[:, 4:]
    channels = [colour, colour_differs, alpha_differs]
    if per_keyframe:
        for alone, view_alpha in ((colour_a, from_a[:, 3:4]), (colour_b, from_b[:, 3:4])):
            channels += [torch.where(view_alpha > NOTHING, alone, colour), view_alpha * near]
    return torch.cat(channels, 1), covered


def composite_body_layers(
    layers: Sequence[WarpedBodyLayer | None], front_first: torch.Tensor, box: Box
) -> tuple[torch.Tensor, torch.Tensor]:
    """Composite layers front to back.

    Args:
        layers: L layers whose boxes are relative to `box`; None for one that is not seen.
        front_first: (N, L) layer numbers, the nearest to the camera first.
        box: The person's box.

    Returns:
        The layers' channels (N, 5 or 13, H, W), not multiplied by alpha, and alpha (N, 1, H, W).
    """
    some = next(layer for layer in layers if layer is not None)
    num = len(front_first)
    total = some.channels.new_zeros(num, some.channels.shape[1], box.height, box.width)
    left = some.channels.new_ones(num, 1, box.height, box.width)
    for n, order in enumerate(front_first.tolist()):
        for layer in (layers[number] for number in order):
            if layer is not None:
                free = layer.box.of(left[n])
                shown = free * layer.alpha[n]
                layer.box.of(total[n]).addcmul_(shown, layer.channels[n])
                free.sub_(shown)
    alpha = 1 - left
    return total.div_(alpha.clamp_min(NOTHING)), alpha
