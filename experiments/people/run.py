"""Score people=largest and people=all against RIFE on the cases of cases.json.

python experiments/people/run.py DATA OUT [window=middle] [OVERRIDE=...] [CASE_STRIDE ...]

A JSON is written to OUT for every setting; those that are there are kept, so a run cut off goes on. The
person is where MediaPipe finds them in the true frame, as in `rib benchmark`; `changed` is the box in which a
method's frame differs from RIFE's, whoever is there. What each interval's verdict followed from is kept
beside it. Of a case the frames in its middle are used, `INTERVALS` intervals at least, and in each interval
at most `HIDDEN` frames at even distances are made and scored. With `window=early` or `window=late` those at
its beginning or end are used, with every keyframe half a stride further on, and people=all alone; settings of
which that leaves nothing new are passed over.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from scores import RIFE, Scores

from rib.benchmark.methods import build_method_chains
from rib.config.compose import compose
from rib.pipeline.chain import Chain
from rib.pipeline.synthesis.synthesiser import SynthesisedMoments
from rib.pipeline.timeline import OutputTimeline
from rib.video import ArraySource, open_frame_source, share_decoded_frames, subclip, subsample_frames

HERE = Path(__file__).parent
METHODS = ("largest", "all")
SHORTEST, INTERVALS, HIDDEN = 33, 8, 3
"""At least so many frames of a case are used, and so many intervals; so many frames are made in each."""
WINDOWS = ("middle", "early", "late")
RATES = (7.5, 4.0, 15.0)
"""Keyframes a second: every clip at the first, then at the others."""
KINDS = ("several", "moving camera", "one person", "falls and bends", "upper body")


def truth(data: Path, case: dict[str, Any], stride: int | None = None, window: str = "middle") -> ArraySource:
    """The frames of a case at an even rate; those that are scored where a stride is given."""
    source = open_frame_source(data / case["video"])
    crop = tuple(case["crop_xywh"]) if case["crop_xywh"] else None
    begin, count = (0, case["count"]) if stride is None else scored_part(case["count"], stride, window)
    part = subclip(source, case["first"] + begin, count, crop, tuple(case["size_wh"]))
    return ArraySource(np.stack(list(part)), fps=source.fps, name=Path(case["video"]).stem)


def scored_part(count: int, stride: int, window: str) -> tuple[int, int]:
    """Where the frames that are used begin in a case, and how many they are."""
    scored = scored_frames(count, stride)
    middle = (count - scored) // 2
    if window == "middle":
        return middle, scored
    begin = (middle + stride // 2) % stride
    if window == "late":
        begin += max(count - begin - scored, 0) // stride * stride
    return begin, min(scored, count - begin)


def scored_frames(count: int, stride: int) -> int:
    """How many of a case's frames are used."""
    return min(count, max(SHORTEST, INTERVALS * stride + 1))


def scored_timeline(clip: ArraySource, stride: int) -> tuple[OutputTimeline, np.ndarray]:
    """The moments that are made, and their numbers in the clip."""
    keys = np.arange(0, len(clip), stride)
    hidden = np.unique(np.linspace(0, stride, min(HIDDEN, stride - 1) + 2)[1:-1].astype(int))
    inside = (keys[:-1, None] + hidden).ravel()
    numbers = np.sort(np.concatenate([keys, inside]))
    keyframe = np.where(numbers % stride == 0, numbers // stride, -1)
    interval = np.minimum(numbers // stride, len(keys) - 2)
    fps = clip.fps * (len(hidden) + 1) / stride
    return OutputTimeline(fps, np.asarray(clip.times_s)[numbers], keyframe, interval), numbers


class Verdicts:
    """An observer that keeps what every interval's decision about everybody followed from."""

    def __init__(self) -> None:
        self.found: dict[int, dict[int, dict[str, Any]]] = {}

    def __call__(self, made: SynthesisedMoments) -> None:
        """See `rib.pipeline.synthesis.synthesiser.SynthesisObserver`."""
        for plan in made.plans:
            person, holdout = plan.person, plan.holdout
            notes = {name: round(float(value), 4) for name, value in plan.notes.items()}
            likeness = None if person.likeness is None else round(person.likeness, 4)
            row = {"drawn": plan.drawn, "likeness": likeness, "overlap": round(person.overlap, 4)}
            row |= {"shared_box": round(person.shared_box, 4)} | notes
            row["holdout"] = None if holdout is None else holdout.gain_db
            self.found.setdefault(person.interval.a.index, {})[person.track_id] = row


def build_chains(
    stride: int, cache: Path, overrides: Sequence[str], choices: Sequence[str] = METHODS
) -> dict[str, Chain]:
    """RIFE 4.0 alone, and the choices of people; they share poses and the interpolator's frames."""
    config = compose(
        "benchmark", "input=x", "output=y", f"stride={stride}", f"cache.dir={cache}", "device=cpu", *overrides
    )
    published = compose("benchmark", "input=x", "output=y", "device=cpu").methods[RIFE]
    methods = {RIFE: published} | {people: {"people": people} for people in choices}
    return build_method_chains(replace(config, methods=methods))


def run(
    clip: ArraySource,
    stride: int,
    cache: Path,
    overrides: Sequence[str] = (),
    choices: Sequence[str] = METHODS,
) -> tuple[Scores, dict[str, Verdicts], int]:
    """Predict the hidden frames of a clip and score them; who is alone is drawn once for all choices.

    Returns:
        The scores, the verdicts by method, and how many people were found.
    """
    chains, keyframes = build_chains(stride, cache, overrides, choices), subsample_frames(clip, stride)
    timeline, numbers = scored_timeline(clip, stride)
    analyses = {"all": chains["all"].analyse(keyframes, timeline)}
    if len(analyses["all"].keyframe_tracks.track_ids) == 1:
        chains.pop("largest", None)  # the same person, found alike
    analyses |= {name: chain.analyse(keyframes, timeline) for name, chain in chains.items() if name != "all"}
    verdicts = {name: Verdicts() for name in chains}
    decoded = share_decoded_frames(keyframes, len(chains))
    runs = [
        chain.frames(keyframes, analyses[name], verdicts[name], frames)
        for (name, chain), frames in zip(chains.items(), decoded, strict=True)
    ]
    scores, frames = Scores(tuple(choices), stride), list(clip)
    for number, *made in zip(numbers.tolist(), *runs, strict=True):
        pictures = dict(zip(chains, (one.picture for one in made), strict=True))
        pictures |= {name: pictures["all"] for name in choices if name not in pictures}
        add = scores.add if number % stride else scores.keyframe
        add(number, frames[number], pictures)
    verdicts |= {name: verdicts["all"] for name in choices if name not in verdicts}
    return scores, verdicts, len(analyses["all"].keyframe_tracks.track_ids)


def settings(cases: dict[str, Any], data: Path) -> Iterator[tuple[str, int]]:
    """Every case and stride, by their keyframe rates in the order of `RATES`, then in that of `KINDS`."""
    left = []
    for name, case in cases.items():
        fps = float(open_frame_source(data / case["video"]).fps)
        for stride in case["strides"]:
            errors = [abs(np.log(fps / stride / rate)) for rate in RATES]
            left.append((int(np.argmin(errors)), name, stride))
    for _, name, stride in sorted(left, key=lambda one: (one[0], KINDS.index(cases[one[1]]["kind"]))):
        yield name, stride


def tell(result: dict[str, Any]) -> str:
    """One line about a setting."""
    told = " ".join(
        f"{method} {m['person_db']:+.2f} dB {m['person_lpips']:+.4f} full {m['full_lpips']:+.4f}"
        f" ({m['changed_frames']:.2f})"
        for method, m in result["means"].items()
    )
    return f"{result['case']:26} P={result['people']:<2} {result['cpu_s']:5.1f} s {told}"


def main() -> None:
    """Run the settings that are named, or all."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    data, out, *rest = sys.argv[1:]
    window = next((one.split("=")[1] for one in rest if one.startswith("window=")), "middle")
    overrides = [one for one in rest if "=" in one and not one.startswith("window=")]
    chosen = [one for one in rest if "=" not in one]
    choices = METHODS if window == "middle" else ("all",)
    cases = json.loads((HERE / "cases.json").read_text())
    for name, stride in settings(cases, Path(data)):
        case, setting = cases[name], f"{name}_{stride}"
        parts = [scored_part(case["count"], stride, one) for one in WINDOWS[: WINDOWS.index(window) + 1]]
        told = setting if window == "middle" else f"{setting}_{window}"
        path = Path(out) / f"{told}.json"
        if (chosen and setting not in chosen) or path.exists() or parts[-1] in parts[:-1]:
            continue
        start = time.process_time()
        clip = truth(Path(data), case, stride, window)
        scores, verdicts, people = run(clip, stride, Path(out) / "cache", overrides, choices)
        result = {
            "case": told, **{key: case[key] for key in ("kind", "judge", "recording")}, "stride": stride,
            "window": window, "people": people, "cpu_s": round(time.process_time() - start, 1),
            **scores.summary(), "verdicts": {name: verdicts[name].found for name in choices},
        }  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result))
        print(tell(result), flush=True)


if __name__ == "__main__":
    main()
