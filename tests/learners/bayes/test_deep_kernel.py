"""Deep kernels: features, classes, and what they equal without a net."""

import pytest
import torch

from engine.learners.baseline.gp_regression import GpRegression
from engine.learners.bayes.deep_kernel import DeepKernel
from engine.nets.mlp import Mlp
from engine.protocol.member_chunks import broadcast_to_members
from engine.tasks.few_shot.sinusoids import Sinusoids
from tests.learners.clouds import (
    answered,
    begun,
    clouds,
    drawn_from,
    relabeled,
    shuffled,
    slope,
    waves,
)

KERNELS = ["rbf", "periodic", "cosine", "spectral", "linear"]


@pytest.mark.parametrize("kernel", KERNELS)
def test_without_a_net_it_is_gp_regression(kernel: str) -> None:
    tasks = drawn_from(Sinusoids(shots=5, queries=6), net=Mlp(depth=0))
    one = answered(DeepKernel(kernel=kernel), tasks)  # type: ignore[arg-type]
    two = answered(GpRegression(kernel=kernel), tasks)  # type: ignore[arg-type]
    assert torch.equal(one, two)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("name", ["w0", "gp.amplitude"])
def test_the_gradient_goes_through_the_kernel_to_the_net(
    name: str, kernel: str
) -> None:
    # Much noise: a well-conditioned matrix leaves finite differences their digits.
    tasks, learner = waves(), DeepKernel(kernel=kernel, noise=0.7)  # type: ignore[arg-type]
    weights = begun(learner, tasks)

    def loss(theta: dict[str, torch.Tensor]) -> float:
        own = broadcast_to_members(theta, tasks.members)
        return learner.evidence_loss(own, tasks).mean().item()

    found, expected = slope(learner, weights, tasks, name, loss, step=1e-5)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-7)


def test_the_order_of_the_support_does_not_matter() -> None:
    tasks = clouds()
    order = torch.randperm(12, generator=torch.Generator().manual_seed(2)).tolist()
    one, two = (
        answered(DeepKernel(), tasks),
        answered(DeepKernel(), shuffled(tasks, order)),
    )
    torch.testing.assert_close(one, two, rtol=0, atol=1e-10)


def test_its_answers_are_renamed_with_the_classes() -> None:
    tasks, names = clouds(), [2, 0, 3, 1]
    one, two = (
        answered(DeepKernel(), tasks),
        answered(DeepKernel(), relabeled(tasks, names)),
    )
    torch.testing.assert_close(one, two[:, names])


def test_the_density_has_the_mean_as_its_center_and_is_wider_far_away() -> None:
    tasks = waves()
    theta = broadcast_to_members(begun(GpRegression(), tasks), 3)
    (found,) = GpRegression().predict(theta, tasks)
    assert found.density is not None
    assert torch.equal(found.density.moments()[0], found.query_outputs[:, 0])
    near = torch.cdist(tasks.query.x.mT, tasks.support.x.mT).min(2).values
    for gap, sd in zip(near, found.density.sd[:, 0], strict=True):
        assert sd[gap.argmax()] > sd[gap.argmin()]
