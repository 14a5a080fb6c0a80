"""The published networks as torch modules: operators by their laws, files by what the runtime gives."""

from __future__ import annotations

import importlib.util
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from rib.io.errors import RibError
from rib.io.weights.model_packages import quiet_stderr, require_model_package, weight_file
from rib.io.weights.tflite_files import TfliteGraph, TfliteOperator, read_tflite_graph
from rib.pose.nets.bodies import refine_points
from rib.pose.nets.tflite_net import TfliteNet

MODULES = "mediapipe/modules"
RECROP = f"{MODULES}/holistic_landmark/hand_recrop.tflite"
CONVOLUTION = {"StrideW": 1, "StrideH": 1, "DilationWFactor": 1, "DilationHFactor": 1}
SAME, VALID = 0, 1


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def file() -> Path:
    pytest.importorskip("tflite", reason="the schema of the nets' files is not installed: type make install")
    try:
        require_model_package("mediapipe")
    except RibError as error:
        pytest.skip(str(error))
    return weight_file("mediapipe", RECROP)


def net_of(kind: str, options: dict, constants: list[np.ndarray], size: tuple, made: tuple) -> TfliteNet:
    """A net of one operator; sizes are height, width and channels, as the file has them."""
    shapes = [(1, *size), *(array.shape for array in constants), (1, *made)]
    known = dict(enumerate(constants, 1))
    step = TfliteOperator(kind, tuple(range(len(shapes) - 1)), (len(shapes) - 1,), options)
    return TfliteNet(TfliteGraph(Path("one.tflite"), tuple(shapes), known, (step,), (0,), (len(shapes) - 1,)))


def pictures(rng: np.random.Generator, height: int, width: int, num: int = 2) -> torch.Tensor:
    return torch.from_numpy(rng.standard_normal((num, 3, height, width), np.float32))


def test_a_convolution_of_stride_two_puts_the_odd_pixel_right_and_below(rng):
    weight, bias = rng.standard_normal((4, 3, 3, 3), np.float32), rng.standard_normal(4, np.float32)
    options = CONVOLUTION | {"StrideW": 2, "StrideH": 2, "Padding": SAME, "FusedActivationFunction": 3}
    x = pictures(rng, 8, 6)
    (out,) = net_of("CONV_2D", options, [weight, bias], (8, 6, 3), (4, 3, 4))(x)
    padded = F.pad(x, (0, 1, 0, 1))
    kernel = torch.from_numpy(weight).permute(0, 3, 1, 2)
    torch.testing.assert_close(out, F.conv2d(padded, kernel, torch.from_numpy(bias), 2).clamp(0, 6))


def test_a_depthwise_convolution_filters_each_channel_alone(rng):
    weight, bias = rng.standard_normal((1, 3, 3, 3), np.float32), np.zeros(3, np.float32)
    options = CONVOLUTION | {"Padding": VALID, "FusedActivationFunction": 0, "DepthMultiplier": 1}
    x = pictures(rng, 5, 5)
    (out,) = net_of("DEPTHWISE_CONV_2D", options, [weight, bias], (5, 5, 3), (3, 3, 3))(x)
    for channel in range(3):
        kernel = torch.from_numpy(weight[None, 0, None, ..., channel])
        torch.testing.assert_close(
            out[:, channel : channel + 1], F.conv2d(x[:, channel : channel + 1], kernel)
        )


def test_a_reshape_takes_numbers_in_the_order_of_the_file(rng):
    x = pictures(rng, 2, 4)
    (out,) = net_of("RESHAPE", {}, [np.array([1, -1, 3], np.int32)], (2, 4, 3), (8, 3))(x)
    assert out.equal(x.permute(0, 2, 3, 1).reshape(2, 8, 3))


def test_what_does_not_fit_its_own_shapes_is_told_in_one_line(rng):
    weight, bias = rng.standard_normal((4, 1, 1, 5), np.float32), np.zeros(4, np.float32)
    options = CONVOLUTION | {"Padding": SAME, "FusedActivationFunction": 0}
    with pytest.raises(RibError, match=r"one\.tflite cannot be read as a net of TensorFlow Lite \("):
        net_of("CONV_2D", options, [weight, bias], (8, 6, 3), (8, 6, 4))
    with pytest.raises(RibError, match=r"gives \(8, 6, 4\), but it says \(8, 6, 5\)"):
        net_of("CONV_2D", options, [weight[..., :3], bias], (8, 6, 3), (8, 6, 5))


def test_a_point_goes_to_the_centre_of_its_heatmap_and_stays_where_that_is_unsure():
    heat = torch.full((1, 2, 64, 64), -20.0)
    heat[0, 0, 30, 33], heat[0, 0, 32, 33] = 20, 20
    points = torch.full((1, 2, 2), 0.5)
    refined = refine_points(points, heat)
    torch.testing.assert_close(refined[0, 0] * 64, torch.tensor([33.0, 31.0]), atol=1e-4, rtol=0)
    assert refined[0, 1].equal(points[0, 1])


def test_one_picture_gives_what_it_gives_among_others(file, rng):
    net = TfliteNet.of_file(file)
    x = torch.from_numpy(rng.random((3, 3, *net.size_px), np.float32))
    with torch.inference_mode():
        torch.testing.assert_close(net(x)[0][1:2], net(x[1:2])[0], atol=1e-3, rtol=1e-5)


def test_a_damaged_file_is_one_line_and_nothing_of_it_runs(file, rng, tmp_path):
    whole = file.read_bytes()
    broken = tmp_path / "broken.tflite"
    for cut in (0, 7, 40, 5000, len(whole) // 2):
        broken.write_bytes(whole[:cut])
        with pytest.raises(RibError, match=r"broken\.tflite cannot be read as a net"):
            read_tflite_graph(broken)
    for _ in range(40):
        bytes_now = bytearray(whole)
        for place in rng.integers(len(whole) - 20000, len(whole), 20):
            bytes_now[place] = rng.integers(256)
        broken.write_bytes(bytes_now)
        with suppress(RibError):  # where the bytes hit weights alone it is a net still
            read_tflite_graph(broken)


def test_an_absent_schema_names_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        RibError, match=r"need the package tflite, .* pip install 'render-in-between\[pose\]'"
    ):
        read_tflite_graph(tmp_path / "any.tflite")


def test_a_file_that_is_not_there_is_told(tmp_path):
    pytest.importorskip("tflite", reason="the schema of the nets' files is not installed: type make install")
    with pytest.raises(RibError, match="cannot be read as a net"):
        read_tflite_graph(tmp_path / "none.tflite")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "low"),
    [
        (f"{MODULES}/pose_detection/pose_detection.tflite", -1),
        (f"{MODULES}/pose_landmark/pose_landmark_full.tflite", 0),
        (RECROP, 0),
        (f"{MODULES}/hand_landmark/hand_landmark_full.tflite", 0),
    ],
)
def test_a_net_gives_what_the_runtime_gives(file, rng, name, low):
    net = TfliteNet.of_file(weight_file("mediapipe", name))
    smooth = rng.integers(0, 256, (8, 8, 3), np.uint8)
    picture = cv2.resize(smooth, net.size_px[::-1], interpolation=cv2.INTER_CUBIC)
    with torch.inference_mode():
        scaled = torch.from_numpy(picture).permute(2, 0, 1)[None].float() * ((1 - low) / 255) + low
        ours = [(x.permute(0, 2, 3, 1) if x.ndim == 4 else x).numpy().reshape(-1) for x in net(scaled)]
    theirs = outputs_of_runtime(name, picture, low, len(ours))
    for mine, given in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, given, rtol=0, atol=1e-3 * max(1, np.abs(given).max()))


def outputs_of_runtime(name: str, picture: np.ndarray, low: int, num: int) -> list[np.ndarray]:
    """A net's outputs for one picture of its own size, by the package's interpreter."""
    from mediapipe.python import solution_base

    parts = " ".join(f'output_stream: "part{i}"' for i in range(num))
    ranges = " ".join(f"ranges {{ begin: {i} end: {i + 1} }}" for i in range(num))
    floats = "".join(
        f'node {{ calculator: "TensorsToFloatsCalculator" input_stream: "TENSORS:part{i}"'
        f' output_stream: "FLOATS:floats{i}" }}\n'
        for i in range(num)
    )
    height, width = picture.shape[:2]
    graph = f"""
    input_stream: "image"
    {" ".join(f'output_stream: "floats{i}"' for i in range(num))}
    node {{ calculator: "ImageToTensorCalculator" input_stream: "IMAGE:image" output_stream: "TENSORS:seen"
      options {{ [mediapipe.ImageToTensorCalculatorOptions.ext] {{
        output_tensor_width: {width} output_tensor_height: {height}
        output_tensor_float_range {{ min: {low} max: 1 }} }} }} }}
    node {{ calculator: "InferenceCalculator" input_stream: "TENSORS:seen" output_stream: "TENSORS:all"
      options {{ [mediapipe.InferenceCalculatorOptions.ext] {{
        model_path: "{name}" delegate {{ xnnpack {{}} }} }} }} }}
    node {{ calculator: "SplitTensorVectorCalculator" input_stream: "all" {parts}
      options {{ [mediapipe.SplitVectorCalculatorOptions.ext] {{ {ranges} }} }} }}
    {floats}
    """
    with quiet_stderr(), solution_base.SolutionBase(graph_config=graph) as runtime:
        out = runtime.process({"image": picture})
    return [np.array(getattr(out, f"floats{i}")) for i in range(num)]
