"""The person as a paper puppet: cut out of both keyframes, posed, and put together again.

Letters: N wanted poses, L layers, B bones, H and W the size of the person's box.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import torch
import torch.nn.functional as F

from rib.io.ranges import NonNegative, Positive, Range
from rib.render.skinning.blend import FAR, bone_distances, bone_maps, skin
from rib.render.skinning.bones import BONES, LAYER_OF_BONE, Segments, segments, torso_length_px
from rib.render.skinning.layers import Layer, fetch, lay_over, merge
from rib.render.skinning.parts import Cut, cut_layers, layer_distances
from rib.structures.box import Box
from rib.structures.interval import Interval, Keyframe
from rib.structures.keypoints import LAYERS

MARGIN = 0.6
"""The person's box reaches so many torso lengths beyond the joints."""


@dataclass(frozen=True)
class Drawing:
    """The person in N poses, inside a box of the picture.

    Attributes:
        box: Where.
        torso_px: The person's scale.
        colour: (N, 3, H, W).
        alpha: (N, 1, H, W).
        colour_differs: (N, 1, H, W), mean absolute difference (0..1) of what the two keyframes give.
        alpha_differs: (N, 1, H, W), the same of their silhouettes.
        each: (N, 2, 4, H, W), colour and alpha as each keyframe alone gives them, where it was asked for.
    """

    box: Box
    torso_px: float
    colour: torch.Tensor
    alpha: torch.Tensor
    colour_differs: torch.Tensor
    alpha_differs: torch.Tensor
    each: torch.Tensor | None = None


@dataclass(frozen=True)
class Puppet:
    """Draws the person of an interval at its wanted times.

    Attributes:
        stiffness: Inside a layer, a bone's influence falls by exp(-stiffness) with every radius of distance.
        reach: A layer ends at so many radii from its bones.
        core: Within so many radii of its bones a layer wins over those behind it.
        overlap: A layer goes on over those behind it for so many radii, so that no seam opens.
        softness: Width of the ramp at its end, in radii.
        nearer: Power to which nearness in time counts for colour; 1 mixes in proportion.
        sharpness: Steepness of alpha where the keyframes disagree: 1 mixes them, large takes the likelier.
        step_px: The maps are computed for cells of this size and interpolated in between.
    """

    stiffness: NonNegative
    reach: Positive
    core: NonNegative
    overlap: NonNegative
    softness: Positive
    nearer: NonNegative
    sharpness: NonNegative
    step_px: Annotated[int, Range(1, 1000)]
    _kept: list[tuple[Keyframe, float, Cut]] = field(
        default_factory=list, init=False, repr=False, compare=False
    )

    def draw(self, interval: Interval, each: bool = False) -> Drawing | None:
        """The person at `interval.times_s`; None where no bone is seen.

        None also where the keyframes do not show the same bones: who enters or leaves the picture has joints
        whose place is only guessed, and moving some bones but not others tears the person apart.

        Args:
            interval: Its keyframes have masks and poses, and it has poses in between.
            each: Also tell what each keyframe alone gives.
        """
        assert interval.poses is not None
        assert interval.a.pose is not None
        assert interval.b.pose is not None
        device = interval.a.picture.device
        keys = [segments(pose, device) for pose in (interval.a.pose, interval.b.pose)]
        wanted = segments(interval.poses, device)
        if not torch.equal(keys[0].valid, keys[1].valid):
            return None
        torso_px = max(torso_length_px(interval.a.pose), torso_length_px(interval.b.pose))
        ends = torch.cat([bones.ends_px[bones.valid].reshape(-1, 2) for bones in (*keys, wanted)])
        height, width = interval.a.picture.shape[1:]
        box = Box.around(ends, MARGIN * torso_px, (width, height))
        if box is None or torso_px == 0:
            return None
        radius_px = _radii_px(torso_px, device)
        keys, wanted = [bones.moved(box) for bones in keys], wanted.moved(box)
        cuts = [self._cut(keyframe, torso_px).inside(box) for keyframe in (interval.a, interval.b)]
        layers = [
            self._pose(layer, [cut[layer] for cut in cuts], keys, wanted, radius_px, interval.fractions, each)
            for layer in range(len(LAYERS))
        ]
        if all(layer is None for layer in layers):
            return None
        channels, alpha = lay_over(layers, _front_first(interval), box)
        alone = channels[:, 5:].unflatten(1, (2, 4)) if each else None
        if alone is not None:
            alone[:, :, 3] *= alpha
        differ = channels[:, 3:5] * alpha
        return Drawing(box, torso_px, channels[:, :3], alpha, differ[:, :1], differ[:, 1:], alone)

    def _cut(self, keyframe: Keyframe, torso_px: float) -> Cut:
        """A keyframe's layers; those of the last two keyframes are kept, as a gap is drawn in parts."""
        for other, scale_px, cut in self._kept:
            if other is keyframe and scale_px == torso_px:
                return cut
        assert keyframe.mask is not None
        assert keyframe.pose is not None
        place = Box.of_mask(keyframe.mask)
        bones, radius_px = (
            segments(keyframe.pose, keyframe.mask.device),
            _radii_px(torso_px, keyframe.mask.device),
        )
        xy = place.centres(1, radius_px.device)
        distance = bone_distances(bones.ends_px, radius_px, bones.valid, xy)
        depth = keyframe.pose.depth_order
        order = range(len(LAYERS), 0, -1) if depth is None else depth[0].tolist()
        layers = cut_layers(
            place.of(keyframe.picture),
            place.of(keyframe.mask),
            layer_distances(distance)[0],
            order,
            self.core,
            self.overlap,
            self.softness,
        )
        self._kept[:] = [*self._kept[-1:], (keyframe, torso_px, Cut(place, layers))]
        return self._kept[-1][2]

    def _pose(
        self,
        layer: int,
        cuts: list[torch.Tensor],
        keys: list[Segments],
        wanted: Segments,
        radius_px: torch.Tensor,
        fractions: torch.Tensor,
        each: bool,
    ) -> Layer | None:
        """One layer in the wanted poses, out of its cut in both keyframes."""
        index = [i for i, of in enumerate(LAYER_OF_BONE) if of == layer]
        radius_px, wanted, keys = radius_px[index], wanted.only(index), [key.only(index) for key in keys]
        height, width = cuts[0].shape[1:]
        reach_px = float(self.reach * radius_px.max())
        box = Box.around(wanted.ends_px[wanted.valid], reach_px, (width, height), self.step_px)
        if box is None:
            return None
        xy = box.centres(self.step_px, radius_px.device)
        distance = bone_distances(wanted.ends_px, radius_px, wanted.valid, xy)
        seen = []
        for cut, key in zip(cuts, keys, strict=True):
            both = wanted.valid & key.valid
            place = skin(
                bone_maps(wanted.ends_px, key.ends_px[0]),
                distance.masked_fill(~both[..., None, None], FAR),
                self.stiffness,
                xy,
            )
            seen.append(fetch(cut, self._fine(place, box)) * both.any(1).view(-1, 1, 1, 1))
        near = self._fine((self.reach - distance.amin(1, keepdim=True)).clamp(0, 1), box)
        return Layer(box, *merge(seen[0], seen[1], fractions, near, self.nearer, self.sharpness, each))

    def _fine(self, x: torch.Tensor, box: Box) -> torch.Tensor:
        """From cells to pixels."""
        if self.step_px == 1:
            return x
        fine = F.interpolate(x, scale_factor=self.step_px, mode="bilinear", align_corners=False)
        return fine[..., : box.height, : box.width]


def _radii_px(torso_px: float, device: torch.device) -> torch.Tensor:
    """(B,), half the width of every bone."""
    return torso_px * torch.tensor([bone.radius for bone in BONES], device=device)


def _front_first(interval: Interval) -> torch.Tensor:
    """(N, L) layers by depth, mixed from both keyframes; without depth the torso is last."""
    t = interval.fractions.cpu()[:, None].double()
    depths = [
        k.pose.depth_order for k in (interval.a, interval.b) if k.pose and k.pose.depth_order is not None
    ]
    if len(depths) < 2:
        return torch.arange(len(LAYERS) - 1, -1, -1).expand(len(t), -1)
    a, b = (torch.from_numpy(depth) for depth in depths)
    return torch.lerp(a, b, t).argsort(dim=1, stable=True)
