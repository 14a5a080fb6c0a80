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
    ("mask.zoom=1.1",): "mattes are made of the masks that the pose stage sees",
    ("render=none", "neighbours=2"): "neighbours was given",
    ("render=none", "plate.seam_share=0.1"): "plate.seam_share was given",
    ("render=none", "rehearsals.per_shot=2"): "holdouts.per_shot was given",
    ("motion=files", "poses=x", "pose.max_people=2"): "motion=files brings the poses",
    ("video=frames", "video.crf=3"): "nothing reads it with video.codec=null; type video.codec=libx264",
    ("render=gan", "render.fitting.lr=1e-4"): "nothing reads it with render.fit=0; type render.fit=300",
    ("keypoints=coco17",): "nothing of what was chosen reads it; type motion=files or pose=files",
    ("motion=files", "poses=x", "pose=files"): "pose was given, but motion=files brings the poses",
    ("motion=files", "poses=x", "pose.tile_px=99"): "pose.tile_px was given",
    ("motion=files", "poses=x", "pose/tracker=default"): "pose.tracker was given",
    ("video=frames", "sound=keep"): "no video is written",
    ("video=frames", "video.ground='#00ff00'"): "nothing reads it with video.codec=null",
    ("video.png_level=3",): "no pictures are written; type video.pictures=true",
    ("output=x.mp4", "sidecar=false", "report=true"): "sidecar=false leaves it out",
    (
        "render=gan",
        "render.net.widths=[4,4,4,4]",
    ): "nothing reads it with render.ckpt=null",
    ("render=reference", "render.ckpt=x", "render.net.width=8"): "the net comes with ckpt=; leave it out",
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
        ("render=gan", "render.ckpt=untrained", "render.net.widths=[4,4,4,4]"),
        ("video=frames", "video.png_level=3"),
    ],
    ids=" ".join,
)
def test_a_setting_that_is_read_is_taken(typed: tuple[str, ...]) -> None:
    compose(*CLIP, *typed)


@pytest.mark.slow
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


@pytest.mark.slow
def test_what_trains_a_net_is_read_or_refused_in_the_same_way() -> None:
    smoke = ("train", "experiment=motion_smoke")
    for typed, other in {
        "windows.turn_deg_s=20": "windows.turned=0",
        "noise.wander_size=[0.01,0.02]": r"noise.wander=\[0, 0\]",
    }.items():
        with pytest.raises(RibError, match=f"was given, but nothing reads it with task.data.{other}"):
            compose(*smoke, f"task.data.{typed}")
    compose(*smoke, "task.data.windows.turned=0.2", "task.data.windows.turn_deg_s=20")
    for pair in ("noise.sigma=[0,0.1]", "noise.sigma=[0.2,0.1]", "noise.wander=[0,2]"):
        with pytest.raises(RibError, match=r"^task.data.noise.*expected"):
            compose(*smoke, f"task.data.{pair}")


@pytest.mark.slow
def test_a_lower_limit_stays_below_its_upper_one() -> None:
    for typed in ("render.trust.low=0.2", "render.trust.low=0.08", "render.skinning.core=9"):
        with pytest.raises(RibError, match=r"expected a number (below|up to) "):
            compose(*CLIP, typed)
