"""Colours and shapes of real footage: what a player would show of the source, it shows of the result."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from rib.video import ColourTreatment, VideoWriter, open_frame_source
from rib.video.colour.look import ColourMetadata

BARS = np.repeat(
    np.array(
        [[200, 200, 200], [190, 190, 20], [20, 180, 180], [30, 170, 40], [180, 40, 180], [190, 30, 30]],
        np.uint8,
    ),
    16,
    axis=0,
)


def bars(index: int, size: tuple[int, int]) -> np.ndarray:
    """Colour bars that wander by 16 pixels a frame."""
    row = np.resize(np.roll(BARS, 16 * index, axis=0), (size[0], 3))
    return np.ascontiguousarray(np.broadcast_to(row, (size[1], *row.shape)))


def store(
    path: Path,
    size: tuple[int, int] = (96, 64),
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    matrix: Colorspace = Colorspace.ITU709,
    full: bool = False,
    tags: tuple[int, int, int] | None = None,
    aspect: Fraction | None = None,
    rotation: int | None = None,
    options: dict[str, str] | None = None,
    paint: Callable[[int, tuple[int, int]], np.ndarray] = bars,
    source_format: str = "rgb24",
) -> Path:
    """Three frames, made with a matrix and a range whether tagged with them or not."""
    quality = {"crf": "4", "preset": "ultrafast"} if codec == "libx264" else {}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10, options={**quality, **(options or {})})
        (stream.width, stream.height), stream.pix_fmt = size, pixel_format
        if tags:
            context = stream.codec_context
            context.color_primaries, context.color_trc, context.colorspace = tags
        if full:
            stream.codec_context.color_range = ColorRange.JPEG
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation:
            stream.set_display_rotation(rotation)
        for index in range(3):
            frame = av.VideoFrame.from_ndarray(paint(index, size), format=source_format)
            stored = frame.reformat(
                format=pixel_format,
                dst_colorspace=matrix,
                dst_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
            )
            stored.pts = index
            container.mux(stream.encode(stored))
        container.mux(stream.encode(None))
    return path


def rewritten(path: Path, **settings: Any) -> tuple[VideoWriter, Path]:
    """The clip's frames written again, each twice."""
    source = open_frame_source(path, colours=settings.pop("colours", None))
    made = path.with_name("made.mp4")
    plain = {"codec": "libx264", "crf": 2, "pixel_format": "auto", "look": source.look, **settings}
    with VideoWriter(made, source.fps * 2, source.size_px, **plain) as writer:
        for frame in source:
            writer.write(frame)
            writer.write(frame)
    return writer, made


def first_frame(path: Path) -> tuple[av.VideoFrame, Fraction | None]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return next(container.decode(stream)), stream.sample_aspect_ratio


def as_players_show(path: Path) -> np.ndarray:
    """RGB by the tags; untagged is BT.709 from 720 lines on."""
    frame, _ = first_frame(path)
    tagged = {1: Colorspace.ITU709, 5: Colorspace.ITU601, 6: Colorspace.ITU601, 9: Colorspace.BT2020}
    guess = Colorspace.ITU709 if frame.height >= 720 else Colorspace.ITU601
    return frame.reformat(
        format="rgb24", src_colorspace=tagged.get(int(frame.colorspace), guess)
    ).to_ndarray()


@pytest.mark.parametrize(
    ("size", "matrix", "tags"),
    [
        ((1280, 720), Colorspace.ITU709, None),
        ((96, 720), Colorspace.ITU709, None),
        ((96, 64), Colorspace.ITU601, None),
        ((96, 64), Colorspace.ITU709, (1, 1, 1)),
        ((96, 64), Colorspace.ITU601, (6, 6, 6)),
        ((96, 64), Colorspace.ITU601, (5, 6, 5)),
    ],
)
def test_colours_are_those_that_a_player_shows(
    tmp_path: Path, size: tuple[int, int], matrix: Colorspace, tags: tuple[int, int, int] | None
) -> None:
    clip = store(tmp_path / "a.mp4", size, matrix=matrix, tags=tags)
    truth = bars(0, size).astype(int)
    assert np.abs(next(iter(open_frame_source(clip))) - truth).mean() < 3  # bars bleed where colour is halved
    _, made = rewritten(clip)
    assert np.abs(as_players_show(made).astype(int) - as_players_show(clip)).mean() < 1.5


def test_an_untagged_clip_can_be_read_as_other_readers_do(tmp_path: Path) -> None:
    clip = store(tmp_path / "a.mp4", (96, 720))
    ours, theirs = (
        next(iter(open_frame_source(clip, colours=ColourTreatment(untagged=u)))) for u in ("auto", "601")
    )
    assert np.abs(ours.astype(int) - theirs).mean() > 3
    fingerprints = {
        open_frame_source(clip, colours=ColourTreatment(untagged=u)).fingerprint() for u in ("auto", "601")
    }
    assert len(fingerprints) == 2


def test_full_range_stays_full(tmp_path: Path) -> None:
    clip = store(tmp_path / "a.mp4", full=True, tags=(1, 1, 1))
    writer, made = rewritten(clip)
    frame, _ = first_frame(made)
    assert int(frame.color_range) == int(ColorRange.JPEG)
    assert writer.notes == []
    shown = [next(iter(open_frame_source(path))).astype(int) for path in (clip, made)]
    assert np.abs(shown[0] - shown[1]).mean() < 1.5


@pytest.mark.parametrize(("pixel_format", "kept"), [("yuv444p", "yuv444p"), ("yuv422p", "yuv420p")])
def test_full_colour_resolution_is_kept_and_half_is_told(
    tmp_path: Path, pixel_format: str, kept: str
) -> None:
    writer, made = rewritten(store(tmp_path / "a.mp4", pixel_format=pixel_format))
    assert first_frame(made)[0].format.name == kept
    assert [("4:2:2" in note) for note in writer.notes] == ([True] if kept == "yuv420p" else [])


@pytest.mark.parametrize("aspect", [Fraction(4, 3), Fraction(16, 15), Fraction(8, 9)])
@pytest.mark.parametrize("rotation", [None, 90, 180])
def test_pixels_keep_their_shape_turned_with_the_picture(
    tmp_path: Path, aspect: Fraction, rotation: int | None
) -> None:
    clip = store(tmp_path / "a.mp4", aspect=aspect, rotation=rotation)
    _, made = rewritten(clip)
    assert first_frame(made)[1] == (1 / aspect if rotation == 90 else aspect)


@pytest.mark.parametrize("transfer", [16, 18])
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_hdr_keeps_its_tags_and_ten_bits_or_is_brought_to_709_and_told(
    tmp_path: Path, transfer: int, codec: str
) -> None:
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    clip = store(
        tmp_path / "a.mp4", codec=codec, pixel_format="yuv420p10le", matrix=Colorspace.BT2020,
        tags=(9, transfer, 9), options=options,
    )  # fmt: skip
    writer, made = rewritten(clip, codec=codec)
    frame, _ = first_frame(made)
    assert frame.format.name == "yuv420p10le"
    assert (int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace)) == (9, transfer, 9)
    assert writer.notes == []
    # away from the bars' edges, which bleed where colour is halved twice
    assert np.median(np.abs(as_players_show(made).astype(int) - as_players_show(clip))) <= 1
    source = open_frame_source(clip, colours=ColourTreatment(hdr="sdr"))
    assert "brought to BT.709" in source.not_kept[0]
    assert (source.look.primaries, source.look.transfer, source.look.hdr) == (1, 1, None)
    assert next(iter(source)).std() > 20


def test_hdr10s_mastering_data_are_told(tmp_path: Path) -> None:
    display = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
    clip = store(
        tmp_path / "a.mp4", codec="libx265", pixel_format="yuv420p10le", matrix=Colorspace.BT2020,
        tags=(9, 16, 9), options={"x265-params": f"log-level=none:{display}:max-cll=1000,400"},
    )  # fmt: skip
    assert "mastering display" in open_frame_source(clip).not_kept[0]


def test_the_white_of_hdr_is_nearly_the_white_of_sdr_and_black_is_black() -> None:
    from rib.video.colour.convert import tone_map_to_sdr

    pq = np.array([[[0.0] * 3, [0.58] * 3, [0.75] * 3, [1.0] * 3]])  # 0, 203, 1000 and 10000 nits
    made = tone_map_to_sdr((pq * 65535).astype(np.uint16), is_pq=True)[0, :, 0].astype(int)
    assert made[0] == 0
    assert 225 < made[1] < made[2] <= made[3] <= 255
    hlg = tone_map_to_sdr((np.array([[[0.0] * 3, [0.75] * 3]]) * 65535).astype(np.uint16), is_pq=False)[
        0, :, 0
    ]
    assert hlg[0] == 0
    assert hlg[1] == pytest.approx(made[1], abs=6)


def woven(index: int, size: tuple[int, int]) -> np.ndarray:
    """Two fields of a bright bar that moves by 12 pixels a field."""
    frame = np.full((size[1], size[0], 3), 40, np.uint8)
    for field in (0, 1):
        at = 10 + 24 * index + 12 * field
        frame[field::2, at : at + 16] = 220
    return frame


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
def test_interlaced_frames_lose_their_combs_and_that_is_told(tmp_path: Path, codec: str) -> None:
    options = {"x264-params": "tff=1"} if codec == "libx264" else {"q": "2"}
    clip = store(
        tmp_path / "a.mkv",
        codec=codec,
        paint=woven,
        options={**options, "flags": "+ildct+ilme"},
        size=(128, 64),
    )

    def combs(frame: np.ndarray) -> float:
        lines = frame[..., 1].astype(int)
        return float(np.abs(2 * lines[1:-1] - lines[:-2] - lines[2:]).mean())

    raw = [combs(frame) for frame in open_frame_source(clip, colours=ColourTreatment(deinterlace="off"))]
    source = open_frame_source(clip)
    assert np.mean([combs(frame) for frame in source]) < 0.4 * np.mean(raw)
    assert len(list(source)) == 3
    assert "interlaced" in source.not_kept[0]


def test_webm_takes_ten_bits_of_hdr_and_tells_what_it_has_no_place_for(tmp_path: Path) -> None:
    def notes(name: str, look: ColourMetadata) -> tuple[str, list[str]]:
        writer = VideoWriter(tmp_path / name, Fraction(24), (64, 48), "auto", 30, "auto", look=look)
        return writer.pixel_format, writer.notes

    hdr = ColourMetadata(matrix=9, primaries=9, transfer=16, bits=10, chroma="4:2:0")
    assert notes("a.webm", hdr) == ("yuv420p10le", [])
    wide = ColourMetadata(pixel_aspect=Fraction(16, 15))
    assert "16:15" in notes("a.webm", wide)[1][0]
    for name in ("a.mp4", "a.mkv", "a.mov"):
        assert notes(name, wide)[1] == []
