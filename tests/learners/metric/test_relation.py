import torch
import torch.nn.functional as F

from engine.learners.metric.relation import Relation
from engine.protocol import Meta
from tests.learners.clouds import (
    answered,
    begun,
    clouds,
    lesson_gradient,
    relabeled,
    shuffled,
    slope,
)


def test_the_order_of_the_support_does_not_matter() -> None:
    tasks = clouds()
    order = torch.randperm(12, generator=torch.Generator().manual_seed(1)).tolist()
    one, two = answered(Relation(), tasks), answered(Relation(), shuffled(tasks, order))
    torch.testing.assert_close(one, two, rtol=0, atol=1e-12)


def test_its_scores_are_renamed_with_the_classes() -> None:
    tasks, names = clouds(), [2, 0, 3, 1]
    one, two = (
        answered(Relation(), tasks),
        answered(Relation(), relabeled(tasks, names)),
    )
    torch.testing.assert_close(one, two[:, names])


def relation_by_hand(
    theta: dict[str, torch.Tensor], features: tuple[torch.Tensor, torch.Tensor]
) -> torch.Tensor:
    """Relate one class's summed features to one query's, for one member."""
    h = torch.cat(features)
    for i in range(3):
        h = theta[f"relation.w{i}"][0] @ h + theta[f"relation.b{i}"][0]
        h = torch.relu(h) if i < 2 else h
    return torch.sigmoid(h).squeeze()


def test_a_relation_is_the_module_s_answer_to_the_sum_and_the_query() -> None:
    tasks = clouds(1)
    theta = begun(Relation(hidden=7), tasks)
    support = tasks.answer(theta, tasks.support)[0]
    query = tasks.answer(theta, tasks.query)[0]
    found = answered(Relation(hidden=7), tasks, theta)[0].exp()
    for k in range(4):
        total = support[:, tasks.support.y[0] == k].sum(1)
        for j in range(3):
            expected = relation_by_hand(theta, (total, query[:, j]))
            torch.testing.assert_close(found[k, j], expected)


def test_it_learns_by_the_squared_error_of_all_ways() -> None:
    tasks = clouds()
    weights = begun(Relation(), tasks)

    def loss(theta: dict[str, torch.Tensor]) -> float:
        found = answered(Relation(), tasks, theta).exp()
        same = F.one_hot(tasks.query.y, 4).mT
        return (found - same).square().sum(1).mean().item()

    for name in ("w0", "relation.w0", "relation.b2"):
        found, expected = slope(Relation(), weights, tasks, name, loss)
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-8)
    assert lesson_gradient(Relation(), Meta(weights, {}), tasks)["w1"].abs().sum() > 0
