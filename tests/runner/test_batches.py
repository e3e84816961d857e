"""A run in batches: it ends once it is decided, and its rows are a fixed run's rows."""

import json
from typing import Any

import numpy as np
import pytest

from engine.contract.errors import Refused
from engine.contract.events import Artefact, Block, Checkpoint, Event, Note
from engine.contract.replicate_batches import replicate_batches
from engine.contract.run_spec import RunSpec
from engine.export.block_checks import BlockReader
from engine.runner.memory_estimate import stage_needs
from engine.runner.run_history import RUN, RunHistory
from engine.runner.state import RunState
from engine.stats.block_table import BlockTable
from engine.stats.inference.looks import nominal_levels
from engine.stats.learner_claims import CANT_TELL, make_claims, primary_claim
from engine.stats.replicate_concatenation import join_batches
from engine.stats.run_summary import summarize
from engine.store import arrow_codec
from tests.in_memory_run_cache import InMemoryRunCache
from tests.laws.small import assert_same, collected, events, learner_spec, spec_of

SLOW = {"name": "sgd", "knobs": {"lr": 1e-3}}
TUNED = {"name": "sgd", "role": "baseline", "knobs": {"tuning": "tuned"}}
SHIFTS = [{"name": "horizon", "severities": [1.0]}]
LOOKS = (2, 4, 6, 8)


def batched(chosen: dict[str, Any] = SLOW, **fields: Any) -> RunSpec:
    """Return a tiny run of up to four batches of two."""
    body = {"replicates": LOOKS[-1], "looks": LOOKS, "learners": [chosen, TUNED]}
    return spec_of(**(body | {"family": {"name": "quadratic"}} | fields))


def fixed(spec: RunSpec, replicates: int) -> RunSpec:
    """Return the same run of a fixed number of replicates."""
    return spec.model_copy(update={"replicates": replicates, "looks": ()})


def play(spec: RunSpec) -> list[Event]:
    """Return a run's events, with nothing shared with other runs."""
    return list(events(spec, cache=InMemoryRunCache()))


def blocks(found: list[Event]) -> list[Block]:
    return [event for event in found if isinstance(event, Block)]


@pytest.fixture(scope="module")
def decided() -> list[Event]:
    """Return the events of a run in which the chosen learner is far too slow."""
    return play(batched(shifts=SHIFTS))


def count(found: list[Event]) -> int:
    return BlockTable(blocks(found), "optimization").n_replicates


def test_a_run_ends_at_the_first_look_that_decides(decided: list[Event]) -> None:
    spec = batched(shifts=SHIFTS)
    stopped = count(decided)
    assert 2 < stopped < 8
    calls = {}
    for look in LOOKS[: LOOKS.index(stopped) + 1]:
        table = BlockTable(blocks(play(fixed(spec, look))), spec.kind)
        claim = primary_claim(make_claims(table, spec, None))
        assert claim is not None
        calls[look] = claim.call
    *before, last = calls.values()
    assert last == "worse" and set(before) == {CANT_TELL}


def test_the_rows_are_those_of_a_fixed_number_of_replicates(
    decided: list[Event],
) -> None:
    spec = batched(shifts=SHIFTS)
    whole = play(fixed(spec, count(decided)))
    rows = {b.address(): b for b in join_batches(blocks(decided))}
    for block in blocks(whole):
        joined = rows[block.address()]
        if block.axes == joined.axes:
            np.testing.assert_array_equal(joined.array, block.array, block.metric)
        else:  # costs are each replicate's own in a run of several batches
            assert (joined.array == block.array).all()


def test_the_same_run_ends_at_the_same_batch_with_the_same_rows(
    decided: list[Event],
) -> None:
    again = play(batched(shifts=SHIFTS))
    assert_same(collected(iter(decided)), collected(iter(again)))


def test_a_run_cancelled_within_a_test_keeps_the_verdict_of_its_last_look(
    decided: list[Event],
) -> None:
    spec, found = batched(shifts=SHIFTS), blocks(decided)
    second = [i for i, b in enumerate(found) if b.coords.get("replicate") == (2.0, 3.0)]
    tests = [i for i in second if found[i].phase == "test"]
    for end in tests[:: len(tests) // 12]:
        (claim,) = [c for c in summarize(found[:end], spec)["claims"] if c["primary"]]
        levels = dict(zip(LOOKS, nominal_levels(LOOKS), strict=True))
        assert claim["n_replicates"] in (2, 4)
        assert 1 - claim["level"] == pytest.approx(levels[claim["n_replicates"]])


def test_a_run_killed_at_any_checkpoint_gives_the_rows_of_the_unbroken_one() -> None:
    learners = [SLOW, {"name": "lr_scale"}, TUNED]
    spec = batched(learners=learners, budget={"task_evaluations": 8}, shifts=SHIFTS)
    unbroken, written, points = play(spec), [], []
    for event in unbroken:
        written.append(event)
        if isinstance(event, Checkpoint):
            points.append((event, list(written)))
    assert {point.state[RUN]["batch"] for point, _ in points} >= {0, 1}
    whole = collected(iter(unbroken))
    for point, before in points[::3]:
        rest = events(spec, resume=point, cache=InMemoryRunCache())
        assert_same(collected(iter([*before, *rest])), whole)


def test_frozen_weights_hold_every_batch_and_replicate_r_takes_its_own() -> None:
    learners = [
        {"name": "lr_scale", "label": "mine"},
        {"name": "adam", "role": "baseline"},
    ]
    # 5 replicates in two batches; two are too few to decide anything.
    spec = spec_of(learners=learners, replicates=5, looks=[2, 5])
    batches, alone = frozen(play(spec)), frozen(play(fixed(spec, 5)))
    assert_same(dict(batches.arrays), dict(alone.arrays))
    cache, run = InMemoryRunCache(), "0" * 64
    cache.put(run, spec, [batches])
    given = {"mine": {"run": run, "artefact": "mine"}}
    later = spec_of(learners=learners, replicates=4, looks=[2, 4], inputs=given)
    carried = frozen(list(events(later, cache=cache)))
    for name, array in carried.arrays.items():
        np.testing.assert_array_equal(array, batches.arrays[name][:4])


def test_without_a_rival_there_is_nothing_to_wait_for() -> None:
    spec = spec_of(learners=[{"name": "lr_scale"}], replicates=5, looks=[2, 5])
    tested = [b for b in blocks(play(spec)) if (b.phase, b.metric) == ("test", "area")]
    assert [block.array.shape[0] for block in tested] == [2]


def frozen(found: list[Event]) -> Artefact:
    """Return the newest frozen weights of a run."""
    every = [e for e in found if isinstance(e, Artefact) and e.kind == "frozen"]
    return every[-1]


def test_progress_says_what_it_waits_for_and_ends_at_one(
    decided: list[Event],
) -> None:
    notes = [event for event in decided if isinstance(event, Note)]
    done = [note.done for note in notes]
    assert done == sorted(done) and done[-1] == 1.0
    texts = list(dict.fromkeys(note.text for note in notes if note.text))
    assert texts[0] == "batch 1 of at most 4"
    assert texts[1].startswith("difference ") and texts[1].endswith("2 of at most 4")


def test_more_than_64_replicates_are_computed_in_batches() -> None:
    sizes = [len(batch) for batch in replicate_batches(spec_of(replicates=150))]
    assert sizes == [64, 64, 22]


def test_an_export_of_a_batched_run_is_accepted_and_comes_back(
    decided: list[Event],
) -> None:
    spec = batched(shifts=SHIFTS)
    reader = BlockReader(spec)
    for block in arrow_codec.newest_per_address(blocks(decided)):
        reader.add(arrow_codec.block_header(block), block.array)
    assert [b.address() for b in join_batches(reader.held)] == [
        b.address() for b in join_batches(blocks(decided))
    ]


def test_replicates_that_no_batch_has_are_refused(decided: list[Event]) -> None:
    spec = batched(shifts=SHIFTS)
    block = next(b for b in blocks(decided) if b.coords.get("replicate") == (2.0, 3.0))
    header = arrow_codec.block_header(block)
    for wrong in ("[3.0, 4.0]", "[2.0, 4.0]"):
        moved = header | {"coords": header["coords"].replace("[2.0, 3.0]", wrong)}
        with pytest.raises(Refused, match=r"replicates|no batch"):
            BlockReader(spec).add(moved, block.array)


def as_format_3(point: Checkpoint) -> Checkpoint:
    """Return a checkpoint as it was when the fields of the run were the batch's own."""
    state = dict(point.state)
    history = state.pop(RUN)
    names = ("batch", "threshold", "diverged", "variances", "blocks")
    state |= {name: history[name] for name in names} | {"format": 3}
    arrays = {k: a for k, a in point.arrays.items() if json.loads(k)[0] != "latest"}
    frozen = [key for key in arrays if json.loads(key)[0] == "frozen"]
    return Checkpoint(arrays, state | {"order": [*state["order"], *frozen]})


def test_a_checkpoint_as_format_3_wrote_it_resumes_with_the_same_rows() -> None:
    learners = [{"name": "lr_scale"}, TUNED]
    spec = batched(learners=learners, budget={"task_evaluations": 8})
    unbroken = play(spec)
    whole = collected(iter(unbroken))
    for i, event in enumerate(unbroken):
        # Format 3 wrote no checkpoint between two batches that lacked these fields.
        if isinstance(event, Checkpoint) and event.state[RUN]["begun"]:
            rest = events(spec, resume=as_format_3(event), cache=InMemoryRunCache())
            assert_same(collected(iter([*unbroken[:i], *rest])), whole)


def test_a_checkpoint_of_one_batch_as_format_2_wrote_it_is_read() -> None:
    point = RunState().checkpoint()
    old = Checkpoint({}, point.state | {"format": 2, "diverged": True})
    found = RunHistory.from_checkpoint(old)
    assert found.batch == 0 and any(found.diverged.values())


def test_a_piece_that_one_batch_lacks_is_nan_there() -> None:
    def curve(rows: int, first: int, step: float) -> Block:
        at = {
            "step": (step,),
            "replicate": tuple(map(float, range(first, first + rows))),
        }
        at = at if first else {"step": (step,)}
        array = np.full((rows, 1), step)
        return Block("a", "train", "meta_loss", ("replicate", "step"), array, coords=at)

    found = join_batches([curve(2, 0, 1.0), curve(2, 0, 2.0), curve(1, 2, 1.0)])
    assert [block.array.shape for block in found] == [(3, 1), (3, 1)]
    assert np.isnan(found[1].array[2]).all() and (found[0].array == 1).all()


def test_later_batches_tune_as_a_run_of_one_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learner = {"name": "fine_tune", "knobs": {"steps": 3}}
    spec = learner_spec("fine_tune", learners=[learner], replicates=4)
    alone = play(spec)
    monkeypatch.setattr("engine.contract.replicate_batches.MOST_AT_ONCE", 2)
    batches = play(spec)
    assert any("replicate" in block.coords for block in blocks(batches))
    mine, whole = frozen(batches).arrays, frozen(alone).arrays
    for name in ("lr", "steps"):
        np.testing.assert_array_equal(mine[name], whole[name])
    rows = {b.address(): b.array for b in join_batches(blocks(batches))}
    errors = [b for b in blocks(alone) if (b.phase, b.metric) == ("test", "error")]
    assert errors
    for block in errors:
        # Training may round otherwise in a batch of another size.
        np.testing.assert_allclose(rows[block.address()], block.array, rtol=2e-5)


def test_memory_is_estimated_for_one_batch() -> None:
    needs = {need.stage: need.replicates for need in stage_needs(batched(replicates=8))}
    assert needs.pop("summary") == 8 and needs.pop("threshold") == 1
    assert set(needs.values()) == {2}
