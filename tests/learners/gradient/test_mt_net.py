"""What a mask does: with all outputs it is T-Net, with none nothing adapts."""

import torch

from engine.learners.gradient.mt_net import MtNet, draw_mask_noise
from engine.learners.gradient.t_net import TNet
from engine.protocol import EpisodeBatch, Learner, Weights
from tests.learners.gradient.made import lesson, meta_gradient, meta_step, sines, start

KNOBS = {"inner_lr": 0.1, "inner_steps": 2}


def with_logits(theta: Weights, value: float) -> Weights:
    """Return meta-weights with every ζ at a value."""
    return {
        name: torch.full_like(row, value) if name.startswith("zeta.") else row
        for name, row in theta.items()
    }


def without_logits(theta: Weights) -> Weights:
    """Return the meta-weights of a T-Net."""
    return {name: row for name, row in theta.items() if not name.startswith("zeta.")}


def answers(
    learner: Learner, theta: Weights, tasks: EpisodeBatch
) -> list[torch.Tensor]:
    each = tasks.members // tasks.replicates
    rows = {name: value.repeat_interleave(each, 0) for name, value in theta.items()}
    return [found.query_outputs for found in learner.predict(rows, tasks)]  # type: ignore[attr-defined]


def test_with_every_output_adapted_it_is_a_t_net_bit_for_bit() -> None:
    tasks = sines()
    theta = with_logits(start(MtNet(), tasks), 1e4)
    plain = without_logits(theta)
    mine, theirs = (
        answers(MtNet(**KNOBS), theta, tasks),
        answers(TNet(**KNOBS), plain, tasks),
    )
    assert all(map(torch.equal, mine, theirs))
    found = meta_gradient(MtNet(**KNOBS), tasks, theta)
    for name, grad in meta_gradient(TNet(**KNOBS), tasks, plain).items():
        assert torch.equal(found[name], grad), name


def test_with_no_output_adapted_the_answers_stay_those_of_the_start() -> None:
    tasks = sines()
    theta = with_logits(start(MtNet(), tasks), -1e4)
    first, *later = answers(MtNet(**KNOBS), theta, tasks)
    assert all(torch.equal(first, found) for found in later)
    zero_steps = MtNet(inner_lr=0.1, inner_steps=0)
    found, want = (
        meta_gradient(each, tasks, theta) for each in (MtNet(**KNOBS), zero_steps)
    )
    for name, grad in want.items():
        torch.testing.assert_close(found[name], grad, rtol=0, atol=1e-12)


def test_an_output_without_its_mask_keeps_its_weights() -> None:
    tasks = sines()
    theta = start(MtNet(), tasks)
    theta["zeta.w1"][:, ::2] = -1.0
    learner = MtNet(**KNOBS)
    rows = {name: value.repeat_interleave(3, 0) for name, value in theta.items()}
    adaptation = learner.adaptation(rows, tasks)
    *_, last = adaptation.steps(tasks, 2)
    for name in ("w1", "b1"):
        away = (last.weights[name] - adaptation.start[name]).abs()
        assert (away[:, ::2] == 0).all() and (away[:, 1::2] > 0).all()


def test_the_gradient_through_sampled_masks_is_a_finite_difference() -> None:
    tasks, learner = sines(), MtNet(**KNOBS)
    theta = start(learner, tasks)
    grads = meta_gradient(learner, tasks, theta)
    draw = torch.Generator().manual_seed(4)
    way = {
        n: torch.randn(v.shape, generator=draw, dtype=v.dtype) for n, v in theta.items()
    }
    up, down = (
        meta_step(learner, tasks, {n: v + s * way[n] for n, v in theta.items()}).info[
            "lesson_loss"
        ]
        for s in (1e-6, -1e-6)
    )
    slope = sum((grads[n] * way[n]).flatten(1).sum(1) for n in theta)
    torch.testing.assert_close(slope, (up - down) / 2e-6, rtol=1e-5, atol=1e-7)
    assert all((grads[n] != 0).any() for n in theta if n.startswith("zeta."))


def test_more_tasks_leave_the_masks_of_the_earlier_ones() -> None:
    few, many = sines(tasks=2), sines(tasks=3)
    theta = start(MtNet(), few)
    one, two = (
        draw_mask_noise(lesson(tasks).rngs, theta, tasks) for tasks in (few, many)
    )
    for name, noise in one.items():
        rows = two[name].unflatten(0, (2, 3))[:, :2].flatten(0, 1)
        assert torch.equal(noise, rows)


def test_half_of_the_samples_adapt_where_the_odds_are_even() -> None:
    tasks = sines(tasks=400)
    noise = draw_mask_noise(lesson(tasks).rngs, start(MtNet(), tasks), tasks)[
        "noise.w0"
    ]
    # P(ζ + logistic > 0) = σ(ζ), whose error is 1 / √(4 · 4000) here.
    for zeta in (0.0, 1.0):
        share = (noise + zeta > 0).double().mean()
        assert (
            abs(share - torch.tensor(zeta).sigmoid()) < 4 / (4 * noise.numel()) ** 0.5
        )
