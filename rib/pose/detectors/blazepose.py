"""The networks inside the mediapipe package, run on a region that the caller chooses.

`mp.solutions` looks for one person on the whole picture. The package's subgraphs can do more: the detector
gives every person it sees, and the landmark network takes any rotated square. Both are wired here, each in
a graph of its own. BlazePose: Bazarevsky et al., "BlazePose: On-device Real-time Body Pose Tracking", 2020.
A graph keeps nothing of bodies from one call to the next; hands it looks for where the last call found them,
if that is near where this picture shows them (experiments/pose_runtimes).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rib.io.processes.deferred_import import deferred_import
from rib.io.weights.model_packages import quiet_stderr, verify_model_package
from rib.pose.detectors.regions import BlazePoseRoi, BodyLandmarks, person_window

_DETECT = """
input_stream: "image"
output_stream: "detections"
node { calculator: "PoseDetectionCpu" input_stream: "IMAGE:image" output_stream: "DETECTIONS:detections" }
"""
_BODY = """
input_stream: "image"
input_stream: "roi"
output_stream: "body"
output_stream: "circle"
node {
  calculator: "PoseLandmarkByRoiCpu"
  input_side_packet: "MODEL_COMPLEXITY:model_complexity"
  input_side_packet: "ENABLE_SEGMENTATION:segment"
  input_stream: "IMAGE:image"
  input_stream: "ROI:roi"
  output_stream: "LANDMARKS:body"
  output_stream: "AUXILIARY_LANDMARKS:circle"
  output_stream: "SEGMENTATION_MASK:gpu_or_cpu_mask"
}
"""
_HANDS = """
output_stream: "left"
output_stream: "right"
node {
  calculator: "HandLandmarksLeftAndRightCpu"
  input_stream: "IMAGE:image"
  input_stream: "POSE_LANDMARKS:body"
  output_stream: "LEFT_HAND_LANDMARKS:left"
  output_stream: "RIGHT_HAND_LANDMARKS:right"
}
"""
_MASK = """
output_stream: "mask"
node {
  calculator: "FromImageCalculator"
  input_stream: "IMAGE:gpu_or_cpu_mask"
  output_stream: "IMAGE_CPU:mask"
}
"""


class PersonDetector:
    """Every person in a picture, roughly: the BlazePose detector on 224 x 224 px."""

    def __init__(self) -> None:
        self._graph = _graph(_DETECT, {})

    def __call__(self, picture: np.ndarray) -> list[BlazePoseRoi]:
        """The squares of all people found in (H, W, 3) uint8 RGB, most certain first."""
        found = self._graph.process({"image": np.ascontiguousarray(picture)}).detections or []
        size = np.array([picture.shape[1], picture.shape[0]])
        rois = []
        for detection in sorted(found, key=lambda d: -d.score[0]):
            centre, rim = [
                np.array([p.x, p.y]) * size for p in detection.location_data.relative_keypoints[:2]
            ]
            rois.append(BlazePoseRoi.around(centre, rim))
        return rois

    def close(self) -> None:
        """Free the graph."""
        self._graph.close()


class BodyLandmarker:
    """The landmarks of the person inside a square: BlazePose full on 256 x 256 px, and the hands.

    Args:
        hands: Also look for the hands.
        mask: Also segment the person.
        window_px: The part of the picture around the square is shrunk so that the square's side has at most
            this many pixels: the networks sample without a low-pass filter.
    """

    def __init__(self, hands: bool, mask: bool, window_px: int) -> None:
        self._window_px = window_px
        text = _BODY + (_HANDS if hands else "") + (_MASK if mask else "")
        self._graph = _graph(text, {"model_complexity": 1, "segment": mask})

    def __call__(self, picture: np.ndarray, roi: BlazePoseRoi) -> BodyLandmarks | None:
        """Find the person.

        Args:
            picture: (H, W, 3) uint8 RGB.
            roi: Where to look.

        Returns:
            The person, or None where the network sees none or the square misses the picture.
        """
        from mediapipe.framework.formats import rect_pb2

        window = person_window(picture, roi, self._window_px)
        if window is None:
            return None
        rect = rect_pb2.NormalizedRect(
            x_center=window.centre[0],
            y_center=window.centre[1],
            width=window.side[0],
            height=window.side[1],
            rotation=roi.angle_rad,
        )
        out = self._graph.process({"image": window.square, "roi": rect})
        if out.body is None:
            return None

        def points(landmarks: Any) -> np.ndarray:
            return np.array([[p.x, p.y] for p in landmarks.landmark])

        left, right = getattr(out, "left", None), getattr(out, "right", None)
        mask = getattr(out, "mask", None)
        return window.landmarks(
            points(out.body),
            np.array([p.z for p in out.body.landmark]),
            np.array([p.visibility for p in out.body.landmark]),
            points(out.circle),
            left_hand=None if left is None else points(left),
            right_hand=None if right is None else points(right),
            mask=None if mask is None else mask[: window.shape[0], : window.shape[1]],
        )

    def in_each(self, looks: Sequence[tuple[np.ndarray, BlazePoseRoi]]) -> list[BodyLandmarks | None]:
        """What a call gives for each of several pictures and squares; one after the other."""
        return [self(picture, roi) for picture, roi in looks]

    def close(self) -> None:
        """Free the graph."""
        self._graph.close()


def _graph(text: str, side_packets: Mapping[str, Any]) -> Any:
    """A started graph; its and TensorFlow Lite's greetings do not reach the terminal."""
    verify_model_package("mediapipe")
    with quiet_stderr(), deferred_import("matplotlib.pyplot"):
        from mediapipe.python import solution_base

        hints = {"roi": solution_base.PacketDataType.PROTO}
        graph = solution_base.SolutionBase(
            graph_config=text, side_inputs=side_packets, stream_type_hints=hints
        )
        graph.process(_blank_input(text))  # a graph opens in its own threads: wait for it
    return graph


def _blank_input(text: str) -> dict[str, Any]:
    from mediapipe.framework.formats import rect_pb2

    blank: dict[str, Any] = {"image": np.zeros((64, 64, 3), np.uint8)}
    if '"roi"' in text:
        blank["roi"] = rect_pb2.NormalizedRect(x_center=0.5, y_center=0.5, width=1, height=1)
    return blank
