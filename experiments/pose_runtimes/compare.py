"""Do the torch networks see what the package's see, at what cost?  python compare.py CLIP [CLIP ...]."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rib.pose.detectors.networks import PoseRuntime
from rib.pose.detectors.regions import BlazePoseRoi, BodyLandmarks
from rib.video import open_frame_source

PACKAGE, TORCH = PoseRuntime("mediapipe", "cpu"), PoseRuntime("torch", "cpu")
WINDOW_PX = 512
NUM, STEP = 12, 6


def main(clips: list[str]) -> None:
    """Print a table for each clip, and the CPU time of a call on the last."""
    torch.set_num_threads(1)
    for clip in clips:
        pictures = list(islice(open_frame_source(clip), 0, NUM * STEP, STEP))
        print(f"\n{Path(clip).name}: {len(pictures)} frames")
        for name, values in differences(pictures).items():
            print(
                f"  {name}: {len(values)} values, largest {max(values):.1e}, median {np.median(values):.1e}"
            )
    print_costs(pictures)


def differences(pictures: list[np.ndarray]) -> dict[str, list[float]]:
    """By kind, the largest of each look; lengths in sides of the square."""
    found: dict[str, list[float]] = defaultdict(list)
    with (
        closing(PACKAGE.person_network()) as find,
        closing(PACKAGE.body_network(False, True, WINDOW_PX)) as body,
        closing(PACKAGE.body_network(True, False, WINDOW_PX)) as body_of_before,
    ):
        find_by_torch, body_by_torch = TORCH.person_network(), TORCH.body_network(True, True, WINDOW_PX)
        for picture in pictures:
            squares, others = find(picture), find_by_torch(picture)
            found["people more or fewer"].append(abs(len(squares) - len(others)))
            for square, other in zip(squares, others, strict=False):
                found["square"].append(np.abs(square.centre_px - other.centre_px).max() / square.side_px)
                one, two = body(picture, square), body_by_torch(picture, square)
                found["body found by one alone"].append(float((one is None) != (two is None)))
                if one is not None and two is not None:
                    compare_bodies(found, one, two, square)
                with closing(PACKAGE.body_network(True, False, WINDOW_PX)) as fresh:
                    anew, again = fresh(picture, square), body_of_before(picture, square)
                compare_hands(found, "hands", anew, two, square)
                compare_hands(found, "the package's hands, fresh and not", anew, again, square)
    return found


def compare_bodies(
    found: dict[str, list[float]], one: BodyLandmarks, two: BodyLandmarks, square: BlazePoseRoi
) -> None:
    """Add what differs between two looks at one body."""
    assert one.mask is not None
    assert two.mask is not None
    apart = np.abs(one.points - two.points) / square.side_px
    off = np.abs(one.mask - two.mask)
    found["points"].append(apart[:, :2].max())
    found["depth"].append(apart[:, 2].max())
    found["visibility"].append(np.abs(one.visibility - two.visibility).max())
    found["mask"].append(float(off.max()))
    found["mask, share of pixels above 0.001"].append(float((off > 1e-3).mean()))


def compare_hands(
    found: dict[str, list[float]],
    name: str,
    one: BodyLandmarks | None,
    two: BodyLandmarks | None,
    square: BlazePoseRoi,
) -> None:
    """Add what differs between two looks at the hands of one body."""
    if one is None or two is None:
        return
    for hand, other in ((one.left_hand, two.left_hand), (one.right_hand, two.right_hand)):
        found[f"{name}: found by one alone"].append(float((hand is None) != (other is None)))
        if hand is not None and other is not None:
            found[name].append(np.abs(hand - other).max() / square.side_px)


def print_costs(pictures: list[np.ndarray]) -> None:
    """CPU ms a look with one thread: its crops, networks and what is read from them."""
    with closing(PACKAGE.person_network()) as find:
        looks = [(picture, find(picture)[0]) for picture in pictures if find(picture)][:4]
        print(f"\nperson detector: package {cpu_ms(lambda: find(looks[0][0])):.1f}", end="")
    find_by_torch: Any = TORCH.person_network()
    many = [picture for picture, _ in looks]
    print(f", torch {cpu_ms(lambda: find_by_torch(many[0])):.1f}", end="")
    print(f", torch {len(many)} at once {cpu_ms(lambda: find_by_torch.in_each(many)) / len(many):.1f} ms")
    for hands in (False, True):
        with closing(PACKAGE.body_network(hands, True, WINDOW_PX)) as body:
            print(
                f"body{' and hands' if hands else ''}: package {cpu_ms(lambda: body(*looks[0])):.1f}", end=""
            )
        by_torch = TORCH.body_network(hands, True, WINDOW_PX)
        print(f", torch {cpu_ms(lambda: by_torch(*looks[0])):.1f}", end="")  # noqa: B023
        print(f", torch {len(looks)} at once {cpu_ms(lambda: by_torch.in_each(looks)) / len(looks):.1f} ms")  # noqa: B023


def cpu_ms(call: Callable[[], Any], times: int = 8) -> float:
    """Of the process, threads of the package included; the least of some calls."""
    call()
    spent = []
    for _ in range(times):
        begin = time.process_time()
        call()
        spent.append(time.process_time() - begin)
    return 1000 * min(spent)


if __name__ == "__main__":
    main(sys.argv[1:])
