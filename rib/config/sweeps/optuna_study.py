"""A sweep by Optuna that ends where it would have ended, however often it is killed and started again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, Override, RangeSweep, Transformer
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from rib.config.sweeps.pruning import build_sweep_pruner, import_optuna
from rib.engine.run_folder.status import FAILED, PRUNED, RunStatus, read_run_status
from rib.io.errors import RibError
from rib.io.settings.ranges import Count, OneOf, Seed, Whole

Trial = tuple[int, dict[str, Any]]
"""Number and settings."""


class StudySweeper(Sweeper):
    """Asks Optuna's tree-structured Parzen estimator for settings, a batch at a time.

    Every trial draws from (seed, its number) and has the number of its job, so a sweep that goes on in its
    folder repeats what was cut off, asks what a straight one would have asked, and stops at the same number
    of trials (Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NeurIPS 2011).

    Args:
        params: Range of a setting: `interval(1e-4, 1e-2)`, `tag(log, interval(...))`, `choice(...)`.
        num_trials: Trials in all, those of before included.
        at_once: Trials asked for before their results are in; launch=joblib runs them in parallel.
        storage: Where the study is kept, as Optuna writes it: sqlite:///path.
        study_name: Its name there.
        seed: Of every draw.
        num_random: Trials drawn at random before the estimator learns from them.
        pruner: Recipe of one of `optuna.pruners`, or None.
        failed: What a sweep that goes on does with trials that failed: "retry" or "keep".
    """

    def __init__(
        self, params: DictConfig | None, num_trials: Count, at_once: Count, storage: str, study_name: str,
        seed: Seed, num_random: Whole, pruner: DictConfig | None = None,
        failed: Annotated[str, OneOf("retry", "keep")] = "retry",
    ) -> None:  # fmt: skip
        if failed not in ("retry", "keep"):
            raise RibError(f"hydra.sweeper.failed={failed} is neither retry nor keep", "type one of them")
        self.params = {} if params is None else {str(k): str(v) for k, v in params.items()}
        self.num_trials, self.at_once = num_trials, at_once
        self.storage, self.study_name = storage, study_name
        self.seed, self.num_random, self.failed = seed, num_random, failed
        self.pruner = OmegaConf.to_container(pruner) if isinstance(pruner, DictConfig) else pruner

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
            raise RibError(
                "the sweep varies nothing", "give it a range: task.module.optimizer.lr=interval(1e-4,1e-2)"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        study = self._study()
        if study.trials and self.config is not None and self.config.get("restore") != "continue":
            raise RibError(
                f"the study in {self.storage} already holds {len(study.trials)} trials",
                "type restore=continue to go on with it, or name another folder",
            )
        self._run(study, list(self._cut_off(study, ranges)), fixed)
        while (missing := self.num_trials - len(study.trials)) > 0:
            self._run(study, [self._ask(study, ranges) for _ in range(min(missing, self.at_once))], fixed)

    @property
    def folder(self) -> Path:
        """The sweep's, with a run folder a trial."""
        assert self.config is not None
        return Path(str(self.config.hydra.sweep.dir))

    def _study(self) -> Any:
        assert self.config is not None
        optimize: Any = OmegaConf.to_container(self.config.optimize, resolve=True)
        modes = [optimize["mode"], *optimize["also"].values()]
        if self.pruner is not None and len(modes) > 1:
            raise RibError(
                f"a pruner judges by one number, but optimize.also names {', '.join(optimize['also'])}",
                "type hydra.sweeper.pruner=null or optimize.also={}",
            )
        build_sweep_pruner(self.pruner)
        return import_optuna().create_study(
            study_name=self.study_name, storage=self.storage, load_if_exists=True,
            directions=[f"{mode}imize" for mode in modes],
        )  # fmt: skip

    def _ask(self, study: Any, ranges: dict[str, Override]) -> Trial:
        """The next trial's number and settings."""
        number = len(study.trials)
        study.sampler = import_optuna().samplers.TPESampler(
            seed=self.seed + number, n_startup_trials=self.num_random
        )
        trial = study.ask()
        for name, override in ranges.items():
            _suggest(trial, name, override)
        return trial.number, dict(trial.params)

    def _run(self, study: Any, trials: list[Trial], fixed: list[str]) -> None:
        """Run trials, neighbours in one batch, and tell the study what came of each."""
        for _, group in groupby(enumerate(trials), lambda pair: pair[1][0] - pair[0]):
            batch = [trial for _, trial in group]
            jobs = [[*fixed, *(f"{k}={v}" for k, v in params.items())] for _, params in batch]
            assert self.launcher is not None
            returned = self.launcher.launch(jobs, initial_job_idx=batch[0][0])
            for (number, _), job in zip(batch, returned, strict=True):
                self._tell(study, number, job)

    def _tell(self, study: Any, number: int, job: Any) -> None:
        """Tell what came of a trial; one that failed stays open where it is to be tried again."""
        states = import_optuna().trial.TrialState
        status = self._status(number)
        if status is not None and status.state == PRUNED:
            study.tell(number, state=states.PRUNED)
            return
        try:
            values = job.return_value
        except Exception:
            if self.failed == "keep":
                study.tell(number, state=states.FAIL)
            return
        if values is None:
            raise RibError(
                f"run {number} logged nothing to judge it by",
                "name with optimize.metric= (and optimize.also=) what its metrics.csv has",
            )
        study.tell(number, values)

    def _cut_off(self, study: Any, ranges: Iterable[str]) -> Iterable[Trial]:
        """Trials that were asked for and never finished, and those that failed and are to be tried again."""
        states = import_optuna().trial.TrialState
        for trial in study.trials:
            if trial.state == states.RUNNING:
                status = self._status(trial.number)
                kept = self.failed == "keep" and status is not None and status.state == FAILED
                if set(trial.params) == set(ranges) and not kept:
                    yield trial.number, dict(trial.params)
                else:  # or it was killed while it was being asked for
                    study.tell(trial.number, state=states.FAIL)

    def _status(self, number: int) -> RunStatus | None:
        return read_run_status(self.folder / str(number))


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
