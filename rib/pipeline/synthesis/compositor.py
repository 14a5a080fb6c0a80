"""The one compositing equation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from rib.structures.interval import Background
from rib.structures.person import RenderedPerson


def composite_people(background: Background, people: Sequence[RenderedPerson]) -> torch.Tensor:
    """Lay the rendered people over the plate, back to front, and trust each against the interpolated frame.

    For each person, the furthest from the camera first at every moment:

    `rendered = alpha * colour + (1 - alpha) * rendered`, which begins as the plate, and
    `output = output + trust * (rendered - output)`, which begins as the interpolated frame.

    Args:
        background: Its plate may be None where trust is 0 everywhere; the interpolated frame stands in.
        people: At the same N moments.

    Returns:
        (N, 3, H, W) float32 in 0..1; exactly `interpolated` where nobody is trusted.
    """
    people = [person for person in people if person.trust.any()]
    if not people:
        return background.interpolated
    output = background.interpolated.clone()
    rendered = background.interpolated if background.plate is None else background.plate
    if len(people) == 1:
        _lay_over(output, rendered, people[0], slice(None))
        return output
    rendered = rendered.clone()
    depth = torch.stack([person.depth for person in people], dim=1)
    for moment, order in enumerate(depth.argsort(dim=1, descending=True, stable=True).tolist()):
        for number in order:
            at = slice(moment, moment + 1)
            people[number].box.of(rendered[at]).copy_(_lay_over(output, rendered, people[number], at))
    return output


def _lay_over(
    output: torch.Tensor, behind: torch.Tensor, person: RenderedPerson, moments: slice
) -> torch.Tensor:
    """One person at some moments into `output`; what stands in their box then, (N, 3, h, w)."""
    alpha, trust, colour = person.alpha[moments], person.trust[moments], person.colour[moments]
    rendered = alpha * colour + (1 - alpha) * person.box.of(behind[moments])
    before = person.box.of(output[moments])
    mixed = torch.lerp(before, rendered, trust).clamp(0, 1)
    before.copy_(torch.where(trust > 0, mixed, before))
    return rendered


def composited_trust(people: Sequence[RenderedPerson], like: torch.Tensor) -> torch.Tensor:
    """Compute the renderers' part in each pixel, (N, 1, H, W) in 0..1: the greatest trust of anybody there.

    Args:
        people: At the same N moments.
        like: (N, C, H, W), for the size.
    """
    whole = torch.zeros_like(like[:, :1])
    for person in people:
        place = person.box.of(whole)
        place.copy_(torch.maximum(place, person.trust))
    return whole


def composite_people_alpha(
    carried: torch.Tensor, plate: torch.Tensor | None, people: Sequence[RenderedPerson]
) -> torch.Tensor:
    """Lay people, who are opaque, over transparency by the same equation.

    Args:
        carried: (N, 1, H, W) in 0..1, moved as the interpolated frame was.
        plate: (N, 1, H, W), of the scene behind the people, or None.
        people: Those who are drawn.

    Returns:
        (N, 1, H, W) in 0..1.
    """
    opaque = [replace(person, colour=torch.ones_like(person.colour[:, :1])) for person in people]
    return composite_people(Background(carried, plate), opaque)


def unpremultiply_alpha(pictures: torch.Tensor, alpha: torch.Tensor, white: int) -> torch.Tensor:
    """Divide pictures by their alpha and put it behind them.

    Args:
        pictures: (N, 3, H, W) in 0..1, multiplied by alpha.
        alpha: (N, 1, H, W).
        white: The stored number of full intensity; what is stored as transparent is black.

    Returns:
        (N, 4, H, W) in 0..1.
    """
    shown = alpha > 0.5 / white
    colours = torch.where(shown, pictures / torch.where(shown, alpha, 1.0), 0.0)
    return torch.cat([colours.clamp(0, 1), alpha], dim=1)
