import pytest
import torch

from engine.algorithms.few_shot.embedding_distances import class_means, class_spread
from engine.algorithms.few_shot.few_shot_learner import body_features
from engine.contract.errors import Refused
from engine.learners.metric.protonet import Protonet
from engine.nets.mlp import Mlp
from engine.protocol.member_chunks import broadcast_to_members
from tests.learners.clouds import answered, begun, clouds, relabeled, shuffled


def embedded(
    weights: dict[str, torch.Tensor], tasks: object
) -> tuple[torch.Tensor, ...]:
    found = body_features(broadcast_to_members(weights, tasks.members), tasks)
    assert found is not None
    return found


def test_its_softmax_is_a_linear_classifier_of_twice_the_means() -> None:
    tasks = clouds()
    weights = begun(Protonet(), tasks)
    support, query = embedded(weights, tasks)
    means = class_means(support, tasks.support.y, tasks.outputs)
    logits = 2 * means.mT @ query - means.square().sum(1).unsqueeze(2)
    torch.testing.assert_close(
        answered(Protonet(), tasks, weights).softmax(1), logits.softmax(1)
    )


def test_with_one_shot_it_answers_as_the_nearest_neighbor_in_the_embedding() -> None:
    tasks = clouds(6, shots=1, ways=5)
    weights = begun(Protonet(), tasks)
    support, query = embedded(weights, tasks)
    near = torch.cdist(query.mT, support.mT).argmin(2)
    expected = tasks.support.y.gather(1, near)
    assert torch.equal(answered(Protonet(), tasks, weights).argmax(1), expected)


def test_the_distance_is_squared() -> None:
    tasks = clouds()
    weights = begun(Protonet(), tasks)
    support, query = embedded(weights, tasks)
    means = class_means(support, tasks.support.y, tasks.outputs)
    expected = -torch.cdist(means.mT, query.mT).square()
    torch.testing.assert_close(answered(Protonet(), tasks, weights), expected)


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_the_order_of_the_support_does_not_matter(distance: str) -> None:
    tasks = clouds()
    order = torch.randperm(12, generator=torch.Generator().manual_seed(1)).tolist()
    learner = Protonet(distance=distance)
    one, two = answered(learner, tasks), answered(learner, shuffled(tasks, order))
    torch.testing.assert_close(one, two, rtol=0, atol=1e-12)


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_its_answers_are_renamed_with_the_classes(distance: str) -> None:
    tasks, names = clouds(), [2, 0, 3, 1]
    learner = Protonet(distance=distance)
    one, two = answered(learner, tasks), answered(learner, relabeled(tasks, names))
    torch.testing.assert_close(one, two[:, names])


def test_the_length_of_features_does_not_matter_under_cosine() -> None:
    tasks = clouds()
    learner = Protonet(distance="cosine")
    weights = begun(learner, tasks)
    assert answered(learner, tasks, weights).abs().max() <= 10 + 1e-9
    last = tasks.body.layers[-1]
    before = answered(learner, tasks, weights)
    linear = clouds(net=tasks.net.model_copy(update={"activation": "relu"}))
    grown = begun(learner, linear)
    before = answered(learner, linear, grown)
    grown |= {name: 3 * grown[name] for name in last}
    torch.testing.assert_close(answered(learner, linear, grown), before)


def test_class_spread_is_that_of_the_clouds_in_the_plain_input() -> None:
    tasks = clouds(
        200, net=Mlp(depth=0), ways=5, shots=20, queries=20, dimensions=8, useful=8
    )
    # Squared distances: σ² d (1 + 1/K) within, 2 d + 2 σ² d / K between.
    expected = 0.25 * (1 + 1 / 20) / (2 + 2 * 0.25 / 20)
    found = class_spread({}, tasks).item()
    assert found == pytest.approx(expected, rel=0.1)


def test_a_net_without_a_hidden_layer_is_refused() -> None:
    with pytest.raises(Refused, match="hidden layer"):
        begun(Protonet(), clouds(net=Mlp(depth=0)))
