"""Frames in and out: lazily, RGB, with their times and their sound."""

from rib.video.colour.convert import stored_frame_to_rgb
from rib.video.reading.arrays import ArraySource
from rib.video.reading.decode import ColourTreatment, VideoSource
from rib.video.reading.opening import open_frame_source
from rib.video.reading.pictures import PictureSource, PictureWriter
from rib.video.source import FrameSource, FrameWriter
from rib.video.timing.time_stamps import exact_fps
from rib.video.views.cadence import without_duplicate_frames
from rib.video.views.frame_queue import FrameQueue, share_decoded_frames
from rib.video.views.held import InMemorySource
from rib.video.views.view import ClipView, subclip, subclip_in_time, subsample_frames
from rib.video.writing.parts import JoinedVideoWriter, VideoPart, part_suffix
from rib.video.writing.sound import SoundTrack
from rib.video.writing.tags import SourceFilePart
from rib.video.writing.writer import VideoWriter

__all__ = [
    "ArraySource",
    "ClipView",
    "ColourTreatment",
    "FrameQueue",
    "FrameSource",
    "FrameWriter",
    "InMemorySource",
    "JoinedVideoWriter",
    "PictureSource",
    "PictureWriter",
    "SoundTrack",
    "SourceFilePart",
    "VideoPart",
    "VideoSource",
    "VideoWriter",
    "exact_fps",
    "open_frame_source",
    "part_suffix",
    "share_decoded_frames",
    "stored_frame_to_rgb",
    "subclip",
    "subclip_in_time",
    "subsample_frames",
    "without_duplicate_frames",
]
