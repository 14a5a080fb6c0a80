"""Fetch the videos of a list through yt-dlp's Python interface."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from rib.datasets.humanslomo.lists import ListedVideo
from rib.io.errors import RibError
from rib.io.files.whole import temporary_folder

FORMAT = "bestvideo[height=720][ext=mp4]/best[height=720][ext=mp4]/bestvideo[height<=720]/best[height<=720]"
"""The lists' crops are those of 1280 x 720 pictures."""


class OfflineDownloadError(RibError):
    """No server could be reached: the next video would fare no better."""


def download_listed_video(video: ListedVideo, folder: Path, timeout_s: float) -> Path:
    """Download a video into a folder, whole or not at all.

    Args:
        video: What to fetch.
        folder: Where it goes.
        timeout_s: How long a silent connection is waited for.

    Raises:
        OfflineDownloadError: The network is absent.
        RibError: yt-dlp is not installed, or the video could not be had.
    """
    remedy = f"put {video.name}.mp4 into {folder} by hand"
    try:
        import yt_dlp
    except ImportError as error:
        raise RibError(
            f"{video.name} is not in {folder} and yt-dlp, which would fetch it, is not installed",
            f"type: pip install 'render-in-between[youtube]', or {remedy}",
        ) from error
    quiet = logging.getLogger("rib.datasets.humanslomo.yt_dlp")
    quiet.propagate = False
    quiet.addHandler(logging.NullHandler())
    with temporary_folder(folder / video.name) as work:
        options = {
            "format": FORMAT, "outtmpl": str(work / "%(id)s.%(ext)s"), "logger": quiet, "noprogress": True,
            "quiet": True, "no_warnings": True, "socket_timeout": timeout_s, "retries": 1,
            "extractor_retries": 0, "noplaylist": True, "cachedir": False,
        }  # fmt: skip
        try:
            with yt_dlp.YoutubeDL(options) as client:
                client.download([f"https://www.youtube.com/watch?v={video.youtube_id}"])
        except yt_dlp.utils.YoutubeDLError as error:
            reason = " ".join(str(error).split())[:200]
            kind = OfflineDownloadError if _is_of_network(yt_dlp, error) else RibError
            raise kind(f"{video.name} ({video.youtube_id}) could not be fetched: {reason}", remedy) from error
        fetched = [path for path in work.iterdir() if path.is_file()]
        if len(fetched) != 1:
            raise RibError(f"{video.name} ({video.youtube_id}) could not be fetched", remedy)
        return fetched[0].replace(folder / f"{video.name}{fetched[0].suffix}")


def _is_of_network(yt_dlp: Any, error: Exception) -> bool:
    """Whether the connection failed, and not this video."""
    cause = (getattr(error, "exc_info", None) or (None,))[0]
    return isinstance(cause, type) and issubclass(cause, yt_dlp.networking.exceptions.TransportError)
