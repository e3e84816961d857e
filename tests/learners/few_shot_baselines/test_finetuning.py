import math
from dataclasses import replace

import pytest
import torch
from sklearn.linear_model import LogisticRegression

from engine.algorithms.few_shot.few_shot_learner import FewShotLearner
from engine.algorithms.few_shot.fine_tuning import (
    FineTuningLearner,
    descent_steps,
    momentum_sgd,
    pooled_layout,
    pooled_net_loss,
    shown_steps,
)
from engine.algorithms.few_shot.fine_tuning_heads import FitProblem
from engine.learners.baseline.cosine_head import CosineHead
from engine.learners.baseline.feature_neighbors import FeatureNeighbors
from engine.learners.baseline.fine_tune import FineTune
from engine.learners.baseline.from_scratch import FromScratch
from engine.learners.baseline.joint import Joint
from engine.learners.baseline.linear_probe import LinearProbe
from engine.nets.mlp import Mlp
from engine.protocol import EpisodeBatch, Meta, OuterStepContext, Weights
from engine.protocol.member_chunks import broadcast_to_members
from engine.tasks.few_shot.gaussian_classes import GaussianClasses
from tests.learners.clouds import (
    STREAMS,
    answered,
    begun,
    clouds,
    drawn_from,
    lesson_gradient,
    relabeled,
    waves,
)

TUNED = [FromScratch, FineTune, LinearProbe, CosineHead, Joint]
FAMILY = GaussianClasses(ways=4, shots=3, queries=5, dimensions=6)
PRETRAINED = [FineTune, LinearProbe, CosineHead, FeatureNeighbors]


def quadratic(start: torch.Tensor) -> FitProblem:
    """Fit w to ‖w‖² / 2, whose gradient is w."""
    return FitProblem(
        {"w": start},
        lambda weights: weights["w"].square().sum(1) / 2,
        lambda weights: weights["w"],
        (("w",),),
    )


def test_descent_with_momentum_is_that_of_torch() -> None:
    start = torch.tensor([[1.0, -2.0], [3.0, 0.5]], dtype=torch.float64)
    rates = torch.tensor([0.1, 0.4], dtype=torch.float64)
    *_, last = descent_steps(quadratic(start), momentum_sgd(rates, 0.9), [0, 7])
    for member in range(2):
        leaf = start[member].clone().requires_grad_()
        torch_sgd = torch.optim.SGD([leaf], lr=rates[member].item(), momentum=0.9)
        for _ in range(7):
            torch_sgd.zero_grad()
            (leaf.square().sum() / 2).backward()
            torch_sgd.step()
        torch.testing.assert_close(last.weights["w"][member], leaf.detach())


def test_only_the_shown_steps_are_yielded_and_the_loss_is_theirs() -> None:
    start = torch.tensor([[2.0]], dtype=torch.float64)
    rule = momentum_sgd(torch.tensor([0.5], dtype=torch.float64), 0.0)
    found = list(descent_steps(quadratic(start), rule, [0, 1, 3]))
    assert [at.step for at in found] == [0, 1, 3]
    assert [at.support_loss.item() for at in found] == [2.0, 0.5, 0.03125]


@pytest.mark.parametrize("last", [0, 1, 7, 100, 137])
def test_the_answer_and_the_end_are_always_shown(last: int) -> None:
    shown = shown_steps(last, last // 2)
    assert {0, last, last // 2} <= set(shown)
    assert list(shown) == sorted(shown) and shown[-1] == last
    assert len(shown) <= 12


@pytest.mark.parametrize("kind", [FineTune, LinearProbe])
def test_without_a_step_a_new_head_answers_uniformly(
    kind: type[FineTuningLearner],
) -> None:
    found = answered(kind(steps=0), drawn_from(FAMILY, horizon=0))
    assert torch.equal(found.softmax(1), torch.full_like(found, 1 / 4))


def test_a_cosine_head_without_a_step_is_the_nearest_mean_direction() -> None:
    tasks = drawn_from(FAMILY, horizon=0)
    learner = CosineHead(steps=0)
    theta = broadcast_to_members(begun(learner, tasks), 3)
    support, query = (tasks.answer(theta, s) for s in (tasks.support, tasks.query))
    found = answered(learner, tasks)
    for m, k in ((0, 0), (1, 3), (2, 2)):
        mean = support[m][:, tasks.support.y[m] == k].mean(1)
        expected = 10 * torch.cosine_similarity(mean, query[m].T, dim=1)
        torch.testing.assert_close(found[m, k], expected)


@pytest.mark.parametrize("kind", TUNED)
def test_each_step_shown_is_what_torch_s_descent_comes_to(
    kind: type[FineTuningLearner],
) -> None:
    tasks, learner = clouds(1), kind(lr=0.2, steps=5, momentum=0.5)
    theta = begun(learner, tasks)
    fit = learner.fit_problem(theta, tasks)
    leaves = {n: w.detach().clone().requires_grad_() for n, w in fit.start.items()}
    optimizer = torch.optim.SGD(leaves.values(), lr=0.2, momentum=0.5)
    expected = {}
    for step in range(6):
        expected[step] = fit.answer(leaves).detach()
        optimizer.zero_grad()
        fit.loss(leaves).sum().backward()
        optimizer.step()
    found = {at.step: at.query_outputs for at in learner.predict(theta, tasks)}
    assert set(found) == {0, 1, 2, 5}
    for step, answer in found.items():
        torch.testing.assert_close(answer, expected[step])


def test_a_frozen_body_is_a_linear_probe() -> None:
    tasks = clouds()
    one = answered(FineTune(freeze=True, steps=6), tasks)
    assert torch.equal(one, answered(LinearProbe(steps=6), tasks))
    assert not torch.allclose(one, answered(FineTune(steps=6), tasks))


def test_a_linear_probe_comes_to_multinomial_regression_on_the_features() -> None:
    # Classes that overlap, so that the best head is finite.
    tasks = clouds(1, ways=2, shots=60, queries=10)
    learner = LinearProbe(lr=1.0, steps=1000, momentum=0.9)
    theta = begun(learner, tasks)
    x = tasks.answer({n: theta[n] for n in tasks.body.names}, tasks.support)[0].T
    y = tasks.support.y[0].clone()
    y[::7] = 1 - y[::7]
    noisy = drawn_with(tasks, y)
    fitted = LogisticRegression(C=math.inf, tol=1e-10, max_iter=2000).fit(x, y)
    q = tasks.answer({n: theta[n] for n in tasks.body.names}, tasks.query)[0].T
    found = answered(learner, noisy, theta)[0].softmax(0)[1]
    expected = torch.from_numpy(fitted.predict_proba(q.numpy())[:, 1])
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-2)


def drawn_with(tasks: EpisodeBatch, y: torch.Tensor) -> EpisodeBatch:
    """Return the one episode with other labels on its support."""
    return replace(tasks, support=replace(tasks.support, y=y[None]))


@pytest.mark.parametrize("kind", [*PRETRAINED])
def test_answers_are_renamed_with_the_classes(kind: type[FewShotLearner]) -> None:
    tasks, names = clouds(), [2, 0, 3, 1]
    one, two = answered(kind(), tasks), answered(kind(), relabeled(tasks, names))
    torch.testing.assert_close(one, two[:, names])


@pytest.mark.parametrize("kind", [FineTune, LinearProbe, FeatureNeighbors])
def test_pretraining_is_cross_entropy_over_all_known_classes(
    kind: type[FewShotLearner],
) -> None:
    tasks = clouds(2)
    weights = begun(kind(), tasks)
    layout = pooled_layout(tasks)
    assert tasks.known_classes == 200 and layout.shapes[-1] == (200,)
    leaves = {n: weights[n].clone().requires_grad_() for n in layout.names}
    shots = (tasks.support, tasks.query)
    x = torch.cat([s.x for s in shots], 2).permute(1, 0, 2).flatten(1)[None]
    goals = torch.cat([s.ids for s in shots], 1).flatten()
    logits = tasks.net.apply(leaves, x)[0].T
    torch.nn.functional.cross_entropy(logits, goals).backward()
    found = lesson_gradient(kind(), Meta(weights, {}), tasks)
    for name, leaf in leaves.items():
        torch.testing.assert_close(found[name], leaf.grad)


def test_pretraining_on_values_is_joint_training() -> None:
    tasks = waves()
    weights = begun(FineTune(), tasks)
    one = lesson_gradient(FineTune(), Meta(weights, {}), tasks)
    two = lesson_gradient(Joint(), Meta(weights, {}), tasks)
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)
    torch.testing.assert_close(
        answered(FineTune(steps=4), tasks), answered(Joint(steps=4), tasks)
    )


def test_a_joint_lesson_is_maml_without_a_step_on_all_examples() -> None:
    tasks = clouds()
    weights = begun(Joint(), tasks)
    leaves = {
        n: w.clone().requires_grad_()
        for n, w in weights.items()
        if n in tasks.layout.names
    }
    theta = broadcast_to_members(leaves, 3)
    count = tasks.support.count, tasks.query.count
    losses = [tasks.loss(theta, s) for s in (tasks.support, tasks.query)]
    whole = (losses[0] * count[0] + losses[1] * count[1]) / sum(count)
    whole.mean().backward()
    found = lesson_gradient(Joint(), Meta(weights, {}), tasks)
    for name, leaf in leaves.items():
        torch.testing.assert_close(found[name], leaf.grad)


@pytest.mark.parametrize("kind", [FineTune, LinearProbe, CosineHead, Joint])
def test_rate_and_steps_stay_while_the_net_is_trained(
    kind: type[FineTuningLearner],
) -> None:
    tasks = clouds()
    meta = kind(lr=0.03, steps=4).init(STREAMS, tasks)
    found = kind().outer(meta, tasks, OuterStepContext(0, 0, 1, STREAMS), None)  # type: ignore[arg-type]
    assert found.statistics is not None
    assert found.statistics["lr"].item() == pytest.approx(0.03)
    assert found.statistics["steps"].item() == 4


@pytest.mark.parametrize("kind", PRETRAINED)
def test_any_number_of_ways_can_be_answered_after_pretraining(
    kind: type[FewShotLearner],
) -> None:
    weights = begun(kind(), clouds(ways=4))
    more = clouds(ways=7)
    assert kind().why_not(Meta(weights, {}), more) is None
    assert answered(kind(), more, weights).shape == (3, 7, 35)


@pytest.mark.parametrize("kind", [FromScratch, Joint])
def test_a_head_for_other_ways_is_not_fit(kind: type[FineTuningLearner]) -> None:
    weights = begun(kind(), clouds(ways=4))
    assert "4 ways" in kind().why_not(Meta(weights, {}), clouds(ways=7))


@pytest.mark.parametrize("kind", TUNED)
def test_fitting_lowers_the_loss_on_the_support(kind: type[FineTuningLearner]) -> None:
    tasks, learner = clouds(), kind(lr=0.05, steps=20)
    found = list(learner.predict(broadcast_to_members(begun(learner, tasks), 3), tasks))
    first, last = found[0].support_loss, found[-1].support_loss
    assert (last < first).all()
    assert found[0].distance.max() == 0 and (found[-1].distance > 0).all()
    assert found[-1].step == 20


def test_every_learner_starts_from_the_same_body() -> None:
    tasks = clouds()
    bodies = [
        {n: begun(kind(), tasks)[n] for n in tasks.body.names}
        for kind in (FromScratch, FineTune, LinearProbe, CosineHead, Joint)
    ]
    for body in bodies[1:]:
        assert body and all(torch.equal(body[n], bodies[0][n]) for n in body)


def test_normalization_at_the_support_is_that_of_fitting() -> None:
    net = Mlp(depth=2, width=8, normalization="layer")
    tasks = clouds(net=net)
    learner = FineTune(lr=0.1, steps=3)
    theta = begun(learner, tasks)

    def alone(member: int) -> torch.Tensor:
        return answered(learner, tasks.take([member]), theta)[0]

    together = answered(learner, tasks, theta)
    for member in range(3):
        torch.testing.assert_close(together[member], alone(member))


def pooled(weights: Weights, tasks: EpisodeBatch) -> float:
    return (
        pooled_net_loss(broadcast_to_members(weights, tasks.members), tasks)
        .mean()
        .item()
    )


def test_pooled_training_learns_the_known_classes() -> None:
    tasks = clouds(2, useful=6)
    learner = FineTune()
    weights = begun(learner, tasks)
    before = pooled(weights, tasks)
    for _ in range(20):
        grads = lesson_gradient(learner, Meta(weights, {}), tasks)
        weights = {n: w - 0.3 * grads[n] for n, w in weights.items()}
    assert pooled(weights, tasks) < before - 0.5
