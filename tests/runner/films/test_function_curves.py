"""A film over the examples shows what a learner answers on the first of them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import numpy as np
import torch
from scipy.stats import norm

from engine.algorithms.few_shot.few_shot_learner import FewShotLearner
from engine.learners.gradient.maml import Maml
from engine.protocol import (
    Density,
    EpisodeBatch,
    Estimator,
    ExampleBatch,
    Meta,
    Outer,
    OuterStepContext,
    Prediction,
    TaskBatch,
    Weights,
)
from engine.runner.films.function_curves import (
    curves_over_examples,
    curves_over_steps,
    shown_counts,
)
from tests.runner.test_leak_probes import bench


class _Doubter(FewShotLearner):
    """Believes in a mixture of two normals around the support's mean."""

    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    fewest: int = 1

    def init(self, rngs: object, tasks: TaskBatch) -> Meta:
        return Meta({}, {})

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        assert isinstance(tasks, EpisodeBatch)
        return "too few" if tasks.support.count < self.fewest else None

    def predict(self, theta: Weights, tasks: EpisodeBatch) -> Iterator[Prediction]:
        mean = tasks.support.y.mean(1).view(-1, 1, 1).expand(-1, 1, tasks.query.count)
        both = torch.cat([mean - 1.0, mean + 1.0], 1)
        sd = torch.full_like(both, 1.0 / tasks.support.count)
        yield Prediction(0, mean, density=Density(both, sd))

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        raise NotImplementedError


def waves() -> EpisodeBatch:
    given = bench("sinusoids", {}, "maml")
    tasks = given.draw(given.setting, "test", ("test", 0), 2)
    assert isinstance(tasks, EpisodeBatch)
    return replace(tasks.take([0, 1]), replicates=1)


def test_a_frame_is_the_answer_on_the_first_examples_alone() -> None:
    tasks, learner = waves(), Maml(inner_steps=2)
    assert tasks.truth is not None
    given = bench("sinusoids", {}, "maml")
    weights = learner.init(given.streams("init")[:1], tasks).weights
    film = curves_over_examples(learner, weights, tasks)
    assert film["counts"].tolist() == list(range(1, 11))
    first = replace(tasks, support=tasks.support.cut(0, 3))
    grid = ExampleBatch(tasks.truth[:, :1], tasks.truth[:, 1])
    theta = {n: w.expand(2, *w.shape[1:]) for n, w in weights.items()}
    wanted = list(learner.predict(theta, replace(first, query=grid)))[2]
    curve = wanted.query_outputs[:, 0].numpy()
    np.testing.assert_allclose(film["curve"][:, 2], curve, atol=1e-6)
    whole = curves_over_steps(learner, weights, tasks)
    at = whole["steps"].tolist().index(2)
    np.testing.assert_allclose(film["curve"][:, -1], whole["curve"][:, at], atol=1e-6)
    np.testing.assert_allclose(film["mse"][:, -1], whole["mse"][:, at], atol=1e-6)


def test_a_mixture_has_a_band_and_its_functions() -> None:
    tasks = waves()
    film = curves_over_examples(_Doubter(), {}, tasks)
    frame = film["counts"].tolist().index(10)
    mean, sd = tasks.support.y.mean(1).numpy(), 0.1
    # Half of the probability lies in each component, so 5 % are 10 % of the lower one.
    low = mean - 1.0 + sd * norm.ppf(0.1)
    np.testing.assert_allclose(film["low"][:, frame, 0], low, atol=1e-5)
    np.testing.assert_allclose(film["high"][:, frame, 0], 2 * mean - low, atol=1e-5)
    samples = film["samples"][:, frame, :, 0]
    np.testing.assert_allclose(samples, mean[:, None] + [[-1.0, 1.0]], atol=1e-5)


def test_a_learner_is_not_asked_on_fewer_examples_than_it_takes() -> None:
    film = curves_over_examples(_Doubter(fewest=4), {}, waves())
    assert film["counts"].tolist() == list(range(4, 11))
    assert curves_over_examples(_Doubter(fewest=11), {}, waves()) == {}


def test_a_long_support_is_shown_in_twelve_frames() -> None:
    found = shown_counts(200)
    assert (len(found), found[0], found[-1]) == (12, 1, 200)
