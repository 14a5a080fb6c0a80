"""Trust of the rendered person against the interpolated one: maps over pixels, and a gate for each interval.

Both make a picture out of the same two keyframes, and both can be asked how well the keyframes agree once
they are brought to the wanted time: in colour, and in outline.
Letters: N wanted times, H and W the size of the person's box.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F

from rib.io.images import size_within
from rib.io.settings.ranges import AtMostSetting, NonNegative, Positive, Range, Share
from rib.render.skinning.layered_skinning import SkinnedPerson
from rib.render.trust_evidence import TrustEvidence
from rib.structures.box import Box
from rib.structures.interval import Background, Keyframe
from rib.structures.person import PersonView
from rib.structures.person_interval import PersonInterval
from rib.structures.windows import largest_around, mean_around

NOTHING = 1e-3


@dataclass(frozen=True)
class TrustBaseline:
    """The interpolator's version of the person, inside the person's box.

    Attributes:
        mask: (N, 1, H, W), the keyframes' mattes warped by the interpolator's own flow and weights.
        colour_differs: (N, 1, H, W), mean absolute difference (0..1) of the two keyframes under that flow.
        carried: (N, 8, H, W), colour and matte as that flow carries keyframe a alone, then b; None where
            nobody asked for them.
        mask_differs: (N, 1, H, W), difference of the two keyframes' mattes under that flow; None where
            nothing tells it.
    """

    mask: torch.Tensor
    colour_differs: torch.Tensor
    carried: torch.Tensor | None = None
    mask_differs: torch.Tensor | None = None


@dataclass(frozen=True)
class TrustMap:
    """Trust the rendered person where the two outlines disagree, in intervals whose evidence is for it.

    Attributes:
        cell: Side of the cells in which the two are compared, in torso lengths.
        window: Side of the window in which disagreement is averaged, in torso lengths.
        reach: How far trust spreads around it, in torso lengths.
        low: Mean disagreement (0..1) up to which the interpolator's person is kept.
        high: Mean disagreement from which the rendered person is taken.
        colour_weight: What the colours' log ratio counts against an interval where it is below 0.
        holdout_weight: What a decibel that is missing on held-out keyframes counts against it.
        holdout_expected_db: What the renderer is expected to win there (dB), as hold-outs bridge twice the
            interval, where the flow is worse; what is missing counts, down to a loss of 1 dB.
        threshold: The verdict (of the outlines' log ratio less what counts against it) at which an interval
            is half trusted.
        ramp: Width of the ramp around it.
        min_likeness: Two views that look less alike (0..1) are not drawn as one person.
        max_overlap: Nor are those of whose matte others have more than this share (0..1).
        max_shared_box: Nor are those in whose box somebody else's has more than this share (0..1).
        max_undecided: Nor is anybody in more than this share (0..1) of whom the two keyframes' silhouettes
            contradict each other, as where two people are taken for one: it comes out half transparent.
        local_window: Side of the window, in torso lengths, in which the same evidence is weighed around every
            pixel, so that a torn foot closes the foot; 0 leaves the interval's verdict alone.
        local_threshold: The local verdict at which a pixel is half trusted.
        local_ramp: Width of the ramp around it.
        local_ghost_weight: What the silhouettes' log ratio counts against a pixel around which the flow
            brings those of the two keyframes together better than the pose does.
        local_noise: Disagreement of outlines and colours that is noise, in 0..1 over the person.
        plate_ramp: Where nobody is, how much more (0..1) the plate may differ from the interpolated frame
            than the flow's two colours do until that frame stands behind the person in its place; 0 is never.
        plate_share: That begins where the plate is wrong in this share (0..1) of the scene around the
            person, and is done in full where it is in twice as much.
        judged_mpx: Whether somebody is drawn is decided in pictures of so many 10^6 pixels at most: the size
            that is wanted plays no part, and most are not drawn.
    """

    cell: Positive
    window: Positive
    reach: NonNegative
    low: Annotated[Share, AtMostSetting("high", equal=False)]
    high: Share
    colour_weight: NonNegative
    holdout_weight: NonNegative
    threshold: Annotated[float, Range()]
    ramp: Positive
    min_likeness: Share = 0.0
    max_overlap: Share = 1.0
    max_shared_box: Share = 1.0
    max_undecided: Share = 1.0
    holdout_expected_db: NonNegative = 0.0
    local_window: NonNegative = 0.0
    local_threshold: Annotated[float, Range()] = 0.0
    local_ramp: Positive = 1.0
    local_ghost_weight: NonNegative = 0.0
    local_noise: Share = 0.0
    plate_ramp: Share = 0.0
    plate_share: Share = 0.2
    judged_mpx: Annotated[float, Range(above=0, most=1000)] = 1000.0

    def judged_size(self, size_px: tuple[int, int]) -> tuple[int, int]:
        """Width and height at which pictures of a size are judged."""
        return size_within(size_px, self.judged_mpx)

    def knows(self, person: PersonInterval) -> bool:
        """Tell whether the two views of an interval are surely one person, whom nobody covers.

        They pass where nothing tells how alike they look.
        """
        alike = person.likeness is None or person.likeness >= self.min_likeness
        alone = person.overlap <= self.max_overlap and person.shared_box <= self.max_shared_box
        return alike and alone

    def where(self, skinned: SkinnedPerson, baseline: TrustBaseline) -> torch.Tensor:
        """(N, 1, H, W) in 0..1: 1 where the interpolated person is not the rendered one."""
        cell_px = self._cell_px(skinned)
        differs = _pooled((baseline.mask - skinned.alpha).abs(), cell_px)
        window, reach = (_odd(share * skinned.torso_px / cell_px) for share in (self.window, self.reach))
        trust = ((mean_around(differs, window // 2) - self.low) / (self.high - self.low)).clamp(0, 1)
        trust = mean_around(largest_around(trust, reach // 2), reach // 2)
        return _fine(trust, cell_px, skinned)

    def around(self, skinned: SkinnedPerson, baseline: TrustBaseline) -> torch.Tensor:
        """(N, 1, H, W) in 0..1: how far what disagrees around a pixel speaks for the rendered person.

        The verdict is that of `gate` without hold-outs, over a window in the place of the whole person.
        """
        if self.local_window == 0:
            return torch.ones_like(skinned.alpha)
        cell_px = self._cell_px(skinned)
        window = _odd(self.local_window * skinned.torso_px / cell_px)
        flow_ghost = skinned.alpha_differs if baseline.mask_differs is None else baseline.mask_differs
        outline, ghost, flow_ghost, person, baseline_colour, skinned_colour = (
            mean_around(_pooled(x, cell_px), window // 2)
            for x in (
                (baseline.mask - skinned.alpha).abs(),
                skinned.alpha_differs,
                flow_ghost,
                torch.maximum(baseline.mask, skinned.alpha),
                baseline.colour_differs * baseline.mask,
                skinned.colour_differs * skinned.alpha,
            )
        )
        noise = self.local_noise * person + NOTHING
        verdict = ((outline + noise) / (ghost + noise)).log()
        verdict += self.colour_weight * (
            (baseline_colour + noise) / (skinned_colour + noise)
        ).log().clamp_max(0)
        if self.local_ghost_weight > 0:
            verdict += self.local_ghost_weight * ((flow_ghost + noise) / (ghost + noise)).log().clamp_max(0)
        trust = ((verdict - self.local_threshold) / self.local_ramp + 0.5).clamp(0, 1)
        return _fine(trust, cell_px, skinned)

    def behind(self, skinned: SkinnedPerson, baseline: TrustBaseline, background: Background) -> torch.Tensor:
        """(N, 1, H, W) in 0..1: 0 where the interpolated frame shows the scene and the plate does not.

        One motion of the camera tells the plate, which doubles what is nearer or further than the rest.
        Where the flow brings the person from neither keyframe, and nearly the same colours from both, it is
        the scene. Before a camera that stands still the plate is right nearly everywhere, and what differs
        is what the flow smears: the plate is left alone there.
        """
        if self.plate_ramp == 0 or background.plate is None:
            return torch.ones_like(skinned.alpha)
        plate, frame = (skinned.box.of(x) for x in (background.plate, background.interpolated))
        cell_px = self._cell_px(skinned)
        differs, unsure = (
            mean_around(_pooled(x, cell_px), 1)
            for x in ((plate - frame).abs().mean(1, keepdim=True), baseline.colour_differs)
        )
        wrong = _fine(((differs - unsure) / self.plate_ramp).clamp(0, 1), cell_px, skinned)
        nobody = (1 - 2 * torch.maximum(skinned.alpha, baseline.mask)).clamp_min(0)
        wrong *= nobody
        share = wrong.sum((2, 3), keepdim=True) / nobody.sum((2, 3), keepdim=True).clamp_min(1e-6)
        return 1 - wrong * (share / self.plate_share - 1).clamp(0, 1)

    def _cell_px(self, skinned: SkinnedPerson) -> int:
        return max(1, round(self.cell * skinned.torso_px))

    def gate(self, evidence: TrustEvidence, holdout_db: float | None) -> float:
        """Weigh the evidence for an interval's rendered person, 0..1.

        Only the outlines speak for it. Colours that the pose does not bring together speak against it (what
        moves there may be no body), and so does a win on held-out keyframes that is smaller than expected. A
        great one proves nothing: hold-outs bridge twice the interval, where the flow is worse.

        Args:
            evidence: Disagreement measured in the interval itself.
            holdout_db: PSNR that the renderer won on held-out keyframes near by, or None.
        """
        if evidence.undecided > self.max_undecided:
            return 0.0
        verdict = evidence.outline_log_ratio
        verdict += self.colour_weight * min(evidence.colour_log_ratio, 0.0)
        if holdout_db is not None:
            missing_db = min(max(holdout_db, -1.0) - self.holdout_expected_db, 0.0)
            verdict += self.holdout_weight * missing_db
        return min(max((verdict - self.threshold) / self.ramp + 0.5, 0.0), 1.0)

    def evidence(self, skinned: SkinnedPerson, baseline: TrustBaseline) -> TrustEvidence:
        """Measure the disagreement in the interval itself.

        What is undecided is told of the moment at which most is, in the middle: a mean would depend on
        the output's rate.
        """
        person = torch.maximum(baseline.mask, skinned.alpha)
        between = (4 * skinned.alpha * (1 - skinned.alpha)).sum((1, 2, 3)) / person.sum((1, 2, 3)).clamp_min(
            1e-6
        )
        return TrustEvidence(
            baseline_colour=_weighted(baseline.colour_differs, person),
            skinned_colour=_weighted(skinned.colour_differs, skinned.alpha),
            outline=_weighted((baseline.mask - skinned.alpha).abs(), person),
            ghost=_weighted(skinned.alpha_differs, person),
            undecided=float(between.max()),
        )


def trust_baseline(
    person: PersonInterval, background: Background, skinned: SkinnedPerson, carried: bool = False
) -> TrustBaseline:
    """Warp the keyframes and their mattes by the interpolator's flow.

    Args:
        person: With mattes in both keyframes.
        background: Has flow and weights, at the moments of the skinned person.
        skinned: Gives the box.
        carried: Whether `TrustBaseline.carried` is asked for.
    """
    assert background.flow is not None
    assert background.weight_a is not None
    share = skinned.box.of(background.weight_a)
    flow_a, flow_b = background.flow.split(2, dim=1)
    interval = person.interval
    a = _warp(interval.a, person.a, flow_a, skinned)
    b = _warp(interval.b, person.b, flow_b, skinned)
    return TrustBaseline(
        torch.lerp(b[:, 3:], a[:, 3:], share),
        (a[:, :3] - b[:, :3]).abs().mean(1, keepdim=True),
        torch.cat([a, b], 1) if carried else None,
        (a[:, 3:] - b[:, 3:]).abs(),
    )


def _warp(keyframe: Keyframe, view: PersonView, flow: torch.Tensor, skinned: SkinnedPerson) -> torch.Tensor:
    """(N, 4, H, W), colour and matte of a keyframe at the wanted times."""
    places = skinned.box.centres(1, flow.device) + skinned.box.of(flow)
    last = places.new_tensor(keyframe.size_px).view(1, 2, 1, 1) - 0.5
    places = torch.minimum(places.clamp_min_(0.5), last)  # beyond the border its colour goes on
    part = Box(0, 0, *keyframe.size_px[::-1])
    if places.is_cpu:  # cut down to what the flow reaches, to save memory; another device would be waited for
        reached = Box.around(places.movedim(1, -1), 1, keyframe.size_px)
        assert reached is not None
        part = reached
    layers = torch.cat([keyframe.part(part.slices), part.of(view.mask(keyframe.size_px))])
    x, y = (places - part.corner(flow.device).view(1, 2, 1, 1)).unbind(1)
    grid = torch.stack([2 * x / part.width - 1, 2 * y / part.height - 1], -1)
    layers = layers.expand(len(flow), -1, -1, -1)
    return F.grid_sample(layers, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _weighted(x: torch.Tensor, weight: torch.Tensor) -> float:
    return float((x * weight).sum() / weight.sum().clamp_min(1e-6))


def _pooled(x: torch.Tensor, cell_px: int) -> torch.Tensor:
    """Mean over cells."""
    return F.avg_pool2d(x, cell_px, ceil_mode=True, count_include_pad=False)


def _fine(x: torch.Tensor, cell_px: int, skinned: SkinnedPerson) -> torch.Tensor:
    """From cells to the pixels of the person's box."""
    height, width = skinned.alpha.shape[2:]
    fine = F.interpolate(x, scale_factor=cell_px, mode="bilinear", align_corners=False)
    return fine[..., :height, :width]


def _odd(size_px: float) -> int:
    return max(1, 2 * round((size_px - 1) / 2) + 1)
