"""iMAML's inner problem has a closed-form optimum where the loss is a quadratic."""

import torch

from engine.learners.gradient.imaml import Imaml
from tests.learners.gradient.made import bowls, curvatures, start


def test_by_default_adaptation_comes_within_a_hundredth_of_its_optimum() -> None:
    tasks, learner = bowls(), Imaml()
    theta = start(learner, tasks)
    weights = {n: v.expand(tasks.members, *v.shape[1:]) for n, v in theta.items()}
    adaptation = learner.adaptation(weights, tasks)
    *_, last = adaptation.steps(tasks, learner.inner_steps)
    names = tasks.layout.names
    found, begun = (
        torch.cat([at[name].detach().flatten(1) for name in names], 1).unsqueeze(2)
        for at in (last.weights, weights)
    )
    a, c = curvatures(tasks)
    held = a + learner.pull * torch.eye(a.shape[1], dtype=a.dtype)
    best = torch.linalg.solve(held, a @ c + learner.pull * begun)
    left = (found - best).norm(dim=1) / (begun - best).norm(dim=1)
    assert float(torch.linalg.eigvalsh(held).max()) < 2 / learner.inner_lr
    assert float(left.max()) < 0.01
