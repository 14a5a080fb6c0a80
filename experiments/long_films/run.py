"""A long film that is killed again and again: the same frames, sound in step, memory against the length.

python experiments/long_films/run.py OUT [minutes=60] [kills=5] [settings of rib interpolate ...]

The clip has 5 frames a second of 64 x 64 px, a cut every 20 s or so, and a white frame with a click every
30 s. It is made once without a stop, and once by a run that is killed (SIGKILL) at moments drawn evenly over
the time that the first took, and typed again each time.
"""

from __future__ import annotations

import hashlib
import json
import random
import resource
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

FPS, SIZE, RATE_HZ, MARK_S = 5, 64, 8000, 30
SETTINGS = ("rate=2", "background=blend", "render=none", "report=false", "video.codec=ffv1")


def write_clip(path: Path, minutes: float) -> None:
    """The film, with its sound as FLAC in Matroska."""
    draw, num = np.random.default_rng(0), int(minutes * 60 * FPS)
    y, x = np.mgrid[:SIZE, :SIZE]
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"crf": "10"})
        video.width = video.height = SIZE
        video.pix_fmt = "yuv420p"
        sound = container.add_stream("flac", rate=RATE_HZ, layout="mono")
        phase = 0.0
        for index in range(num):
            if index % (20 * FPS) == 7:
                phase = draw.uniform(0, 100)
            moved = x + 2.0 * index + phase
            picture = np.stack([np.sin(moved / k + y / (k + phase)) for k in (5, 9, 14)], -1)
            picture = np.uint8(110 + 100 * picture)
            if index % (MARK_S * FPS) == 0:
                picture[:] = 255
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(video.encode(frame))
            samples = np.zeros((1, RATE_HZ // FPS), np.int16)
            if index % (MARK_S * FPS) == 0:
                samples[0, :40] = 20000
            chunk = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            chunk.sample_rate, chunk.pts = RATE_HZ, index * samples.shape[1]
            container.mux(sound.encode(chunk))
        container.mux(video.encode(None))
        container.mux(sound.encode(None))


def interpolate(
    clip: Path, output: Path, cache: Path, settings: list[str], kill_after_s: float | None
) -> float:
    """Run `rib interpolate`, killed after some seconds; its peak memory in 10^6 bytes."""
    arguments = [f"input={clip}", f"output={output}", f"cache.dir={cache}", "quiet=true", *settings]
    process = subprocess.Popen([sys.executable, "-m", "rib.commands", "interpolate", *arguments])
    try:
        code = process.wait(kill_after_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return 0.0
    if code:
        raise SystemExit(f"exit code {code}")
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3


def frames_hash(path: Path) -> tuple[str, int]:
    """A hash of the decoded pictures, and their number."""
    digest, count = hashlib.sha256(), 0
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            digest.update(frame.to_ndarray(format="rgb24").tobytes())
            count += 1
    return digest.hexdigest(), count


def worst_sound_offset_s(path: Path) -> float:
    """The largest difference between a white frame and its click."""
    white, clicks = [], []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.to_ndarray(format="gray").mean() > 220:
                white.append(float(frame.time))
    with av.open(str(path)) as container:
        for chunk in container.decode(audio=0):
            loud = np.flatnonzero(
                np.abs(chunk.to_ndarray().astype(float)).max(0) > 0.2 * np.iinfo(np.int16).max
            )
            if len(loud):
                clicks.append(float(chunk.time) + loud[0] / chunk.sample_rate)
    starts = [time_s for before, time_s in zip([-9.0, *white], white, strict=False) if time_s - before > 1]
    heard = [time_s for before, time_s in zip([-9.0, *clicks], clicks, strict=False) if time_s - before > 1]
    assert len(starts) == len(heard), (len(starts), len(heard))
    return float(np.abs(np.array(starts) - heard).max())


def main() -> None:
    """See the module."""
    folder = Path(sys.argv[1])
    given = dict(one.split("=") for one in sys.argv[2:] if one.startswith(("minutes=", "kills=")))
    minutes, kills = float(given.get("minutes", 60)), int(given.get("kills", 5))
    settings = [one for one in sys.argv[2:] if not one.startswith(("minutes=", "kills="))] or list(SETTINGS)
    folder.mkdir(parents=True, exist_ok=True)
    clip = folder / f"clip_{minutes:g}.mkv"
    if not clip.exists():
        write_clip(clip, minutes)
    whole, film = folder / f"whole_{minutes:g}.mkv", folder / f"film_{minutes:g}.mkv"
    start = time.perf_counter()
    peak_mb = interpolate(clip, whole, folder / "cache_whole", [*settings, "overwrite=true"], None)
    took_s = time.perf_counter() - start
    told = {
        "minutes": minutes,
        "settings": settings,
        "seconds": round(took_s, 1),
        "peak_mb": round(peak_mb, 1),
    }
    found = frames_hash(whole)
    told |= {"frames": found[1], "worst_sound_offset_s": round(worst_sound_offset_s(whole), 4)}
    if kills:
        draw, spent = random.Random(0), []
        for after_s in sorted(draw.uniform(0, took_s) for _ in range(kills)):
            begin = time.perf_counter()
            left_s = after_s - sum(spent) if spent else after_s
            if interpolate(clip, film, folder / "cache_film", settings, left_s):
                break  # it was quicker than the first, and done before it was killed
            spent.append(time.perf_counter() - begin)
        interpolate(clip, film, folder / "cache_film", [*settings, "overwrite=true"], None)
        told |= {"kills": len(spent), "killed_after_s": [round(one, 1) for one in spent]}
        told |= {"same_frames": frames_hash(film) == found}
        told |= {"worst_sound_offset_after_kills_s": round(worst_sound_offset_s(film), 4)}
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
