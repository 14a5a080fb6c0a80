"""Render-In-Between: video of moving people at a higher frame rate, guided by their motion."""

from __future__ import annotations

from typing import Any

__all__ = ["MotionNet", "RendererNet", "Result", "RibError", "frames", "interpolate"]

_ELSEWHERE = {
    "RibError": "rib.io.errors",
    "MotionNet": "rib.motion.nets.motion_net",
    "RendererNet": "rib.render.nets.renderer_net",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: `import rib` itself takes no time."""
    from importlib import import_module

    if name == "__version__":
        return _installed_version()
    if name not in __all__:
        raise AttributeError(f"module 'rib' has no attribute {name!r}")
    return getattr(import_module(_ELSEWHERE.get(name, "rib.config.call")), name)


def _installed_version() -> str:
    """The version that was built, from the repository's tags; "0+unknown" where nothing was installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("render-in-between")
    except PackageNotFoundError:
        return "0+unknown"
