"""What a cluster's job is to have follows from the trainer, and one run is a sweep of one."""

from __future__ import annotations

from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from rib.config import schema
from rib.config.paths import conf_dir
from rib.config.sweeps.cluster import ONE_RUN, as_one_run, sweep_error, sweep_num_devices
from rib.io.errors import RibError


def launcher(*typed: str) -> dict[str, Any]:
    schema.register_config_roots()
    GlobalHydra.instance().clear()
    with initialize_config_dir(config_dir=str(conf_dir()), version_base="1.3"):
        config = compose(
            "train", ["experiment=motion_smoke", "launch=slurm", *typed], return_hydra_config=True
        )
    found: Any = OmegaConf.to_container(config.hydra.launcher, resolve=True)
    return dict(found)


def test_tasks_and_gpus_follow_from_the_trainer() -> None:
    job = launcher("trainer=ddp", "trainer.devices=8", "trainer.num_nodes=4", "name=mine")
    assert (job["tasks_per_node"], job["gpus_per_node"], job["nodes"], job["name"]) == (8, 8, 4, "mine")
    job = launcher("trainer=ddp_cpu", "hydra.launcher.qos=high")
    assert (job["tasks_per_node"], job["gpus_per_node"], job["qos"]) == (2, None, "high")


def test_devices_are_a_number_or_a_list_and_auto_is_told() -> None:
    assert sweep_num_devices({"accelerator": "gpu", "devices": [0, 3]}) == 2
    assert sweep_num_devices({"accelerator": "cpu", "devices": "auto"}) == 1
    assert sweep_num_devices({}) == 1
    with pytest.raises(RibError, match=r"does not say how many GPUs; type trainer\.devices=8"):
        sweep_num_devices({"accelerator": "gpu", "devices": "auto"})


def test_a_launcher_without_m_gets_one_run_and_a_sweep_keeps_its_m() -> None:
    typed = ["launch=local", "seed=1"]
    assert as_one_run(typed) == ["-m", *typed, ONE_RUN, "hydra.sweep.subdir=."]
    for other in (["seed=1"], ["-m", *typed], ["launch=local", "seed=1,2"], [*typed, "sweep=motion_lr"]):
        assert as_one_run(other) == other


def test_a_machine_without_slurm_is_told_in_one_line() -> None:
    pytest.importorskip("submitit", reason="Slurm needs the extra [slurm]")
    from submitit.slurm.slurm import SlurmExecutor

    with pytest.raises(RuntimeError) as refused:
        SlurmExecutor("nowhere")
    assert "which this machine does not have; type it on the cluster" in str(sweep_error(refused.value))
    assert sweep_error(RuntimeError("another")) is None
