"""Edits, doubled pictures, tracks and a close-up as people have them, through the whole command."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.stream import Disposition
from av.subtitles.subtitle import SubtitleSet
from edited_clips import CUT, CUTS, FOOTAGE, NO_CUTS, frames_of, letters, pan, stored, titled
from small_clips import person, picture

from rib.config.compose import compose
from rib.keypoint_files import write_openpose_json
from rib.pipeline.interpolate import interpolate_clip
from rib.video import open_frame_source

Settings = Callable[..., dict[str, Any]]
pytestmark = pytest.mark.slow
needs_footage = pytest.mark.skipif(not FOOTAGE.is_dir(), reason=f"the real clips are not at {FOOTAGE}")


def run(settings: Settings, clip: Path, *overrides: str) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The summary and the output's frames."""
    source = open_frame_source(clip)
    poses = clip.parent / "its_poses"
    write_openpose_json(person(len(source), size=source.size_px), poses)
    summary = interpolate_clip(settings(clip, "motion=linear", f"poses={poses}", *overrides))
    made = sorted((clip.parent / "out" / "frames").glob("*.png"))
    return summary, [cv2.imread(str(path))[..., ::-1] for path in made]


@needs_footage
@pytest.mark.parametrize("name", [*CUTS, *NO_CUTS])
def test_edits_are_cut_where_they_are_and_nowhere_else(settings: Settings, tmp_path: Path, name: str) -> None:
    frames = {**CUTS, **NO_CUTS}[name]()
    clip = stored(tmp_path / "a.mp4", frames)
    summary, made = run(settings, clip, "rate=4", "background=blend")
    assert len(made) == 4 * len(frames)
    keyframes = list(open_frame_source(clip))
    assert all(np.array_equal(made[4 * k], keyframes[k]) for k in range(len(keyframes)))
    if name in NO_CUTS:
        assert summary["cuts_s"] == []
        return
    assert summary["cuts_s"] == [CUT / 24]
    first = 4 * (CUT - 1)
    for number in range(first, 4 * CUT):  # nothing mixes two shots
        shot = keyframes[CUT - 1] if number < first + 2 else keyframes[CUT]
        assert np.array_equal(made[number], shot)


@needs_footage
def test_drawings_on_twos_move_in_even_steps(settings: Settings, tmp_path: Path) -> None:
    drawn = frames_of("sam2_juggle.mp4", 2.0, 18, fps=12, lines=180)
    clip = stored(tmp_path / "a.mp4", [frame for frame in drawn for _ in range(2)])
    config = compose(
        "interpolate", f"input={clip}", "rate=2", f"output={tmp_path / 'out'}", "video=frames", "device=cpu",
        "video.pictures=true", "background=blend", "render=none", "report=false",
        f"cache.dir={tmp_path / 'cache'}",
    )  # fmt: skip
    summary = interpolate_clip(config)
    assert (summary["output"]["fps"], summary["output"]["frames"]) == (48, 72)
    assert any("by a cadence" in note for note in summary["input"]["notes"])
    made = [cv2.imread(str(p)).astype(float) for p in sorted((tmp_path / "out" / "frames").glob("*.png"))]
    # each picture takes four frames, and every one of them moves on; the last is held
    steps = np.array([np.abs(b - a).mean() for a, b in pairwise(made[:69])]).reshape(17, 4)
    assert (steps.min(axis=1) > 0.8 * steps.max(axis=1)).all()


@needs_footage
def test_a_sign_and_a_subtitle_over_a_pan_stay_as_they_are(settings: Settings, tmp_path: Path) -> None:
    shots = list(pan(5))
    clip, shown = stored(tmp_path / "a.mp4", titled(shots), crf=8), letters(shots)
    _, made = run(settings, clip, "rate=2", "background=rife", "overlays=keep")
    for number in range(1, 8, 2):
        before, here, after = (made[k][shown].astype(float) for k in (number - 1, number, number + 1))
        assert np.abs(here - (before + after) / 2).mean() < 3


@needs_footage
def test_somebody_near_and_cut_off_by_the_edge_is_no_worse_than_without_rendering(tmp_path: Path) -> None:
    source = open_frame_source(FOOTAGE / "intel_asl_walk.mkv")
    truth = [frame[:350] for frame, _ in zip(source, range(9), strict=False)]
    clip = stored(tmp_path / "a.mp4", truth[::4], fps=8, crf=8)
    decibels = {}
    for render in ("warp", "none"):
        interpolate_clip(
            compose(
                "interpolate", f"input={clip}", "rate=4", f"output={tmp_path / render}", f"render={render}",
                "video=frames", "video.pictures=true", "report=false", f"cache.dir={tmp_path / 'cache'}",
                "device=cpu",
            )
        )  # fmt: skip
        made = [cv2.imread(str(tmp_path / render / "frames" / f"{n:06d}.png"))[..., ::-1] for n in range(9)]
        errors = [((a.astype(float) - b) ** 2).mean() for a, b in zip(made, truth, strict=True)]
        decibels[render] = 10 * np.log10(255**2 / np.array(errors))
    assert (decibels["warp"] > decibels["none"] - 0.1).all()
    assert decibels["warp"][1:4].min() > 38


@pytest.fixture
def rip(tmp_path: Path) -> Path:
    """As a disc is ripped: FLAC in 5.1, commentary as the default track, subtitles, chapters, a title."""
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        container.metadata.update({"title": "My Film", "creation_time": "2024-05-06T07:08:09.000000Z"})
        container.set_chapters(
            [
                {"id": k, "start": 700 * k, "end": 700 * k + 700, "time_base": Fraction(1, 1000),
                 "metadata": {"title": name}}
                for k, name in enumerate(("One", "Two"))
            ]
        )  # fmt: skip
        kinds = (("flac", "5.1", "s16", "eng"), ("aac", "stereo", "fltp", "jpn"))
        sounds = [container.add_stream(codec, rate=48000, layout=layout) for codec, layout, _, _ in kinds]
        text = container.add_stream("subrip")
        text.time_base = Fraction(1, 1000)
        for stream, (_, _, _, language) in zip(sounds, kinds, strict=True):
            stream.metadata["language"] = language
            stream.disposition = Disposition.default if language == "jpn" else Disposition(0)
        text.codec_context.subtitle_header = b"[Script Info]\nScriptType: v4.00+\n[Events]\n"
        said = SubtitleSet.create(text=b"0,0,Default,,0,0,0,,hello", start=0, end=1000)
        packet = text.codec_context.encode_subtitle(said)
        packet.pts, packet.dts, packet.duration, packet.time_base = 0, 0, 1000, Fraction(1, 1000)
        packet.stream = text
        container.mux(packet)
        for index in range(15):
            frame = av.VideoFrame.from_ndarray(picture(index), format="rgb24")
            frame.pts = index
            container.mux(video.encode(frame))
            for stream, (_, layout, kind, _) in zip(sounds, kinds, strict=True):
                channels = av.AudioLayout(layout).nb_channels
                shape = (1, 4800 * channels) if kind == "s16" else (channels, 4800)
                wave = np.zeros(shape, np.int16 if kind == "s16" else np.float32)
                block = av.AudioFrame.from_ndarray(wave, kind, layout)
                block.sample_rate, block.pts, block.time_base = 48000, 4800 * index, Fraction(1, 48000)
                container.mux(stream.encode(block))
        for stream in (video, *sounds):
            container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("suffix", "sounds", "text", "lost"),
    [
        ("mp4", ["aac", "aac"], "mov_text", ["flac of sound track 1: MP4 does not hold it, it became AAC"]),
        ("mkv", ["flac", "aac"], "srt", []),
        (
            "webm",
            ["opus", "opus"],
            "webvtt",
            [
                "flac of sound track 1: WebM does not hold it, it became Opus",
                "aac of sound track 2: WebM does not hold it, it became Opus",
            ],
        ),
    ],
)
def test_a_film_keeps_its_tracks_chapters_and_title_and_tells_the_rest(
    settings: Settings, rip: Path, suffix: str, sounds: list[str], text: str, lost: list[str]
) -> None:
    made = rip.with_name(f"made.{suffix}")
    summary, _ = run(
        settings, rip, "rate=2", "video=mp4", f"output={made}", "video.pictures=false", "video.crf=40"
    )
    assert summary["not_kept"] == lost
    with av.open(str(made)) as container:
        audio, (subtitle,) = container.streams.audio, container.streams.subtitles
        assert [s.codec_context.name for s in audio] == sounds
        assert [s.codec_context.channels for s in audio] == [6, 2]
        assert [s.metadata["language"] for s in audio] == ["eng", "jpn"]
        assert [bool(s.disposition & Disposition.default) for s in audio] == [False, True]
        assert subtitle.codec_context.name == text
        assert [c["metadata"]["title"] for c in container.chapters()] == ["One", "Two"]
        assert container.metadata["title"] == "My Film"
        said = {key.lower(): value for key, value in container.metadata.items()}
        assert said["creation_time"].startswith("2024-05-06T07:08:09")
