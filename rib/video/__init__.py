"""Frames in and out: lazily, RGB, with their times and their sound."""

from rib.video.arrays import ArraySource
from rib.video.cadence import without_duplicates
from rib.video.convert import as_shown
from rib.video.decode import Colours, VideoSource
from rib.video.frame_queue import FrameQueue, share
from rib.video.held import HeldSource
from rib.video.opening import open_source
from rib.video.pictures import PictureSource, PictureWriter
from rib.video.sound import SoundTrack
from rib.video.source import FrameSource, FrameWriter
from rib.video.tags import Origin
from rib.video.times import exact_fps
from rib.video.view import View, part_in_time, subclip, subsample
from rib.video.writer import VideoWriter

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
