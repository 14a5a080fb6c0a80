"""Opening a video file with libav, and saying in one line what is wrong with it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.codec.codec import UnknownCodecError
from av.container import InputContainer
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from rib.io.errors import RibError


@contextmanager
def opened_container(path: Path) -> Iterator[InputContainer]:
    """A container for reading, closed afterwards.

    Only local files are followed: a playlist that is named like a video must not reach the network.

    Raises:
        RibError: The file is missing, not readable, or no container that libav knows.
    """
    if not path.is_file():
        raise RibError(
            f"{path} {'is not a regular file' if path.exists() else 'does not exist'}", _WHAT_TO_GIVE
        )
    if path.stat().st_size == 0:
        raise RibError(f"{path} is empty (0 bytes)", _WHAT_TO_GIVE)
    try:
        container = av.open(str(path), options={"protocol_whitelist": "file"}, metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        if getattr(error, "errno", None) in (errno.EACCES, errno.EPERM):
            raise RibError(f"{path} cannot be read (permission denied)") from error
        raise RibError(
            f"{path} cannot be read as a video ({libav_reason(error)})",
            "give a video file; if it is one, it is incomplete: copy it again from where it came",
        ) from error
    with container:
        yield container


def video_stream(container: InputContainer, path: Path) -> VideoStream:
    """The first video stream that is not a cover picture, set to decode on all cores.

    Raises:
        RibError: There is none.
    """
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic and stream.codec_context is not None:
            stream.thread_type = "AUTO"
            return stream
    raise RibError(f"{path} holds no video stream", _WHAT_TO_GIVE)


def decoded_video_frames(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Every frame in showing order, transparency included.

    VP8 and VP9 keep it in a second picture beside each packet, which libav's own decoders pass over.
    """
    decoder = _alpha_decoder(stream)
    if decoder is None:
        yield from container.decode(stream)
        return
    for packet in container.demux(stream):
        yield from decoder.decode(packet if packet.size else None)


def hides_stream_alpha(stream: VideoStream) -> bool:
    """Whether the stream has transparency that no decoder here reads."""
    return _says_alpha(stream) and _alpha_decoder(stream) is None


def _says_alpha(stream: VideoStream) -> bool:
    said = {key.lower(): value for key, value in stream.metadata.items()}
    return said.get("alpha_mode") == "1" and stream.codec_context.codec.canonical_name in ALPHA_DECODERS


def _alpha_decoder(stream: VideoStream) -> VideoCodecContext | None:
    if not _says_alpha(stream):
        return None
    name = ALPHA_DECODERS[stream.codec_context.codec.canonical_name]
    try:
        decoder = av.CodecContext.create(name, "r")
    except UnknownCodecError:
        return None
    assert isinstance(decoder, VideoCodecContext)
    decoder.extradata = stream.codec_context.extradata
    return decoder


def libav_reason(error: Exception) -> str:
    """Libav's own words for an error, without number and file name."""
    return str(getattr(error, "strerror", None) or error).lower()


def suggest_video_repair(path: Path) -> str:
    """Suggest the command that makes a clean copy of a damaged video."""
    return f"make a clean copy, e.g. ffmpeg -i {path.name} repaired.mp4, and pass that"


ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""Decoders that read the transparency of WebM."""
_WHAT_TO_GIVE = "give a video file, or a folder of pictures with input_fps=..."
