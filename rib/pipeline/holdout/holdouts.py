"""Hold-out validation: keyframes predicted from those around them tell how a renderer does on this clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.stage_set import StageSet
from rib.pipeline.synthesis.keyframe_window import DecodedKeyframe
from rib.pipeline.synthesis.synthesiser import Synthesiser
from rib.structures.interval import Background, Interval, Keyframe
from rib.structures.keypoints import PoseSequence
from rib.structures.person import PersonView
from rib.structures.person_interval import HoldoutEvidence, PersonInterval, Refinement
from rib.structures.windows import largest_around

NEAREST = 5
"""An interval is judged by so many hold-outs of its shot, the nearest in time."""
MIN_HOLDOUTS = 3
"""Fewer do not judge a renderer's net: it is then not used."""
REACH = 2
"""Keyframes before and after the held-out one that are at hand."""
AROUND_PERSON = 0.025
"""The score looks at the person and so much around, as a share of the picture's height."""


@dataclass(frozen=True)
class Holdouts:
    """Results of hold-out validation.

    Attributes:
        keyframes: (R,) int64, the held-out keyframes in order.
        shots: (R,) int64, the shot each lies in.
        gain_db: (R,), PSNR over the person that the renderer gained on the interpolator; without its net, if
            it has one.
        refined: (R, 3), what its net then changed in LPIPS-AlexNet, PSNR and LPIPS-VGG16; NaN where it is not
            to be judged.
    """

    keyframes: np.ndarray
    shots: np.ndarray
    gain_db: np.ndarray
    refined: np.ndarray | None = None

    def evidence(self, interval: int, cuts: Sequence[int]) -> HoldoutEvidence:
        """Collect the hold-outs' evidence for the interval that begins at a keyframe."""
        return HoldoutEvidence(self.around(interval, cuts), self.refinement(interval, cuts))

    def around(self, interval: int, cuts: Sequence[int]) -> float | None:
        """Mean gain of the nearest hold-outs in the interval's shot; None without any."""
        here = np.flatnonzero(self.shots == np.searchsorted(cuts, interval, side="right"))
        if len(here) == 0:
            return None
        near = here[np.argsort(np.abs(self.keyframes[here] - interval - 0.5), kind="stable")[:NEAREST]]
        return float(self.gain_db[near].mean())

    def refinement(self, interval: int, cuts: Sequence[int]) -> Refinement | None:
        """Average the net's change over all hold-outs in the shot; None with fewer than `MIN_HOLDOUTS`."""
        if self.refined is None:
            return None
        here = self.refined[self.shots == np.searchsorted(cuts, interval, side="right")]
        judged = here[np.isfinite(here).all(1)] if len(here) else here
        if len(judged) < MIN_HOLDOUTS:
            return None
        error = float((judged[:, 0] + judged[:, 2]).std(ddof=1)) / len(judged) ** 0.5
        alexnet, psnr_db, vgg16 = judged.mean(0).tolist()
        return Refinement(alexnet, psnr_db, vgg16, error)


@dataclass
class HoldoutFrames:
    """The keyframes around one that is held out, for everybody whom it judges.

    Attributes:
        near: The keyframes of `holdout_span` it, all of one size, the clip's or smaller.
        interpolated: The interpolator's frame in its place, once somebody asked for it.
    """

    near: Sequence[DecodedKeyframe]
    interpolated: Background | None = None


@dataclass(frozen=True)
class HeldOutPerson:
    """A person in a keyframe that nobody saw, and what stands in its place.

    Attributes:
        keyframe: The truth.
        person: One moment between the keyframes around it, with the pose that follows from all others.
        background: The interpolator's frame there, and the plate.
        region: (1, H, W), 1 on the person and a little around.
    """

    keyframe: Keyframe
    person: PersonInterval
    background: Background
    region: torch.Tensor


def keyframes_to_hold_out(analysis: ClipAnalysis, track_id: int, shot: np.ndarray) -> list[int]:
    """Those keyframes of a shot that show the person and have them on both sides."""
    return [int(k) for k in shot[1:-1] if track_id in analysis.people_at(k - 1, k, k + 1)]


def holdout_span(analysis: ClipAnalysis, keyframe: int) -> range:
    """The keyframes that holding one out takes."""
    last = len(analysis.keyframe_times_s) - 1
    return range(max(0, keyframe - REACH), min(last, keyframe + REACH) + 1)


def hold_out_keyframe(
    stages: StageSet,
    synthesiser: Synthesiser,
    analysis: ClipAnalysis,
    track_id: int,
    keyframe: int,
    frames: HoldoutFrames,
) -> HeldOutPerson:
    """Hold one keyframe out.

    Args:
        stages: Its motion stage gives the pose in the place of it.
        synthesiser: Gives the background there.
        analysis: What is known of the clip.
        track_id: The person to predict.
        keyframe: Its number; the person is on both sides of it.
        frames: Those around it; the interpolator's frame is made once for all people.
    """
    shots = analysis.shots
    records = {one.index: one.keyframe for one in frames.near if shots[one.index] == shots[keyframe]}
    hidden, a, b = (records.pop(k) for k in (keyframe, keyframe - 1, keyframe + 1))
    interval = Interval(a, b, np.array([hidden.time_s]), tuple(records.values()))
    pose = _pose_without(stages, analysis, track_id, keyframe)
    person = PersonInterval.of(interval, pose.resized(hidden.size_px))
    truth = hidden.person(track_id)
    assert person is not None
    assert truth is not None
    frames.interpolated = frames.interpolated or synthesiser.interpolate(interval)
    background = synthesiser.with_plate(frames.interpolated, interval, [person])
    return HeldOutPerson(hidden, person, background, holdout_person_region(truth, hidden))


def holdout_person_region(view: PersonView, keyframe: Keyframe) -> torch.Tensor:
    """(1, H, W), 1 on the person in a keyframe and a little around."""
    mask = view.mask(keyframe.size_px)
    return largest_around((mask > 0.5).float(), round(AROUND_PERSON * mask.shape[1]))


def _pose_without(stages: StageSet, analysis: ClipAnalysis, track_id: int, hidden: int) -> PoseSequence:
    """The person at the held-out keyframe, as the motion stage sees it from the others."""
    poses = analysis.keyframe_tracks.person(track_id)
    if stages.wiring.pose_from_motion:
        return poses[hidden]
    shot = np.flatnonzero(analysis.shots == analysis.shots[hidden])  # nothing is moved across a cut
    moved = stages.motion(poses[shot[shot != hidden]], poses.times_s[[hidden]])
    return replace(moved, track_id=track_id)
