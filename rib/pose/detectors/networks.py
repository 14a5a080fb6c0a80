"""The networks of the pose stage, by the runtime that a setting names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from rib.pose.detectors.regions import BlazePoseRoi, BodyLandmarks

RUNTIMES = ("mediapipe", "torch")
"""The package's own, picture after picture on the CPU; or torch modules with its weights, many at once."""


class PersonNetworkCall(Protocol):
    """Finds every person in a picture, roughly."""

    def __call__(self, picture: np.ndarray) -> list[BlazePoseRoi]:
        """The squares of all people found in (H, W, 3) uint8 RGB, most certain first."""


class PersonNetwork(PersonNetworkCall, Protocol):
    """The same, until it is closed."""

    def close(self) -> None:
        """Free the network."""


class BodyNetworkCall(Protocol):
    """Finds the landmarks of the person inside a square."""

    def __call__(self, picture: np.ndarray, roi: BlazePoseRoi) -> BodyLandmarks | None:
        """Find the person in (H, W, 3) uint8 RGB; None where it sees none."""


class BodyNetwork(BodyNetworkCall, Protocol):
    """The same for many, until it is closed."""

    def in_each(self, looks: Sequence[tuple[np.ndarray, BlazePoseRoi]]) -> list[BodyLandmarks | None]:
        """What a call gives for each of several pictures and squares."""

    def close(self) -> None:
        """Free the network."""


class PoseRuntime(NamedTuple):
    """Opens the networks.

    Attributes:
        name: One of `RUNTIMES`.
        device: Where the torch modules run; mediapipe's own runs on the CPU.
    """

    name: str
    device: str

    def person_network(self) -> PersonNetwork:
        """The detector, on 224 x 224 px.

        Raises:
            RibError: The mediapipe package, which holds the weights, is missing or not the pinned one.
        """
        if self.name == "torch":
            from rib.pose.detectors.torch_blazepose import TorchPersonDetector

            return TorchPersonDetector(self.device)
        from rib.pose.detectors.blazepose import PersonDetector

        return PersonDetector()

    def body_network(self, hands: bool, mask: bool, window_px: int) -> BodyNetwork:
        """The landmark network; arguments as of `rib.pose.detectors.blazepose.BodyLandmarker`.

        Raises:
            RibError: The mediapipe package, which holds the weights, is missing or not the pinned one.
        """
        if self.name == "torch":
            from rib.pose.detectors.torch_blazepose import TorchBodyLandmarker

            return TorchBodyLandmarker(hands, mask, window_px, self.device)
        from rib.pose.detectors.blazepose import BodyLandmarker

        return BodyLandmarker(hands, mask, window_px)
