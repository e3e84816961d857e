"""Plays a queue without computing: visitors who keep it filled, and workers."""

import heapq
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from engine.contract.jobs import JobState
from engine.store import Store
from engine.store.claims import ClaimedJob
from engine.store.fair_queue import Quota, Rules
from tests.store import fake


class Play(NamedTuple):
    """What a queue did.

    Args:
        computed: Seconds that each visitor's runs were computed.
        waits: Seconds that each of a visitor's first runs waited.
    """

    computed: dict[str, float]
    waits: dict[str, list[float]]


def play_queue(
    store: Store, costs: Mapping[str, float], seconds: float, workers: int = 1
) -> Play:
    """Let visitors keep 1 run running and 2 queued until the time is over.

    Args:
        store: An empty store.
        costs: Seconds of each run of a visitor, by workspace.
        seconds: When to stop.
        workers: How many compute.
    """
    store.set_rules(Rules(workers, 1))
    now, played = 0.0, Play(defaultdict(float), defaultdict(list))
    asked: dict[str, tuple[str, float]] = {}
    held: dict[str, int] = dict.fromkeys(costs, 0)
    busy: list[tuple[float, int, ClaimedJob]] = []
    while now < seconds:
        for name, cost in costs.items():
            while held[name] < 3:
                held[name] += 1
                asked[_submit(store, len(asked), name, cost)] = name, now
        while len(busy) < workers and (claim := store.claim()) is not None:
            name, since = asked[claim.key]
            played.waits[name].append(now - since)
            heapq.heappush(busy, (now + costs[name], len(asked) + len(busy), claim))
        now, _, claim = heapq.heappop(busy)
        name, _ = asked[claim.key]
        played.computed[name] += costs[name]
        held[name] -= 1
        store.recorder(claim).finish(JobState.DONE, {})
    return played


def _submit(store: Store, seed: int, workspace: str, cost: float) -> str:
    wish = fake.spec(seed)
    key = fake.key(wish)
    store.submit(wish, key, workspace=workspace, cost=cost, quota=Quota(1, 2))
    return key
