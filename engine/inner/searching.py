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

from engine.protocol import Asked, Spaces, Stretch, Told

STRETCH = 25
LOST = -1.0

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
        Up to 25 evaluations at a time, counted from 1. An evaluation that the budget
        does not allow leaves a gap in `signal` and `architecture`, and the rest as
        it was.
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
    none: the highest value at the highest fidelity that was trained.
    """

    tasks: Spaces
    ceiling: Numbers
    dice: Numbers
    failed: Numbers
    codes: Numbers
    value: Numbers
    score: Numbers
    capped: Numbers
    depth: Numbers
    paid: Numbers
    best: Numbers

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
            tasks.dice("evaluation", horizon, 2),
            tasks.dice("failing", regions) < tasks.failing,
            np.zeros((members, horizon, len(space.radix)), np.int64),
            empty.copy(),
            empty.copy(),
            empty.copy(),
            np.zeros((members, horizon), np.int64),
            np.zeros(members),
            np.full(members, -1),
        )

    def evaluated(self, asked: Asked, step: int) -> tuple[Told, Info]:
        """Train what is asked, write it down, and say what there is to say."""
        tasks = self.tasks
        top = np.full(tasks.members, tasks.top)
        fidelity = top if asked.fidelity is None else np.minimum(asked.fidelity, top)
        full = tasks.spelled(asked.codes)
        found = tasks.evaluator.measure(
            tasks.which, full, fidelity, self.dice[:, step, 0]
        )
        cost = np.nan_to_num(found.cost, nan=0.0)
        live = self.paid + cost <= tasks.budget * (1 + 1e-9)
        self.paid = np.where(live, self.paid + cost, self.paid)
        noise = tasks.noise * ndtri(self.dice[:, step, 1].clip(1e-12, 1 - 1e-12))
        signal = np.where(
            live & ~self._fails(asked.codes), found.signal + noise, np.nan
        )
        self._note(step, asked, signal, found.score, full, fidelity)
        value = self._value(step)[:, step]
        spent = self._spent(step)
        told = Told(step, asked.codes, fidelity, signal, value, live, spent)
        return told, self._row(told)

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
        self.value[:, step] = signal
        self.score[:, step] = score
        self.depth[:, step] = fidelity
        if tasks.objective.property:
            name = tasks.objective.property
            self.capped[:, step] = tasks.evaluator.property(name, tasks.which, full)
        if bool(tasks.objective.property) and step == tasks.objective.since:
            self._look_again(step)
        self.best = _better(self.best, step, self._value(step), self.depth)

    def _look_again(self, step: int) -> None:
        """Choose the incumbents anew: from here on another objective counts."""
        self.ceiling = ceilings(self.tasks, capped=True)
        self.best = np.full_like(self.best, -1)
        value = self._value(step)
        for at in range(step):
            self.best = _better(self.best, at, value, self.depth)

    def _switched(self, step: int) -> bool:
        objective = self.tasks.objective
        return bool(objective.property) and step >= objective.since

    def _value(self, step: int) -> Numbers:
        """Return the value of every evaluation so far, as it counts at this step."""
        value = np.nan_to_num(self.value[:, : step + 1], nan=LOST)
        if not self._switched(step):
            return value
        cap = self.tasks.objective.cap
        assert cap is not None
        above = ~(self.capped[:, : step + 1] <= cap[self.tasks.which][:, None])
        return np.where(above, LOST, value)

    def _spent(self, step: int) -> Numbers:
        if np.isfinite(self.tasks.budget):
            return self.paid / self.tasks.budget
        return np.full(len(self.paid), (step + 1) / self.tasks.horizon)

    def _row(self, told: Told) -> Info:
        members = np.arange(len(self.best))
        none = self.best < 0
        score = np.where(none, np.nan, self.score[members, self.best])
        index = self.tasks.space.index(told.codes).astype(float)
        return {
            "score": score,
            "regret": self.ceiling - np.nan_to_num(score, nan=0.0),
            "signal": told.signal,
            "architecture": np.where(told.live, index, np.nan),
            "spent": self.paid.copy(),
        }


def _better(best: Numbers, at: int, value: Numbers, depth: Numbers) -> Numbers:
    """Return the incumbents when one more evaluation is looked at."""
    members = np.arange(len(best))
    rival, mine = value[members, best], value[:, at]
    deeper = depth[:, at] > depth[members, best]
    level = depth[:, at] == depth[members, best]
    wins = (best < 0) | (rival == LOST) | deeper | (level & (mine > rival))
    return np.where(wins & (mine > LOST), at, best)


def ceilings(tasks: Spaces, *, capped: bool) -> Numbers:
    """Return the best score that there is for each member; shape (member,).

    Where scores are only known by training it is 1: nothing is better than that.
    """
    found = {int(w): _ceiling(tasks, int(w), capped) for w in np.unique(tasks.which)}
    return np.array([found[int(w)] for w in tasks.which])


def _ceiling(tasks: Spaces, which: int, capped: bool) -> float:
    table = scores_of(tasks, which, capped=capped)
    return 1.0 if table is None or not len(table) else float(table.max())


def scores_of(tasks: Spaces, which: int, *, capped: bool = False) -> Numbers | None:
    """Return the known scores of the searched space on a task, without gaps."""
    table = tasks.evaluator.scores(which)
    if table is None:
        return None
    index = np.arange(tasks.space.size)
    full = tasks.spelled(tasks.space.codes(index))
    found = table[tasks.evaluator.space.index(full)]
    if capped and tasks.objective.property and tasks.objective.cap is not None:
        name, cap = tasks.objective.property, tasks.objective.cap[which]
        where = np.full(len(full), which)
        found = found[tasks.evaluator.property(name, where, full) <= cap]
    return found[~np.isnan(found)]


def _column(rows: list[Info], name: str) -> Tensor:
    return torch.from_numpy(np.stack([row[name] for row in rows], 1))


def _stacked(policies: list[Numbers]) -> Tensor:
    return torch.from_numpy(np.stack(policies, 1).astype(np.float32))
