"""`rib demo`: a real clip of a moving person, interpolated and benchmarked."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from rib.benchmark.settings import DemoSettings
from rib.config.app import run_verb
from rib.config.exit_codes import exit_code

PACKAGE, CLIP = "sports2d", "Sports2D/Demo/demo.mp4"


def task(config: DemoSettings) -> None:
    """Make the clip's hidden frames again, print every method's scores and the files to open."""
    from rib.benchmark.run import run_benchmark
    from rib.benchmark.table import print_benchmark_table
    from rib.config.compose import compose
    from rib.io.results.result import is_result_finished
    from rib.io.weights.model_packages import weight_file
    from rib.pipeline.interpolate import interpolate_clip
    from rib.video import InMemorySource, open_frame_source, subclip, subsample_frames

    start = time.perf_counter()
    path = weight_file(PACKAGE, CLIP)
    crop, size, stride = config.crop_xywh, config.size_wh, config.stride
    clip = InMemorySource(subclip(open_frame_source(path), config.first, config.count, crop, size))
    clip.name = "walk"
    output = Path(config.output)
    made, scored = output / "interpolated", output / "benchmark"
    print(
        f"a woman walks, {size[0]} x {size[1]} px: {len(clip)} frames, one in {stride} given, the rest made"
    )
    common = f"input={path}", f"overwrite={config.overwrite}"
    if (
        config.overwrite
        or is_result_finished(scored, "benchmark")
        or not is_result_finished(made, "interpolate")
    ):
        interpolate_clip(
            compose("interpolate", *common, f"rate={stride}", f"output={made}"),
            subsample_frames(clip, stride),
        )
    print_benchmark_table(
        run_benchmark(compose("benchmark", *common, f"stride={stride}", f"output={scored}"), clip)
    )
    for file in (made / "report.html", made / "video.mp4", scored / "contact_sheet.png"):
        print(f"open {file.absolute()}")
    print(f"{time.perf_counter() - start:.0f} s")


def command(arguments: list[str]) -> None:
    """Entry point for `rib demo`."""
    run_verb("demo", task, arguments)


if __name__ == "__main__":
    sys.exit(exit_code(lambda: command(sys.argv[1:])))
