"""The ask-and-tell loop of every search strategy.

A strategy is an initial state and two functions over it: `ask` proposes the
architecture that each member trains next, `tell` updates the state with the result.
Budgets, noise, caps, failures and incumbents are the log's, equally for all.

Source: Bergstra et al. (2011), and the ask-and-tell interface of search libraries.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Num
from torch import Tensor

from engine.algorithms.search.search_log import SearchLog, StepMetrics
from engine.protocol import Evaluation, Proposal, SearchBatch, TraceSegment

SEGMENT = 25  # evaluations per yielded segment: frequent enough to follow on screen

S = TypeVar("S")
Ask = Callable[[int, S], Proposal]
Tell = Callable[[S, Evaluation], tuple[S, StepMetrics]]


def run_search(
    tasks: SearchBatch, state: S, ask: Ask[S], tell: Tell[S], *, path: bool = False
) -> Iterator[TraceSegment]:
    """Search until the horizon or the budget ends.

    Args:
        tasks: One search per member.
        state: Initial state of the strategy.
        ask: Step and state → the architectures to train.
        tell: State and evaluation → the next state and its metrics.
        path: Whether to keep the option probabilities of strategies that report
            `policy`.

    Yields:
        Segments of up to 25 evaluations, counted from 1. A search ends with the first
        training that exceeds its budget: from then on `signal` and `architecture` are
        NaN and the other metrics keep their last value. `capped`, for objectives with
        a cap, is 1 from the evaluation on at which the cap holds.
    """
    log = SearchLog.start(tasks)
    rows: list[StepMetrics] = []
    policies: list[Num[np.ndarray, "member position option"]] = []
    for step in range(tasks.horizon):
        asked = ask(step, state)
        told, row = log.evaluate(asked, step)
        state, info = tell(state, told)
        policy = info.pop("policy", None)
        if path and policy is not None:
            policies.append(policy)
        rows.append(row | info)
        if len(rows) == SEGMENT or step == tasks.horizon - 1:
            at = tuple(range(step + 2 - len(rows), step + 2))
            kept = _stack_policies(policies) if policies else None
            yield TraceSegment({k: _stack_column(rows, k) for k in rows[0]}, kept, at)
            rows, policies = [], []


def search_to_end(
    tasks: SearchBatch, state: S, ask: Ask[S], tell: Tell[S]
) -> "SearchRecord":
    """Search until the horizon or the budget ends; return every evaluation.

    Args:
        tasks: One search per member.
        state: Initial state of the strategy.
        ask: As `run_search` takes it.
        tell: As `run_search` takes it; its metrics are ignored.
    """
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
    """All evaluations of some searches; fields as in `Evaluation`."""

    codes: Int[np.ndarray, "member evaluation position"]
    signal: Float[np.ndarray, "member evaluation"]
    value: Float[np.ndarray, "member evaluation"]
    fidelity: Int[np.ndarray, "member evaluation"]
    live: Bool[np.ndarray, "member evaluation"]


def _stack_column(rows: list[StepMetrics], name: str) -> Tensor:
    return torch.from_numpy(np.stack([row[name] for row in rows], 1))


def _stack_policies(
    policies: list[Num[np.ndarray, "member position option"]],
) -> Tensor:
    return torch.from_numpy(np.stack(policies, 1).astype(np.float32))
