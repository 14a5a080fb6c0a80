"""What makes a run of the motion task a matter of a second."""

from __future__ import annotations

TINY = (
    "experiment=motion_smoke", "net.width=8", "net.num_heads=1", "task.data.batches_per_epoch=4",
    "task.data.windows.tokens=20", "task.data.windows.keyframes=[5,6]", "task.module.checks=[clean_r4]",
    "trainer.log_every_n_steps=1", "trainer.max_epochs=2",
    "+callbacks.last.every_n_train_steps=1",
    "~task.data.checks.clean_r8", "~task.data.checks.clean_r16", "~task.data.checks.noisy_r4",
    "~task.data.checks.noisy_r8", "~task.data.checks.noisy_r16",
)  # fmt: skip
