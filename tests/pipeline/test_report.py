from __future__ import annotations

import json
import re
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from headless import Page, chromium

from rib.pipeline.analysis.record import ClipAnalysis
from rib.pipeline.outputs.interval_table import IntervalRow
from rib.pipeline.report import ReportPreviewWriter, write_report_html
from rib.pipeline.report.stills import AloneStretch, alone_stretches, report_stills
from rib.pipeline.synthesis.output_frames import OutputFrame
from rib.pipeline.timeline import constant_rate_timeline
from rib.structures.keypoints import PoseSequence, PoseTracks
from rib.video import ArraySource, VideoSource, subsample_frames

SIZE = (72, 50)


def ramp(frames: int = 9) -> np.ndarray:
    """Frame n is grey 20 n: a picture says its own number."""
    return np.stack([np.full((SIZE[1], SIZE[0], 3), 20 * n, np.uint8) for n in range(frames)])


def poses(times_s: np.ndarray, there: np.ndarray) -> PoseSequence:
    confidence = np.zeros((len(times_s), 25))
    confidence[there, :8] = 1
    keypoints = np.random.default_rng(0).uniform(0, 50, (len(times_s), 25, 2)) * (confidence > 0)[..., None]
    return PoseSequence(keypoints, confidence, times_s, "body25", SIZE)


def run(
    folder: Path, title: str = "clip", **bounds: int
) -> tuple[Any, ClipAnalysis, dict[str, Any], ReportPreviewWriter]:
    """A made-up result: every fourth frame given, all of them shown."""
    truth = ArraySource(ramp(), Fraction(30))
    given = subsample_frames(truth, 4)
    given.name = title
    moments = constant_rate_timeline(given.times_s, Fraction(30))
    keyframes = np.array([False, True, True])
    analysis = ClipAnalysis(
        given.times_s,
        moments,
        (),
        PoseTracks.of([poses(given.times_s, keyframes)]),
        PoseTracks.of([poses(moments.times_s, np.arange(9) >= 4)]),
        None,
    )
    writer = ReportPreviewWriter(folder / "p.mp4", given, moments, **bounds)
    frames = list(truth)
    with writer:
        for number, frame in enumerate(frames):
            keyframe = number // 4 if number % 4 == 0 else -1
            writer.write(OutputFrame(number, frame, keyframe, given=frames[number // 4 * 4]))
    return given, analysis, summary(given, analysis), writer


def summary(given: Any, analysis: ClipAnalysis) -> dict[str, Any]:
    return {
        "rib": "0",
        "input": {"name": given.name, "frames": 3, "fps": 7.5, "size_px": list(SIZE), "notes": []},
        "output": {"frames": 9, "fps": 30.0, "copied": 3, "made": 6},
        "stages": {"pose": "rib.pose.files.FilesPose"},
        "reused": ["poses"],
        "person_in_keyframes": 0.667,
        "trusted_pixels": 0.1,
        "fallbacks": [asdict(fallback) for fallback in analysis.fallbacks],
        "device": "cpu",
        "versions": {"python": "3", "torch": None},
        "seconds": {"decode": 0.5, "load pose": 0.1, "total": 0.7},
        "config": {"rate": 4},
    }


def facts(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="report">(.*?)</script>', page, re.S)
    assert found
    return json.loads(found[1])


def test_the_preview_shows_the_held_keyframe_beside_each_output_frame(tmp_path: Path) -> None:
    made = run(tmp_path)[-1].finished()
    assert made.held.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2]
    for number, frame in enumerate(VideoSource(tmp_path / "p.mp4")):
        left, right = (
            frame[:, : made.size_px[0]].mean(),
            frame[:, made.cell_px : made.cell_px + SIZE[0]].mean(),
        )
        assert left == pytest.approx(80 * (number // 4), abs=4)
        assert right == pytest.approx(20 * number, abs=4)


def test_a_long_clip_is_cut_and_the_page_says_so(tmp_path: Path) -> None:
    write_report_html(tmp_path / "report.html", *run(tmp_path, max_frames=6))
    told = facts((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert told["preview"]["frames"] == len(told["preview"]["people"][0]["poses"]) == 6
    assert told["cut"] == "The page shows the first 0.2 of 0.3 s."


def test_a_preview_too_large_is_cut(tmp_path: Path) -> None:
    *_, film = run(tmp_path, max_bytes=1500)
    preview = film.finished()
    assert 2 <= preview.frames < 9
    kept = list(VideoSource(film.path))
    assert len(kept) == preview.frames
    assert kept[-1][:, preview.cell_px :].mean() == pytest.approx(20 * (preview.frames - 1), abs=4)


def test_a_name_cannot_become_part_of_the_page(tmp_path: Path) -> None:
    name = "</script><script>alert('x')</script>@@video@@<!--"
    write_report_html(tmp_path / "report.html", *run(tmp_path, title=name))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "alert('x')</script>" not in page
    assert facts(page)["title"] == name


def test_missing_joints_are_null_and_fallbacks_are_told(tmp_path: Path) -> None:
    write_report_html(tmp_path / "report.html", *run(tmp_path))
    told = facts((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert set(told["preview"]["people"][0]["poses"][0]) == {None}
    assert told["preview"]["people"][0]["poses"][5][0] is not None
    # the held keyframe carries its own pose, not that of the moment beside it
    assert [pose[0] is None for pose in told["preview"]["people"][0]["keyframe_poses"]] == [
        True,
        False,
        False,
    ]
    assert [fallback["why"] for fallback in told["fallbacks"]] == ["no person found"]


def test_the_longest_stretches_alone_are_shown_once_each_and_few() -> None:
    whys = ["", "cut", "cut", "", "nobody", "cut", *["", "nobody"] * 40]
    rows = [IntervalRow(i, i / 2, (i + 1) / 2, 1, 0, 0, 0.0, 0.0, 0.0, why) for i, why in enumerate(whys)]
    found = alone_stretches(rows, most=5)
    assert len(found) == 5
    assert found[0] == AloneStretch(0.5, 1.5, "cut", range(1, 3))
    big = np.zeros((2000, 3000, 3), np.uint8)
    told = report_stills(found, lambda intervals: big if 1 in intervals else None)
    assert [one["why"] for one in told] == ["cut"]
    assert told[0]["picture"].startswith("data:image/jpeg;base64,")
    assert len(told[0]["picture"]) < 4000


def test_a_result_without_pictures_has_a_page_without_players(tmp_path: Path) -> None:
    write_report_html(tmp_path / "report.html", *run(tmp_path)[:3])
    assert facts((tmp_path / "report.html").read_text(encoding="utf-8"))["preview"] is None


GREYS = """(async () => {
  const slider = document.getElementById("slider"), greys = [];
  for (const frame of [0, 2, 5, 8, 3]) {
    slider.value = frame;
    slider.dispatchEvent(new Event("input"));
    const told = () => document.getElementById("frame").textContent.startsWith(`Frame ${frame} `);
    for (let tries = 0; tries < 3000 && !told(); tries++) await new Promise((done) => setTimeout(done, 20));
    const grey = (id) => document.getElementById(id).getContext("2d").getImageData(36, 25, 1, 1).data[0];
    greys.push(["left", "right"].map(grey));
  }
  return greys;
})()"""


@pytest.mark.slow
@pytest.mark.skipif(chromium() is None, reason="Debian's chromium is not installed")
def test_in_a_browser_the_slider_moves_both_players_without_error_or_network(tmp_path: Path) -> None:
    write_report_html(tmp_path / "report.html", *run(tmp_path))
    with Page(tmp_path / "profile") as page:
        page.open(tmp_path / "report.html")
        greys = page.run(GREYS)
        page.run("document.getElementById('play').click()")
        page.run("document.getElementById('skeleton').click()")
        events = page.events
    assert np.allclose(greys, [[0, 0], [0, 40], [80, 100], [160, 160], [0, 60]], atol=5)
    complaints = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
    told = [event["params"] for event in events if event.get("method") in complaints]
    # the readback of this test's own GREYS is all that the browser may remark on
    assert [each for each in told if "getImageData" not in str(each)] == []
    urls = [e["params"]["request"]["url"] for e in events if e.get("method") == "Network.requestWillBeSent"]
    assert all(url.startswith(("file:", "blob:", "data:")) for url in urls)
