"""Render-In-Between: video of moving people at a higher frame rate, guided by their motion."""

from __future__ import annotations

from typing import Any

__all__ = ["MotionNet", "RendererNet", "Result", "RibError", "frames", "interpolate"]
__version__ = "0.1.0"

_ELSEWHERE = {
    "RibError": "rib.io.errors",
    "MotionNet": "rib.motion.nets.motion_net",
    "RendererNet": "rib.render.nets.renderer_net",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: `import rib` itself takes no time."""
    from importlib import import_module

    if name not in __all__:
        raise AttributeError(f"module 'rib' has no attribute {name!r}")
    return getattr(import_module(_ELSEWHERE.get(name, "rib.config.call")), name)
