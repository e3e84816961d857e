import numpy as np
import pytest
import torch

from engine.algorithms.few_shot.embedding_distances import attention_log_probs
from engine.algorithms.few_shot.full_context_embeddings import (
    reading_order,
    support_context,
)
from engine.learners.metric.matching import Matching
from engine.nets.mlp import Mlp
from tests.learners.clouds import answered, begun, clouds, relabeled, shuffled, slope

PLAIN = Mlp(depth=0)


@pytest.mark.parametrize("full_context", [False, True])
def test_its_probabilities_sum_to_1(full_context: bool) -> None:
    found = answered(Matching(full_context=full_context), clouds()).exp()
    torch.testing.assert_close(found.sum(1), torch.ones_like(found[:, 0]))


def test_on_raw_inputs_it_is_attention_over_neighbors() -> None:
    tasks = clouds(net=PLAIN)
    found = answered(Matching(scale=3.0), tasks).exp().numpy()
    x, q, y = (t.numpy() for t in (tasks.support.x, tasks.query.x, tasks.support.y))
    for m, j in np.ndindex(3, q.shape[2]):
        cosines = [
            a @ q[m, :, j] / np.linalg.norm(a) / np.linalg.norm(q[m, :, j])
            for a in x[m].T
        ]
        attention = np.exp(3.0 * np.array(cosines))
        attention /= attention.sum()
        for k in range(4):
            expected = attention[y[m] == k].sum()
            assert found[m, k, j] == pytest.approx(expected, abs=1e-12)


def test_a_class_that_nothing_attends_to_keeps_a_finite_log_probability() -> None:
    scores = torch.tensor([[[1000.0], [0.0], [-1000.0]]])
    found = attention_log_probs(scores, torch.tensor([[0, 1, 1]]), 2)
    assert found.isfinite().all()
    assert found[0, 1, 0].item() == pytest.approx(-1000.0)


def test_its_loss_is_the_negative_log_of_the_right_probability() -> None:
    tasks = clouds()
    out = answered(Matching(), tasks)
    right = out.exp().gather(1, tasks.query.y.unsqueeze(1)).squeeze(1)
    torch.testing.assert_close(tasks.each_loss(out, tasks.query.y), -right.log())


@pytest.mark.parametrize("full_context", [False, True])
def test_the_order_of_the_support_does_not_matter(full_context: bool) -> None:
    tasks, learner = clouds(), Matching(full_context=full_context)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(1)).tolist()
    one, two = answered(learner, tasks), answered(learner, shuffled(tasks, order))
    torch.testing.assert_close(one, two, rtol=0, atol=1e-10)


@pytest.mark.parametrize("full_context", [False, True])
def test_its_answers_are_renamed_with_the_classes(full_context: bool) -> None:
    tasks, names = clouds(), [2, 0, 3, 1]
    learner = Matching(full_context=full_context)
    one, two = answered(learner, tasks), answered(learner, relabeled(tasks, names))
    torch.testing.assert_close(one, two[:, names])


def test_the_order_of_reading_mixes_the_classes() -> None:
    tasks = clouds(20)
    order = reading_order(tasks.support.x)
    read = tasks.support.y.gather(1, order)
    neighbors_alike = (read[:, 1:] == read[:, :-1]).double().mean().item()
    # As given, 8 of 11 are alike; by chance 2 of 11.
    assert neighbors_alike < 0.5
    assert not torch.equal(order[0], order[1])


def test_a_support_example_is_embedded_in_view_of_the_others() -> None:
    tasks = clouds()
    learner = Matching(full_context=True)
    theta = {k: v.expand(3, *v.shape[1:]) for k, v in begun(learner, tasks).items()}
    features = tasks.answer(theta, tasks.support)
    found = support_context(theta, features, tasks.support.x)
    moved = features.clone()
    moved[:, :, 0] += 1.0
    other = support_context(theta, moved, tasks.support.x)
    changed = (found - other).abs().amax(1) > 1e-9
    assert changed.all()


def test_context_is_a_skip_around_two_lstms() -> None:
    tasks, learner = clouds(1), Matching(full_context=True)
    theta = begun(learner, tasks)
    features = tasks.answer(theta, tasks.support)
    lstm = torch.nn.LSTM(8, 8, bidirectional=True).double()
    rows = {"ih": slice(0, 8), "hh": slice(8, 16)}
    with torch.no_grad():
        for end, reader in (("", "forward"), ("_reverse", "backward")):
            w, b = theta[f"{reader}.cell0.w"][0], theta[f"{reader}.cell0.b"][0]
            # Ours has the gates input, forget, output, candidate; torch's the last two
            # the other way round.
            gates = torch.cat(
                [torch.arange(16), torch.arange(24, 32), torch.arange(16, 24)]
            )
            for kind, columns in rows.items():
                getattr(lstm, f"weight_{kind}_l0{end}").copy_(w[gates][:, columns])
            getattr(lstm, f"bias_ih_l0{end}").copy_(b[gates])
            getattr(lstm, f"bias_hh_l0{end}").zero_()
        order = reading_order(tasks.support.x)[0]
        out, _ = lstm(features[0].T[order].unsqueeze(1))
    expected = features[0].clone()
    expected[:, order] += (out[:, 0, :8] + out[:, 0, 8:]).T
    found = support_context(theta, features, tasks.support.x)[0]
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    "name", ["w0", "log_scale", "forward.cell0.w", "attention.cell0.w"]
)
def test_its_gradient_is_that_of_finite_differences(name: str) -> None:
    tasks, learner = clouds(2, queries=2), Matching(full_context=True)
    weights = begun(learner, tasks)

    def loss(theta: dict[str, torch.Tensor]) -> float:
        out = answered(learner, tasks, theta)
        return tasks.each_loss(out, tasks.query.y).mean().item()

    found, expected = slope(learner, weights, tasks, name, loss)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-8)
