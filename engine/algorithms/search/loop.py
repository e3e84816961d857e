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

from engine.algorithms.search.best_possible_scores import ceilings
from engine.protocol import Asked, Measured, Space, Spaces, Stretch, Told

STRETCH = 25
LOST = -1.0
# However noisy a training is, it is worth more than none.
LEAST = LOST + 1e-9

S = TypeVar("S")
Numbers = np.ndarray
# What a strategy lets be seen of itself; shape (member,) each.
Info = dict[str, Numbers]
Ask = Callable[[int, S], Asked]
Tell = Callable[[S, Told], tuple[S, Info]]


def explore(
    tasks: Spaces, state: S, ask: Ask[S], tell: Tell[S], *, path: bool = False
) -> Iterator[Stretch]:
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
    log = Log.begun(tasks)
    rows: list[Info] = []
    policies: list[Numbers] = []
    for step in range(tasks.horizon):
        asked = ask(step, state)
        told, row = log.evaluated(asked, step)
        state, info = tell(state, told)
        policy = info.pop("policy", None)
        if path and policy is not None:
            policies.append(policy)
        rows.append(row | info)
        if len(rows) == STRETCH or step == tasks.horizon - 1:
            at = tuple(range(step + 2 - len(rows), step + 2))
            kept = _stacked(policies) if policies else None
            yield Stretch({k: _column(rows, k) for k in rows[0]}, kept, at)
            rows, policies = [], []


def searched(tasks: Spaces, state: S, ask: Ask[S], tell: Tell[S]) -> "Searched":
    """Search to the end without a word; return everything that was trained."""
    log = Log.begun(tasks)
    kept: list[Told] = []
    for step in range(tasks.horizon):
        told, _ = log.evaluated(ask(step, state), step)
        state, _ = tell(state, told)
        kept.append(told)
    return Searched(
        np.stack([told.codes for told in kept], 1),
        np.stack([told.signal for told in kept], 1),
        np.stack([told.value for told in kept], 1),
        np.stack([told.fidelity for told in kept], 1),
        np.stack([told.live for told in kept], 1),
    )


class Searched(NamedTuple):
    """All evaluations of some searches; shape (member, evaluation, …)."""

    codes: Numbers
    signal: Numbers
    value: Numbers
    fidelity: Numbers
    live: Numbers


@dataclass
class Log:
    """What was trained so far in each search, and the best of it.

    `best` is the place of the incumbent among the evaluations, −1 where there is
    none: the highest value at the highest fidelity that was trained. `over` says
    which searches ended for want of money, `switched` where the cap holds.
    """

    tasks: Spaces
    ceiling: Numbers
    uniform: Numbers
    failed: Numbers
    codes: Numbers
    value: Numbers
    score: Numbers
    capped: Numbers
    depth: Numbers
    paid: Numbers
    best: Numbers
    over: Numbers
    switched: Numbers

    @classmethod
    def begun(cls, tasks: Spaces) -> "Log":
        """Start with nothing trained."""
        members, horizon = tasks.members, tasks.horizon
        space = tasks.space
        empty = np.full((members, horizon), np.nan)
        regions = space.radix[0] * (space.radix[1] if len(space.radix) > 1 else 1)
        return cls(
            tasks,
            ceilings(tasks, capped=False),
            tasks.uniform("evaluation", horizon, 2),
            tasks.uniform("failing", regions) < tasks.failing,
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

    def evaluated(self, asked: Asked, step: int) -> tuple[Told, Info]:
        """Train what is asked, write it down, and say what there is to say."""
        tasks = self.tasks
        _check(tasks.space, asked.codes)
        self._switch(step)
        top = np.full(tasks.members, tasks.top)
        fidelity = top if asked.fidelity is None else np.minimum(asked.fidelity, top)
        full = tasks.spelled(asked.codes)
        found = self._measured(full, fidelity, step)
        cost = np.nan_to_num(found.cost, nan=0.0)
        live = ~self.over & (self.paid + cost <= tasks.budget * (1 + 1e-9))
        self.over = ~live
        self.paid = np.where(live, self.paid + cost, self.paid)
        noise = tasks.noise * ndtri(self.uniform[:, step, 1].clip(1e-12, 1 - 1e-12))
        signal = np.where(
            live & ~self._fails(asked.codes), found.signal + noise, np.nan
        )
        self._note(step, asked, signal, found.score, full, fidelity)
        value = self._value(step)[:, step]
        told = Told(step, asked.codes, fidelity, signal, value, live)
        return told, self._row(told)

    def _measured(self, full: Numbers, fidelity: Numbers, step: int) -> Measured:
        """Train for those whose search is not over; NaN for the others."""
        tasks, uniform = self.tasks, self.uniform[:, step, 0]
        if not self.over.any():
            return tasks.evaluator.measure(tasks.which, full, fidelity, uniform)
        found = Measured(*np.full((3, tasks.members), np.nan))
        on = np.flatnonzero(~self.over)
        if len(on):
            some = tasks.evaluator.measure(
                tasks.which[on], full[on], fidelity[on], uniform[on]
            )
            for whole, part in zip(found, some, strict=True):
                whole[on] = part
        return found

    def _fails(self, codes: Numbers) -> Numbers:
        second = codes[:, 1] if codes.shape[1] > 1 else 0
        wide = self.tasks.space.radix[1] if codes.shape[1] > 1 else 1
        region = codes[:, 0] * wide + second
        return self.failed[np.arange(len(codes)), region]

    def _note(
        self,
        step: int,
        asked: Asked,
        signal: Numbers,
        score: Numbers,
        full: Numbers,
        fidelity: Numbers,
    ) -> None:
        tasks = self.tasks
        self.codes[:, step] = asked.codes
        self.value[:, step] = np.maximum(signal, LEAST)
        self.score[:, step] = score
        self.depth[:, step] = fidelity
        if tasks.objective.property:
            name = tasks.objective.property
            self.capped[:, step] = tasks.evaluator.property(name, tasks.which, full)
        self.best = _better(self.best, step, self._value(step), self.depth)

    def _switch(self, step: int) -> None:
        """Choose incumbents anew in searches where the cap comes now."""
        objective, horizon = self.tasks.objective, self.tasks.horizon
        if not objective.property or self.switched.all():
            return
        late = step >= min(round(objective.since * horizon), horizon - 1)
        due = late | self.over | (self._done(step) >= objective.since)
        now = due & ~self.switched
        if not now.any():
            return
        self.switched |= now
        self.ceiling = np.where(now, ceilings(self.tasks, capped=True), self.ceiling)
        best = np.full_like(self.best, -1)
        value = self._value(step - 1) if step else np.zeros((len(best), 0))
        for at in range(step):
            best = _better(best, at, value, self.depth)
        self.best = np.where(now, best, self.best)

    def _value(self, step: int) -> Numbers:
        """Return the value of every evaluation up to a step, as it counts now."""
        value = np.nan_to_num(self.value[:, : step + 1], nan=LOST)
        if not self.switched.any():
            return value
        cap = self.tasks.objective.cap
        assert cap is not None
        above = ~(self.capped[:, : step + 1] <= cap[self.tasks.which][:, None])
        return np.where(above & self.switched[:, None], LOST, value)

    def _done(self, steps: int) -> Numbers:
        """Return which share of each search is over after so many evaluations."""
        counted = np.full(len(self.paid), steps / self.tasks.horizon)
        if np.isfinite(self.tasks.budget):
            return np.maximum(counted, self.paid / self.tasks.budget)
        return counted

    def _row(self, told: Told) -> Info:
        members = np.arange(len(self.best))
        none = self.best < 0
        score = np.where(none, np.nan, self.score[members, self.best])
        index = self.tasks.space.index(told.codes).astype(float)
        row = {
            "score": score,
            "regret": self.ceiling - np.nan_to_num(score, nan=0.0),
            "signal": told.signal,
            "architecture": np.where(told.live, index, np.nan),
            "spent": self.paid.copy(),
        }
        if self.tasks.objective.property:
            row["capped"] = self.switched.astype(float)
        return row


def _check(space: Space, codes: Numbers) -> None:
    """Raise ValueError where a strategy asks for what the space does not have."""
    wrong = (codes < 0) | (codes >= np.array(space.radix))
    if wrong.any():
        member, at = np.argwhere(wrong)[0].tolist()
        raise ValueError(
            f"option {codes[member, at]} of {space.positions[at]!r} was asked, which "
            f"has options 0 to {space.radix[at] - 1}"
        )


def _better(best: Numbers, at: int, value: Numbers, depth: Numbers) -> Numbers:
    """Return the incumbents when one more evaluation is looked at."""
    members = np.arange(len(best))
    rival, mine = value[members, best], value[:, at]
    deeper = depth[:, at] > depth[members, best]
    level = depth[:, at] == depth[members, best]
    wins = (best < 0) | deeper | (level & (mine > rival))
    return np.where(wins & (mine > LOST), at, best)


def _column(rows: list[Info], name: str) -> Tensor:
    return torch.from_numpy(np.stack([row[name] for row in rows], 1))


def _stacked(policies: list[Numbers]) -> Tensor:
    return torch.from_numpy(np.stack(policies, 1).astype(np.float32))
