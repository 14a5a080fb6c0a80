"""Compilation of the net that a fit trains."""

from __future__ import annotations

from typing import Annotated

from pytorch_lightning import Callback, LightningModule, Trainer

from rib.io.errors import RibError
from rib.io.settings.ranges import OneOf


class CompileNet(Callback):
    """Compiles the module's `net` in place when the fit starts: names in checkpoints stay.

    Args:
        backend: A backend of `torch.compile`.
        dynamic: Whether one program serves all sizes; None decides by what comes.
    """

    def __init__(
        self, backend: Annotated[str, OneOf("inductor", "aot_eager", "eager")], dynamic: bool | None
    ) -> None:
        self.backend, self.dynamic = backend, dynamic

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Compile; the work itself is done at the first batch.

        Raises:
            RibError: The module has no `net`.
        """
        net = getattr(pl_module, "net", None)
        if net is None:
            raise RibError(f"{type(pl_module).__name__} has no `net` to compile", "leave preset=compile out")
        net.compile(backend=self.backend, dynamic=self.dynamic)
