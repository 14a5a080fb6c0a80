from __future__ import annotations

import torch
from painted import HEIGHT, WIDTH, keyframe

from rib.render.skinning.bones import BONES, bone_segments, skinning_torso_length_px
from rib.render.skinning.keyframe_layers import (
    KeyframeLayers,
    LayerAlpha,
    furthest_layer_distances,
    layer_alphas,
    layer_distances,
)
from rib.structures.box import Box
from rib.structures.interval import Keyframe
from rib.structures.keypoints import LAYERS


def _layers(key: Keyframe) -> KeyframeLayers:
    view = key.person(0)
    bones = bone_segments(view.pose)
    radius = skinning_torso_length_px(view.pose) * torch.tensor([bone.radius for bone in BONES])
    distance = layer_distances(bones, radius, view.box.centres(1, torch.device("cpu")))[0]
    alphas = layer_alphas(view.matte, distance, view.pose.depth_order[0].tolist(), 0.9, 0.2, 0.25)
    furthest = furthest_layer_distances(alphas, distance)
    return KeyframeLayers(key, view.box, view.matte, tuple(map(LayerAlpha.of, alphas)), furthest)


def _cut(degrees: float) -> torch.Tensor:
    layers, whole = _layers(keyframe(0, degrees, 0.0)), Box(0, 0, HEIGHT, WIDTH)
    return torch.stack([layers.inside(whole, layer) for layer in range(len(LAYERS))])


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
    layers = _layers(keyframe(0, 40, 0.0))
    for number in range(len(LAYERS)):
        whole = layers.inside(Box(0, 0, HEIGHT, WIDTH), number)
        for box in (Box(5, 60, 70, 40), Box(0, 0, 4, 5), layers.place, layers.alphas[number].box):
            assert torch.equal(layers.inside(box, number), box.of(whole))


def test_a_layer_is_the_picture_where_its_alpha_lies() -> None:
    key = keyframe(0, 40, 0.0)
    mask = key.person(0).mask((WIDTH, HEIGHT))
    for cut in _cut(40):
        alpha = cut[3:4]
        assert torch.equal(cut[:3], key.picture * alpha)
        assert torch.equal(cut[4:], 1 - (mask - alpha))


def test_of_nobody_nothing_is_there_and_that_is_known() -> None:
    key = keyframe(0, 40, 0.0)
    nothing = torch.zeros(1, 0, 0)
    alphas = tuple(LayerAlpha.of(nothing[0]) for _ in LAYERS)
    empty = KeyframeLayers(key, Box.empty(), nothing, alphas, torch.zeros(5)).inside(Box(0, 0, 2, 2), 2)
    assert float(empty[:4].abs().max()) == 0
    assert float(empty[4].min()) == 1


def test_a_limb_keeps_no_more_than_its_own_part() -> None:
    layers = _layers(keyframe(0, 40, 0.0))
    kept = sum(one.alpha.numel() for one in layers.alphas)
    assert kept < 0.6 * len(LAYERS) * layers.matte.numel()
