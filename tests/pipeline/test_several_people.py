"""Several people in one clip: who is drawn, under which number, and who is left as they were."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_clips import SIZE, person, picture

from rib.io.errors import RibError
from rib.keypoint_files import write_openpose_json
from rib.pipeline.analysis.chosen_people import choose_people_to_draw, with_person_depth
from rib.pipeline.chain import Chain
from rib.pipeline.holdout.holdouts import HoldoutFrames, hold_out_keyframe, holdout_span
from rib.pipeline.interpolate import interpolate_clip
from rib.pipeline.synthesis.keyframe_window import KeyframeWindow
from rib.pipeline.synthesis.neighbours import (
    clear_trust_of_others,
    interpolated_scene,
    overlap_with_neighbours,
)
from rib.pipeline.synthesis.synthesiser import SynthesisedMoments
from rib.render.protocol import RenderPlan
from rib.structures.box import Box
from rib.structures.interval import Background, Interval, Keyframe
from rib.structures.keypoints import PoseSequence, PoseTracks
from rib.structures.person import PersonView, RenderedPerson
from rib.structures.person_interval import PersonInterval
from rib.video import ArraySource, FrameSource

LEFT, RIGHT = (slice(4, 44), slice(2, 26)), (slice(4, 44), slice(36, 62))


def couple(num_moments: int = 9, away: int | None = None) -> PoseTracks:
    """Two people side by side as numbers 1 and 2; the second may be away at one moment."""
    one = person(num_moments)
    other = person(num_moments, missing=() if away is None else (away,))
    shifted = np.where(other.confidence[..., None] > 0, other.keypoints_px + np.array([25, 2]), 0)
    return PoseTracks.of(
        [replace(one, track_id=1), replace(other, keypoints_px=shifted, track_id=2)],
        np.array([[2.0, 1.0]] * 9),
    )


class CoupleMask:
    """A block for each of the two."""

    def __call__(self, source: FrameSource, poses: PoseSequence) -> Iterator[np.ndarray]:
        for _ in range(len(source)):
            yield matte({1: LEFT, 2: RIGHT}[poses.track_id])


def matte(where: tuple[slice, slice]) -> np.ndarray:
    whole = np.zeros(SIZE[::-1], np.float32)
    whole[where] = 1
    return whole


@dataclass
class Painter:
    """Paints everybody it trusts in one colour over a box that reaches far into the neighbour's place."""

    trusted: tuple[int, ...]
    needs = frozenset({"keyframe_poses", "poses", "masks", "plate"})

    def plan(self, person: PersonInterval, moments: slice, background: Background) -> RenderPlan:
        return RenderPlan(person, person.track_id in self.trusted)

    def render(self, plan: RenderPlan, moments: slice, background: Background) -> RenderedPerson:
        box, num = Box(0, 0, 48, 50), len(background.interpolated)
        ones = torch.ones(num, 1, box.height, box.width)
        depth = plan.person.depth_at(moments)
        colour = ones.repeat(1, 3, 1, 1) * 0.1 * plan.person.track_id
        return RenderedPerson(plan.person.track_id, box, colour, ones, ones, depth)

    def summary(self, notes: Any) -> dict[str, float]:
        return {}


@pytest.fixture
def source() -> ArraySource:
    return ArraySource([picture(i) for i in range(9)], fps=Fraction(10))


@pytest.fixture
def chain(tmp_path: Path, settings: Callable[..., dict[str, Any]]) -> Callable[..., Chain]:
    """A chain on two people from files, whose mattes and drawings are made up."""
    write_openpose_json(couple(), tmp_path / "couple")

    def make(people: str, trusted: Sequence[int] = ()) -> Chain:
        made = Chain.from_config(
            settings(tmp_path, "rate=2", f"people={people}", f"poses={tmp_path / 'couple'}", "render=warp",
                     "background=flow")
        )  # fmt: skip
        made.stages.mask = CoupleMask()
        made.stages.renderer = Painter(tuple(trusted))
        return made

    return make


def frames(chain: Chain, source: ArraySource) -> np.ndarray:
    chain.holdouts = lambda *_: None  # type: ignore[method-assign]
    return np.stack([f.picture for f in chain.frames(source, chain.analyse(source, source.fps * 2))])


@pytest.mark.slow
def test_an_untrusted_neighbour_stays_untouched_to_the_last_bit(
    chain: Callable[..., Chain], source: ArraySource
) -> None:
    floor = frames(chain("all"), source)
    for trusted, neighbour in ((1, RIGHT), (2, LEFT)):
        made = frames(chain("all", [trusted]), source)
        assert np.array_equal(made[(slice(None), *neighbour)], floor[(slice(None), *neighbour)])
        assert (made[1::2] != floor[1::2]).any()


@pytest.mark.slow
def test_nobody_trusted_is_the_interpolated_clip_whoever_is_asked_for(
    chain: Callable[..., Chain], source: ArraySource
) -> None:
    alone = frames(chain("largest"), source)
    assert np.array_equal(frames(chain("all"), source), alone)
    assert np.array_equal(frames(chain("[2]"), source), alone)


def test_each_person_is_drawn_and_the_nearer_one_stands_in_front(
    chain: Callable[..., Chain], source: ArraySource
) -> None:
    made = frames(chain("all", [1, 2]), source)[1]
    colours = np.unique(made[10:40, 30:40].reshape(-1, 3), axis=0)
    assert len(colours) == 1
    assert int(colours[0, 0]) in (round(25.5), round(51.0))


def test_one_interpolated_frame_serves_everybody_whom_a_holdout_judges(
    chain: Callable[..., Chain], source: ArraySource
) -> None:
    made = chain("all", [1, 2])
    analysis = made.analyse(source, source.fps * 2)

    def held(frames: HoldoutFrames, track_id: int) -> torch.Tensor:
        return hold_out_keyframe(
            made.stages, made.synthesiser(), analysis, track_id, 2, frames
        ).background.interpolated

    near = next(iter(KeyframeWindow(analysis, "cpu").spans(source, [holdout_span(analysis, 2)])))
    shared = HoldoutFrames(near)
    assert held(shared, 1) is held(shared, 2)
    assert torch.equal(held(shared, 2), held(HoldoutFrames(near), 2))


@pytest.mark.slow
def test_people_are_chosen_by_their_number(chain: Callable[..., Chain], source: ArraySource) -> None:
    told: list[SynthesisedMoments] = []
    made = chain("[2]", [1, 2])
    analysis = made.analyse(source, source.fps * 2)
    assert analysis.keyframe_tracks.track_ids == analysis.tracks.track_ids == (2,)
    made.holdouts = lambda *_: None  # type: ignore[method-assign]
    list(made.frames(source, analysis, told.append))
    assert {one.track_id for synthesis in told for one in synthesis.people} == {2}
    with pytest.raises(RibError, match=r"nobody in this clip has person_id 7; the person_ids are 1, 2"):
        chain("[2,7]").analyse(source, source.fps)


def test_poses_come_out_under_their_numbers_and_can_be_read_again(
    tmp_path: Path, settings: Callable[..., dict[str, Any]], source: ArraySource
) -> None:
    write_openpose_json(couple(away=4), tmp_path / "couple")
    config = settings(tmp_path, "rate=1", "people=all", f"poses={tmp_path / 'couple'}", "motion=linear")
    summary = interpolate_clip(config, source)
    files = sorted((tmp_path / "out" / "poses").glob("*.json"))
    ids = [[p["person_id"][0] for p in json.loads(file.read_text())["people"]] for file in files]
    assert [sorted(one) for one in ids] == [[1, 2]] * 9
    assert [line["person_id"] for line in summary["people"]] == ids[0]
    shares = {line["person_id"]: line["in_keyframes"] for line in summary["people"]}
    assert shares == {1: 1.0, 2: pytest.approx(8 / 9, abs=1e-4)}


@pytest.mark.parametrize(
    "value",
    [
        "everyone",
        "[1,1]",
        *(pytest.param(one, marks=pytest.mark.slow) for one in ("[]", "[-1]", "3", "[1.5]")),
    ],
)
def test_what_is_no_choice_of_people_is_refused(
    tmp_path: Path, settings: Callable[..., dict[str, Any]], value: str
) -> None:
    with pytest.raises(RibError, match="people"):
        Chain.from_config(settings(tmp_path, "rate=2", f"people={value}"))


def test_whoever_is_larger_or_stands_lower_is_nearer() -> None:
    tracks = replace(couple(), person_depth=None)
    depth = with_person_depth(tracks).person_depth
    assert depth is not None
    assert (depth[:, 1] < depth[:, 0]).all()  # two pixels lower in the picture
    assert choose_people_to_draw(tracks, "all") is tracks
    alone = tracks.only([1])
    assert with_person_depth(alone) is alone


def test_the_share_of_a_matte_that_somebody_else_has_too() -> None:
    left, right = torch.zeros(1, 10, 20), torch.zeros(1, 10, 20)
    left[..., 2:10], right[..., 8:16] = 1, 1
    views = tuple(PersonView.of(None, mask, number) for number, mask in enumerate((left, right), 1))
    keyframe = Keyframe(0, 0.0, torch.zeros(3, 10, 20), views)
    assert overlap_with_neighbours(views[0], keyframe) == pytest.approx(0.25)
    assert overlap_with_neighbours(views[0], replace(keyframe, people=views[:1])) == 0.0


def test_trust_ends_where_somebody_else_is_carried_by_the_flow() -> None:
    size = (40, 30)
    mask = torch.zeros(1, 30, 40)
    mask[:, 10:20, 4:10] = 1
    views = (PersonView.of(None, mask, 2),)
    a = Keyframe(0, 0.0, torch.zeros(3, 30, 40), views)
    b = Keyframe(1, 1.0, torch.zeros(3, 30, 40), ())
    flow = torch.zeros(1, 4, 30, 40)
    flow[:, 0] = -20.0  # what is seen at x was 20 px to the left in a
    box, ones = Box(0, 0, 30, 40), torch.ones(1, 1, 30, 40)
    drawn = RenderedPerson(1, box, ones.repeat(1, 3, 1, 1), ones, ones, torch.zeros(1))
    background = Background(torch.zeros(1, 3, *size[::-1]), flow=flow)
    (kept,) = clear_trust_of_others([drawn], Interval(a, b, np.array([0.5])), background)
    assert not kept.trust[..., 10:20, 24:30].any()  # where the flow brings them
    assert not kept.trust[..., 10:20, 4:10].any()  # where the plate shows them
    assert (kept.trust[..., 10:20, 14:20] == 1).all()
    (same,) = clear_trust_of_others([replace(drawn, track_id=2)], Interval(a, b, np.array([0.5])), background)
    assert torch.equal(same.trust, ones)


def test_the_interpolated_frame_shows_the_scene_where_it_carries_nobody_who_is_drawn() -> None:
    mask = torch.zeros(1, 30, 40)
    mask[:, 10:20, 4:10] = 1
    keyframes = [
        Keyframe(i, float(i), torch.rand(3, 30, 40), (PersonView.of(None, mask, 2),)) for i in (0, 1)
    ]
    flow = torch.zeros(1, 4, 30, 40)
    flow[:, ::2] = -20.0
    background = Background(torch.rand(1, 3, 30, 40), flow=flow, weight_a=torch.full((1, 1, 30, 40), 0.5))
    interval = Interval(*keyframes, np.array([0.5]))
    shown = interpolated_scene(background.interpolated, background, interval, [2])
    assert torch.equal(shown[:, :3], background.interpolated)
    assert not shown[0, 3, 10:20, 24:30].any()
    assert shown[0, 3].sum() == 30 * 40 - 60
    assert (interpolated_scene(background.interpolated, background, interval, [1])[:, 3] == 1).all()
