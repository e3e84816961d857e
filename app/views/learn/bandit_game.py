"""A bandit to be played by hand, against Thompson sampling with the same luck."""

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import streamlit as st

from app.figures.animation import FilmOptions
from app.figures.figure_types import Film, Floats
from app.figures.pull_raster import pull_raster
from app.widgets import page_elements

ARMS, PULLS = 4, 20
ROLES = {"you": "chosen", "thompson": "baseline"}
_SEED, _PULLED = "bandit_game_seed", "bandit_game_pulled"


class Bandit(NamedTuple):
    """Arms that pay 1 or nothing.

    Args:
        chances: How often each arm pays; shape (arm,).
        pays: What each arm pays at each pull, whoever pulls; shape (pull, arm).
    """

    chances: Floats
    pays: Floats


def draw_bandit(seed: int) -> Bandit:
    """Return a bandit with chances ~ U(0, 1) and the luck of all its pulls."""
    rng = np.random.default_rng(seed)
    chances = rng.random(ARMS)
    return Bandit(chances, (rng.random((PULLS, ARMS)) < chances).astype(np.float64))


def play_thompson(bandit: Bandit, seed: int) -> list[int]:
    """Return the arms that Thompson sampling pulls.

    Each time it draws a chance for every arm from its posterior Beta(1 + paid,
    1 + not paid), and pulls the arm with the highest.
    """
    rng = np.random.default_rng((seed, 1))
    paid, lost = np.ones(ARMS), np.ones(ARMS)
    pulled = []
    for pays in bandit.pays:
        arm = int(np.argmax(rng.beta(paid, lost)))
        paid[arm] += pays[arm]
        lost[arm] += 1 - pays[arm]
        pulled.append(arm)
    return pulled


def sum_rewards(bandit: Bandit, pulled: list[int]) -> int:
    """Return what the first pulls earned."""
    return int(bandit.pays[range(len(pulled)), pulled].sum())


def film_game(bandit: Bandit, pulled: dict[str, list[int]]) -> Film:
    """Return a finished game as a film of one trial."""
    arrays = {"task/pays": bandit.chances[None]}
    for label, arms in pulled.items():
        arrays[f"{label}/action"] = np.array(arms)[None, :, None]
        arrays[f"{label}/reward"] = bandit.pays[range(PULLS), arms][None, :, None]
    return SimpleNamespace(arrays=arrays, info={"picture": "arms"})


@st.fragment
def draw_game() -> None:
    """Draw the arms as buttons; after the last pull, the result."""
    seed = st.session_state.setdefault(_SEED, 0)
    pulled = st.session_state.setdefault(_PULLED, [])
    bandit = draw_bandit(seed)
    left = PULLS - len(pulled)
    with st.container(horizontal=True, key="bandit_game"):
        for arm in range(ARMS):
            st.button(
                f"Arm {arm + 1}: {_describe_arm(bandit, pulled, arm)}",
                key=f"pull.{arm}",
                on_click=_pull,
                args=(arm,),
                disabled=not left,
            )
    if left:
        st.caption(f"Pulls left: {left}. Earned: {sum_rewards(bandit, pulled)}.")
        return
    _draw_result(bandit, {"you": pulled, "thompson": play_thompson(bandit, seed)})
    st.button("Another bandit", key="another_bandit", on_click=_start_again)


def _describe_arm(bandit: Bandit, pulled: list[int], arm: int) -> str:
    """Return how often an arm paid so far."""
    paid = [bandit.pays[k, arm] for k, other in enumerate(pulled) if other == arm]
    return f"paid {sum(paid):.0f} of {len(paid)}" if paid else "not tried"


def _draw_result(bandit: Bandit, pulled: dict[str, list[int]]) -> None:
    yours, thompson = (sum_rewards(bandit, arms) for arms in pulled.values())
    best = PULLS * float(bandit.chances.max())
    st.markdown(
        f"You earned **{yours}**, Thompson sampling **{thompson}**, with the same "
        f"luck. Whoever knows the best arm earns {best:.1f} on average. In one game "
        "luck decides; an experiment plays hundreds."
    )
    film = film_game(bandit, pulled)
    wide, narrow = (pull_raster(film, ROLES, FilmOptions(columns=n)) for n in (2, 1))
    page_elements.draw_chart(wide, "bandit_game_pulls", narrow=narrow)


def _pull(arm: int) -> None:
    st.session_state[_PULLED] = [*st.session_state[_PULLED], arm]


def _start_again() -> None:
    st.session_state[_SEED] += 1
    st.session_state[_PULLED] = []
