"""The motion net as a function of tensors alone: keyframes and moments in, keypoints out."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from rib.motion.nets.checkpoint import load_motion_net, shipped_motion_weights
from rib.structures.skeleton import joint_set_named


class MotionNet(nn.Module):
    """A trained motion net for use in a program of one's own; B clips, K keyframes, Q moments, J joints.

    ```python
    net = rib.MotionNet.from_weights("runs/motion/.../last.ckpt")
    keypoints_px, confidence = net(times_s, keypoints_px, confidence, present, query_s)
    ```

    Args:
        net: A net of conf/net/motion_*.yaml or of a plugin.
    """

    INPUTS: ClassVar[dict[str, str]] = {
        "times_s": "(B, K) float64, seconds, rising where present",
        "keypoints_px": "(B, K, J, 2) float32, px, pixel centres at .5",
        "confidence": "(B, K, J) float32, 0..1, 0 where a joint is missing",
        "present": "(B, K) bool, False at keyframes at the end that only pad",
        "query_s": "(B, Q) float64, seconds; outside the keyframes the pose is held",
    }
    OUTPUTS: ClassVar[dict[str, str]] = {
        "moved_px": "(B, Q, J, 2) float32, px",
        "certainty": "(B, Q, J) float32, the probability that the joint lies within a fifth of the torso",
    }

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    @classmethod
    def from_weights(cls, path: str | Path | None = None) -> Self:
        """Load a net, ready for use; nothing in the file is run, and it may name registered nets alone.

        Args:
            path: A .safetensors or .ckpt of `rib train` or `rib export`; None takes the weights that come
                with rib.

        Raises:
            RibError: The file is absent, damaged, or holds no motion net.
        """
        return cls(load_motion_net(path or shipped_motion_weights()))

    def forward(
        self, times_s: Tensor, keypoints_px: Tensor, confidence: Tensor, present: Tensor, query_s: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Keypoints at moments; `INPUTS` and `OUTPUTS` say the shapes and units."""
        moved_px, certainty = self.net(times_s, keypoints_px, confidence, present).at(query_s)
        return moved_px, certainty

    def example(self, num_clips: int, num_keyframes: int, num_queries: int, seed: int) -> dict[str, Tensor]:
        """Inputs such as the net expects, drawn from a seed: people who sway, the last clip padded."""
        draw = torch.Generator().manual_seed(seed)
        B, K, J = num_clips, num_keyframes, len(joint_set_named(str(self.net.joint_set)))
        times_s = (0.05 + 0.1 * torch.rand(B, K, generator=draw, dtype=torch.float64)).cumsum(1)
        phase = 2 * torch.pi * (times_s.float()[..., None, None] + torch.rand(B, 1, J, 2, generator=draw))
        standing = 300 + 100 * torch.randn(B, 1, J, 2, generator=draw)
        confidence = torch.rand(B, K, J, generator=draw)
        present = torch.ones(B, K, dtype=torch.bool)
        present[-1, max(K - 2, 1) :] = False
        share = torch.rand(B, num_queries, generator=draw, dtype=torch.float64)
        return {
            "times_s": times_s,
            "keypoints_px": standing + 20 * phase.sin(),
            "confidence": torch.where(confidence < 0.1, 0.0, confidence),
            "present": present,
            "query_s": times_s[:, :1] + share * (times_s[:, -1:] - times_s[:, :1]),
        }
