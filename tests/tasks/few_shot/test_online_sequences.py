"""Sequences of classes: their order, their labels, and the best answers to them."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.protocol import Episode
from engine.tasks.few_shot._online import presentation_numbers, presentation_order
from engine.tasks.few_shot.gaussian_sequences import GaussianSequences, bayes_answers
from engine.tasks.few_shot.omniglot_sequences import OmniglotSequences

needs_omniglot = pytest.mark.skipif(
    bool(OmniglotSequences.missing_file()), reason="Omniglot is not here"
)


def drawn(family: GaussianSequences, count: int, pool: str = "test") -> list[Episode]:
    return [family.sample(Rng(2).child(i), pool) for i in range(count)]


def test_each_round_presents_every_class_ten_times_in_another_order() -> None:
    order = presentation_order(Rng(1), 5, 120)
    for first in (0, 50):
        assert np.bincount(order[first : first + 50]).tolist() == [10] * 5
    assert (order[:50] != order[50:100]).any()
    again = [presentation_order(Rng(i), 5, 50) for i in range(200)]
    # Each class is first in a fifth of the episodes; five standard deviations is 0.14.
    shares = np.bincount([one[0] for one in again], minlength=5) / 200
    assert np.abs(shares - 0.2).max() < 0.14


def test_presentations_are_counted_by_class() -> None:
    y = np.array([[1, 1, 0, 1, 0], [0, 1, 2, 0, 0]])
    assert presentation_numbers(y).tolist() == [[0, 1, 0, 2, 1], [0, 0, 0, 1, 2]]


def test_centers_are_as_far_from_their_mean_as_the_separation_says() -> None:
    family = GaussianSequences(presentations=200, separation=6.0, ways=20)
    centers = [
        np.stack([e.x.T[e.y == k].mean(0) for k in range(20)]) for e in drawn(family, 8)
    ]
    # Means of ten points add 16 / 10 to the squared distance.
    square = np.mean([np.square(c).sum(1).mean() for c in centers])
    assert abs(square - 36.0 - 1.6) < 4.0


def test_a_fixed_label_is_the_number_of_the_class_modulo_the_ways() -> None:
    for episode in drawn(GaussianSequences(labels="fixed"), 10, "train"):
        assert episode.ids is not None
        np.testing.assert_array_equal(episode.ids % 5, episode.y)
    shuffled = drawn(GaussianSequences(), 10, "train")
    assert any((e.ids % 5 != e.y).any() for e in shuffled if e.ids is not None)


def test_bayes_rule_is_the_posterior_predictive_of_each_class() -> None:
    episode = drawn(GaussianSequences(ways=3, presentations=24, dimensions=4), 1)[0]
    x, y, variance = episode.x.T, episode.y, 0.7
    eye = np.eye(4)
    expected = []
    for t in range(len(y)):
        score = []
        for k in range(3):
            own = x[:t][y[:t] == k]
            # The conditional of a joint normal over the class's points and this one.
            n = len(own)
            joint = np.kron(variance * np.ones((n + 1, n + 1)) + np.eye(n + 1), eye)
            a, b = joint[: 4 * n, : 4 * n], joint[: 4 * n, 4 * n :]
            gain = np.linalg.solve(a, b).T if n else np.zeros((4, 0))
            spread = joint[4 * n :, 4 * n :] - gain @ b
            density = multivariate_normal(gain @ own.ravel(), spread).pdf(x[t])
            score.append(density * (10 - n))
        expected.append(int(np.argmax(score)))
    assert bayes_answers(x, y, 3, variance).tolist() == expected


def test_the_best_answers_are_known_by_presentation() -> None:
    episodes = drawn(GaussianSequences(), 60)
    right = [bayes_answers(e.x.T, e.y, 5, 1.0) == e.y for e in episodes]
    number = [presentation_numbers(e.y) for e in episodes]
    by = [
        np.mean([r[n == k].mean() for r, n in zip(right, number, strict=True)])
        for k in (0, 1, 9)
    ]
    # As the card says; 300 answers have a standard error of at most 0.029.
    np.testing.assert_allclose(by, (0.35, 0.86, 0.97), atol=0.09)


@needs_omniglot
def test_no_drawing_comes_twice_in_the_longest_sequence() -> None:
    family = OmniglotSequences(presentations=100, side="14")
    family.check()
    episode = family.sample(Rng(3), "test")
    assert len({column.tobytes() for column in episode.x.T}) == 100
    with pytest.raises(Refused, match="at most 100"):
        OmniglotSequences(presentations=101, side="14").check()
