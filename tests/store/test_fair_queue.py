"""The queue is fair to visitors by the compute that they ask for."""

import threading

import pytest

from engine.contract.jobs import JobState
from engine.store import Store
from engine.store.activity import activity
from engine.store.claims import ClaimedJob
from engine.store.errors import OverLimit, QueueFull
from engine.store.fair_queue import OVER_LIMIT, Quota, Rules, next_place
from engine.store.queue_forecast import Turn, _Waiting, predict_turns
from engine.store.workspaces import WorkspaceStore
from tests.store import fake
from tests.store.queue_play import play_queue

ANN, BOB = "a" * 32, "b" * 32


def visitor(store: Store, name: str, most: tuple[int, int] = (1, 2)) -> WorkspaceStore:
    return WorkspaceStore(store, name, quota=Quota(*most))


def test_visitors_get_the_same_compute_whatever_their_runs_take(store: Store) -> None:
    costs = {"heavy": 100.0, "heavy too": 100.0, "light": 10.0, "light too": 10.0}
    played = play_queue(store, costs, 400.0)
    assert played.computed["heavy"] == played.computed["heavy too"]
    assert played.computed["light"] == pytest.approx(
        played.computed["heavy"], abs=100.0
    )
    # Each long run goes first once, and of the short ones three are one's own.
    assert max(played.waits["light"]) <= 2 * 100.0 + 6 * 10.0


def test_a_visitor_has_one_run_computed_whoever_waits(store: Store) -> None:
    store.set_rules(Rules(2, 1))
    ann = visitor(store, ANN)
    first, second = fake.submit(ann, 1), fake.submit(ann, 2)
    claim = store.claim()
    assert claim.key == first
    assert store.claim() is None
    assert store.count_eligible() == 0
    other = fake.submit(visitor(store, BOB), 3)
    assert store.claim().key == other
    store.recorder(claim).finish(JobState.DONE, {})
    assert store.claim().key == second


def test_the_operators_runs_are_not_limited(store: Store) -> None:
    store.set_rules(Rules(2, 1))
    keys = [fake.submit(store, seed) for seed in range(2)]
    assert [store.claim().key for _ in keys] == keys


def test_a_cancelled_run_costs_its_visitor_nothing(store: Store) -> None:
    ann = visitor(store, ANN)
    wish = fake.spec(1)
    ann.submit(wish, fake.key(wish), cost=1000.0)
    ann.cancel(fake.key(wish))
    assert store.index.write(lambda db: next_place(db, ANN)) == 1


def test_a_full_queue_is_refused_in_one_sentence_and_counted(store: Store) -> None:
    ann, bob = visitor(store, ANN), visitor(store, BOB)
    keys = [fake.submit(ann, seed) for seed in range(3)]
    with pytest.raises(QueueFull, match=r"may have 3: wait .*, cancel .*own computer"):
        fake.submit(ann, 3)
    assert ann.job(fake.key(fake.spec(3))) is None
    assert activity(store.index).refused == 1
    assert fake.submit(ann, 0) == keys[0]  # it is there
    fake.submit(bob, 9)
    assert fake.submit(bob, 0) == keys[0]  # it is computed for somebody else
    ann.cancel(keys[1])
    fake.submit(ann, 3)


def test_many_sockets_at_once_get_no_more_than_their_quota(store: Store) -> None:
    refused: list[int] = []

    def click(seed: int) -> None:
        try:
            fake.submit(visitor(store, ANN), seed)
        except QueueFull:
            refused.append(seed)

    clicks = [threading.Thread(target=click, args=(seed,)) for seed in range(12)]
    for each in clicks:
        each.start()
    for each in clicks:
        each.join()
    assert store.count([JobState.QUEUED]) == 3
    assert len(refused) == 9


def test_a_run_that_its_first_visitor_leaves_is_the_others(store: Store) -> None:
    ann, bob = visitor(store, ANN), visitor(store, BOB)
    key = fake.submit(ann, 1)
    fake.submit(bob, 1)
    ann.cancel(key)
    assert store.job(key).workspace == BOB
    assert bob.job(key).state == JobState.QUEUED


def test_a_run_that_reached_a_limit_is_not_started_again(store: Store) -> None:
    ann = visitor(store, ANN)
    key = fake.submit(ann, 1)
    texts = {OVER_LIMIT: True}
    store.recorder(store.claim()).finish(JobState.FAILED, texts, "it took too long")
    with pytest.raises(OverLimit, match="it took too long"):
        ann.resume(key)
    with pytest.raises(OverLimit):
        fake.submit(visitor(store, BOB), 1)
    assert store.resume(key).state == JobState.QUEUED  # the operator may


def test_the_wait_is_that_of_the_runs_before(store: Store) -> None:
    store.set_rules(Rules(1, 1))
    keys = []
    for seed, name in enumerate((ANN, ANN, BOB)):
        wish = fake.spec(seed)
        keys.append(fake.key(wish))
        visitor(store, name).submit(wish, keys[-1], cost=60.0)
    assert _claim(store).key == keys[0]
    first, second = (store.job(key) for key in keys[1:])
    assert (second.position, first.position) == (1, 2)
    assert second.wait == pytest.approx(60, abs=5)
    assert visitor(store, ANN).job(keys[1]).wait == pytest.approx(120, abs=5)


def _claim(store: Store) -> ClaimedJob:
    claim = store.claim()
    assert claim is not None
    return claim


def test_no_wait_is_told_behind_a_run_of_unknown_length() -> None:
    waiting = [_Waiting("a", ANN, None), _Waiting("b", BOB, 5.0)]
    found = predict_turns(waiting, [("c", 10.0)], Rules(1, 1))
    assert found == {"a": Turn(1, 10.0), "b": Turn(2, None)}


def test_two_workers_start_two_visitors_at_once() -> None:
    waiting = [_Waiting(key, key[0], 10.0) for key in ("a1", "a2", "b1")]
    found = predict_turns(waiting, [], Rules(2, 1))
    assert {key: turn.seconds for key, turn in found.items()} == {
        "a1": 0.0,
        "b1": 0.0,
        "a2": 10.0,
    }
