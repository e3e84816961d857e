"""Probes of number and order of examples, and of targets that must be hidden."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.algorithms.few_shot.few_shot_learner import FewShotLearner
from engine.catalogue import find_card
from engine.contract.events import Block, Event
from engine.contract.run_spec import LearnerChoice, RunSpec, complete_spec
from engine.learners.gradient.maml import Maml
from engine.learners.memory.recurrent import Recurrent
from engine.learners.memory.transformer import Transformer
from engine.protocol import (
    Density,
    EpisodeBatch,
    Estimator,
    Meta,
    Outer,
    OuterStepContext,
    Prediction,
    TaskBatch,
    Weights,
)
from engine.runner.context import LearnerEntry, RunContext
from engine.runner.leak_probes import probe_leaks
from engine.runner.support_probes import order_spread, probe_support
from tests.runner.test_leak_probes import bench


class _Reader(FewShotLearner):
    """Answers with what `read` makes of a batch; reads sequences in one pass."""

    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    reads_sequences: ClassVar[bool] = True

    def init(self, rngs: object, tasks: TaskBatch) -> Meta:
        return Meta({}, {})

    def read(self, tasks: EpisodeBatch) -> Tensor:
        raise NotImplementedError

    def predict(self, theta: Weights, tasks: EpisodeBatch) -> Iterator[Prediction]:
        yield Prediction(0, self.read(tasks))

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        raise NotImplementedError


class _Last(_Reader):
    """Answers every query with the last target that it may see; 0 if there is none."""

    ahead: int = 0

    def read(self, tasks: EpisodeBatch) -> Tensor:
        at = torch.tensor(tasks.context_lengths) - 1 + self.ahead
        seen = tasks.support.y[:, at.clamp(0, tasks.support.count - 1)]
        if not tasks.has_classes:
            return seen.unsqueeze(1) * (at >= 0)
        each = torch.nn.functional.one_hot(seen, tasks.outputs).mT
        return each.float() * 50.0 * (at >= 0)


class _PeekingDensity(_Reader):
    """Answers 0, with a density whose mean is the target of the first query."""

    def predict(self, theta: Weights, tasks: EpisodeBatch) -> Iterator[Prediction]:
        out = torch.zeros_like(tasks.query.y).unsqueeze(1)
        mean = torch.cat([tasks.query.y[:, None, :1], out[..., 1:]], 2)
        yield Prediction(0, out, density=Density(mean, torch.ones_like(mean)))


class _Peeking(_Reader):
    """Answers with the queries' own targets."""

    def read(self, tasks: EpisodeBatch) -> Tensor:
        return tasks.query.y.unsqueeze(1).float()


def online(family: str = "gaussian_classes") -> tuple[RunContext, EpisodeBatch]:
    """Return episodes whose targets are revealed one by one, in random order."""
    given = bench(family, {}, "maml")
    tasks = given.draw(given.setting, "test", ("test", 0), 4)
    assert isinstance(tasks, EpisodeBatch)
    order = torch.randperm(tasks.query.count, generator=torch.manual_seed(0))
    mixed = tasks.query.map(lambda tensor: tensor[..., order])
    return given, replace(tasks, support=mixed, query=mixed, online=True)


def blocks(events: Iterator[Event]) -> dict[str, Block]:
    return {e.metric: e for e in events if isinstance(e, Block)}


def entry(learner: FewShotLearner) -> LearnerEntry:
    return LearnerEntry(LearnerChoice(name="maml", label="it"), learner)


def supported(
    learner: FewShotLearner, tasks: EpisodeBatch, given: RunContext
) -> dict[str, Block]:
    return blocks(probe_support(given, entry(learner), {}, tasks))


def test_errors_of_online_episodes_are_those_after_each_example() -> None:
    given, tasks = online()
    found = supported(_Last(), tasks, given)["context_error"]
    y = tasks.support.y.numpy()
    wrong = y[:, 1:] != y[:, :-1]
    assert found.axes == ("replicate", "task", "context")
    assert found.coords["context"] == tuple(range(75))
    np.testing.assert_array_equal(found.array.reshape(8, -1)[:, 1:], wrong)


def test_accuracy_by_presentation_counts_how_often_a_class_was_seen() -> None:
    given, tasks = online()
    found = supported(_Last(), tasks, given)["presentation_accuracy"].array
    for row, y in zip(found.reshape(8, -1), tasks.support.y.numpy(), strict=True):
        right: dict[int, list[bool]] = {k: [] for k in range(1, 11)}
        for i, label in enumerate(y):
            k = int((y[: i + 1] == label).sum())
            if k <= 10:
                # Equal outputs, as of the first query, count as the first class.
                right[k].append(bool(label == (y[i - 1] if i else 0)))
        np.testing.assert_allclose(row, [np.mean(right[k]) for k in range(1, 11)])


def test_a_class_that_is_never_seen_so_often_has_no_accuracy() -> None:
    given, tasks = online()
    short = tasks.query.cut(0, 12)
    few = replace(tasks, support=short, query=short)
    found = supported(_Last(), few, given)["presentation_accuracy"].array
    assert np.isnan(found[..., -1]).all()
    assert not np.isnan(found[..., 0]).any()


def test_values_are_answered_from_fewer_examples() -> None:
    given = bench("sinusoids", {}, "maml", test_tasks=3)
    tasks = given.draw(given.setting, "test", ("test", 0), 3)
    assert isinstance(tasks, EpisodeBatch)
    found = supported(_Last(), tasks, given)["context_error"]
    assert found.coords["context"] == (1, 2, 3, 5, 7, 10)
    for at, n in enumerate((1, 2, 3, 5, 7, 10)):
        last = tasks.support.y[:, n - 1 : n]
        wanted = (last - tasks.query.y).square().mean(1).reshape(2, 3)
        np.testing.assert_allclose(found.array[..., at], wanted.numpy(), rtol=1e-6)


def test_the_order_matters_to_who_reads_the_last_example_only() -> None:
    given = bench("sinusoids", {}, "maml", test_tasks=3)
    tasks = given.draw(given.setting, "test", ("test", 0), 3)
    assert isinstance(tasks, EpisodeBatch)
    reads = supported(_Last(), tasks, given)["order_spread"].array
    assert (reads > 0.3).all()
    weights = Maml().init(given.streams("init"), tasks).weights
    events = probe_support(given, entry(Maml()), weights, tasks)
    assert (blocks(events)["order_spread"].array == 0).all()


def test_the_spread_is_the_orders_share_of_the_error() -> None:
    _, tasks = online("sinusoids")
    draw = np.random.default_rng(0)
    bias, sd = 0.3, 0.4
    noise = torch.from_numpy(draw.normal(0, sd, (4000, *tasks.query.y.shape)))
    answers = (tasks.query.y + bias + noise).unsqueeze(2)
    found = order_spread(answers, tasks).numpy()
    np.testing.assert_allclose(found, sd / np.hypot(sd, bias), atol=0.01)
    still = torch.zeros_like(answers)
    assert (order_spread(still, tasks) == 0).all()


def test_examples_of_online_episodes_are_counted_once() -> None:
    given, tasks = online()
    assert given.judge.examples(tasks) == 75
    assert given.judge.examples(replace(tasks, online=False)) == 150


def leaks(learner: FewShotLearner, tasks: EpisodeBatch, given: RunContext) -> float:
    found = blocks(probe_leaks(given, entry(learner), {}, tasks))
    return float(found["own_target_matters"].array.mean())


def test_hidden_targets_move_no_bit_unless_a_learner_peeks() -> None:
    given, classes = online()
    assert leaks(_Last(), classes, given) == 0
    # Of the 38 answers up to the middle one, these two were asked with hidden targets.
    assert leaks(_Last(ahead=1), classes, given) == pytest.approx(2 / 38)
    given = bench("sinusoids", {}, "maml")
    waves = given.draw(given.setting, "test", ("test", 0), 3)
    assert isinstance(waves, EpisodeBatch)
    assert leaks(_Last(), waves, given) == 0
    assert leaks(_Peeking(), waves, given) == 1
    given, waves = online("sinusoids")
    assert leaks(_Last(), waves, given) == 0
    seen = waves.query.count // 2 + 1
    assert leaks(_PeekingDensity(), waves, given) == pytest.approx(1 / seen)


@pytest.mark.parametrize("family", ["linear_regression", "gaussian_sequences"])
def test_reading_online_is_probed_online(family: str) -> None:
    # Its items read all others where the support is there from the start, and those
    # before them where it comes one by one: only then does their order matter.
    given = online_bench(family)
    tasks = given.draw(given.setting, "test", ("test", 0), 4)
    assert isinstance(tasks, EpisodeBatch) and tasks.online
    learner = Transformer()
    weights = learner.init(given.streams("init"), tasks).weights
    leaks = blocks(probe_leaks(given, entry(learner), weights, tasks))
    assert (leaks["company_matters"].array == 0).all()
    spread = blocks(probe_support(given, entry(learner), weights, tasks))
    assert (spread["order_spread"].array > 0.01).all()


def online_bench(family: str, **net: object) -> RunContext:
    knobs = {
        "linear_regression": {"online": True},
        "gaussian_sequences": {"presentations": 12},
    }
    body = bench("sinusoids", net, "maml").spec.model_dump(mode="json")
    body["family"] = {"name": family, "knobs": knobs[family]}
    return RunContext(complete_spec(RunSpec.model_validate(body), find_card, "cpu"))


def test_batch_statistics_are_no_leak_of_targets() -> None:
    given = online_bench("gaussian_sequences", normalization="batch")
    tasks = given.draw(given.setting, "test", ("test", 0), 4)
    assert isinstance(tasks, EpisodeBatch)
    weights = Recurrent().init(given.streams("init"), tasks).weights
    found = blocks(probe_leaks(given, entry(Recurrent()), weights, tasks))
    assert (found["own_target_matters"].array == 0).all()
    assert (found["company_matters"].array > 0).all()
