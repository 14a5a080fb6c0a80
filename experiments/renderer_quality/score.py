"""Score renderers side by side on the cases of a data folder, all from the keyframes alone.

    python score.py data=DATA out=OUT cases=walk_8,jacks_4 methods=rife,warp,trained ckpt=WEIGHTS [key=value]
    python score.py data=DATA out=OUT methods=rife,warp,trained ckpt=WEIGHTS ckpt.sports2d=WEIGHTS2

Methods: blend, flow, rife, warp; untrained (a last layer of zeros), trained (the weights in
`ckpt`, or in `ckpt.<recording>` for the cases of a recording), always (`trained` without the guard), fitted
(`render.fit` on the clip's own keyframes, `fit` steps), reference (`render=reference` with `reference`).
A case that OUT holds already is told from there. The other arguments are settings of `rib benchmark`;
`table.py out=OUT` makes the table.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import torch
from cases import cases, clip

from rib.benchmark.run import run_benchmark
from rib.config.compose import compose

OURS = ("ckpt", "fit", "reference")
SCORES = ("psnr_person", "lpips_person", "joint_error", "lpips_full")


def stages(name: str, given: dict[str, str], recording: str) -> dict[str, Any]:
    """Background and renderer of a method on a recording."""
    ckpt = given.get(f"ckpt.{recording}", given.get("ckpt"))
    chosen: dict[str, list[str]] = {
        **{name: [f"background={name}", "render=none"] for name in ("blend", "flow", "rife")},
        "warp": ["render=warp"],
        "untrained": ["render=gan", "render.ckpt=untrained"],
        "trained": ["render=gan", f"render.ckpt={ckpt}"],
        "always": [
            "render=gan",
            f"render.ckpt={ckpt}",
            "render.guard_lpips=9",
            "render.guard_errors=0",
            "render.guard_db=-99",
        ],
        "reference": ["render=reference", f"render.ckpt={given.get('reference')}"],
        "fitted": ["render=gan", "render.ckpt=untrained", f"render.fit={given.get('fit', 300)}"],
    }
    config = compose("interpolate", "input=x", "output=y", "rate=2", *chosen[name])
    return {stage: config[stage] for stage in ("background", "render")}


def line(case: str, name: str, method: dict[str, Any]) -> str:
    """A row of the table."""
    summary = method["summary"]
    cells = [f"{summary[score]:.4f}" if score in summary else "-" for score in SCORES]
    told = [f"{method[key]:.2f}" if key in method else "" for key in ("trusted_intervals", "net_intervals")]
    return f"| {case} | {name} | " + " | ".join([*cells, *told, f"{method['seconds_a_frame']:.3f}"]) + " |"


def main(arguments: list[str]) -> None:
    """See the module."""
    given = dict(argument.split("=", 1) for argument in arguments)
    data, out = Path(given.pop("data")), Path(given.pop("out")).absolute()
    out.mkdir(parents=True, exist_ok=True)
    wanted = given.pop("cases", "") or ",".join(
        f"{c}_{s}" for c, case in cases(data).items() for s in case["strides"]
    )
    names = given.pop("methods").split(",")
    settings = [f"{key}={value}" for key, value in given.items() if key.partition(".")[0] not in OURS]
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    print(
        "| case | method | " + " | ".join(SCORES) + " | trusted intervals | net intervals | s a frame |",
        flush=True,
    )
    for case in wanted.split(","):
        which, stride = case.split("_")
        kept = out / case / "metrics.json"
        if kept.is_file():
            result = json.loads(kept.read_text())
        else:
            config = compose(
                "benchmark", "input=frames", f"output={out / case}", f"stride={stride}", *settings
            )
            recording = cases(data)[which]["recording"]
            config.methods = {name: stages(name, given, recording) for name in names}
            result = run_benchmark(config, clip(data, which))
        for name, method in result["methods"].items():
            print(line(case, name, method), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
