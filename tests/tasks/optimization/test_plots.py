import numpy as np
import pytest
import torch

from engine.tasks.optimization._functions import FunctionBatch
from engine.tasks.optimization._plots import boundary_grid, plot_kind, surface_grid
from engine.tasks.optimization._supervised import SupervisedBatch
from engine.tasks.optimization.gaussians import Gaussians
from engine.tasks.optimization.moons import Moons
from engine.tasks.optimization.quadratic import Quadratic
from engine.tasks.optimization.rosenbrock import Rosenbrock
from engine.tasks.optimization.sinusoid import Sinusoid
from tests.tasks.drawing import drawn


def walked(
    tasks: SupervisedBatch | FunctionBatch, steps: int, rate: float
) -> torch.Tensor:
    path = [tasks.start()]
    for step in range(steps):
        path.append(path[-1] - rate * tasks.gradient(path[-1], step).grad)
    return torch.stack(path, 1)


def test_each_family_has_the_right_plot_kind() -> None:
    forms = {
        plot_kind(drawn(family))
        for family in (Quadratic(), Sinusoid(), Gaussians(dimensions=3))
    }
    assert forms == {""}
    assert plot_kind(drawn(Gaussians(classes=3))) == ""
    assert plot_kind(drawn(Moons())) == "boundary"
    assert plot_kind(drawn(Rosenbrock())) == "path"


def test_a_boundary_is_the_nets_answer_at_each_point() -> None:
    tasks = drawn(Moons(), count=3)
    assert isinstance(tasks, SupervisedBatch)
    path = walked(tasks, 40, 0.3)
    grid = boundary_grid(tasks, path[:, [0, 40]], size=10)
    point = torch.tensor([grid.xs[7], grid.ys[2]], dtype=torch.float64)
    views = tasks.layout.views(path[:, 40])
    out = tasks.net.apply(views, point[None, :, None].expand(3, 2, 1))
    share = out.softmax(1)[:, 1, 0].numpy()
    assert grid.values.shape == (3, 2, 10, 10)
    np.testing.assert_allclose(grid.values[:, 1, 2, 7] / 255.0, share, atol=0.003)


def test_a_grid_covers_all_points_of_all_tasks() -> None:
    tasks = drawn(Moons(), count=3)
    assert isinstance(tasks, SupervisedBatch)
    grid = boundary_grid(tasks, tasks.start()[:, None])
    x = tasks.data.x.numpy()
    assert grid.xs[0] < x[:, 0].min()
    assert x[:, 0].max() < grid.xs[-1]
    assert grid.ys[0] < x[:, 1].min()
    assert x[:, 1].max() < grid.ys[-1]


def test_a_net_that_blew_up_is_shown_undecided() -> None:
    tasks = drawn(Moons(), count=2)
    assert isinstance(tasks, SupervisedBatch)
    lost = torch.full_like(tasks.start(), torch.nan)[:, None]
    assert set(np.unique(boundary_grid(tasks, lost).values)) == {128}


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_a_path_that_flies_off_does_not_blow_up_the_picture(bad: float) -> None:
    tasks = drawn(Rosenbrock(), count=2)
    assert isinstance(tasks, FunctionBatch)
    path = walked(tasks, 30, 0.1)
    calm = surface_grid(tasks, path)
    path[1, 29:] = bad
    wild = surface_grid(tasks, path)
    assert np.isfinite(wild.values).all()
    assert wild.xs[-1] - wild.xs[0] < 2.0 * (calm.xs[-1] - calm.xs[0])


def test_a_surface_is_the_log_of_the_loss() -> None:
    tasks = drawn(Rosenbrock(), count=2)
    assert isinstance(tasks, FunctionBatch)
    grid = surface_grid(tasks, walked(tasks, 10, 0.1), size=12)
    point = torch.tensor([[grid.xs[4], grid.ys[9]]], dtype=torch.float64)
    loss = tasks.gradient(point.expand(2, 2), 0).loss
    np.testing.assert_allclose(grid.values[:, 9, 4], loss.log10(), rtol=1e-4)
