"""What passes between the rooms that make a picture: keyframes, what stands between them, the person drawn.

Letters: N times wanted inside the interval, H and W the picture's height and width.
Pictures are RGB float32 in 0..1, masks and alphas float32 in 0..1, flows in pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from rib.structures.keypoints import PoseSequence


@dataclass(frozen=True)
class Keyframe:
    """A frame that the input video has.

    Attributes:
        index: Its number in the input, from 0.
        time_s: Its time in seconds.
        picture: (3, H, W).
        mask: (1, H, W), the person's matte, or None where no stage asked for it.
        pose: A `PoseSequence` of length 1, or None.
    """

    index: int
    time_s: float
    picture: torch.Tensor
    mask: torch.Tensor | None = None
    pose: PoseSequence | None = None


@dataclass(frozen=True)
class Refinement:
    """What a renderer's net changed over the person of hidden keyframes, against the drawing without it.

    Attributes:
        lpips: Mean change of LPIPS-AlexNet on the person's box; below 0 is better.
        psnr_db: Mean change of PSNR; above 0 is better.
        lpips_vgg16: Mean change of LPIPS-VGG16 on the person's box at half its size; below 0 is better.
        lpips_error: Standard error of the sum of both, from one keyframe to the next.
    """

    lpips: float
    psnr_db: float
    lpips_vgg16: float
    lpips_error: float


@dataclass(frozen=True)
class Interval:
    """Two neighbouring keyframes and the times wanted strictly between them.

    Attributes:
        a: The earlier keyframe.
        b: The later keyframe.
        times_s: (N,) float64 seconds, a.time_s < t < b.time_s.
        poses: The person at those times (length N), or None.
        neighbours: Other keyframes near by, for the person-free plate.
        indices: The number of each wanted frame in the output, from 0 (length N); empty where nothing
            counts the output.
        rehearsed_db: By how much the renderer beat the interpolator on keyframes near by that were hidden
            from both (PSNR over the person); infinite in rehearsal itself, None where none was possible.
        refinement: What the renderer's net changed on such keyframes of the shot, or None.
    """

    a: Keyframe
    b: Keyframe
    times_s: np.ndarray
    poses: PoseSequence | None = None
    neighbours: tuple[Keyframe, ...] = ()
    indices: tuple[int, ...] = ()
    rehearsed_db: float | None = None
    refinement: Refinement | None = None

    @property
    def fractions(self) -> torch.Tensor:
        """(N,) float32, 0 at a and 1 at b, on the pictures' device."""
        span = self.b.time_s - self.a.time_s
        t = (np.asarray(self.times_s, dtype=np.float64) - self.a.time_s) / span
        return torch.as_tensor(t, dtype=torch.float32, device=self.a.picture.device)


@dataclass(frozen=True)
class Background:
    """What an interpolator sees between two keyframes, and what stands behind the person.

    Attributes:
        interpolated: (N, 3, H, W), the floor: the output where trust is 0.
        plate: (N, 3, H, W), the scene without the person, or None where no stage asked for it.
        flow: (N, 4, H, W), x and y from the time to a, then to b, in pixels, or None (blend, folder).
        weight_a: (N, 1, H, W), the share of a's colour in `interpolated`, or None.
        between: Interpolates any two batches of pictures (N, 3, H, W) at fractions (N,), or None.
    """

    interpolated: torch.Tensor
    plate: torch.Tensor | None = None
    flow: torch.Tensor | None = None
    weight_a: torch.Tensor | None = None
    between: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor] | None = None


@dataclass(frozen=True)
class Rendered:
    """The person in the wanted poses.

    Attributes:
        foreground: (N, 3, H, W).
        alpha: (N, 1, H, W), coverage by the person.
        trust: (N, 1, H, W), 0 keeps the interpolated frame and 1 takes the rendered one.
        state: What a sequential renderer carries to the next interval, or None.
        notes: What a renderer wants told in the summary, by name.
    """

    foreground: torch.Tensor
    alpha: torch.Tensor
    trust: torch.Tensor
    state: torch.Tensor | None = None
    notes: dict[str, float] = field(default_factory=dict)
