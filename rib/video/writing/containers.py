"""Containers of video files, by suffix: format, the encoder that suits it, and the sound it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rib.io.errors import RibError

_MP4_SOUND = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus"})
"""Sound codecs that players accept in MP4."""
_MATROSKA_SUBTITLES = frozenset(
    {"subrip", "ass", "ssa", "webvtt", "dvd_subtitle", "dvb_subtitle", "hdmv_pgs_subtitle"}
)


@dataclass(frozen=True)
class VideoContainer:
    """A kind of file.

    Attributes:
        format: As libav names it.
        name: As people name it.
        codec: The encoder that is taken where none is named.
        codecs: The beginnings of the names of all encoders that it may hold, or None for any.
        lacks: Encoders that it may not hold.
        alpha_codec: The encoder that is taken where none is named for clips with transparency, or None where
            the file does not hold it.
        hdr_codec: The same for PQ and HLG, where players do not show 10 bits of the usual encoder.
        tells_aspect: Whether it says itself how wide a pixel is; else it is lost where the codec does not.
        sound: Sound codecs that are copied into it as they are, or None for any.
        sound_codec: The encoder of other sound.
        subtitles: Subtitles that are copied into it as they are.
        subtitle_codec: The encoder of other text.
        attachments: Whether it holds fonts and other files.
        options: Of libav's muxer.
    """

    format: str
    name: str
    codec: str = "libx264"
    codecs: tuple[str, ...] | None = None
    lacks: tuple[str, ...] = ()
    alpha_codec: str | None = None
    hdr_codec: str | None = None
    tells_aspect: bool = True
    sound: frozenset[str] | None = _MP4_SOUND
    sound_codec: str = "aac"
    subtitles: frozenset[str] = frozenset({"mov_text"})
    subtitle_codec: str = "mov_text"
    attachments: bool = False
    options: Mapping[str, str] = field(default_factory=dict)

    def copies(self, codec: str) -> bool:
        """Whether sound of a codec is copied as it is."""
        return self.sound is None or codec in self.sound

    def copies_subtitles(self, codec: str) -> bool:
        """Whether subtitles of a codec are copied as they are."""
        return codec in self.subtitles

    @property
    def sound_name(self) -> str:
        """What other sound becomes, as people name it."""
        return {"aac": "AAC", "libopus": "Opus"}[self.sound_codec]


_MP4 = VideoContainer(
    "mp4", "MP4", lacks=("prores_ks", "ffv1"), hdr_codec="libx265",
    options={"movflags": "+faststart"},
)  # fmt: skip
CONTAINERS = {
    ".mp4": _MP4,
    ".m4v": _MP4,
    ".mov": VideoContainer(
        "mov",
        "QuickTime",
        alpha_codec="prores_ks",
        hdr_codec="libx265",
        sound=_MP4_SOUND - {"opus"},
        options={"movflags": "+faststart"},
    ),
    ".mkv": VideoContainer(
        "matroska",
        "Matroska",
        alpha_codec="ffv1",
        hdr_codec="libx265",
        tells_aspect=False,
        sound=None,
        subtitles=_MATROSKA_SUBTITLES,
        subtitle_codec="subrip",
        attachments=True,
    ),
    ".webm": VideoContainer(
        "webm",
        "WebM",
        "libvpx-vp9",
        codecs=("libvpx", "libaom", "libsvtav1", "av1_"),
        alpha_codec="libvpx-vp9",
        hdr_codec="libsvtav1",
        tells_aspect=False,
        sound=frozenset({"opus", "vorbis"}),
        sound_codec="libopus",
        subtitles=frozenset({"webvtt"}),
        subtitle_codec="webvtt",
    ),
}
"""The files that are written, by suffix."""

OTHERS = frozenset({".avi", ".wmv", ".flv", ".mpg", ".mpeg", ".ts", ".m2ts", ".3gp", ".ogv", ".gif", ".apng"})
"""Videos that are not written: nobody means a folder by such a name."""


def container_of_suffix(path: Path) -> VideoContainer:
    """The kind of file that a name asks for.

    Raises:
        RibError: Files of that name are not written.
    """
    found = CONTAINERS.get(path.suffix.lower())
    if found is None:
        raise RibError(
            f"a video would be written to {path}",
            f"name it {path.stem}.mp4 ({', '.join(sorted(CONTAINERS))} are written)",
        )
    return found


def container_of_muxer(format: str) -> VideoContainer:
    """The kind of file that libav's muxer of a name writes."""
    return next((one for one in CONTAINERS.values() if one.format == format), _MP4)


def video_codec_for(path: Path, codec: str, alpha: bool = False, hdr: bool = False) -> str:
    """The encoder for a file: the one that is named, or for `auto` the file's own.

    Args:
        path: The file.
        codec: An encoder, or `auto`.
        alpha: Whether the clip has transparency.
        hdr: Whether it is PQ or HLG, of 10 bits.

    Raises:
        RibError: Such files are not written, or cannot hold what the encoder makes.
    """
    container = container_of_suffix(path)
    if codec == "auto":
        special = container.alpha_codec if alpha else container.hdr_codec if hdr else None
        return special or container.codec
    strange = container.codecs is not None and not codec.startswith(container.codecs)
    if strange or codec in container.lacks:
        raise RibError(
            f"{path.name} cannot hold what {codec} makes",
            f"type video.codec=auto, or name it {path.stem}.mkv",
        )
    return codec


def is_video_output(output: str | Path) -> bool:
    """Whether an output is a video file: it has the suffix of one, no slash behind it, and is no folder.

    Raises:
        RibError: It has the suffix of a video that is not written.
    """
    path = Path(output).expanduser()
    if str(output).endswith("/") or path.is_dir():
        return False
    if path.suffix.lower() in OTHERS:
        container_of_suffix(path)
    return path.suffix.lower() in CONTAINERS
