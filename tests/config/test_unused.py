"""What is typed and read by nothing that was chosen is refused, with what would read it."""

from __future__ import annotations

import pytest

from rib.config.compose import compose
from rib.io.errors import RibError

CLIP = ("interpolate", "input=x", "rate=2", "device=cpu")
REFUSED = {
    ("poses=here",): "nothing of what was chosen reads it; type motion=files or pose=files",
    ("render=none", "mask.gain=2"): "mask.gain was given, but what was chosen draws no person",
    ("render=none", "mask=files", "mask.path=x"): "mask was given",
    ("render=none", "neighbours=2"): "neighbours was given",
    ("render=none", "plate.seam_share=0.1"): "plate.seam_share was given",
    ("render=none", "rehearsals.per_shot=2"): "holdouts.per_shot was given",
    ("motion=files", "poses=x", "pose.max_people=2"): "motion=files brings the poses",
    ("video=frames", "video.crf=3"): "no video is written; name an encoder",
    ("render=gan", "render.fitting.lr=1e-4"): "nothing is fitted; type render.fit=300",
}


@pytest.mark.parametrize("typed", REFUSED, ids=" ".join)
@pytest.mark.slow
def test_a_setting_that_nothing_reads_is_refused(typed: tuple[str, ...]) -> None:
    with pytest.raises(RibError) as refused:
        compose(*CLIP, *typed)
    assert REFUSED[typed] in str(refused.value)


@pytest.mark.parametrize(
    "typed",
    [
        ("pose=files", "poses=here", "keypoints=coco17"),
        ("motion=files", "poses=here"),
        ("poses=null",),
        ("mask.gain=2",),
        ("render=gan", "render.fit=3", "render.fitting.lr=1e-4"),
    ],
    ids=" ".join,
)
def test_a_setting_that_is_read_is_taken(typed: tuple[str, ...]) -> None:
    compose(*CLIP, *typed)


def test_other_verbs_have_such_settings_too() -> None:
    with pytest.raises(RibError, match=r"device=cpu was given.*leave it out"):
        compose("prepare", "data=mocap", "data.prepare.folder=x", "device=cpu")
    with pytest.raises(RibError, match=r"poses=x was given.*type motion=files"):
        compose("upsample", "input=x", "poses=x")
    with pytest.raises(RibError, match=r"show\.crf was given.*type skeletons=true"):
        compose("evaluate", "show.crf=3")
    with pytest.raises(RibError, match=r"linear\.hold_s was given"):
        compose("upsample", "input=x", "linear.hold_s=3")


@pytest.mark.parametrize("group", ["pose", "motion", "render", "video", "pose/tracker@pose.tracker"])
def test_a_group_without_an_option_is_told_with_its_options(group: str) -> None:
    with pytest.raises(
        RibError,
        match=rf"{group.partition('@')[0]}=null names no option, but one is needed; choose one of: \w+",
    ):
        compose(*CLIP, f"{group}=null")
