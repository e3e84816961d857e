"""The loop of every search: ask, train, tell; and what is written down meanwhile.

A strategy is a start and two functions over a state of its own: `ask` says which
architecture each member trains next, `tell` what it makes of the outcome. Budgets,
noise, caps, failures and the best so far are kept here, the same for all.

Source: Bergstra et al. (2011) and the ask-and-tell form that search libraries share.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor

from engine.algorithms.search.best_possible_scores import best_possible_scores
from engine.protocol import (
    Evaluation,
    Measurement,
    Proposal,
    SearchBatch,
    Space,
    TraceSegment,
)

STRETCH = 25
LOST = -1.0
# However noisy a training is, it is worth more than none.
LEAST = LOST + 1e-9

S = TypeVar("S")
Numbers = np.ndarray
# What a strategy lets be seen of itself; shape (member,) each.
StepMetrics = dict[str, Numbers]
Ask = Callable[[int, S], Proposal]
Tell = Callable[[S, Evaluation], tuple[S, StepMetrics]]


def run_search(
    tasks: SearchBatch, state: S, ask: Ask[S], tell: Tell[S], *, path: bool = False
) -> Iterator[TraceSegment]:
    """Search until the horizon or the budget ends.

    Args:
        tasks: One search per member.
        state: Of the strategy, at its start.
        ask: Step and state → what is to be trained.
        tell: State and outcome → the next state, and what may be seen of it.
        path: Whether to keep what a strategy favors, where it tells `policy`.

    Yields:
        Up to 25 evaluations at a time, counted from 1. A search ends with the first
        training that it cannot pay for: from there on `signal` and `architecture`
        have gaps, and the rest stays as it was. `capped`, where a cap comes, is 1
        from the evaluation on at which it holds.
    """
    log = SearchLog.start(tasks)
    rows: list[StepMetrics] = []
    policies: list[Numbers] = []
    for step in range(tasks.horizon):
        asked = ask(step, state)
        told, row = log.evaluate(asked, step)
        state, info = tell(state, told)
        policy = info.pop("policy", None)
        if path and policy is not None:
            policies.append(policy)
        rows.append(row | info)
        if len(rows) == STRETCH or step == tasks.horizon - 1:
            at = tuple(range(step + 2 - len(rows), step + 2))
            kept = _stack_policies(policies) if policies else None
            yield TraceSegment({k: _stack_column(rows, k) for k in rows[0]}, kept, at)
            rows, policies = [], []


def search_to_end(
    tasks: SearchBatch, state: S, ask: Ask[S], tell: Tell[S]
) -> "SearchRecord":
    """Search to the end without a word; return everything that was trained."""
    log = SearchLog.start(tasks)
    kept: list[Evaluation] = []
    for step in range(tasks.horizon):
        told, _ = log.evaluate(ask(step, state), step)
        state, _ = tell(state, told)
        kept.append(told)
    return SearchRecord(
        np.stack([told.codes for told in kept], 1),
        np.stack([told.signal for told in kept], 1),
        np.stack([told.value for told in kept], 1),
        np.stack([told.fidelity for told in kept], 1),
        np.stack([told.live for told in kept], 1),
    )


class SearchRecord(NamedTuple):
    """All evaluations of some searches; shape (member, evaluation, …)."""

    codes: Numbers
    signal: Numbers
    value: Numbers
    fidelity: Numbers
    live: Numbers


@dataclass
class SearchLog:
    """What was trained so far in each search, and the best of it.

    `best` is the place of the incumbent among the evaluations, −1 where there is
    none: the highest value at the highest fidelity that was trained. `over` says
    which searches ended for want of money, `switched` where the cap holds.
    """

    tasks: SearchBatch
    best_possible: Numbers
    uniform: Numbers
    failing_regions: Numbers
    codes: Numbers
    value: Numbers
    score: Numbers
    property_values: Numbers
    fidelity: Numbers
    spent: Numbers
    incumbent: Numbers
    is_over: Numbers
    is_capped: Numbers

    @classmethod
    def start(cls, tasks: SearchBatch) -> "SearchLog":
        """Start with nothing trained."""
        members, horizon = tasks.members, tasks.horizon
        space = tasks.space
        empty = np.full((members, horizon), np.nan)
        regions = space.radix[0] * (space.radix[1] if len(space.radix) > 1 else 1)
        return cls(
            tasks,
            best_possible_scores(tasks, capped=False),
            tasks.uniform("evaluation", horizon, 2),
            tasks.uniform("failing", regions) < tasks.failing_share,
            np.zeros((members, horizon, len(space.radix)), np.int64),
            empty.copy(),
            empty.copy(),
            empty.copy(),
            np.zeros((members, horizon), np.int64),
            np.zeros(members),
            np.full(members, -1),
            np.zeros(members, bool),
            np.zeros(members, bool),
        )

    def evaluate(self, proposal: Proposal, step: int) -> tuple[Evaluation, StepMetrics]:
        """Train what is asked, write it down, and say what there is to say."""
        tasks = self.tasks
        _check_codes(tasks.space, proposal.codes)
        self._apply_cap(step)
        top = np.full(tasks.members, tasks.full_fidelity)
        fidelity = (
            top if proposal.fidelity is None else np.minimum(proposal.fidelity, top)
        )
        full = tasks.to_evaluator_codes(proposal.codes)
        found = self._measure(full, fidelity, step)
        cost = np.nan_to_num(found.cost, nan=0.0)
        live = ~self.is_over & (self.spent + cost <= tasks.budget * (1 + 1e-9))
        self.is_over = ~live
        self.spent = np.where(live, self.spent + cost, self.spent)
        noise = tasks.noise * ndtri(self.uniform[:, step, 1].clip(1e-12, 1 - 1e-12))
        signal = np.where(
            live & ~self._is_failing(proposal.codes), found.signal + noise, np.nan
        )
        self._record(step, proposal, signal, found.score, full, fidelity)
        value = self._values(step)[:, step]
        told = Evaluation(step, proposal.codes, fidelity, signal, value, live)
        return told, self._metrics(told)

    def _measure(self, full: Numbers, fidelity: Numbers, step: int) -> Measurement:
        """Train for those whose search is not over; NaN for the others."""
        tasks, uniform = self.tasks, self.uniform[:, step, 0]
        if not self.is_over.any():
            return tasks.evaluator.measure(tasks.task_index, full, fidelity, uniform)
        found = Measurement(*np.full((3, tasks.members), np.nan))
        on = np.flatnonzero(~self.is_over)
        if len(on):
            some = tasks.evaluator.measure(
                tasks.task_index[on], full[on], fidelity[on], uniform[on]
            )
            for whole, part in zip(found, some, strict=True):
                whole[on] = part
        return found

    def _is_failing(self, codes: Numbers) -> Numbers:
        second = codes[:, 1] if codes.shape[1] > 1 else 0
        wide = self.tasks.space.radix[1] if codes.shape[1] > 1 else 1
        region = codes[:, 0] * wide + second
        return self.failing_regions[np.arange(len(codes)), region]

    def _record(
        self,
        step: int,
        proposal: Proposal,
        signal: Numbers,
        score: Numbers,
        full: Numbers,
        fidelity: Numbers,
    ) -> None:
        tasks = self.tasks
        self.codes[:, step] = proposal.codes
        self.value[:, step] = np.maximum(signal, LEAST)
        self.score[:, step] = score
        self.fidelity[:, step] = fidelity
        if tasks.objective.property:
            name = tasks.objective.property
            self.property_values[:, step] = tasks.evaluator.property(
                name, tasks.task_index, full
            )
        self.incumbent = _update_incumbents(
            self.incumbent, step, self._values(step), self.fidelity
        )

    def _apply_cap(self, step: int) -> None:
        """Choose incumbents anew in searches where the cap comes now."""
        objective, horizon = self.tasks.objective, self.tasks.horizon
        if not objective.property or self.is_capped.all():
            return
        late = step >= min(round(objective.since * horizon), horizon - 1)
        due = late | self.is_over | (self._share_done(step) >= objective.since)
        now = due & ~self.is_capped
        if not now.any():
            return
        self.is_capped |= now
        self.best_possible = np.where(
            now, best_possible_scores(self.tasks, capped=True), self.best_possible
        )
        best = np.full_like(self.incumbent, -1)
        value = self._values(step - 1) if step else np.zeros((len(best), 0))
        for at in range(step):
            best = _update_incumbents(best, at, value, self.fidelity)
        self.incumbent = np.where(now, best, self.incumbent)

    def _values(self, step: int) -> Numbers:
        """Return the value of every evaluation up to a step, as it counts now."""
        value = np.nan_to_num(self.value[:, : step + 1], nan=LOST)
        if not self.is_capped.any():
            return value
        cap = self.tasks.objective.cap
        assert cap is not None
        above = ~(
            self.property_values[:, : step + 1] <= cap[self.tasks.task_index][:, None]
        )
        return np.where(above & self.is_capped[:, None], LOST, value)

    def _share_done(self, steps: int) -> Numbers:
        """Return which share of each search is over after so many evaluations."""
        counted = np.full(len(self.spent), steps / self.tasks.horizon)
        if np.isfinite(self.tasks.budget):
            return np.maximum(counted, self.spent / self.tasks.budget)
        return counted

    def _metrics(self, evaluation: Evaluation) -> StepMetrics:
        members = np.arange(len(self.incumbent))
        none = self.incumbent < 0
        score = np.where(none, np.nan, self.score[members, self.incumbent])
        index = self.tasks.space.index(evaluation.codes).astype(float)
        row = {
            "score": score,
            "regret": self.best_possible - np.nan_to_num(score, nan=0.0),
            "signal": evaluation.signal,
            "architecture": np.where(evaluation.live, index, np.nan),
            "spent": self.spent.copy(),
        }
        if self.tasks.objective.property:
            row["capped"] = self.is_capped.astype(float)
        return row


def _check_codes(space: Space, codes: Numbers) -> None:
    """Raise ValueError where a strategy asks for what the space does not have."""
    wrong = (codes < 0) | (codes >= np.array(space.radix))
    if wrong.any():
        member, at = np.argwhere(wrong)[0].tolist()
        raise ValueError(
            f"option {codes[member, at]} of {space.positions[at]!r} was asked, which "
            f"has options 0 to {space.radix[at] - 1}"
        )


def _update_incumbents(
    best: Numbers, at: int, value: Numbers, depth: Numbers
) -> Numbers:
    """Return the incumbents when one more evaluation is looked at."""
    members = np.arange(len(best))
    rival, mine = value[members, best], value[:, at]
    deeper = depth[:, at] > depth[members, best]
    level = depth[:, at] == depth[members, best]
    wins = (best < 0) | deeper | (level & (mine > rival))
    return np.where(wins & (mine > LOST), at, best)


def _stack_column(rows: list[StepMetrics], name: str) -> Tensor:
    return torch.from_numpy(np.stack([row[name] for row in rows], 1))


def _stack_policies(policies: list[Numbers]) -> Tensor:
    return torch.from_numpy(np.stack(policies, 1).astype(np.float32))
