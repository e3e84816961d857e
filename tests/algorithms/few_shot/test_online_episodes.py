"""Online episodes: a learner of whole supports is asked again after each example."""

from collections.abc import Iterator

import torch

from engine.algorithms.few_shot.online_episodes import predict_prefixes
from engine.nets.mlp import Mlp
from engine.protocol import EpisodeBatch, ExampleBatch, Prediction, Weights

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
