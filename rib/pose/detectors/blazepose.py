"""The networks inside the mediapipe package, run on a region that the caller chooses.

`mp.solutions` looks for one person on the whole picture. The package's subgraphs can do more: the detector
gives every person it sees, and the landmark network takes any rotated square. Both are wired here, each in
a graph of its own. BlazePose: Bazarevsky et al., "BlazePose: On-device Real-time Body Pose Tracking", 2020.
A graph keeps nothing from one call to the next, so a picture gives the same answer whatever came before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rib.io.weights.model_packages import quiet_stderr, verify_model_package

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
SHOULDERS_AND_HIPS = (11, 12, 23, 24)
"""Left and right shoulder, left and right hip among the network's 33 points."""
ROI_SCALE = 1.25
"""The landmark network was trained on squares this much larger than the circle around the body."""


@dataclass(frozen=True)
class BlazePoseRoi:
    """A rotated square around a person, hips in the middle and the trunk upright in its own frame.

    Attributes:
        centre_px: (2,).
        side_px: Length of a side.
        angle_rad: Clockwise turn of the square on the screen.
    """

    centre_px: np.ndarray
    side_px: float
    angle_rad: float

    @classmethod
    def around(cls, centre_px: np.ndarray, rim_px: np.ndarray) -> BlazePoseRoi:
        """The square around a body's circle, given its centre and the point of its rim above the head."""
        x, y = rim_px - centre_px
        return cls(np.asarray(centre_px), float(2 * ROI_SCALE * np.hypot(x, y)), float(np.arctan2(x, -y)))


@dataclass(frozen=True)
class BodyLandmarks:
    """Output of the landmark network for one person.

    Attributes:
        points: (33, 3) float64: x and y in picture pixels, z on the same scale (smaller is
            nearer, 0 at the hips).
        visibility: (33,) float64 in 0..1.
        roi: The square that these points ask for.
        left_hand: (21, 2) pixels in OpenPose's order, or None where no hand was found or asked for.
        right_hand: The same.
        mask: (h, w) float32 in 0..1 over `window`, or None where not asked for.
        window: Slices (rows, columns) of the picture that `mask` covers.
    """

    points: np.ndarray
    visibility: np.ndarray
    roi: BlazePoseRoi
    left_hand: np.ndarray | None
    right_hand: np.ndarray | None
    mask: np.ndarray | None
    window: tuple[slice, slice]

    @property
    def trunk_px(self) -> float:
        """Distance between the middles of the shoulders and of the hips."""
        left_shoulder, right_shoulder, left_hip, right_hip = self.points[list(SHOULDERS_AND_HIPS), :2]
        return float(np.linalg.norm(left_shoulder + right_shoulder - left_hip - right_hip) / 2)


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

        window = _window(picture, roi)
        if window is None:
            return None
        crop, scale = _shrink(picture[window], min(1.0, self._window_px / roi.side_px))
        square = _pad_to_square(crop)
        origin, size = np.array([window[1].start, window[0].start]), len(square)
        centre, side = (roi.centre_px - origin) * scale / size, roi.side_px * scale / size
        rect = rect_pb2.NormalizedRect(
            x_center=centre[0], y_center=centre[1], width=side[0], height=side[1], rotation=roi.angle_rad
        )
        out = self._graph.process({"image": square, "roi": rect})
        if out.body is None:
            return None

        def pixels(landmarks: Any) -> np.ndarray:
            return np.array([[p.x, p.y] for p in landmarks.landmark]) * size / scale + origin

        depth_px = np.array([p.z for p in out.body.landmark]) * size / scale[0]
        circle = pixels(out.circle)
        left, right = getattr(out, "left", None), getattr(out, "right", None)
        mask = getattr(out, "mask", None)
        return BodyLandmarks(
            points=np.column_stack([pixels(out.body), depth_px]),
            visibility=np.array([p.visibility for p in out.body.landmark]),
            roi=BlazePoseRoi.around(circle[0], circle[1]),
            left_hand=None if left is None else pixels(left),
            right_hand=None if right is None else pixels(right),
            mask=None if mask is None else mask[: crop.shape[0], : crop.shape[1]],
            window=window,
        )

    def close(self) -> None:
        """Free the graph."""
        self._graph.close()


def _window(picture: np.ndarray, roi: BlazePoseRoi, margin: float = 0.15) -> tuple[slice, slice] | None:
    """Rows and columns of the rotated square and a margin (in sides); None where it misses the picture."""
    reach = roi.side_px * ((abs(np.cos(roi.angle_rad)) + abs(np.sin(roi.angle_rad))) / 2 + margin)
    low = np.maximum(np.floor(roi.centre_px - reach).astype(int), 0)
    high = np.minimum(np.ceil(roi.centre_px + reach).astype(int), [picture.shape[1], picture.shape[0]])
    if (high - low < 8).any():
        return None
    return slice(low[1], high[1]), slice(low[0], high[0])


def _shrink(crop: np.ndarray, factor: float) -> tuple[np.ndarray, np.ndarray]:
    """The crop at `factor` <= 1 of its size, and the exact factors along x and y."""
    import cv2

    height, width = crop.shape[:2]
    crop = np.ascontiguousarray(crop)
    if factor == 1:
        return crop, np.ones(2)
    size = max(8, round(width * factor)), max(8, round(height * factor))
    return cv2.resize(crop, size, interpolation=cv2.INTER_AREA), np.array(size) / (width, height)


def _pad_to_square(crop: np.ndarray) -> np.ndarray:
    """The crop with its edge repeated below or to the right: the hands' graph is exact on squares only."""
    import cv2

    height, width = crop.shape[:2]
    side = max(height, width)
    return cv2.copyMakeBorder(crop, 0, side - height, 0, side - width, cv2.BORDER_REPLICATE)


def _graph(text: str, side_packets: Mapping[str, Any]) -> Any:
    """A started graph; its and TensorFlow Lite's greetings do not reach the terminal."""
    verify_model_package("mediapipe")
    with quiet_stderr():
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
