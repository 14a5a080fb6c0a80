"""A sweep by Optuna that ends where it would have ended, however often it is killed and started again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, Override, RangeSweep, Transformer
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from rib.io.errors import RibError


class StudySweeper(Sweeper):
    """Asks Optuna's tree-structured Parzen estimator for settings, a batch at a time.

    Every trial draws from (seed, its number) and has the number of its job, so a sweep that goes on in its
    folder repeats what was cut off, asks what a straight one would have asked, and stops at the same number
    of trials (Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NeurIPS 2011).

    Args:
        params: Range of a setting: `interval(1e-4, 1e-2)`, `tag(log, interval(...))`, `choice(...)`.
        direction: "minimize" or "maximize" what the job returns.
        num_trials: Trials in all, those of before included.
        at_once: Trials asked for before their results are in; launch=joblib runs them in parallel.
        storage: Where the study is kept, as Optuna writes it: sqlite:///path.
        study_name: Its name there.
        seed: Of every draw.
        num_random: Trials drawn at random before the estimator learns from them.
    """

    def __init__(
        self, params: DictConfig | None, direction: str, num_trials: int, at_once: int, storage: str,
        study_name: str, seed: int, num_random: int,
    ) -> None:  # fmt: skip
        self.params = {} if params is None else {str(k): str(v) for k, v in params.items()}
        self.direction, self.num_trials, self.at_once = direction, num_trials, at_once
        self.storage, self.study_name = storage, study_name
        self.seed, self.num_random = seed, num_random

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra."""
        self.config = config
        self.launcher = Plugins.instance().instantiate_launcher(
            config=config, hydra_context=hydra_context, task_function=task_function
        )

    def sweep(self, arguments: list[str]) -> None:
        """Run the trials that are missing.

        Raises:
            RibError: A range that is none, or a job that gave no number to judge it by.
        """
        given = OverridesParser.create().parse_overrides(
            [*(f"{name}={value}" for name, value in self.params.items()), *arguments]
        )
        ranges = {o.get_key_element(): o for o in given if o.is_sweep_override()}
        fixed = [str(o.input_line) for o in given if not o.is_sweep_override()]
        named = {o.get_key_element() for o in given if not o.is_sweep_override()}
        ranges = {name: o for name, o in ranges.items() if name not in named}  # the command line wins
        if not ranges:
            raise RibError("the sweep varies nothing", "give it a range: optim.lr=interval(1e-4,1e-2)")
        assert self.config is not None
        Path(str(self.config.hydra.sweep.dir)).mkdir(parents=True, exist_ok=True)
        study = self._study()
        if study.trials and self.config.get("restore") != "continue":
            raise RibError(
                f"the study in {self.storage} already holds {len(study.trials)} trials",
                "type restore=continue to go on with it, or name another folder",
            )
        self._run(study, list(_cut_off(study, ranges)), fixed)
        while (missing := self.num_trials - len(study.trials)) > 0:
            self._run(study, [self._ask(study, ranges) for _ in range(min(missing, self.at_once))], fixed)

    def _study(self) -> Any:
        optuna = _optuna()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        return optuna.create_study(
            study_name=self.study_name, storage=self.storage, direction=self.direction, load_if_exists=True
        )

    def _ask(self, study: Any, ranges: dict[str, Override]) -> tuple[int, dict[str, Any]]:
        """The next trial's number and settings."""
        number = len(study.trials)
        study.sampler = _optuna().samplers.TPESampler(
            seed=self.seed + number, n_startup_trials=self.num_random
        )
        trial = study.ask()
        for name, override in ranges.items():
            _suggest(trial, name, override)
        return trial.number, dict(trial.params)

    def _run(self, study: Any, trials: list[tuple[int, dict[str, Any]]], fixed: list[str]) -> None:
        """Run trials, neighbours in one batch, and tell the study what came of each."""
        for _, group in groupby(enumerate(trials), lambda pair: pair[1][0] - pair[0]):
            batch = [trial for _, trial in group]
            jobs = [[*fixed, *(f"{k}={v}" for k, v in params.items())] for _, params in batch]
            assert self.launcher is not None
            returned = self.launcher.launch(jobs, initial_job_idx=batch[0][0])
            for (number, _), job in zip(batch, returned, strict=True):
                _tell(study, number, job)


def _tell(study: Any, number: int, job: Any) -> None:
    """A job that failed is a failed trial; the sweep's table says why."""
    failed = _optuna().trial.TrialState.FAIL
    try:
        value = job.return_value
    except Exception:
        study.tell(number, state=failed)
        return
    if value is None:
        study.tell(number, state=failed)
        raise RibError(
            f"run {number} logged nothing to judge it by", "name with monitor= what its metrics.csv has"
        )
    study.tell(number, float(value))


def _cut_off(study: Any, ranges: Iterable[str]) -> Iterable[tuple[int, dict[str, Any]]]:
    """Trials that were asked for and never finished."""
    state = _optuna().trial.TrialState
    for trial in study.trials:
        if trial.state == state.RUNNING:
            if set(trial.params) == set(ranges):
                yield trial.number, dict(trial.params)
            else:  # killed while it was being asked for
                study.tell(trial.number, state=state.FAIL)


def _suggest(trial: Any, name: str, override: Override) -> None:
    value = override.value()
    if isinstance(value, IntervalSweep):
        low, high = value.start, value.end
        if isinstance(low, int) and isinstance(high, int) and "float" not in value.tags:
            trial.suggest_int(name, low, high, log="log" in value.tags)
        else:
            trial.suggest_float(name, float(low or 0), float(high or 0), log="log" in value.tags)
    elif isinstance(value, ChoiceSweep | RangeSweep):
        choices: Sequence[Any] = list(override.sweep_iterator(transformer=Transformer.encode))
        trial.suggest_categorical(name, choices)
    else:
        raise RibError(
            f"{name}={value} is no range", "type interval(a,b), tag(log,interval(a,b)) or choice(a,b)"
        )


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise RibError(
            "sweeps by Optuna need the package optuna, which is not installed",
            "type: pip install 'render-in-between[sweep]'",
        ) from error
    return optuna
