"""Films of agents: pulls and beliefs, paths, and bodies, as their numbers say."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from app.figures import body_film, trial_film
from app.figures.agent_paths import paths_figure, place_position, positions
from app.figures.animation import FilmOptions
from app.figures.pull_raster import (
    belief_raster,
    has_beliefs,
    pull_raster,
    pulled_arms,
)

ROLES = {"random_actions": "baseline", "rl2": "chosen"}
OPTIONS = FilmOptions()


def film(picture: str, observation: Any, **task: Any) -> Any:
    """Return a film of two agents who saw the same; shape (trial, episode, step, …)."""
    seen = np.asarray(observation, dtype=float)
    shape = seen.shape[:3]
    arrays: dict[str, Any] = {
        f"{label}/{name}": row
        for label in ROLES
        for name, row in {
            "observation": seen,
            "action": np.zeros(shape, dtype=int),
            "reward": np.ones(shape),
            "alive": np.ones(shape, dtype=bool),
        }.items()
    }
    arrays |= {f"task/{name}": np.asarray(value) for name, value in task.items()}
    arrays["optimum"] = np.ones(shape[:2])
    return SimpleNamespace(arrays=arrays, info={"picture": picture, "trials": 1})


def bandit() -> Any:
    """Return four pulls of three arms; arm 1 is the best."""
    made = film("arms", np.zeros((1, 4, 1, 1)), pays=[[0.2, 0.9, 0.5]])
    made.arrays["rl2/action"] = np.array([[[0], [1], [1], [2]]])
    made.arrays["rl2/reward"] = np.array([[[0.0], [1.0], [0.0], [1.0]]])
    return made


def grid() -> Any:
    """Return one-hot observations of a walk on 3 × 3 cells, in two episodes."""
    walk = np.eye(9)[[[0, 1, 2], [0, 3, 6]]][None]
    walls = np.zeros((1, 9))
    walls[0, 4] = 1
    return film("grid", walk, goal=[[8]], walls=walls)


def cartpole() -> Any:
    made = film("cartpole", np.zeros((1, 3, 6, 4)), length=[0.5])
    made.arrays["random_actions/alive"][0, -1, 2:] = False
    return made


FIGURES = {
    "pulls": lambda: pull_raster(bandit(), ROLES, OPTIONS),
    "beliefs": lambda: belief_raster(bandit(), ROLES, OPTIONS),
    "grid": lambda: paths_figure(grid(), ROLES, OPTIONS),
    "plane": lambda: paths_figure(
        film("plane", np.zeros((1, 3, 5, 2)), goal=[[0.3, 0.4]]), ROLES, OPTIONS
    ),
    "body": lambda: body_film.body_film(cartpole(), ROLES, OPTIONS),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_agent_has_a_panel_with_its_name_and_the_figure_its_words(
    name: str,
) -> None:
    made: go.Figure = FIGURES[name]()
    titles = [note.text for note in made.layout.annotations]
    assert len(titles) == 2 and "RL" in titles[1] and "andom" in titles[0]
    assert all(len(made.layout.meta[word]) > 15 for word in ("title", "alt"))
    assert made.layout.meta["how_to_read"].endswith((".", "them."))


def test_pulls_lie_in_the_row_of_their_arm_the_best_one_on_top() -> None:
    made = pull_raster(bandit(), ROLES, OPTIONS)
    assert made.data[1].z.tolist() == [[0, 1, 0.5, 0], [0, 0, 0, 1], [0.5, 0, 0, 0]]
    assert made.layout.yaxis.ticktext == ("0.9", "0.5", "0.2")
    assert made.layout.yaxis.autorange == "reversed"
    assert "earned 2" in made.layout.annotations[1].text
    assert pulled_arms(bandit(), "rl2", 0, 3)[1].tolist() == [0, 1, 0.5, 0]


def test_beliefs_are_those_after_each_pull() -> None:
    shown = belief_raster(bandit(), ROLES, OPTIONS).data[1].z
    assert shown[0] == pytest.approx([1 / 2, 2 / 3, 1 / 2, 1 / 2])  # the best arm
    assert shown[2] == pytest.approx([1 / 3] * 4)  # lost once


def test_beliefs_are_only_shown_where_arms_pay_0_or_1_and_stay() -> None:
    made = bandit()
    assert has_beliefs(made) and not has_beliefs(grid())
    made.arrays["rl2/reward"] = made.arrays["rl2/reward"] / 2
    assert not has_beliefs(made)
    drifting = bandit()
    drifting.arrays["optimum"] = np.array([[0.9, 0.9, 0.8, 0.8]])
    assert not has_beliefs(drifting)


def test_cells_are_counted_row_by_row_from_the_bottom() -> None:
    made = grid()
    assert positions(made, "rl2", 0, 0).tolist() == [[0, 0], [1, 0], [2, 0]]
    assert positions(made, "rl2", 0, 1).tolist() == [[0, 0], [0, 1], [0, 2]]
    assert place_position(made, "task/goal", 0).tolist() == [2, 2]


def test_paths_of_a_grid_lie_apart_and_walls_are_drawn() -> None:
    made = paths_figure(grid(), ROLES, OPTIONS)
    walls, first, second = made.data[:3]
    assert np.nanmean([x for x in walls.x if x is not None]) == 1
    assert len({first.x[0], second.x[0]}) == 2
    assert first.line.dash != second.line.dash


def test_a_body_stays_pale_where_its_episode_ended() -> None:
    made = body_film.body_film(cartpole(), ROLES, OPTIONS)
    ended, going = (trace.line.color for trace in made.data)
    assert ended.startswith("rgba") and not going.startswith("rgba")
    assert len(made.frames) == 6
    assert made.frames[1].data[0].line.color != ended  # still going at step 1
    early = body_film.body_film(cartpole(), ROLES, OPTIONS._replace(episode=0))
    assert early.layout.meta["title"].startswith("Episode 1,")
    assert not early.data[0].line.color.startswith("rgba")


def test_bodies_point_where_their_angles_say() -> None:
    x, y = body_film.cartpole_lines(np.array([1.0, 0, np.pi / 2, 0]), 0.5)
    assert (x[-1], y[-1]) == pytest.approx((1.5, 0))  # fallen to the right
    x, y = body_film.pendulum_lines(np.array([1.0, 0.0, 0.0]), 2.0)
    assert (x[-1], y[-1]) == pytest.approx((0, 2))  # upright
    x, y = body_film.acrobot_lines(np.array([1.0, 0, 1.0, 0, 0, 0]), 1.0)
    assert (x[2], y[2]) == pytest.approx((0, -2))  # hangs down


@pytest.mark.parametrize("length", [0.5, 1.5])
def test_a_body_fills_its_panel_however_long_it_is(length: float) -> None:
    made = film("pendulum", np.zeros((1, 1, 3, 3)), length=[length])
    low, high = body_film.body_film(made, ROLES, OPTIONS).layout.yaxis.range
    assert (low, high) == pytest.approx((-1.2 * length, 1.2 * length))


def test_only_recorded_agents_are_shown_and_the_first_middle_and_last_episode() -> None:
    roles = {**ROLES, "snail_policy": "chosen"}
    assert trial_film.filmed_agents(bandit(), roles) == list(ROLES)
    assert trial_film.shown_episodes(bandit()) == [0, 2, 3]
