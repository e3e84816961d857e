"""The meta-predictor, held against least squares over everything that was trained."""

import numpy as np
import torch

from engine.algorithms.search.encodings import one_hot_encoding
from engine.algorithms.search.knowledge.bayesian_regression import (
    NOISE,
    fit_posterior,
    predictor_features,
    standardize_features,
    update_posterior,
)
from engine.protocol import Meta, OuterStepContext, SearchBatch, Space
from engine.runner.context import RunContext
from engine.runner.validation import adapt_quietly
from tests.laws.small import spec_of

SPACE = Space("toy", ("a", "b", "c"), (("x", "y", "z"),) * 3)


def bench_of(**knobs: object) -> RunContext:
    learner = {"name": "meta_predictor", "knobs": knobs}
    family = {"name": "nk_landscape", "knobs": {"kinship": 0.9}}
    return RunContext(
        spec_of(family=family, learners=[learner], budget={"horizon": 40})
    )


def drawn(context: RunContext, pool: str, count: int) -> SearchBatch:
    tasks = context.draw(context.setting, pool, (pool, 0), count)
    assert isinstance(tasks, SearchBatch)
    return tasks


def taught(context: RunContext, lessons: int = 4) -> Meta:
    tasks, learner = drawn(context, "train", 4), context.entries[0].learner
    meta = learner.init(context.streams("init"), tasks)
    for step in range(lessons):
        step_context = OuterStepContext(step, 0, 1, context.streams("lesson", step))
        tasks = context.draw(context.setting, "train", ("train", "tasks", step), 4)
        found = learner.outer(meta, tasks, step_context, context.estimator)
        assert found.weights is not None
        meta = Meta(found.weights, found.memory)
    return meta


def test_the_posterior_is_least_squares_over_source_and_own_trainings() -> None:
    rng = np.random.default_rng(0)
    source, own = rng.normal(size=(30, 4)), rng.normal(size=(9, 4))
    far, near = rng.normal(size=30), rng.normal(size=9)
    trust, ridge = 0.3, 2.0
    belief = fit_posterior(source.T @ source, source.T @ far, trust, ridge)
    mean, cov = update_posterior(belief, own, near)
    # The offset of the own trainings is one more coefficient, without any penalty.
    rows = [
        np.column_stack([source * np.sqrt(trust / NOISE), np.zeros(30)]),
        np.column_stack([np.eye(4) * np.sqrt(ridge), np.zeros(4)]),
        np.column_stack([own, np.ones(9)]) / np.sqrt(NOISE),
    ]
    goal = [far * np.sqrt(trust / NOISE), np.zeros(4), near / np.sqrt(NOISE)]
    design = np.concatenate(rows)
    truth = np.linalg.lstsq(design, np.concatenate(goal), rcond=None)[0]
    np.testing.assert_allclose(mean, truth[:4], atol=1e-9)
    np.testing.assert_allclose(cov, np.linalg.inv(design.T @ design)[:4, :4], atol=1e-9)


def test_a_feature_in_which_sources_do_not_differ_is_left_out() -> None:
    features = np.array([[1.0, 5.0], [3.0, 5.0], [99.0, 7.0]])
    found = standardize_features(features, features[:2].mean(0), features[:2].std(0))
    np.testing.assert_allclose(found, [[-1.0, 0.0], [1.0, 0.0], [2.0, 0.0]])


def test_options_are_crossed_with_the_task() -> None:
    codes = SPACE.codes(np.arange(5))
    found = predictor_features(SPACE, codes, np.array([2.0, -1.0]))
    hot = one_hot_encoding(SPACE, codes)
    crossed = found[:, -18:].reshape(5, 9, 2)
    np.testing.assert_allclose(crossed[:, :, 0], 2 * hot)
    np.testing.assert_allclose(crossed[:, :, 1], -hot)


def test_without_trust_sources_change_nothing() -> None:
    context = bench_of(trust=0.0)
    tasks, learner = drawn(context, "test", 3), context.entries[0].learner
    fresh = learner.init(context.streams("init"), tasks).weights
    one = adapt_quietly(learner, fresh, tasks).traces
    two = adapt_quietly(learner, taught(context).weights, tasks).traces
    for name, trace in one.items():
        assert torch.equal(trace, two[name]), name


def test_kin_tasks_teach_what_is_good_before_anything_is_trained() -> None:
    context = bench_of()
    tasks, learner = drawn(context, "test", 20), context.entries[0].learner
    fresh = learner.init(context.streams("init"), tasks).weights
    untaught = adapt_quietly(learner, fresh, tasks).traces["regret"]
    known = adapt_quietly(learner, taught(context).weights, tasks).traces["regret"]
    assert known[:, 4].mean() < 0.5 * untaught[:, 4].mean()
    assert known.mean() < 0.6 * untaught.mean()


def test_a_shuffled_source_teaches_nothing() -> None:
    context = bench_of(shuffled=True)
    tasks, learner = drawn(context, "test", 20), context.entries[0].learner
    fresh = learner.init(context.streams("init"), tasks).weights
    untaught = adapt_quietly(learner, fresh, tasks).traces["regret"].mean()
    misled = (
        adapt_quietly(learner, taught(context).weights, tasks).traces["regret"].mean()
    )
    assert misled > 0.8 * untaught


def test_nothing_is_trained_twice() -> None:
    context = bench_of()
    tasks, learner = drawn(context, "test", 3), context.entries[0].learner
    meta = taught(context, 1)
    tried = adapt_quietly(learner, meta.weights, tasks).traces["architecture"].numpy()
    assert all(len(set(row)) == len(row) for row in tried)
