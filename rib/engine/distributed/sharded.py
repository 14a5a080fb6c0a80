"""Weights, gradients and optimizer states shared out between processes: PyTorch's FSDP2, on CPUs too.

Zhao et al., "PyTorch FSDP: Experiences on Scaling Fully Sharded Data Parallel", VLDB 2023.
"""

from __future__ import annotations

from types import MethodType

from pytorch_lightning import LightningModule
from pytorch_lightning.strategies import ModelParallelStrategy
from torch.distributed.fsdp import fully_shard

from rib.io.errors import RibError


class ShardedStrategy(ModelParallelStrategy):
    """Every net that the LightningModule holds is shared out over all processes; checkpoints stay one file.

    A module whose nets are not simply called, but by `functional_call` for example, says `shardable = False`.
    """

    def __init__(self) -> None:
        super().__init__(tensor_parallel_size=1, save_distributed_checkpoint=False)

    def setup_environment(self) -> None:
        """Called by Lightning before the module is moved to its device.

        Raises:
            RibError: The module cannot be trained like this.
        """
        module = self.lightning_module
        assert module is not None
        check_shardable(module)
        module.configure_model = MethodType(_share_out, module)  # type: ignore[method-assign]
        self._data_parallel_size = self.num_nodes * self.num_processes
        super().setup_environment()


def check_shardable(module: LightningModule) -> None:
    """Refuse modules whose training FSDP would break.

    Raises:
        RibError: The module steps its optimizers by hand, or says that it cannot be sharded.
    """
    name, remedy = type(module).__name__, "type trainer=ddp"
    if not module.automatic_optimization:
        raise RibError(
            f"trainer=fsdp cannot train {name}, whose optimizers take turns (a net and its discriminator)",
            remedy,
        )
    if not getattr(module, "shardable", True):
        raise RibError(f"trainer=fsdp cannot train {name}, which calls a net with weights of others", remedy)


def _share_out(module: LightningModule) -> None:
    mesh = module.device_mesh["data_parallel"]  # type: ignore[index]
    for child in module.children():
        if any(True for _ in child.parameters()):
            fully_shard(child, mesh=mesh, reshard_after_forward=True)
