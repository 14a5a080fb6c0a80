"""Score people=largest and people=all against RIFE on the cases of cases.json.

python experiments/people/run.py DATA OUT [CASE_STRIDE ...]

For every case a JSON is written to OUT; those that are there are kept, so that a run cut off goes on. A frame
in which a method does not differ from RIFE is not scored: it counts as a difference of 0. The person is where
MediaPipe finds them in the true frame, as in `rib benchmark`; `changed` is the box in which a method's frame
differs from RIFE's, whoever is there. What each interval's verdict followed from is kept beside it.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import tee
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from rib.benchmark.methods import build_method_chains
from rib.config.compose import compose
from rib.metrics.frames import FrameScorer
from rib.metrics.person import scored_person_region
from rib.pipeline.synthesis.synthesiser import SynthesisedMoments
from rib.video import ArraySource, open_frame_source, subclip, subsample_frames

HERE = Path(__file__).parent
METHODS = ("largest", "all")


def truth(data: Path, case: dict[str, Any]) -> ArraySource:
    """The frames of a case at an even rate."""
    source = open_frame_source(data / case["video"])
    crop = tuple(case["crop_xywh"]) if case["crop_xywh"] else None
    part = subclip(source, case["first"], case["count"], crop, tuple(case["size_wh"]))
    return ArraySource(np.stack(list(part)), fps=source.fps, name=Path(case["video"]).stem)


class Verdicts:
    """An observer that keeps what every interval's decision about everybody followed from."""

    def __init__(self) -> None:
        self.found: dict[int, dict[int, dict[str, Any]]] = {}

    def __call__(self, made: SynthesisedMoments) -> None:
        """See `rib.pipeline.synthesis.synthesiser.SynthesisObserver`."""
        for plan in made.plans:
            person, holdout = plan.person, plan.person.holdout
            notes = {name: round(float(value), 4) for name, value in plan.notes.items()}
            gain = None if holdout is None else holdout.gain_db
            row = {**notes, "drawn": plan.drawn, "likeness": person.likeness, "overlap": person.overlap}
            row["holdout"] = gain
            self.found.setdefault(person.interval.a.index, {})[person.track_id] = row


def run(data: Path, name: str, case: dict[str, Any], stride: int, cache: Path) -> dict[str, Any]:
    """Predict the hidden frames of one case by RIFE alone and by both choices of people."""
    clip = truth(data, case)
    config = compose(
        "benchmark", "input=x", "output=y", f"stride={stride}", f"cache.dir={cache}", "device=cpu"
    )
    none = compose("benchmark", "input=x", "output=y", "render=none")["render"]
    methods = {"rife": {"render": none}} | {people: {"people": people} for people in METHODS}
    chains = build_method_chains({**config, "methods": methods})
    keyframes, start = subsample_frames(clip, stride), time.process_time()
    analyses = {method: chain.analyse(keyframes, clip.fps) for method, chain in chains.items()}
    verdicts = {method: Verdicts() for method in methods}
    copies = tee(keyframes, len(chains))
    runs = [
        chain.frames(keyframes, analyses[method], verdicts[method], decoded)
        for (method, chain), decoded in zip(chains.items(), copies, strict=True)
    ]
    scores = Scores()
    for index, (true, *made) in enumerate(zip(clip, *runs, strict=False)):
        if index % stride:
            scores.add(index, stride, true, dict(zip(methods, (one.picture for one in made), strict=True)))
    tracks = analyses["all"].keyframe_tracks.track_ids
    return {
        "case": f"{name}_{stride}", **{key: case[key] for key in ("kind", "judge", "recording")},
        "stride": stride, "people": len(tracks), "cpu_s": round(time.process_time() - start, 1),
        **scores.summary(), "verdicts": {method: verdicts[method].found for method in METHODS},
    }  # fmt: skip


class Scores:
    """Differences to RIFE, over the person, over the frame, and where something changed."""

    def __init__(self) -> None:
        self.scorer = FrameScorer("cpu")
        self.rows: dict[str, list[dict[str, float]]] = {method: [] for method in METHODS}
        self.hidden = self.looked = self.with_person = 0

    def add(self, index: int, stride: int, true: np.ndarray, made: dict[str, np.ndarray]) -> None:
        """One hidden frame."""
        self.hidden += 1
        changed = {method: (made[method] != made["rife"]).any(-1) for method in METHODS}
        if index % stride != stride // 2 and not any(where.any() for where in changed.values()):
            return
        person = self.scorer.detect(true)
        region = scored_person_region(person) if person else None
        if index % stride == stride // 2:
            self.looked += 1
            self.with_person += region is not None
        for method, where in changed.items():
            if where.any():
                self.rows[method].append(self._row(index, true, made["rife"], made[method], where, region))

    def _row(
        self, index: int, true: Any, rife: Any, ours: Any, where: np.ndarray, region: Any
    ) -> dict[str, float]:
        rows, columns = np.flatnonzero(where.any(1)), np.flatnonzero(where.any(0))
        box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        row = {"frame": index} | self._differences("full", true, rife, ours, None, None)
        row |= self._differences("changed", true, rife, ours, where, box)
        if region is not None:
            row |= self._differences("person", true, rife, ours, region.mask, region.box)
        return row

    def _differences(
        self, name: str, true: Any, rife: Any, ours: Any, mask: Any, box: Any
    ) -> dict[str, float]:
        """Ours less RIFE's: PSNR in dB and LPIPS."""
        errors = [np.square((true.astype(np.float32) - one) / 255).mean(-1) for one in (ours, rife)]
        db = [-10 * np.log10(max(float(e.mean() if mask is None else e[mask].mean()), 1e-9)) for e in errors]
        found = {f"{name}_db": round(db[0] - db[1], 4), f"{name}_rife_db": round(db[1], 3)}
        parts = [one if box is None else one[box] for one in (ours, rife, true)]
        if min(parts[0].shape[:2]) >= 32:
            planes = [
                torch.from_numpy(np.ascontiguousarray(p.transpose(2, 0, 1)))[None].float() / 255
                for p in parts
            ]
            with torch.no_grad():
                lpips = [float(self.scorer.lpips(one, planes[2])) for one in planes[:2]]
            found |= {
                f"{name}_lpips": round(lpips[0] - lpips[1], 5),
                f"{name}_rife_lpips": round(lpips[1], 5),
            }
        return found

    def summary(self) -> dict[str, Any]:
        """Means over the frames with a person (over all, for the frame), unchanged ones counted as 0."""
        share = self.with_person / max(self.looked, 1)
        told: dict[str, Any] = {
            "hidden": self.hidden,
            "with_person": round(share, 3),
            "means": {},
            "frames": self.rows,
        }
        for method, rows in self.rows.items():
            means = {"changed_frames": len(rows) / max(self.hidden, 1)}
            for score in ("person_db", "person_lpips", "full_lpips", "changed_db", "changed_lpips"):
                values = [row[score] for row in rows if score in row]
                of = {"person": share * self.hidden, "full": self.hidden}.get(
                    score.split("_")[0], len(values)
                )
                means[score] = round(sum(values) / max(of, len(values), 1), 5)
            told["means"][method] = means
        return told


def main() -> None:
    """Run the cases that are named, or all."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    data, out, *chosen = sys.argv[1:]
    for name, case in json.loads((HERE / "cases.json").read_text()).items():
        for stride in case["strides"]:
            path = Path(out) / f"{name}_{stride}.json"
            if (chosen and f"{name}_{stride}" not in chosen) or path.exists():
                continue
            result = run(Path(data), name, case, stride, Path(out) / "cache")
            path.write_text(json.dumps(result))
            told = " ".join(
                f"{method} {m['person_db']:+.2f} dB {m['person_lpips']:+.4f} ({m['changed_frames']:.2f})"
                for method, m in result["means"].items()
            )
            print(f"{result['case']:28} {result['kind']:16} P={result['people']:<2} {told}", flush=True)


if __name__ == "__main__":
    main()
