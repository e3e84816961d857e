"""Optuna's TPE sampler, as a function of the trials so far and a seed.

Source: Bergstra et al. (2011), NeurIPS; Akiba et al. (2019), arXiv:1907.10902.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import optuna
from jaxtyping import Int
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, create_trial

from engine.protocol import Space

optuna.logging.set_verbosity(optuna.logging.WARNING)


@dataclass
class TpeSearch:
    """The trials of one search: architectures and their values.

    `study` holds the same trials for Optuna, and `pending_trial` the one without a
    value yet. `is_over` means that the budget is spent; `last` is the last proposal.
    """

    study: Study
    last: Int[np.ndarray, " position"]
    pending_trial: Trial | None = None
    codes: list[Int[np.ndarray, " position"]] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    is_over: bool = False


class _Sampler(TPESampler):
    """Optuna's sampler with a given search space, not inferred from the trials."""

    def __init__(
        self, space: dict[str, BaseDistribution], joint: bool, **given: Any
    ) -> None:
        super().__init__(multivariate=joint, constant_liar=False, **given)
        self._known = space if joint else {}

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self._known


class OptunaTpe:
    """TPE over a space.

    Args:
        space: The searched space.
        candidates: Candidates per proposal, of which TPE takes the most promising.
        joint: Whether decisions are modeled jointly (multivariate TPE).
    """

    def __init__(self, space: Space, candidates: int, joint: bool) -> None:
        self.space, self.candidates, self.joint = space, candidates, joint
        self._space: dict[str, BaseDistribution] = {
            f"{i}": CategoricalDistribution(tuple(range(count)))
            for i, count in enumerate(space.radix)
            if count > 1
        }

    def start_search(self) -> TpeSearch:
        """Return the state before the first trial."""
        last = np.zeros(len(self.space.radix), np.int64)
        return TpeSearch(optuna.create_study(direction="maximize"), last)

    def ask(self, trials: TpeSearch, seed: int) -> Int[np.ndarray, " position"]:
        """Return the next architecture, given the trials and a seed; (position,)."""
        if trials.is_over or not self._space:
            return trials.last
        codes = np.zeros_like(trials.last)
        trials.study.sampler = _Sampler(
            self._space,
            self.joint,
            seed=seed,
            n_startup_trials=1,
            n_ei_candidates=self.candidates,
        )
        trials.pending_trial = trials.study.ask(self._space)
        for name, code in trials.pending_trial.params.items():
            codes[int(name)] = code
        return codes

    def tell(
        self,
        trials: TpeSearch,
        codes: Int[np.ndarray, " position"],
        value: float,
        *,
        live: bool,
    ) -> None:
        """Add a trial; `live` is False if the budget was spent, which ends the search.

        Args:
            trials: Updated in place.
            codes: Shape (position,).
            value: Value to be maximized.
            live: Whether it was trained.
        """
        trials.last, trials.is_over = codes, not live
        if not live:
            return
        trials.codes.append(codes)
        trials.values.append(value)
        if trials.pending_trial is not None:
            trials.study.tell(trials.pending_trial, value)
            trials.pending_trial = None
            return
        params = {name: int(codes[int(name)]) for name in self._space}
        trial = create_trial(params=params, distributions=self._space, value=value)
        trials.study.add_trial(trial)
