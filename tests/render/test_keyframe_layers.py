from __future__ import annotations

import torch
from painted import HEIGHT, WIDTH, keyframe

from rib.render.skinning.bones import BONES, bone_segments, skinning_torso_length_px
from rib.render.skinning.keyframe_layers import KeyframeLayers, cut_body_layers, layer_distances
from rib.structures.box import Box
from rib.structures.keypoints import LAYERS


def _cut(degrees: float) -> torch.Tensor:
    key = keyframe(0, degrees, 0.0)
    view = key.person(0)
    bones = bone_segments(view.pose)
    radius = skinning_torso_length_px(view.pose) * torch.tensor([bone.radius for bone in BONES])
    xy = Box(0, 0, HEIGHT, WIDTH).centres(1, torch.device("cpu"))
    distance = layer_distances(bones, radius, xy)[0]
    return cut_body_layers(
        key.picture,
        view.mask(key.size_px),
        distance,
        view.pose.depth_order[0].tolist(),
        0.9,
        0.2,
        0.25,
    )


def test_every_pixel_of_the_person_belongs_to_somebody() -> None:
    alpha = _cut(40)[:, 3]
    mask = keyframe(0, 40, 0.0).person(0).mask((WIDTH, HEIGHT))[0]
    assert float(alpha.amax(0)[mask > 0].min()) > 0.45
    assert float(alpha.amax(0)[mask == 0].max()) == 0


def test_what_is_hidden_is_unknown_and_what_is_empty_is_known() -> None:
    cut = _cut(90)  # the arm hangs before the torso's flank
    hidden = cut[LAYERS.index("torso"), :, 50, 79]
    empty = cut[LAYERS.index("torso"), :, 5, 5]
    assert hidden[3] < 0.1
    assert hidden[4] < 0.1
    assert empty[3] == 0
    assert empty[4] == 1
    assert cut[LAYERS.index("left_arm"), 3, 50, 79] > 0.9


def test_a_cut_is_the_same_in_whatever_box_it_is_wanted() -> None:
    mask = torch.zeros(1, 12, 16)
    mask[0, 3:9, 4:11] = 1
    place = Box.of_mask(mask)
    assert place == Box(3, 4, 6, 7)
    layers = torch.rand(5, 5, place.height, place.width)
    whole = KeyframeLayers(place, layers, torch.zeros(5)).inside(Box(0, 0, 12, 16), 2)
    assert torch.equal(place.of(whole), layers[2])
    for box in (Box(5, 6, 7, 9), Box(0, 0, 4, 5), Box(10, 12, 2, 2)):
        assert torch.equal(KeyframeLayers(place, layers, torch.zeros(5)).inside(box, 2), box.of(whole))
    nobody = KeyframeLayers(Box.of_mask(mask * 0), layers[..., :0, :0], torch.zeros(5))
    empty = nobody.inside(Box(0, 0, 2, 2), 2)
    assert float(empty[:4].abs().max()) == 0
    assert float(empty[4].min()) == 1
