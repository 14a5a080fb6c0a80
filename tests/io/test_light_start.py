"""A command imports what it uses: PyTorch's compiler takes 90 MB and a second."""

from __future__ import annotations

import subprocess
import sys

import pytest

BUILD_BOTH_NETS = """
import sys
from rib.motion.nets.checkpoint import load_motion_net, shipped_motion_weights
from rib.render.nets.checkpoint import load_renderer_net, shipped_renderer_weights
load_motion_net(shipped_motion_weights())
load_renderer_net(shipped_renderer_weights(), "rib.render.nets.base.RendererBase")
print([name for name in ("torch._dynamo", "sympy") if name in sys.modules])
"""


@pytest.mark.slow  # a Python of its own
def test_nets_out_of_files_are_built_without_the_compiler() -> None:
    done = subprocess.run([sys.executable, "-c", BUILD_BOTH_NETS], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
