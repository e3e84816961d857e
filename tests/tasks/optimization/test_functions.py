import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engine.tasks.optimization._functions import FunctionBatch
from engine.tasks.optimization.beale import Beale
from engine.tasks.optimization.logistic import Logistic
from engine.tasks.optimization.quadratic import Quadratic
from engine.tasks.optimization.rosenbrock import Rosenbrock
from tests.tasks.drawing import drawn


def functions(family: object, count: int = 4, horizon: int = 20) -> FunctionBatch:
    tasks = drawn(family, count, horizon)  # type: ignore[arg-type]
    assert isinstance(tasks, FunctionBatch)
    return tasks


def test_a_quadratic_vanishes_where_its_equations_hold() -> None:
    tasks = functions(Quadratic())
    root = torch.linalg.solve(tasks.constants["w"], tasks.constants["y"])
    found = tasks.gradient(root, 0)
    assert (found.loss < 1e-18).all()
    assert (found.norm < 1e-8).all()


def test_the_second_derivative_of_a_quadratic_is_2_w_w() -> None:
    tasks = functions(Quadratic(dimensions=3), count=2)
    weights = tasks.start().requires_grad_()
    grad = tasks.gradient(weights, 0, order=2).grad
    rows = [
        torch.autograd.grad(grad[:, i].sum(), weights, retain_graph=True)[0]
        for i in range(3)
    ]
    w = tasks.constants["w"]
    torch.testing.assert_close(torch.stack(rows, 1), 2.0 * w.mT @ w)


@pytest.mark.parametrize("number", [1.0, 30.0, 1e4])
def test_the_condition_number_is_the_one_asked_for(number: float) -> None:
    w = functions(Quadratic(conditioning=number)).constants["w"]
    torch.testing.assert_close(
        torch.linalg.cond(w.mT @ w),
        torch.full((4,), number, dtype=torch.float64),
        rtol=1e-6,
        atol=0.0,
    )


def test_sgd_on_quadratics_reaches_the_measured_loss() -> None:
    # 512 problems of ten equations, rate 0.0147: 9.90 at first, 0.863 after 100 steps.
    tasks = functions(Quadratic(), count=512, horizon=100)
    weights = tasks.start()
    first = tasks.gradient(weights, 0).loss.mean()
    for step in range(100):
        weights = weights - 0.0147 * tasks.gradient(weights, step).grad
    last = tasks.gradient(weights, 100).loss
    error = float(last.std() / 512**0.5)
    assert float(first) == pytest.approx(10.0, abs=0.8)
    assert float(last.mean()) == pytest.approx(0.863, abs=4 * error)


def test_gradient_noise_has_the_stated_size_and_leaves_the_loss_alone() -> None:
    calm, noisy = (functions(Quadratic(noise=n), 64, 50) for n in (0.0, 2.0))
    start = calm.start()
    gaps = torch.stack(
        [
            noisy.gradient(start, k).grad - calm.gradient(start, k).grad
            for k in range(50)
        ]
    )
    assert torch.equal(noisy.gradient(start, 3).loss, calm.gradient(start, 3).loss)
    assert float(gaps.std()) == pytest.approx(2.0, rel=0.03)
    assert abs(float(gaps.mean())) < 4 * 2.0 / gaps.numel() ** 0.5
    assert not torch.equal(gaps[0], gaps[1])


@pytest.mark.parametrize(
    ("family", "inner"), [(Rosenbrock(), (1.0, 1.0)), (Beale(), (3.0, 0.5))]
)
def test_a_planar_function_has_its_known_minimum(
    family: object, inner: tuple[float, float]
) -> None:
    tasks = functions(family)
    aim = torch.tensor(inner, dtype=torch.float64).expand(4, 2)
    root = torch.linalg.solve(tasks.constants["a"], aim) + tasks.constants["o"]
    assert (tasks.gradient(root, 0).loss < 1e-20).all()
    assert (tasks.gradient(tasks.start(), 0).loss > 0).all()


def test_the_original_rosenbrock_is_among_them() -> None:
    family = Rosenbrock(steepness=100.0, scale=1.0, turn=0.0, gain=0.0)
    tasks = functions(family, count=1)
    point = tasks.constants["o"] + torch.tensor([[-1.2, 1.0]], dtype=torch.float64)
    assert float(tasks.gradient(point, 0).loss) == pytest.approx(24.2)


def test_logistic_loss_is_cross_entropy_and_ridge() -> None:
    tasks = functions(Logistic(ridge=0.1), count=3)
    weights = tasks.start() + 0.3
    rows = tasks.constants["rows"]
    sign = rows[:, -1:]
    out = torch.einsum("md,mdn->mn", weights, rows / sign)
    truth = F.binary_cross_entropy_with_logits(
        out, (sign[:, 0] + 1.0) / 2.0, reduction="none"
    ).mean(1)
    truth = truth + 0.05 * weights[:, :-1].square().sum(1)
    torch.testing.assert_close(tasks.gradient(weights, 0).loss, truth)


def test_a_surface_holds_the_loss_at_its_points() -> None:
    tasks = functions(Beale(), count=3)
    xs, ys = torch.linspace(-1, 1, 5), torch.linspace(0, 2, 4)
    surface = tasks.surface(1, xs, ys)
    point = torch.tensor([[xs[3], ys[2]]], dtype=torch.float64)
    assert surface.shape == (4, 5)
    torch.testing.assert_close(
        surface[2, 3], tasks.take([1]).gradient(point, 0).loss[0]
    )


def test_taking_members_takes_their_constants_and_noise() -> None:
    tasks = functions(Quadratic(noise=1.0))
    start = tasks.start()
    whole = tasks.gradient(start, 2)
    some = tasks.take([3, 1]).gradient(start[[3, 1]], 2)
    torch.testing.assert_close(whole.grad[[3, 1]], some.grad)
    np.testing.assert_array_equal(
        tasks.repeat(2).gradient(start.repeat(2, 1), 2).grad, whole.grad.repeat(2, 1)
    )
