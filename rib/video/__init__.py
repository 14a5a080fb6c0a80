"""Frames in and out: lazily, RGB, with their times and their sound."""

from rib.video.colour.convert import as_shown
from rib.video.reading.arrays import ArraySource
from rib.video.reading.decode import Colours, VideoSource
from rib.video.reading.opening import open_source
from rib.video.reading.pictures import PictureSource, PictureWriter
from rib.video.source import FrameSource, FrameWriter
from rib.video.timing.time_stamps import exact_fps
from rib.video.views.cadence import without_duplicates
from rib.video.views.frame_queue import FrameQueue, share
from rib.video.views.held import HeldSource
from rib.video.views.view import View, part_in_time, subclip, subsample
from rib.video.writing.sound import SoundTrack
from rib.video.writing.tags import Origin
from rib.video.writing.writer import VideoWriter

__all__ = [
    "ArraySource",
    "Colours",
    "FrameQueue",
    "FrameSource",
    "FrameWriter",
    "HeldSource",
    "Origin",
    "PictureSource",
    "PictureWriter",
    "SoundTrack",
    "VideoSource",
    "VideoWriter",
    "View",
    "as_shown",
    "exact_fps",
    "open_source",
    "part_in_time",
    "share",
    "subclip",
    "subsample",
    "without_duplicates",
]
