import pytest
import torch

from engine.algorithms.few_shot.embedding_distances import one_hot
from engine.algorithms.few_shot.few_shot_learner import body_features
from engine.algorithms.few_shot.ridge_head import ridge_head, solve_ridge
from engine.learners.metric.r2d2 import R2d2
from engine.protocol import Meta
from engine.protocol.member_chunks import broadcast_to_members
from tests.learners.clouds import (
    answered,
    begun,
    clouds,
    relabeled,
    shuffled,
    slope,
    waves,
)


def system(count: int, size: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Draw features, goals and ridges of three members."""
    draw = torch.Generator().manual_seed(count)
    x = torch.randn(3, size, count, generator=draw, dtype=torch.float64)
    y = torch.randn(3, count, 4, generator=draw, dtype=torch.float64)
    return x, y, torch.tensor([0.01, 1.0, 30.0], dtype=torch.float64)


@pytest.mark.parametrize(("count", "size"), [(5, 20), (40, 8), (12, 12)])
def test_the_head_is_the_least_squares_of_the_augmented_system(
    count: int, size: int
) -> None:
    x, y, ridge = system(count, size)
    found = ridge_head(x, y, ridge)
    for member in range(3):
        eye = ridge[member].sqrt() * torch.eye(size, dtype=x.dtype)
        tall = torch.cat([x[member].T, eye])
        goals = torch.cat([y[member], torch.zeros(size, 4, dtype=x.dtype)])
        expected = torch.linalg.lstsq(tall, goals).solution
        torch.testing.assert_close(found[member], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("count", "size"), [(5, 20), (40, 8)])
def test_solving_over_examples_equals_solving_over_features(
    count: int, size: int
) -> None:
    x, y, ridge = system(count, size)
    over_examples = x @ solve_ridge(x.mT @ x, y, ridge)
    over_features = solve_ridge(x @ x.mT, x @ y, ridge)
    torch.testing.assert_close(over_examples, over_features, rtol=0, atol=1e-10)


def test_many_examples_are_solved_in_float64() -> None:
    x, y, _ = system(150, 400)
    ridge = torch.full((3,), 1e-3, dtype=torch.float64)
    rough = ridge_head(x.float(), y.float(), ridge.float())
    assert rough.dtype == torch.float32
    torch.testing.assert_close(
        rough.double(), ridge_head(x, y, ridge), rtol=0, atol=1e-6
    )


def test_a_singular_system_gives_nan_and_no_error() -> None:
    x, y, ridge = system(5, 20)
    x[1] = torch.nan
    found = ridge_head(x, y, ridge).isfinite().flatten(1).all(1)
    assert found.tolist() == [True, False, True]


@pytest.mark.parametrize("name", ["w0", "w1", "log_ridge", "log_scale", "offset"])
@pytest.mark.parametrize("draw", [clouds, waves])
def test_the_gradient_goes_through_the_solution(name: str, draw: object) -> None:
    tasks, learner = draw(), R2d2()
    weights = begun(learner, tasks)

    def loss(theta: dict[str, torch.Tensor]) -> float:
        out = answered(learner, tasks, theta)
        return tasks.each_loss(out, tasks.query.y).mean().item()

    found, expected = slope(learner, weights, tasks, name, loss)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-7)


def test_its_answers_are_the_calibrated_ridge_regression() -> None:
    tasks = clouds()
    weights = begun(R2d2(ridge=2.0), tasks)
    weights |= {"offset": weights["offset"] + 0.7}
    support, query = body_features(broadcast_to_members(weights, 3), tasks)
    y = one_hot(tasks.support.y, 4, support)
    x = support.mT
    for member in range(3):
        gram = x[member].T @ x[member] + 2.0 * torch.eye(8, dtype=x.dtype)
        head = torch.linalg.inv(gram) @ x[member].T @ y[member]
        expected = 10 * head.T @ query[member] + 0.7
        found = answered(R2d2(ridge=2.0), tasks, weights)[member]
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)


def test_the_order_of_the_support_does_not_matter() -> None:
    tasks = clouds()
    order = torch.randperm(12, generator=torch.Generator().manual_seed(2)).tolist()
    one, two = answered(R2d2(), tasks), answered(R2d2(), shuffled(tasks, order))
    torch.testing.assert_close(one, two, rtol=0, atol=1e-10)


def test_its_answers_are_renamed_with_the_classes() -> None:
    tasks, names = clouds(), [2, 0, 3, 1]
    one, two = answered(R2d2(), tasks), answered(R2d2(), relabeled(tasks, names))
    torch.testing.assert_close(one, two[:, names])


def test_a_step_on_the_ridge_keeps_it_positive() -> None:
    tasks = clouds()
    weights = begun(R2d2(), tasks)
    far = weights | {"log_ridge": weights["log_ridge"] - 50}
    assert answered(R2d2(), tasks, far).isfinite().all()
    assert Meta(far, {}).weights["log_ridge"].exp() > 0
