from collections.abc import Callable, Generator, Mapping
from typing import Any, cast

import numpy as np
import pytest
import torch

from engine.contract.errors import Refused
from engine.contract.events import Artefact, Block, Checkpoint, Event
from engine.judges.few_shot import FewShotJudge
from engine.protocol import TaskBatch, TraceSegment
from engine.runner import adaptation_tuning
from engine.runner.adaptation_tuning import GRID, RateResult
from engine.runner.context import RunContext
from engine.runner.rate_search import Trial, TriedRates, search_rates
from engine.runner.spec_checks import check_run
from engine.runner.validation import adapt_quietly
from tests.laws.small import assert_same, collected, events, learner_spec

COUNTS = {"tuning_tasks": 6, "task_evaluations": 24}


def spec_of(name: str = "from_scratch", steps: int = 6, **fields: Any) -> Any:
    """Return a tiny run whose only learner is tuned over up to some steps."""
    choice = {"name": name, "knobs": {"steps": steps}}
    budget = COUNTS | fields.pop("budget", {})
    return learner_spec(name, learners=[choice], budget=budget, **fields)


def blocks(spec: Any) -> dict[str, Block]:
    return {f"{e.phase} {e.metric}": e for e in events(spec) if isinstance(e, Block)}


def frozen(spec: Any) -> dict[str, np.ndarray]:
    """Return the meta-weights that a run freezes."""
    found = [e for e in events(spec) if isinstance(e, Artefact) and e.kind == "frozen"]
    return found[-1].arrays


def sized(name: str, sizes: dict[str, int]) -> Any:
    """Return a tiny run on Gaussian classes whose lessons have sizes of their own."""
    spec = learner_spec(name, "gaussian_classes", budget={"task_evaluations": 4})
    knobs = spec.family.knobs | sizes
    return spec.model_copy(
        update={"family": spec.family.model_copy(update={"knobs": knobs})}
    )


def stretch(error: list[list[float]], loss: list[float] | None = None) -> TraceSegment:
    """Make traces of tasks by positions."""
    traces = {"query_accuracy": 1 - torch.tensor(error)}
    if loss is not None:
        traces["query_loss"] = torch.tensor([loss] * len(error))
    return TraceSegment(traces, None, tuple(range(len(error[0]))))


def rate_results(trace: TraceSegment, replicates: int) -> list[RateResult]:
    """Judge episodes, and split them by replicate."""
    scores = FewShotJudge().tuning_scores(trace, cast(TaskBatch, None))
    return adaptation_tuning._rate_results(scores, replicates)


@pytest.mark.parametrize("replicate", [0, 1])
def test_a_replicates_rate_and_steps_are_the_best_of_all_that_it_tried(
    replicate: int,
) -> None:
    spec = spec_of(replicates=2)
    found, weights = blocks(spec), frozen(spec)
    curve = found["tune tuning_error"]
    best = np.nanargmin(curve.array[replicate])
    rate = found["tune tuned_lr"].array[replicate]
    assert rate == pytest.approx(curve.coords["rate"][best])
    assert weights["lr"][replicate] == pytest.approx(rate)
    steps = found["tune tuned_steps"].array[replicate]
    assert weights["steps"][replicate] == steps
    # By hand: adapt to the same validation tasks with what was chosen.
    context = RunContext(spec)
    streams = [context.rng.child("tune", replicate).child(t) for t in range(6)]
    place = context.batch_spec._replace(replicates=1)
    tasks = context.setting.family.draw(context.setting, streams, "validation", place)
    own = slice(replicate, replicate + 1)
    one = {name: torch.from_numpy(w[own].copy()) for name, w in weights.items()}
    again = adapt_quietly(context.entries[0].learner, one, tasks)
    assert {again.steps[index] for index in again.answer_indices} == {steps}
    error = context.judge.score(again, tasks).mean()
    assert float(error) == pytest.approx(curve.array[replicate, best], rel=1e-5)


def test_each_replicate_is_tested_with_what_it_chose() -> None:
    found = blocks(spec_of(steps=20, replicates=4))
    steps = found["tune tuned_steps"].array
    assert len(set(steps)) > 1
    assert (found["test gradient_evaluations"].array == steps * 2).all()
    trace = found["test query_mse"]
    for replicate, chosen in enumerate(steps):
        at = trace.coords["step"].index(chosen)
        final = found["test final_mse"].array[replicate]
        np.testing.assert_allclose(final, trace.array[replicate, :, at], rtol=1e-6)


def test_a_replicate_chooses_alone_as_among_others() -> None:
    many, alone = (
        blocks(spec_of("fine_tune", replicates=3)),
        blocks(spec_of("fine_tune", replicates=1, first_replicate=2)),
    )
    for name in ("tune tuned_lr", "tune tuned_steps", "test gradient_evaluations"):
        assert many[name].array[2] == alone[name].array[0]
    assert len(set(many["tune tuned_lr"].array)) > 1
    np.testing.assert_allclose(
        many["test error"].array[2], alone["test error"].array[0], rtol=2e-5
    )


def test_no_more_steps_are_chosen_than_given() -> None:
    found = blocks(spec_of(budget={"horizon": 50}))
    assert (found["tune tuned_steps"].array <= 6).all()
    assert found["test query_mse"].coords["step"][-1] == 50


def test_the_ledger_counts_every_step_of_every_rate_on_every_task() -> None:
    found = blocks(spec_of(replicates=2))
    tried = np.isfinite(found["tune tuning_error"].array).sum(1)
    assert (tried >= 16).all()
    assert (found["tune gradient_evaluations"].array == tried * 6 * 6).all()


def test_other_test_tasks_do_not_change_what_is_chosen() -> None:
    one, two = frozen(spec_of()), frozen(spec_of(budget={"test_tasks": 5}))
    assert one.keys() == two.keys()
    assert all((one[name] == two[name]).all() for name in one)


def test_only_validation_episodes_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    draw = adaptation_tuning.draw_tasks

    def noted(setting: Any, pool: str, *rest: Any) -> Any:
        drawn.append(pool)
        return draw(setting, pool, *rest)

    monkeypatch.setattr(adaptation_tuning, "draw_tasks", noted)
    blocks(spec_of())
    assert drawn == ["validation"]


def test_a_given_rate_is_not_tuned() -> None:
    knobs = {"tuning": "given", "lr": 0.05, "steps": 2}
    choice = {"name": "from_scratch", "knobs": knobs}
    found = blocks(learner_spec("from_scratch", learners=[choice]))
    assert not [name for name in found if name.startswith("tune")]
    assert (found["test gradient_evaluations"].array == 2 * 2).all()


def test_a_tuned_run_killed_at_any_checkpoint_gives_the_rows_of_the_unbroken_one() -> (
    None
):
    spec = spec_of("fine_tune")
    written: list[Any] = []
    points = []
    for event in events(spec):
        written.append(event)
        if isinstance(event, Checkpoint):
            points.append((len(written), event))
    whole = collected(iter(written))
    for count, point in points[-4:]:
        both = collected(iter(written[:count])) | collected(events(spec, point))
        assert_same(whole, both)


def test_the_place_is_the_lowest_mean_error_and_not_the_lowest_of_each_task() -> None:
    (found,) = rate_results(stretch([[0.9, 0.2, 0.5], [0.1, 0.4, 0.5]]), 1)
    assert found.best_position == 1
    assert found.rank == pytest.approx((0.3, 0.3))


def test_replicates_are_told_apart() -> None:
    one, two = rate_results(stretch([[0.9, 0.2], [0.7, 0.4], [0.1, 0.4]] * 2), 2)
    assert one.best_position == two.best_position == 1
    one, two = rate_results(stretch([[0.9, 0.2], [0.1, 0.4]]), 2)
    assert (one.best_step, two.best_step) == (1, 0)


def test_a_tie_of_errors_goes_to_the_lower_loss() -> None:
    (found,) = rate_results(stretch([[0.5, 0.2, 0.2]], [1.0, 0.9, 0.6]), 1)
    assert found.best_position == 2


def test_nan_is_the_worst() -> None:
    (found,) = rate_results(stretch([[0.9, float("nan")]], [3.0, float("inf")]), 1)
    assert found.best_position == 0 and np.isfinite(found.error).all()


def search(loss: Callable[[float], float]) -> TriedRates[RateResult]:
    """Search rates whose errors are equal, by their losses."""

    def score(
        asked: Mapping[int, Trial], share: float
    ) -> Generator[Event, None, dict[int, RateResult]]:
        yield from ()
        return {
            r: rate_results(stretch([[0.5]], [loss(at.power)]), 1)[0]
            for r, at in asked.items()
        }

    events = search_rates("tune", score, lambda tried: tried.rank, 1, GRID)
    while True:
        try:
            next(events)
        except StopIteration as stop:
            return stop.value[0]


@pytest.mark.parametrize(("best", "tried"), [(1.3, 1.0), (-5.2, -5.0), (-1.3, -1.25)])
def test_the_search_goes_beyond_its_edges(best: float, tried: float) -> None:
    scores, found = search(lambda power: abs(power - best))
    assert abs(found - best) <= 1 / 16 + 1e-9
    assert tried in scores


def test_the_search_ends_where_rates_end() -> None:
    scores, _ = search(lambda power: -power)
    assert len(scores) < 30 and max(scores) <= 2.5


def test_pretraining_sees_the_examples_that_maml_sees() -> None:
    seen = {}
    for name in ("fine_tune", "maml"):
        found = blocks(sized(name, {}))
        seen[name] = found["train examples_seen"].array.item()
    assert set(seen.values()) == {4 * (5 + 75)}


def test_examples_seen_are_those_of_the_lessons_not_of_the_tests() -> None:
    found = blocks(sized("protonet", LARGER))
    assert found["train examples_seen"].array == 4 * 12 * (2 + 3)


LARGER = {"train_ways": 12, "train_shots": 2, "train_queries": 3}


def test_lessons_have_their_own_sizes_and_tests_keep_theirs() -> None:
    context = RunContext(sized("protonet", LARGER))
    sizes = {
        pool: context.draw(context.setting, pool, ("x",), 1)
        for pool in ("train", "validation", "test")
    }
    assert [sizes[p].outputs for p in sizes] == [12, 5, 5]
    assert [sizes[p].support.count for p in sizes] == [24, 5, 5]
    assert [sizes[p].query.count for p in sizes] == [36, 75, 75]


@pytest.mark.parametrize("name", ["maml", "joint"])
def test_a_head_cannot_be_trained_for_other_ways_than_the_tests_have(name: str) -> None:
    with pytest.raises(Refused, match=r"12 ways and cannot answer 5.*training to 0"):
        check_run(RunContext(sized(name, {"train_ways": 12})))


@pytest.mark.parametrize("name", ["protonet", "r2d2", "fine_tune", "from_scratch"])
def test_without_a_trained_head_ways_may_differ(name: str) -> None:
    found = blocks(sized(name, {"train_ways": 12}))
    assert np.isfinite(found["test error"].array).all()


@pytest.mark.parametrize("name", ["fine_tune", "joint", "linear_probe", "cosine_head"])
def test_a_given_rate_that_blows_up_leaves_the_pretrained_net_trained(
    name: str,
) -> None:
    wild = {"name": name, "knobs": {"lr": 100.0, "steps": 3}}
    spec = learner_spec(name, learners=[wild], budget={"task_evaluations": 40})
    context = RunContext(spec)
    tasks = context.draw(context.setting, "train", ("train", "tasks", 0), 1)
    start = context.entries[0].learner.init(context.streams("init"), tasks).weights
    assert not np.array_equal(frozen(spec)["w0"], start["w0"].numpy())
