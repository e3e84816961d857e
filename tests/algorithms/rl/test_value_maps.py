"""Maps of value nets and of optimal values, against closed forms and other code."""

import numpy as np
import pytest

from engine.algorithms.rl.gradient_agent import play_part
from engine.algorithms.rl.memory_agent import MemoryAgent
from engine.algorithms.rl.rollouts import play_trial
from engine.algorithms.rl.sequence_updates import evaluate, return_size
from engine.algorithms.rl.task_critic import TaskCritic
from engine.algorithms.rl.trial_sequences import make_sequence
from engine.protocol import TrialBatch
from engine.runner.films.rl import place_arrays, value_arrays
from engine.tasks.rl._grids import distances
from tests.learners.memory.trials import drawn_meta
from tests.tasks.rl.trials import learner, trials

STEPS, START = 15, 0


def moved_grids() -> TrialBatch:
    return trials("gridworld", 3, 4, moved=1.0, moves_after=2)


@pytest.mark.parametrize(("layout", "time"), [(0, "first"), (1, "last")])
def test_optimal_values_count_the_steps_off_the_goal(layout: int, time: str) -> None:
    tasks = moved_grids()
    found = STEPS * place_arrays(tasks)[f"places/{time}"]
    for trial in range(3):
        walls = tasks.parameters["walls"][trial, layout].numpy()
        goal = int(tasks.parameters["goal"][trial])
        away = distances(5, goal, walls)
        # The move onto the goal pays already.
        off = np.clip(away - 1, 0, STEPS)
        expected = np.where(away < 0, np.nan, (STEPS - off) * 1.0 - 0.1 * off)
        np.testing.assert_allclose(found[trial], expected, rtol=1e-5)


def test_without_the_key_the_optimal_value_counts_both_ways() -> None:
    tasks = trials("key_door", 1, 2)
    found = 30 * place_arrays(tasks)["places/first"][0, :25]
    walls = tasks.parameters["walls"][0].numpy()
    key, door = (int(tasks.parameters[name][0]) for name in ("key", "door"))
    away = distances(5, key, walls)
    # On the key's cell an agent without the key has to come back to it; staying does.
    first = np.where(away == 0, 1, away)
    lost = first + distances(5, door, walls)[key] - 1
    expected = np.where(away < 0, np.nan, np.clip(30 - lost, 0, None))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_in_the_plane_the_optimal_value_is_that_of_walking_straight() -> None:
    tasks = trials("navigation", 2, 2, steps=20)
    found = place_arrays(tasks)
    seen, value = found["places/seen"][0], 20 * found["places/first"]
    origin = int(np.flatnonzero((np.abs(seen) < 1e-6).all(1))[0])
    expected = tasks.optimum[:, 0].numpy()
    np.testing.assert_allclose(value[:, origin], expected, rtol=1e-5)


def test_a_memory_expects_at_its_own_place_what_it_expects_in_training() -> None:
    tasks, rl2 = trials("gridworld", 3, 3), learner("rl2", hidden=6, discount=0.9)
    meta, policy = drawn_meta(rl2, tasks), rl2.policy(tasks)
    maps = value_arrays(rl2, meta.weights, tasks)
    sequence = make_sequence(
        tasks, play_trial(tasks, MemoryAgent(policy, meta.weights)), 1
    )
    said = evaluate(policy, meta.weights, sequence).value[0].detach()
    size = float(return_size(sequence.reward))
    for time, step in (("first", 0), ("last", 2 * STEPS)):
        left = sum(0.9**t for t in range(3 * STEPS - step))
        np.testing.assert_allclose(
            maps[f"value_{time}"][:, START], size * said[:, step] / left, rtol=1e-4
        )


def test_a_critic_expects_at_its_own_place_what_it_expects_in_training() -> None:
    agent = learner("meta_critic", episodes=2, updates=0, discount=1.0)
    tasks = trials("gridworld", 3, 2)
    meta = drawn_meta(agent, tasks)
    weights = agent.starts(meta.weights, tasks)
    part = play_part(tasks, weights, range(2))
    said = TaskCritic(tasks, 1.0).values(weights, part)[:, 0, 0].detach() / STEPS
    maps = value_arrays(agent, meta.weights, tasks)
    np.testing.assert_allclose(maps["value_first"][:, START], said, rtol=1e-4)
    np.testing.assert_array_equal(maps["value_first"], maps["value_last"])


def test_a_critic_that_learns_expects_something_else_after_the_trial() -> None:
    agent, tasks = learner("meta_critic", episodes=1), trials("gridworld", 2, 3)
    maps = value_arrays(agent, drawn_meta(agent, tasks).weights, tasks)
    assert (maps["value_first"] != maps["value_last"]).all()


def test_agents_without_a_value_net_and_worlds_without_a_map_have_none() -> None:
    tasks = trials("gridworld", 1, 2)
    assert value_arrays(learner("random_actions"), {}, tasks) == {}
    assert place_arrays(trials("pendulum", 1, 1)) == {}
