"""Settings of the chain side by side on a part of a clip, against RIFE: scores, joint error and flicker.

    python experiments/people/compare.py OUT VIDEO [first=0] [count=33] [stride=4] [crop=x,y,w,h] \\
        [size=w,h] NAME:override[;override ...] ...

`NAME:` alone is the chain as it stands; the first frame's number, how many are used, what is cut out and the
size that it is brought to are told as in `cases.json`. Writes OUT/scores.json and every picture beside the
true one, OUT/<frame>_<name>.png.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from run import Verdicts, scored_timeline
from scores import RIFE, Scores

from rib.benchmark.methods import build_method_chains
from rib.config.compose import compose
from rib.pipeline.chain import Chain
from rib.video import ArraySource, open_frame_source, share_decoded_frames, subclip, subsample_frames

DEFAULTS = {"first": "0", "count": "33", "stride": "4", "crop": "", "size": ""}


def numbers_of(text: str) -> tuple[int, ...] | None:
    """Whole numbers between commas; None of nothing."""
    return tuple(int(part) for part in text.split(",")) if text else None


def clip_of(video: Path, given: dict[str, str]) -> ArraySource:
    """The part of a clip that is used."""
    source = open_frame_source(video)
    crop, size = (numbers_of(given[key]) for key in ("crop", "size"))
    part = subclip(source, int(given["first"]), int(given["count"]), crop, size)  # type: ignore[arg-type]
    return ArraySource(np.stack(list(part)), fps=source.fps, name=video.stem)


def chains_of(methods: Sequence[str], stride: int, cache: Path) -> dict[str, Chain]:
    """RIFE alone, and a chain for each NAME:overrides; they share poses and RIFE's frames."""
    common = ("input=x", "output=y", f"stride={stride}", f"cache.dir={cache}", "device=cpu")
    renders = {RIFE: compose("benchmark", *common, "render=none")["render"]}
    for name, _, overrides in (method.partition(":") for method in methods):
        renders[name] = compose("benchmark", *common, *filter(None, overrides.split(";")))["render"]
    config = compose("benchmark", *common)
    return build_method_chains(replace(config, methods={n: {"render": r} for n, r in renders.items()}))


def compare(clip: ArraySource, chains: dict[str, Chain], stride: int, out: Path) -> dict[str, Any]:
    """Make the hidden frames by every method, write them, and score them."""
    keyframes = subsample_frames(clip, stride)
    timeline, numbers = scored_timeline(clip, stride)
    verdicts = {name: Verdicts() for name in chains}
    decoded = share_decoded_frames(keyframes, len(chains))
    runs = [
        chain.frames(keyframes, chain.analyse(keyframes, timeline), verdicts[name], frames)
        for (name, chain), frames in zip(chains.items(), decoded, strict=True)
    ]
    scores, frames = Scores(tuple(name for name in chains if name != RIFE), stride), list(clip)
    for number, *made in zip(numbers.tolist(), *runs, strict=True):
        pictures = dict(zip(chains, (one.picture for one in made), strict=True))
        (scores.add if number % stride else scores.keyframe)(number, frames[number], pictures)
        for name, picture in {**pictures, "truth": frames[number]}.items():
            cv2.imwrite(str(out / f"{number:04d}_{name}.png"), picture[..., ::-1])
    return {**scores.summary(), "verdicts": {name: one.found for name, one in verdicts.items()}}


def main() -> None:
    """Compare the methods that are named, and print a line for each."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    out, video, *rest = sys.argv[1:]
    given = DEFAULTS | dict(one.split("=", 1) for one in rest if one.split("=")[0] in DEFAULTS)
    methods = [one for one in rest if one.split("=")[0] not in DEFAULTS]
    folder, stride = Path(out), int(given["stride"])
    folder.mkdir(parents=True, exist_ok=True)
    chains = chains_of(methods, stride, folder / "cache")
    result = compare(clip_of(Path(video), given), chains, stride, folder)
    (folder / "scores.json").write_text(json.dumps(result))
    for name, means in result["means"].items():
        joints = np.mean([row[name] for row in result["joints"]]) if result["joints"] else np.nan
        print(
            f"{name:12} {means['person_db']:+.2f} dB {means['person_lpips']:+.4f} "
            f"full {means['full_lpips']:+.4f} "
            f"joints {joints:.3f} flicker {means['flicker']:.4f} (RIFE {means['rife_flicker']:.4f})"
        )


if __name__ == "__main__":
    main()
