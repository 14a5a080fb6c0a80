"""What an encoder holds of pictures that wait."""

from __future__ import annotations

from pathlib import Path

from rib.video import VideoWriter


def test_the_encoder_of_large_pictures_holds_few_of_them(tmp_path: Path) -> None:
    def options(codec: str, width: int, height: int) -> dict[str, str]:
        return VideoWriter(tmp_path / "a.mp4", 24, (width, height), codec, 18, "auto").options

    assert options("libx264", 1280, 720)["rc-lookahead"] == "40"
    large = options("libx264", 1920, 1080)
    assert (large["rc-lookahead"], large["x264-params"]) == ("6", "sliced-threads=1")
    assert "rc-lookahead" not in options("mpeg4", 1920, 1080)
