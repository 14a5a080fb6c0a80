"""Frames into a video that plays everywhere: H.264 by default, index in front, the sound in step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import av
import numpy as np
from av.container import OutputContainer
from av.packet import Packet
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from av.video.stream import VideoStream

from rib.io.errors import RibError
from rib.io.files.whole import write_file_whole
from rib.video.colour.convert import GROUND, picture_over_colour
from rib.video.colour.high_bit_depth import rgb8_to_rgb16, rgb16_to_encoder_frame
from rib.video.colour.look import ColourMetadata
from rib.video.writing.containers import container_of_suffix, video_codec_for
from rib.video.writing.encoders import (
    HOLD_10_BITS,
    HOLD_ALPHA,
    HOLD_ASPECT,
    encoder_memory_options,
    encoder_preset_options,
    encoder_quality_options,
    find_video_encoder,
    nearest_encodable_fps,
)
from rib.video.writing.sound import SoundStreams, SoundTrack
from rib.video.writing.subtitles import SubtitleTracks, copy_attachments
from rib.video.writing.tags import SourceFilePart, copy_metadata_tags

VARIABLE_TICK_S = Fraction(1, 60000)
"""The clock of a video whose rate varies; MPEG-4 part 2 counts to 65535."""
_TO_YUV = Interpolation.BICUBIC | Interpolation.ACCURATE_RND


class VideoWriter:
    """Writes frames into a video (see `FrameWriter`).

    The file appears when the block ends well; an exception inside it leaves nothing, and an older file stays.
    A pixel format that halves the colour's resolution needs even sizes: odd ones grow by repeating the last
    column or row.

    Args:
        path: The file, .mp4, .m4v, .mov, .mkv or .webm.
        fps: Frames a second, held exactly by the file's clock.
        size_px: Width and height of the frames.
        codec: An encoder of libav, e.g. libx264, mpeg4, libsvtav1, h264_nvenc; auto is the file's own.
        crf: Constant quality, 0 is best (see `encoder_quality_options`).
        pixel_format: As libav names it, e.g. yuv420p; auto takes what keeps most of the look.
        audio_from: A sound, or the file with it, that goes beside the pictures, in step and cut at their end,
            or None.
        stamps_s: When each frame is shown, from 0, where the rate varies; else frame n is shown at n / fps.
        look: How the clip that the frames come from looks: its primaries, transfer, range and pixel aspect
            are kept. None is BT.709 with square pixels.
        tags_from: A file whose title, creation time, place, chapters and subtitles are carried over, or None.
        ground: RGB, 0..255, behind what is transparent, where the pixel format has no transparency.
        preset: How much effort the encoder makes (see `encoder_preset_options`).

    Attributes:
        notes: What could not be kept, in sentences.

    Raises:
        RibError: Something asked for does not exist here, a frame has another size, or no space is left.
    """

    def __init__(
        self,
        path: str | Path,
        fps: Fraction,
        size_px: tuple[int, int],
        codec: str,
        crf: int,
        pixel_format: str,
        audio_from: SoundTrack | Path | None = None,
        stamps_s: Sequence[float] | np.ndarray | None = None,
        look: ColourMetadata | None = None,
        tags_from: SourceFilePart | None = None,
        ground: tuple[int, int, int] = GROUND,
        preset: str = "auto",
    ) -> None:
        self.look, self.path, self.size_px = look or ColourMetadata(), Path(path), size_px
        codec = video_codec_for(self.path, codec, self.look.alpha, self.look.hdr is not None)
        self.fps, self._kind = nearest_encodable_fps(codec, Fraction(fps)), container_of_suffix(self.path)
        self.codec, self.options = codec, encoder_quality_options(codec, crf)
        formats = [f.name for f in find_video_encoder(codec).video_formats or []]
        self.options |= encoder_preset_options(codec, preset) | encoder_memory_options(codec, size_px)
        if pixel_format == "auto":
            pixel_format = self.look.pixel_format(formats, codec in HOLD_ALPHA, codec in HOLD_10_BITS)
        if pixel_format not in formats:
            raise RibError(
                f"{codec} cannot write pixel_format={pixel_format}", f"choose one of: {', '.join(formats)}"
            )
        self.pixel_format, self.notes = pixel_format, self.look.not_kept(pixel_format, formats)
        self._layout, self._ground = VideoFormat(pixel_format, 16, 16), ground
        self._alpha = any(component.is_alpha for component in self._layout.components)
        if self.look.alpha and not self._alpha:
            self.notes.append(_lost_alpha(self.path, ground))
        if self.look.pixel_aspect != 1 and not self._kind.tells_aspect and codec not in HOLD_ASPECT:
            self.notes.append(_lost_aspect(self.path, self.look.pixel_aspect))
        self._range = ColorRange.JPEG if self.look.full_range else ColorRange.MPEG
        self.audio_from = SoundTrack(audio_from) if isinstance(audio_from, Path) else audio_from
        self.stamps_s, self._tags_from = stamps_s, tags_from
        self._tick_s = 1 / self.fps if stamps_s is None else VARIABLE_TICK_S
        self._padding = _padding(size_px, self._layout)
        if any(self._padding):
            self.notes.append(_grown(size_px, self._padding, pixel_format, formats))
        self._converter = VideoReformatter()
        self._count, self._stamps = 0, list[Fraction]()
        self._session: AbstractContextManager[None] | None = None

    def __enter__(self) -> Self:
        self._count, self._stamps = 0, []
        self._session = self._run()
        self._session.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        assert self._session is not None
        return self._session.__exit__(kind, error, trace)

    def write(self, frame: np.ndarray) -> None:
        """Append one (H, W, 3) RGB or (H, W, 4) straight RGBA frame, uint8 or uint16."""
        size, known = (self.size_px[1], self.size_px[0]), frame.dtype in (np.uint8, np.uint16)
        if not known or frame.ndim != 3 or frame.shape[:2] != size or frame.shape[2] not in (3, 4):
            raise RibError(
                f"frame {self._count} of {self.path.name} is {frame.dtype} of shape {frame.shape}",
                f"give uint8 of shape {(self.size_px[1], self.size_px[0], 3)}",
            )
        picture = self._picture(frame)
        # ProRes takes its tags from each frame
        picture.colorspace, picture.color_range = self.look.output_matrix, self._range
        picture.color_primaries, picture.color_trc = self.look.primaries, self.look.transfer
        picture.pts, picture.time_base = self._ticks(self._count), self._tick_s
        self._advance(self._count)
        self._mux(self._stream.encode(picture))
        self._count += 1

    @property
    def encoded_order(self) -> Sequence[int]:
        """Number of the frame in each packet, in the order of the file, once the block has ended well."""
        ranks = np.argsort(np.argsort(np.array(self._stamps, dtype=object)))
        return [int(rank) for rank in ranks]

    def _mux(self, packets: Sequence[Packet]) -> None:
        for packet in packets:
            assert packet.pts is not None
            assert packet.time_base is not None
            self._stamps.append(packet.pts * packet.time_base)
        self._container.mux(packets)

    def _advance(self, index: int) -> None:
        """Let sound and subtitles come as far as a frame."""
        for track in (self._sound, self._subtitles):
            if track:
                track.advance(float(self._shown_s(index)))

    def _ticks(self, index: int) -> int:
        return round(self._shown_s(index) / self._tick_s)

    def _shown_s(self, index: int) -> Fraction:
        """Time a frame; one step after the last where there is no such frame."""
        if self.stamps_s is None:
            return index / self.fps
        if index == len(self.stamps_s):
            return self._shown_s(index - 1) + 1 / self.fps
        return Fraction(float(self.stamps_s[index]))

    @contextmanager
    def _run(self) -> Iterator[None]:
        """From opening the temporary file to renaming it."""
        with write_file_whole(self.path) as temporary:
            self._container = av.open(
                str(temporary), "w", format=self._kind.format, options=dict(self._kind.options)
            )
            self._sound: SoundStreams | None = None
            self._subtitles: SubtitleTracks | None = None
            try:
                self._stream = self._add_stream(self._container)
                self._sound = SoundStreams(self.audio_from, self._container) if self.audio_from else None
                if self._tags_from:
                    self.notes += copy_metadata_tags(self._tags_from, self._container)
                    self._subtitles = SubtitleTracks(self._tags_from, self._container)
                    self.notes += copy_attachments(self._tags_from, self._container)
                yield
                self._finish()
                self._container.close()
            except BaseException:
                # the trailer of a file that is thrown away may fail too
                with suppress(Exception):
                    self._container.close()
                raise
            finally:
                for track in (self._sound, self._subtitles):
                    if track:
                        track.close()

    def _add_stream(self, container: OutputContainer) -> VideoStream:
        stream = cast(VideoStream, container.add_stream(self.codec, rate=self.fps, options=self.options))
        if self._codec_tag:
            stream.codec_context.codec_tag = self._codec_tag
        stream.width, stream.height = (n + p for n, p in zip(self.size_px, self._padding, strict=True))
        stream.pix_fmt, stream.time_base = self.pixel_format, self._tick_s
        context = stream.codec_context
        context.time_base, context.thread_type = self._tick_s, "AUTO"
        context.colorspace, context.color_range = self.look.output_matrix, self._range
        context.color_primaries, context.color_trc = self.look.primaries, self.look.transfer
        context.sample_aspect_ratio = self.look.pixel_aspect
        return stream

    @property
    def _codec_tag(self) -> str | None:
        """The file's name for the codec, where libav's own does not do."""
        # QuickTime and telephones do not play what libav calls it: hev1
        hevc = self.codec.startswith(("libx265", "hevc"))
        return "hvc1" if hevc and self._kind.format in ("mp4", "mov") else None

    def _picture(self, frame: np.ndarray) -> VideoFrame:
        right, below = self._padding
        if right or below:
            frame = np.pad(frame, ((0, below), (0, right), (0, 0)), mode="edge")
        frame = np.ascontiguousarray(self._with_alpha(frame))
        deep = frame.dtype == np.uint16 or self._layout.components[0].bits > 8
        if deep and not self._layout.is_rgb:
            frame = rgb8_to_rgb16(frame)
            matrix, full = self.look.output_matrix, self.look.full_range
            return rgb16_to_encoder_frame(frame, self._converter, self.pixel_format, matrix, full)
        names = {1: ("rgb24", "rgba"), 2: ("rgb48le", "rgba64le")}[frame.itemsize]
        return self._converter.reformat(
            VideoFrame.from_ndarray(frame, format=names[frame.shape[2] - 3]),
            format=self.pixel_format,
            dst_colorspace=Colorspace(self.look.output_matrix),
            dst_color_range=self._range,
            interpolation=_TO_YUV,
            threads=1,
        )

    def _with_alpha(self, frame: np.ndarray) -> np.ndarray:
        """Lay a frame over the ground, or take it for opaque, as the pixel format wants it."""
        if frame.shape[2] == 4 and not self._alpha:
            return picture_over_colour(frame, self._ground)
        if frame.shape[2] == 3 and self._alpha:
            return np.pad(frame, ((0, 0), (0, 0), (0, 1)), constant_values=np.iinfo(frame.dtype).max)
        return frame

    def _finish(self) -> None:
        if not self._count:
            raise RibError(f"no frame was written to {self.path}")
        if self._sound:
            self._sound.finish(float(self._shown_s(self._count)))
            self.notes += self._sound.notes
        if self._subtitles:
            self._subtitles.advance(float(self._shown_s(self._count)))
            self.notes += self._subtitles.notes
        self._flush()

    def _flush(self) -> None:
        """Write what the encoder still holds."""
        self._mux(self._stream.encode(None))


def _lost_aspect(path: Path, aspect: Fraction) -> str:
    return (
        f"pixels {aspect.numerator}:{aspect.denominator} as wide as high: {path.name} shows square ones; "
        f"output={path.stem}.mp4 keeps them"
    )


def _lost_alpha(path: Path, ground: tuple[int, int, int]) -> str:
    colour = "#{:02x}{:02x}{:02x}".format(*ground)
    return (
        f"transparency: shown over {colour} (video.ground=); output={path.stem}.mov, {path.stem}.webm or "
        "video.pictures=true keeps it"
    )


def _grown(
    size_px: tuple[int, int], padding: tuple[int, int], pixel_format: str, formats: Sequence[str]
) -> str:
    (width, height), (right, below) = size_px, padding
    keeps = " (video.pixel_format=yuv444p keeps it)" * ("yuv444p" in formats)
    grown = f"{width + right} x {height + below}"
    return f"{width} x {height} px became {grown}: {pixel_format} needs even sizes{keeps}"


def _padding(size_px: tuple[int, int], layout: VideoFormat) -> tuple[int, int]:
    """Columns and rows that make a size fit the format's colour resolution."""
    across, down = 16 // layout.chroma_width(16), 16 // layout.chroma_height(16)
    return -size_px[0] % across, -size_px[1] % down
