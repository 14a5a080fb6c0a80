"""Choice of the sound beside the new pictures."""

from __future__ import annotations

from rib.io.errors import RibError
from rib.video import FrameSource, SoundTrack

WAYS = ("keep", "mute", "stretch")


def choose_output_sound(
    source: FrameSource, way: str | None, slow: float | None, not_kept: list[str]
) -> SoundTrack | None:
    """The clip's sound as `sound=` asks for it.

    Args:
        source: The clip.
        way: One of `WAYS`; None keeps the sound, and mutes slow motion.
        slow: How many times longer the output lasts, or None.
        not_kept: Gets a sentence where the sound is left out without having been asked to.

    Raises:
        RibError: There is no such way.
    """
    if way not in (None, *WAYS):
        raise RibError(f"sound={way}", f"choose one of: {', '.join(WAYS)}")
    if source.audio is None or way == "mute":
        return None
    if way is None and slow not in (None, 1):
        not_kept.append("the sound, since slow motion is silent; sound=stretch or sound=keep plays it")
        return None
    return SoundTrack(source.audio, source.audio_start_s, (slow or 1.0) if way == "stretch" else 1.0)
