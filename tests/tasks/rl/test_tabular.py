"""Tabular environments against linear programs, shortest paths and frequencies."""

from collections import deque

import numpy as np
import pytest
import torch
from scipy import optimize, stats

from tests.tasks.rl.trials import always, returns, trials

GRIDS = [("gridworld", {}), ("key_door", {})]


def value_by_linear_program(
    chances: np.ndarray, pays: np.ndarray, steps: int, slip: float = 0.0
) -> float:
    """Return the optimal value of state 0: the least upper bound, by linear program."""
    states, actions = pays.shape
    size = steps * states
    rows, bounds = [], []
    mixed_pays = (1 - slip) * pays + slip * pays.mean(1, keepdims=True)
    mixed = (1 - slip) * chances + slip * chances.mean(1, keepdims=True)
    for t in range(steps):
        for s in range(states):
            for a in range(actions):
                row = np.zeros(size)
                row[t * states + s] = -1.0
                if t + 1 < steps:
                    row[(t + 1) * states : (t + 2) * states] += mixed[s, a]
                rows.append(row)
                bounds.append(-mixed_pays[s, a])
    goal = np.zeros(size)
    goal[:states] = 1.0
    found = optimize.linprog(goal, np.array(rows), bounds, bounds=(None, None))
    return float(found.x[0])


@pytest.mark.parametrize("slip", [0.0, 0.3])
def test_the_optimum_of_an_mdp_is_that_of_a_linear_program(slip: float) -> None:
    tasks = trials("tabular_mdp", 3, states=4, actions=3, steps=5)
    world = tasks.environment
    world.slip = slip
    raw = {name: tasks.parameters[name] for name in ("chances", "pays")}
    solved = world.optimum(world.prepare(raw), 2)
    for member in range(3):
        chances, pays = (raw[n][member].double().numpy() for n in ("chances", "pays"))
        best = value_by_linear_program(chances, pays, 5, slip)
        assert solved[member].tolist() == pytest.approx([best, best], rel=1e-5)


def walk(leads: np.ndarray, start: int, goal: int) -> int:
    """Return the fewest moves from a state to another one, by breadth-first search."""
    away, queue = {start: 0}, deque([start])
    while queue:
        here = queue.popleft()
        for there in map(int, leads[here]):
            if there not in away:
                away[there] = away[here] + 1
                queue.append(there)
    return away[goal]


def test_the_optimum_of_a_gridworld_is_that_of_the_shortest_path() -> None:
    tasks = trials("gridworld", 60)
    for leads, goal, best in zip(
        tasks.parameters["leads"], tasks.parameters["goal"], tasks.optimum, strict=True
    ):
        moves = walk(leads.numpy(), 0, int(goal))
        assert 0 < moves <= 15
        expected = -0.1 * (moves - 1) + (15 - moves + 1)
        assert best.tolist() == pytest.approx([expected] * 3, rel=1e-5)


def test_the_optimum_of_key_and_door_is_that_of_the_shortest_path() -> None:
    tasks = trials("key_door", 60)
    for leads, door, best in zip(
        tasks.parameters["leads"], tasks.parameters["door"], tasks.optimum, strict=True
    ):
        moves = walk(leads.numpy(), 0, int(door) + 25)
        assert best.tolist() == pytest.approx([30 - moves + 1] * 3)
        assert best[0] >= 1


@pytest.mark.parametrize("knobs", [{"size": 3, "walls": 30}, {"size": 7, "walls": 15}])
@pytest.mark.parametrize("name", ["gridworld", "key_door"])
def test_every_free_cell_of_a_grid_is_reached(name: str, knobs: dict[str, int]) -> None:
    tasks = trials(name, 30, **knobs, steps=30)
    cells = knobs["size"] ** 2
    for leads, walls in zip(
        tasks.parameters["leads"].numpy(), tasks.parameters["walls"], strict=True
    ):
        free = ~walls.view(-1, cells)[0].numpy()
        assert 0 < (~free).sum() <= knobs["walls"]
        moves = leads[:cells] % cells
        for cell in np.flatnonzero(free):
            assert walk(moves, 0, int(cell)) >= 0
        # A wall is never entered.
        assert free[moves[free]].all()


def test_next_states_have_the_chances_of_the_table() -> None:
    tasks = trials("tabular_mdp", 2, 200, states=5, actions=2)
    played = always(tasks, 1)
    seen = played.observation.argmax(-1)
    for member in range(2):
        for state in range(5):
            came = seen[member, :, 1:][seen[member, :, :-1] == state]
            counts = torch.bincount(came, minlength=5).numpy()
            chance = tasks.parameters["chances"][member, state, 1].double().numpy()
            expected = chance / chance.sum() * counts.sum()
            assert stats.chisquare(counts, expected).pvalue > 1e-4
    noise = (played.reward - played.expected).flatten().numpy()
    assert stats.kstest(noise, "norm").pvalue > 1e-4


def test_mdps_are_drawn_from_dirichlet_and_normal_distributions() -> None:
    tasks = trials("tabular_mdp", 100)
    # One coordinate of Dirichlet(1) in 10 dimensions is Beta(1, 9).
    chances = tasks.parameters["chances"][..., 3].flatten().numpy()
    assert stats.kstest(chances, stats.beta(1, 9).cdf).pvalue > 1e-3
    pays = tasks.parameters["pays"].flatten().numpy()
    assert stats.kstest(pays, stats.norm(1, 1).cdf).pvalue > 1e-3


@pytest.mark.parametrize("name", ["tabular_mdp", "gridworld", "key_door", "navigation"])
def test_an_oracle_earns_the_optimum_and_nobody_more(name: str) -> None:
    tasks = trials(name, 40, 4)
    told, random = returns("oracle", tasks), returns("random_actions", tasks)
    gap = (tasks.optimum - told).mean(1)
    spread = float(gap.std()) / len(gap) ** 0.5
    assert abs(float(gap.mean())) <= 4 * spread + 1e-4
    assert (random.mean(1) < tasks.optimum.mean(1)).float().mean() > 0.95


@pytest.mark.parametrize("name", ["tabular_mdp", "gridworld", "key_door"])
def test_only_optimal_actions_count_as_best(name: str) -> None:
    tasks = trials(name, 8, steps=6)
    world, numbers = tasks.environment, torch.zeros(1).long()
    state = world.start(tasks.parameters, tasks.noise[:, :1, 0], numbers)
    table = tasks.parameters["optimal"]
    for action in range(world.actions.count):
        sent = torch.full((8, 1), action)
        best = world.is_best(tasks.parameters, state, sent)
        assert torch.equal(best[:, 0], table[:, 0, 0, action])
    chosen = world.best_action(tasks.parameters, state)
    assert world.is_best(tasks.parameters, state, chosen).all()
