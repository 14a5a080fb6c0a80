"""Training pairs made on the fly: windows of mocap, seen by a virtual camera, decimated and corrupted.

Letters: B clips, K keyframes, J joints. Moments between keyframes come as `NUM_QUERIES` frames a segment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypedDict

import torch
from torch import Tensor

from rib.io.settings.ranges import Count, ListSize, NonNegative, Positive, Range, RisingList, Share
from rib.io.settings.reads import ReadWith
from rib.mocap.cameras.views import RandomCameras
from rib.mocap.stores.bank import MotionBank
from rib.motion.corruption.detector_noise import DetectorErrors, DetectorNoise
from rib.motion.training.recombination import recombine_limbs, sway_limbs, turn_bodies
from rib.structures.skeleton import BODY19, joint_set_named

NUM_QUERIES = 5
"""Query times a segment: the one after its first keyframe, three in a row, the one before its last."""

TRUNK = ("nose", "neck", "shoulder", "hip")


class MotionBatch(TypedDict):
    """Corrupted keyframes and the truth.

    Keys:
        times_s: (B, K) float64.
        keypoints_px: (B, K, 19, 2), 0 where missing.
        confidence: (B, K, 19).
        target_px: (B, K, 19, 2), the true keyframes.
        query_times_s: (B, K - 1, NUM_QUERIES) float64.
        query_px: (B, K - 1, NUM_QUERIES, 19, 2), the truth there.
        clean: (B,) bool, keyframes are exact.
        height_px: The standing person's height.
        frame_s: (B,) seconds between frames of the truth.
    """

    times_s: Tensor
    keypoints_px: Tensor
    confidence: Tensor
    target_px: Tensor
    query_times_s: Tensor
    query_px: Tensor
    clean: Tensor
    height_px: float
    frame_s: Tensor


@dataclass(frozen=True)
class MotionWindowRecipe:
    """Sampling of windows.

    Attributes:
        keyframes: Least and greatest number of keyframes; one number a batch.
        tokens: Keyframes in a batch altogether; the batch's size follows.
        strides: Frames between keyframes, drawn evenly, shortened for short recordings.
        irregular: Share of clips with uneven keyframes (each interval up to half longer or shorter).
        speed: Least and greatest speed, log-uniform; 2 plays a recording in half its time.
        reversed: Share of clips played backwards.
        mirrored: Share of clips mirrored.
        bone_spread: Log-normal spread of bone lengths.
        landmark_spread: By how much of the bones around them joints lie elsewhere on the body, standard
            deviation: no two detectors mean quite the same by a hip.
        recombined: Share of clips with the limbs of another (`rib.motion.training.recombination`).
        swayed: Share of clips whose limbs sway besides.
        sway_deg: Standard deviation of that, degrees.
        sway_hz: Least and greatest frequency of it, and of turning and leaning.
        turned: Share of clips whose body turns and leans besides.
        turn_deg_s: Greatest steady turn, degrees a second.
        lean_deg: Standard deviation of the lean, degrees.
        length_power: Recordings are drawn in proportion to their length to this power.
    """

    keyframes: Annotated[tuple[Count, Count], RisingList()]
    tokens: Annotated[int, Range(2, 10**7)]
    strides: Annotated[Sequence[Annotated[int, Range(1, 10_000)]], ListSize(1, 10_000)]
    irregular: Share
    speed: Annotated[tuple[Positive, Positive], RisingList()]
    reversed: Share
    mirrored: Share
    bone_spread: NonNegative
    landmark_spread: NonNegative
    recombined: Share
    swayed: Share
    sway_deg: Annotated[NonNegative, ReadWith("swayed", example="0.25")]
    sway_hz: Annotated[tuple[Positive, Positive], RisingList()]
    turned: Share
    turn_deg_s: Annotated[NonNegative, ReadWith("turned", example="0.1")]
    lean_deg: Annotated[NonNegative, ReadWith("turned", example="0.1")]
    length_power: Annotated[float, Range(0, 4)]


class MotionWindows:
    """Draws whole batches from a bank.

    Args:
        bank: The recordings.
        recipe: How windows are drawn.
        views: The cameras.
        noise: The corruption.
        errors: Errors of real detectors, or None.
    """

    def __init__(
        self, bank: MotionBank, recipe: MotionWindowRecipe, views: RandomCameras, noise: DetectorNoise,
        errors: DetectorErrors | None,
    ) -> None:  # fmt: skip
        self.bank, self.recipe, self.views = bank, recipe, views
        self.noise, self.errors = noise, errors
        self.flip = torch.as_tensor(joint_set_named("body19").flip_index, device=bank.joints.device)
        self.bones, self.chains = (matrix.to(bank.joints.device) for matrix in _skeleton())
        self.around = _around(self.bones)

    def draw(self, generator: torch.Generator) -> MotionBatch:
        """One batch, on the bank's and the generator's device; the generator's state decides all of it."""
        r = self.recipe
        low, high = r.keyframes
        K = low + int(self._even(1, generator) * (high + 1 - low))
        B = max(1, r.tokens // K)
        clip, place, frame, frame_s = self._frames(B, K, generator)
        mirrored = self._even(B, generator) < r.mirrored
        times_s = place * frame_s[:, None]
        joints = self._people(self.bank.frames(clip, frame), times_s, mirrored, generator)
        camera = self.views(joints[:, :K], self.bank.stature_m[clip], generator)
        seen = camera.project(joints)
        seen[..., 0] *= torch.where(mirrored, -1.0, 1.0)[:, None, None]
        observed = self.noise(seen, times_s, K, self.views.height_px, generator, self.errors)
        target, queries = observed.meant[:, :K], observed.meant[:, K:].unflatten(1, (K - 1, NUM_QUERIES))
        return MotionBatch(
            times_s=times_s[:, :K], keypoints_px=observed.keypoints, confidence=observed.confidence,
            target_px=target, query_times_s=times_s[:, K:].unflatten(1, (K - 1, NUM_QUERIES)),
            query_px=queries, clean=observed.clean, height_px=self.views.height_px, frame_s=frame_s,
        )  # fmt: skip

    def _frames(self, B: int, K: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Choose the frames: keyframes, then `NUM_QUERIES` a segment; N = K + (K - 1) NUM_QUERIES.

        Returns:
            Recordings (B,), numbers of the frames in the order of play (B, N) and in the recording (B, N),
            and seconds a frame (B,) float64.
        """
        r, lengths = self.recipe, self.bank.lengths
        weight = (lengths >= 2 * (K - 1) + 1) * lengths.double() ** r.length_power
        clip = torch.multinomial(weight, B, replacement=True, generator=generator)
        T = lengths[clip][:, None]
        strides = torch.tensor(r.strides, device=generator.device)
        stride = strides[(self._even(B, generator) * len(strides)).long()][:, None]
        stride = stride.minimum((T - 1) // (K - 1)).expand(B, K - 1)
        uneven = (stride + ((self._even((B, K - 1), generator) - 0.5) * stride).round().long()).clamp_min(2)
        fits = (uneven.sum(1, keepdim=True) < T) & (self._even((B, 1), generator) < r.irregular)
        step = torch.where(fits, uneven, stride)
        key = torch.cat([torch.zeros_like(T), step.cumsum(1)], 1)
        total = key[:, -1:]
        middle = key[:, :-1] + 1 + (self._even((B, K - 1), generator) * (step - 1)).long()
        query = torch.stack([key[:, :-1] + 1, middle - 1, middle, middle + 1, key[:, 1:] - 1], -1)
        place = torch.cat([key, query.flatten(1)], 1)
        begin = (self._even((B, 1), generator) * (T - total)).long()
        backwards = self._even((B, 1), generator) < r.reversed
        low, high = r.speed
        speed = low * (high / low) ** self._even(B, generator).double()
        return clip, place, begin + torch.where(backwards, total - place, place), 1 / (speed * self.bank.fps)

    def _people(
        self, joints: Tensor, times_s: Tensor, mirrored: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Recombine and sway limbs; other bone lengths and landmarks, alike left and right; swap sides."""
        r, (B, J) = self.recipe, (len(joints), len(BODY19))
        joints = joints.transpose(1, 2).contiguous()
        bones = (self.bones @ joints.flatten(2)).reshape_as(joints)
        if r.recombined:
            bones = recombine_limbs(bones, joints, r.recombined, generator)
        if r.swayed:
            bones = sway_limbs(bones, times_s, r.swayed, r.sway_deg, r.sway_hz, generator)
        if r.turned:
            bones = turn_bodies(bones, times_s, r.turned, r.turn_deg_s, r.lean_deg, r.sway_hz, generator)
        spread = torch.randn(B, J, generator=generator, device=generator.device)
        scale = torch.exp(r.bone_spread * spread)
        scale = 0.5 * (scale + scale[:, self.flip])
        scale[:, BODY19.index("mid_hip")] = 1
        moved = torch.randn(B, J, J, generator=generator, device=generator.device) * self.around
        moved = r.landmark_spread * 0.5 * (moved + moved[:, self.flip][:, :, self.flip])
        change = self.chains * scale[:, None] + moved
        change = torch.where(mirrored[:, None, None], change[:, self.flip], change)
        return (change @ bones.flatten(2)).reshape_as(bones).transpose(1, 2)

    @staticmethod
    def _even(shape: int | tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Draws from 0..1."""
        return torch.rand(shape, generator=generator, device=generator.device)


def _skeleton() -> tuple[Tensor, Tensor]:
    """Matrices (19, 19) from joints to bones (the root stays) and from bones back to joints."""
    J, root = len(BODY19), BODY19.index("mid_hip")
    parent = {root: root}
    limbs = [set(limb) for limb in joint_set_named("body19").limbs]
    while len(parent) < J:
        for limb in limbs:
            known = [j for j in limb if j in parent]
            if len(known) == 1:
                parent[(limb - set(known)).pop()] = known[0]
    bones = torch.eye(J)
    for child, above in parent.items():
        if child != root:
            bones[child, above] = -1
    return bones, torch.linalg.inv(bones)


def _around(bones: Tensor) -> Tensor:
    """(19, 19), 1 where a bone (column) touches a joint (row), or both belong to the trunk."""
    root = BODY19.index("mid_hip")
    touches = (bones != 0).T | (bones != 0)
    trunk = torch.tensor([any(part in name for part in TRUNK) for name in BODY19], device=bones.device)
    touches |= trunk[:, None] & trunk
    touches[:, root] = False  # the root's row of `bones` is its place, no vector
    return touches.float()
