"""Online episodes: a learner of whole supports is asked again after each example."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from engine.algorithms.few_shot.few_shot_learner import FewShotLearner
from engine.algorithms.few_shot.online_episodes import predict_prefixes
from engine.contract.rng import Rng
from engine.learners.baseline.bayes_linear import BayesLinear
from engine.learners.baseline.gp_regression import GpRegression
from engine.learners.bayes.bayesian_maml import BayesianMaml
from engine.learners.bayes.deep_kernel import DeepKernel
from engine.learners.bayes.maml_ensemble import MamlEnsemble
from engine.learners.bayes.platipus import Platipus
from engine.learners.memory.neural_process import NeuralProcess
from engine.nets.mlp import Mlp
from engine.protocol import Density, EpisodeBatch, ExampleBatch, Prediction, Weights

COUNT = 5


def online() -> EpisodeBatch:
    """Return two online episodes of five values."""
    x = torch.arange(2.0 * COUNT).view(2, 1, COUNT)
    shots = ExampleBatch(x, x[:, 0].square())
    return EpisodeBatch(
        net=Mlp(),
        shape=(1,),
        outputs=1,
        has_classes=False,
        known_classes=0,
        replicates=1,
        horizon=1,
        support=shots,
        query=shots,
        online=True,
    )


def mean_so_far(theta: Weights, tasks: EpisodeBatch) -> Iterator[Prediction]:
    """Predict the mean of the support's targets."""
    mean = tasks.support.y.mean(1)[:, None, None]
    yield Prediction(0, mean.expand(-1, 1, tasks.query.count))


def test_each_query_is_predicted_from_the_examples_before_it() -> None:
    tasks = online()
    (found,) = predict_prefixes(mean_so_far, {}, tasks)
    y = tasks.support.y
    for place in range(1, COUNT):
        expected = y[:, :place].mean(1)
        torch.testing.assert_close(found.query_outputs[:, 0, place], expected)
    assert (found.query_outputs[:, 0, 0] == 0).all()


def test_a_split_episode_has_its_first_examples_as_support() -> None:
    tasks = online()
    assert tasks.context_lengths == tuple(range(COUNT))
    seen = tasks.split(2)
    assert torch.equal(seen.support.x, tasks.support.x[..., :2])
    assert torch.equal(seen.query.y, tasks.support.y[:, 2:])
    assert seen.context_lengths == (2,) * (COUNT - 2)


WITH_DENSITY = (
    MamlEnsemble(particles=2),
    BayesianMaml(particles=2),
    Platipus(particles=2),
    NeuralProcess(width=8),
    DeepKernel(),
    GpRegression(),
    BayesLinear(),
)


@pytest.mark.parametrize("learner", WITH_DENSITY, ids=lambda one: str(one.name))
def test_no_density_depends_on_its_own_target_or_later_ones(
    learner: FewShotLearner,
) -> None:
    tasks = online()
    theta = learner.init([Rng(3), Rng(4)], replace(tasks, replicates=2)).weights
    before = density_of(learner, theta, tasks)
    for place in range(COUNT):
        y = tasks.support.y.clone()
        y[:, place:] += 7.0
        other = replace(tasks.support, y=y)
        after = density_of(learner, theta, replace(tasks, support=other, query=other))
        for one, two in zip(before, after, strict=True):
            assert torch.equal(one[..., : place + 1], two[..., : place + 1])


def density_of(learner: FewShotLearner, theta: Weights, tasks: EpisodeBatch) -> Density:
    """Return the density at the last inner step, whose mean is the answer."""
    *_, last = learner.predictions(theta, tasks)
    assert last.density is not None
    torch.testing.assert_close(last.density.moments()[0], last.query_outputs[:, 0])
    return last.density
