"""Score `render=warp` against its floor on every case of a list, as it is and disturbed.

    python run.py data=DATA out=OUT [list=unseen.json] [cases=walk_4,jacks_8] [view=mirrored] [key=value]

DATA holds `dev_cases.json` (or `list=` another file of that form) and `video/`. `rib interpolate` is given
a folder with the keyframes of a case and nothing else; all its settings are the defaults, or `key=value`.
The floor that it starts from, RIFE's picture, is kept on the way and scored too. `view` is plain, mirrored,
cropped or panned. Pictures, summaries and scores stay under OUT.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from cases import Case, cases, read
from scores import KeptScores

from rib.config.compose import compose
from rib.io.files.whole import write_text_whole
from rib.io.images import to_pictures
from rib.metrics.frames import summarise_scores
from rib.pipeline.chain import Chain
from rib.pipeline.outputs.record import OutputRecord
from rib.pipeline.synthesis.compositor import composited_trust
from rib.pipeline.synthesis.synthesiser import SynthesisedMoments
from rib.pipeline.timeline import target_output_fps
from rib.video import PictureWriter, open_frame_source

HEAD = (
    "| case | RIFE person dB / LPIPS | dB | LPIPS | worst tenth dB / LPIPS | full dB / LPIPS "
    "| joints | intervals | pixels |\n|---|---|---|---|---|---|---|---|---|"
)


@dataclass
class Kept:
    """Keeps what the study wants of what is made (`rib.pipeline.synthesis.synthesiser.SynthesisObserver`).

    Attributes:
        floors: RIFE's picture of every frame.
        trust: Histogram of all maps in 20 bins.
        found: What each interval was judged by.
    """

    floors: dict[int, np.ndarray] = field(default_factory=dict)
    trust: np.ndarray = field(default_factory=lambda: np.zeros(20, np.int64))
    found: dict[int, dict[str, float | None]] = field(default_factory=dict)

    def __call__(self, made: SynthesisedMoments) -> None:
        """Look at some moments of an interval."""
        floors = made.background.interpolated
        self.floors |= zip(made.interval.indices, to_pictures(floors), strict=True)
        trust = composited_trust(made.people, floors).cpu().numpy()
        self.trust += np.histogram(trust, 20, (0.0, 1.0))[0]
        for plan in made.plans:
            if plan.notes:
                holdout = plan.holdout
                self.found[made.interval.a.index] = {
                    **plan.notes,
                    "holdout_db": holdout.gain_db if holdout else None,
                }


def made(case: Case, settings: list[str]) -> tuple[dict[str, Any], dict[int, np.ndarray]]:
    """The summary of a run on the keyframes, whose pictures lie under `warp/frames`, and RIFE's pictures."""
    config = compose(
        "interpolate",
        f"input={case.keyframes}",
        f"input_fps={float(case.fps / case.stride)!r}",
        f"output={case.true.parent / 'warp'}",
        f"rate={case.stride}",
        "video=frames",
        "report=false",
        "render=warp",
        *settings,
    )
    kept, record = Kept(), OutputRecord()
    source = open_frame_source(config.input, config.input_fps)
    chain = Chain.from_config(config)
    analysis = chain.analyse(source, target_output_fps(source.fps, config.rate, None))
    with PictureWriter(Path(config.output) / "frames", compression=1) as writer:
        for frame in chain.frames(source, analysis, kept):
            writer.write(frame.picture)
            if frame.keyframe < 0:
                record.add(int(analysis.timeline.interval[frame.index]), frame.trusted)
    told = {**record.shares(), "seconds": dict(chain.watch.seconds), "config": config}
    return {**told, "trust_histogram": kept.trust.tolist(), "intervals": kept.found}, kept.floors


def compare(case: Case, floors: dict[int, np.ndarray], scores: KeptScores, always: bool) -> dict[str, Any]:
    """Both methods' scores; none where all pictures are the same and `always` is not set."""
    frames = case.true.parent / "warp" / "frames"
    rows: dict[str, list[dict[str, float]]] = {"rife": [], "warp": []}
    warp = {index: read(frames / f"{index:06d}.png") for index in sorted(floors)}
    changed = sum(not np.array_equal(floors[index], warp[index]) for index in floors)
    if changed or always:
        (case.true.parent / "rife").mkdir(exist_ok=True)
        for index, picture in warp.items():
            cv2.imwrite(str(case.true.parent / "rife" / f"{index:06d}.png"), floors[index][..., ::-1])
            true = read(case.true / f"{index:06d}.png")
            for name, found in scores.score_many(true, {"rife": floors[index], "warp": picture}).items():
                rows[name].append({"frame": index, **found})
        scores.save()
    summaries = {
        name: {"summary": summarise_scores(some), "frames": some} for name, some in rows.items() if some
    }
    return {"changed": changed, "hidden": len(floors), **summaries}


def line(name: str, result: dict[str, Any], told: dict[str, Any]) -> str:
    """A row of the table: RIFE's own value, what the warp changes against it, how much it is trusted."""
    share = f"{told['trusted_intervals']:.2f} | {told['trusted_pixels']:.3f} |"
    if "rife" not in result:
        return f"| {name} | (every picture is RIFE's) | 0 | 0 | 0 / 0 | 0 / 0 | 1 | {share}"
    rife, warp = result["rife"]["summary"], result["warp"]["summary"]

    def change(score: str) -> float:
        return warp[score] - rife[score]

    cells = [
        f"{rife['psnr_person']:.2f} / {rife['lpips_person']:.4f}",
        f"{change('psnr_person'):+.2f}",
        f"{change('lpips_person'):+.4f} ({change('lpips_person') / rife['lpips_person']:+.0%})",
        f"{change('psnr_person_worst_tenth'):+.2f} / {change('lpips_person_worst_tenth'):+.4f}",
        f"{change('psnr_full'):+.2f} / {change('lpips_full'):+.4f}",
        f"{warp['joint_error'] / rife['joint_error']:.2f}" if "joint_error" in warp else "",
    ]
    return f"| {name} | " + " | ".join(cells) + f" | {share}"


def main(arguments: list[str]) -> None:
    """See the module."""
    given = dict(argument.split("=", 1) for argument in arguments)
    data, out = Path(given.pop("data")), Path(given.pop("out")).absolute()
    listing = Path(given.pop("list", data / "dev_cases.json"))
    chosen, view = tuple(filter(None, given.pop("cases", "").split(","))), given.pop("view", "plain")
    joints = given.pop("joints", "true") == "true"
    settings = [f"{key}={value}" for key, value in given.items()]
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    scores = KeptScores(out / "scores.json", joints)
    print(HEAD, flush=True)
    for case in cases(listing, data / "video", out, view, chosen):
        told, floors = made(case, settings)
        result = compare(case, floors, scores, always=view == "plain" and listing.name == "dev_cases.json")
        of = {"case": case.name, "recording": case.recording, "stride": case.stride, "told": told}
        write_text_whole(case.true.parent / "result.json", json.dumps({**of, **result}) + "\n")
        print(line(case.name, result, told), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
