import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestCentroid

from engine.algorithms.few_shot.embedding_distances import neighbor_votes
from engine.learners.baseline.feature_neighbors import FeatureNeighbors
from engine.learners.baseline.raw_neighbor import RawNeighbor
from engine.protocol.member_chunks import broadcast_to_members
from tests.learners.clouds import answered, begun, clouds, relabeled, waves


@pytest.mark.parametrize("measure", ["euclidean", "cosine"])
@pytest.mark.parametrize("shots", [1, 5])
def test_the_nearest_neighbor_is_that_of_scikit_learn(measure: str, shots: int) -> None:
    tasks = clouds(8, shots=shots, ways=5)
    found = answered(RawNeighbor(measure=measure), tasks).argmax(1).numpy()
    for m in range(8):
        model = KNeighborsClassifier(1, metric=measure)
        model.fit(tasks.support.x[m].T.numpy(), tasks.support.y[m].numpy())
        expected = model.predict(tasks.query.x[m].T.numpy())
        np.testing.assert_array_equal(found[m], expected)


def test_several_neighbors_vote_as_in_scikit_learn_but_for_ties() -> None:
    tasks = clouds(8, shots=5, ways=3)
    found = answered(RawNeighbor(neighbors=5), tasks).argmax(1).numpy()
    compared = 0
    for m in range(8):
        model = KNeighborsClassifier(5)
        model.fit(tasks.support.x[m].T.numpy(), tasks.support.y[m].numpy())
        shares = np.sort(model.predict_proba(tasks.query.x[m].T.numpy()), axis=1)
        clear = shares[:, -1] > shares[:, -2] + 1e-9
        expected = model.predict(tasks.query.x[m].T.numpy())
        np.testing.assert_array_equal(found[m][clear], expected[clear])
        compared += clear.sum()
    assert compared > 60


def test_a_tie_goes_to_the_nearer_neighbors() -> None:
    closeness = torch.tensor([[[4.0], [3.0], [2.0], [1.0]]])
    for y, winner in (([1, 0, 0, 1], 1), ([0, 1, 1, 0], 0), ([2, 1, 1, 0], 1)):
        found = neighbor_votes(closeness, 4, torch.tensor([y]), 3)
        assert found.argmax(1).item() == winner, y


def test_votes_are_renamed_with_the_classes() -> None:
    tasks, names = clouds(), [2, 0, 3, 1]
    learner = RawNeighbor(neighbors=4)
    one, two = answered(learner, tasks), answered(learner, relabeled(tasks, names))
    torch.testing.assert_close(one, two[:, names])


@pytest.mark.parametrize("neighbors", [1, 3, 99])
def test_values_are_the_mean_of_the_neighbors(neighbors: int) -> None:
    tasks = waves()
    found = answered(RawNeighbor(neighbors=neighbors), tasks)[:, 0].numpy()
    for m in range(3):
        model = KNeighborsRegressor(min(neighbors, 5))
        model.fit(tasks.support.x[m].T.numpy(), tasks.support.y[m].numpy())
        expected = model.predict(tasks.query.x[m].T.numpy())
        np.testing.assert_allclose(found[m], expected, rtol=1e-6)


def test_the_nearest_class_mean_of_features_is_that_of_scikit_learn() -> None:
    tasks = clouds(8, shots=4)
    learner = FeatureNeighbors(measure="euclidean")
    weights = begun(learner, tasks)
    theta = {
        n: w
        for n, w in broadcast_to_members(weights, 8).items()
        if n in tasks.body.names
    }
    support, query = (tasks.answer(theta, s) for s in (tasks.support, tasks.query))
    found = answered(learner, tasks, weights).argmax(1).numpy()
    for m in range(8):
        model = NearestCentroid()
        model.fit(support[m].T.numpy(), tasks.support.y[m].numpy())
        np.testing.assert_array_equal(found[m], model.predict(query[m].T.numpy()))


def test_with_one_shot_class_mean_and_neighbor_are_the_same() -> None:
    tasks = clouds(8, shots=1)
    weights = begun(FeatureNeighbors(), tasks)
    one = answered(FeatureNeighbors(rule="neighbors"), tasks, weights)
    two = answered(FeatureNeighbors(rule="class_mean"), tasks, weights)
    assert torch.equal(one.argmax(1), two.argmax(1))
