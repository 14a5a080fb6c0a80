"""Layered skinning: the person cut into layers in both keyframes, posed bone by bone, and composited again.

Letters: N wanted poses, L layers, B bones, H and W the size of the person's box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
import torch.nn.functional as F

from rib.io.settings.ranges import AtMostSetting, NonNegative, Positive, Range, Share
from rib.render.skinning.blend import FAR, bone_affine_maps, bone_distance_maps, linear_blend_skinning
from rib.render.skinning.bones import (
    BONES,
    ELASTIC,
    LAYER_OF_BONE,
    BoneSegments,
    bone_segments,
    hidden_limbs,
    skinning_torso_length_px,
)
from rib.render.skinning.keyframe_layers import (
    KeyframeLayers,
    LayerAlpha,
    furthest_layer_distances,
    layer_alphas,
    layer_distances,
)
from rib.render.skinning.layers import (
    WarpedBodyLayer,
    composite_body_layers,
    merge_layer_views,
    warp_body_layer,
)
from rib.structures.box import Box
from rib.structures.interval import Keyframe
from rib.structures.keypoints import LAYERS
from rib.structures.person import PersonView
from rib.structures.person_interval import PersonInterval

MARGIN = 0.6
"""The person's box reaches so many torso lengths beyond the joints."""


@dataclass(frozen=True)
class SkinnedPerson:
    """The person in N poses, inside a box of the picture.

    Attributes:
        box: Where.
        torso_px: The person's scale.
        colour: (N, 3, H, W).
        alpha: (N, 1, H, W).
        colour_differs: (N, 1, H, W), mean absolute difference (0..1) of what the two keyframes give.
        alpha_differs: (N, 1, H, W), the same of their silhouettes.
        per_keyframe: (N, 2, 4, H, W), colour and alpha as each keyframe alone gives them, where it was asked
            for.
    """

    box: Box
    torso_px: float
    colour: torch.Tensor
    alpha: torch.Tensor
    colour_differs: torch.Tensor
    alpha_differs: torch.Tensor
    per_keyframe: torch.Tensor | None = None


@dataclass(frozen=True)
class LayeredPerson:
    """The person of an interval, cut out of both keyframes.

    Attributes:
        person: Who.
        bones: In keyframe a and in keyframe b, on the CPU; the same of them are valid.
        cuts: The layers in both keyframes.
        torso_px: The person's scale, above 0.
        reach: Radii from its bones at which each layer ends.
    """

    person: PersonInterval
    bones: tuple[BoneSegments, ...]
    cuts: tuple[KeyframeLayers, ...]
    torso_px: float
    reach: tuple[float, ...]


@dataclass(frozen=True)
class LayeredSkinning:
    """Renders the person of an interval at its wanted times, by linear blend skinning of layers.

    Attributes:
        stiffness: Inside a layer, a bone's influence falls by exp(-stiffness) with every radius of distance.
        reach: A layer ends at so many radii from its bones ...
        furthest: ... or where the matte ends, but at the latest at so many: hair, hands and cloth belong to a
            limb too.
        core: Within so many radii of its bones a layer wins over those behind it.
        overlap: A layer goes on over those behind it for so many radii, so that no seam opens.
        softness: Width of the ramp at its end, in radii.
        nearer: Power to which nearness in time counts for colour; 1 mixes in proportion.
        sharpness: Steepness of alpha where the keyframes disagree: 1 mixes them, large takes the likelier.
        step_px: The maps are computed for cells of this size and interpolated in between.
        min_confidence: A bone of a limb that neither keyframe shows with so much confidence (0..1) is hidden
            behind the body, and not drawn.
    """

    stiffness: NonNegative
    reach: Positive
    core: Annotated[NonNegative, AtMostSetting("reach")]
    overlap: NonNegative
    softness: Positive
    nearer: NonNegative
    sharpness: NonNegative
    step_px: Annotated[int, Range(1, 1000)]
    furthest: NonNegative = 0.0
    min_confidence: Share = 0.0

    def cut(self, person: PersonInterval) -> LayeredPerson | None:
        """Cut the person out of both keyframes, once an interval; None where they do not show the same bones.

        Who enters or leaves the picture has joints whose place is only guessed, and moving some bones but not
        others tears the person apart.

        Args:
            person: With mattes and poses in both keyframes.
        """
        interval, views = person.interval, (person.a, person.b)
        poses = [view.pose for view in views]
        assert poses[0] is not None
        assert poses[1] is not None
        keys = [bone_segments(pose) for pose in poses if pose is not None]
        if not torch.equal(keys[0].valid, keys[1].valid):
            return None
        torso_px = max(skinning_torso_length_px(poses[0]), skinning_torso_length_px(poses[1]))
        if torso_px == 0:
            return None
        hidden = hidden_limbs(keys, self.min_confidence)
        keys = [key.without(hidden) for key in keys]
        keyframes = (interval.a, interval.b)
        cuts = [
            self._cut(view, keyframe, bones.to(keyframe.device), torso_px)
            for view, keyframe, bones in zip(views, keyframes, keys, strict=True)
        ]
        return LayeredPerson(person, tuple(keys), tuple(cuts), torso_px, self._reach(cuts))

    def draw(self, cut: LayeredPerson, moments: slice, per_keyframe: bool = False) -> SkinnedPerson | None:
        """Render the person at some of the interval's moments; None where no bone is seen.

        Args:
            cut: What `cut` gave.
            moments: Which of the wanted times.
            per_keyframe: Give the person as each keyframe alone has them, too.
        """
        interval = cut.person.interval.at(moments)
        size_px = interval.a.size_px
        # boxes are worked out on the CPU, where the poses are: nothing waits for the device
        wanted = bone_segments(cut.person.poses[moments]).without(~cut.bones[0].valid[0])
        ends = torch.cat([bones.ends_px[bones.valid].reshape(-1, 2) for bones in (*cut.bones, wanted)])
        box = Box.around(ends, MARGIN * cut.torso_px, size_px)
        if box is None:
            return None
        radius_px = _radii_px(cut.torso_px)
        keys, wanted = [bones.moved(box) for bones in cut.bones], wanted.moved(box)
        layers = [
            self._pose(
                layer,
                [one.inside(box, layer) for one in cut.cuts],
                keys,
                wanted,
                radius_px,
                cut.reach[layer],
                interval.fractions,
                per_keyframe,
            )
            for layer in range(len(LAYERS))
        ]
        if all(layer is None for layer in layers):
            return None
        channels, alpha = composite_body_layers(layers, _front_first(cut.person, interval.shares), box)
        alone = channels[:, 5:].unflatten(1, (2, 4)) if per_keyframe else None
        if alone is not None:
            alone[:, :, 3] *= alpha
        differ = channels[:, 3:5] * alpha
        return SkinnedPerson(box, cut.torso_px, channels[:, :3], alpha, differ[:, :1], differ[:, 1:], alone)

    def around(self, person: PersonInterval) -> Box | None:
        """The box that holds whatever `draw` gives at any of the moments; None where no bone is seen."""
        interval = person.interval
        views = [view.pose for view in (person.a, person.b) if view.pose is not None]
        torso_px = max((skinning_torso_length_px(pose) for pose in views), default=0.0)
        bones = [bone_segments(pose) for pose in (*views, person.poses)]
        ends = torch.cat([one.ends_px[one.valid].reshape(-1, 2) for one in bones])
        return Box.around(ends, MARGIN * torso_px, interval.a.size_px)

    def _reach(self, cuts: Sequence[KeyframeLayers]) -> tuple[float, ...]:
        """Radii from its bones at which each layer ends, the last of which fades it out."""
        matte = torch.stack([one.furthest for one in cuts]).amax(0) + 1
        return tuple(min(max(self.reach, far), max(self.reach, self.furthest)) for far in matte.tolist())

    def _cut(
        self, view: PersonView, keyframe: Keyframe, bones: BoneSegments, torso_px: float
    ) -> KeyframeLayers:
        """A keyframe's layers."""
        assert view.matte is not None
        assert view.pose is not None
        radius_px = _radii_px(torso_px).to(keyframe.device)
        xy = view.box.centres(1, radius_px.device)
        depth = view.pose.depth_order
        order = range(len(LAYERS), 0, -1) if depth is None else depth[0].tolist()
        distance_L = layer_distances(bones, radius_px, xy)[0]
        alphas = layer_alphas(view.matte, distance_L, order, self.core, self.overlap, self.softness)
        return KeyframeLayers(
            keyframe,
            view.box,
            view.matte,
            tuple(LayerAlpha.of(alpha) for alpha in alphas),
            furthest_layer_distances(alphas, distance_L),
        )

    def _pose(
        self,
        layer: int,
        cuts: list[torch.Tensor],
        keys: list[BoneSegments],
        wanted: BoneSegments,
        radius_px: torch.Tensor,
        reach: float,
        fractions: torch.Tensor,
        per_keyframe: bool,
    ) -> WarpedBodyLayer | None:
        """One layer in the wanted poses, out of its cut in both keyframes; bones and radii are on the CPU."""
        index = [i for i, of in enumerate(LAYER_OF_BONE) if of == layer]
        radius_px, wanted, keys = radius_px[index], wanted.only(index), [key.only(index) for key in keys]
        height, width = cuts[0].shape[1:]
        reach_px = float(reach * radius_px.max())
        box = Box.around(wanted.ends_px[wanted.valid], reach_px, (width, height), self.step_px)
        if box is None:
            return None
        device = fractions.device
        radius_px, wanted, keys = radius_px.to(device), wanted.to(device), [key.to(device) for key in keys]
        xy = box.centres(self.step_px, device)
        distance = bone_distance_maps(wanted.ends_px, radius_px, wanted.valid, xy)
        elastic = torch.tensor(ELASTIC, device=device)[index]
        seen = []
        for cut, key in zip(cuts, keys, strict=True):
            both = wanted.valid & key.valid
            place = linear_blend_skinning(
                bone_affine_maps(wanted.ends_px, key.ends_px[0], elastic),
                distance.masked_fill(~both[..., None, None], FAR),
                self.stiffness,
                xy,
            )
            seen.append(warp_body_layer(cut, self._fine(place, box)) * both.any(1).view(-1, 1, 1, 1))
        near = self._fine((reach - distance.amin(1, keepdim=True)).clamp(0, 1), box)
        return WarpedBodyLayer(
            box,
            *merge_layer_views(seen[0], seen[1], fractions, near, self.nearer, self.sharpness, per_keyframe),
        )

    def _fine(self, x: torch.Tensor, box: Box) -> torch.Tensor:
        """From cells to pixels."""
        if self.step_px == 1:
            return x
        fine = F.interpolate(x, scale_factor=self.step_px, mode="bilinear", align_corners=False)
        return fine[..., : box.height, : box.width]


def _radii_px(torso_px: float) -> torch.Tensor:
    """(B,) on the CPU, half the width of every bone."""
    return torso_px * torch.tensor([bone.radius for bone in BONES])


def _front_first(person: PersonInterval, shares: np.ndarray) -> torch.Tensor:
    """(N, L) layers by depth, mixed from both keyframes; without depth the torso is last."""
    t = torch.from_numpy(shares)[:, None].double()
    poses = [view.pose for view in (person.a, person.b)]
    depths = [pose.depth_order for pose in poses if pose is not None and pose.depth_order is not None]
    if len(depths) < 2:
        return torch.arange(len(LAYERS) - 1, -1, -1).expand(len(t), -1)
    a, b = (torch.from_numpy(depth) for depth in depths)
    return torch.lerp(a, b, t).argsort(dim=1, stable=True)
