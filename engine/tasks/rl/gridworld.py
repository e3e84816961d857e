"""Gridworlds: find a goal behind walls; both change from task to task.

Source: Zintgraf et al. (2020), arXiv:1910.08348, section 5.1: 5 × 5 cells, −0.1 off the
goal and +1 on it, 15 steps.
Differs: walls are placed at random, and a goal may lie next to the start.
Helps: systematic search, then the shortest path; regret counts lost steps.
"""

from typing import ClassVar

import numpy as np
from torch import Tensor

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Environment, Weights, generator
from engine.tasks.rl._grids import MOVES, distances, move_table, place_walls
from engine.tasks.rl._tabular import TabularFamily
from engine.tasks.rl._walled_world import WalledWorld

ON_GOAL, OFF_GOAL = 1.0, -0.1
START = 0  # the cell at the bottom left


class WalledGrid(WalledWorld):
    """r = 1 if a move ends on the goal, else −0.1; an episode goes on after that.

    Cell = row × side + column, row 0 at the bottom; moves are up, right, down, left,
    stay. Parameters: `leads`, where each move leads, int64, shape (member, state,
    move); `goal`, shape (member, 1); `walls`, bool, shape (member, layout, cell). A
    film reads them so; the path is the argmax of the observations.

    Args:
        side: Cells along an edge.
        steps: Steps of an episode.
        moves_after: Episodes before the walls move; 0 if they never do. Then layout 1
            holds, whose states are numbered after those of layout 0.
    """

    def __init__(self, side: int, steps: int, moves_after: int) -> None:
        super().__init__(side * side, MOVES, steps)
        self.moves_after = moves_after
        self.lowest = OFF_GOAL * steps

    def rewards(self, parameters: Weights) -> Tensor:
        """Return what the cell that each move leads to pays."""
        on = parameters["leads"] % self.states == parameters["goal"].unsqueeze(-1)
        return OFF_GOAL + (ON_GOAL - OFF_GOAL) * on.float()

    def first(self, parameters: Weights, episode: Tensor) -> Tensor:
        """Return the start in the layout of the episode."""
        moved = (episode >= self.moves_after) & (self.moves_after > 0)
        return (START + self.states * moved.long()).repeat(len(parameters["goal"]), 1)


@register("family")
class Gridworld(TabularFamily):
    """goal ~ uniform over the cells within reach; walls leave all free cells joined."""

    version: ClassVar[int] = 1

    size: int = knob(
        5,
        label="Size",
        unit="cells",
        low=3,
        high=11,
        work="area",
        help="Cells along an edge.",
    )
    walls: int = knob(
        4, label="Walls", unit="cells", low=0, high=40, help="Cells with a wall."
    )
    steps: int = knob(
        15,
        label="Steps",
        unit="steps",
        low=1,
        high=100,
        work="passes",
        help="Steps of an episode.",
    )
    moved: float = knob(
        0.0,
        label="Walls that move",
        unit="share",
        low=0.0,
        high=1.0,
        help="Share of the walls that move once in a trial, if any.",
        advanced=True,
    )
    moves_after: int = knob(
        0,
        label="Walls move after",
        unit="episodes",
        low=0,
        high=1000,
        help="Episodes before they move; 0 keeps them.",
        advanced=True,
    )

    def environment(self) -> Environment:
        """Return the grid."""
        return WalledGrid(self.size, self.steps, self.moves_after)

    def parameters(self, rng: Rng, pool: str) -> dict[str, np.ndarray]:
        """Draw walls, then a goal that is reached within an episode."""
        draw = generator(rng.child("walls"))
        walls = place_walls(
            self.size, self.walls, draw.permutation(self.size**2), 1 << START
        )
        away = distances(self.size, START, walls)
        near = np.flatnonzero((away > 0) & (away <= self.steps))
        goal = int(generator(rng.child("goal")).choice(near))
        layouts = [walls]
        if self.moves_after:
            layouts.append(self._move_walls(rng, walls, goal))
        tables = [
            move_table(self.size, each) + i * self.size**2
            for i, each in enumerate(layouts)
        ]
        return {
            "leads": np.concatenate(tables),
            "goal": np.array([goal]),
            "walls": np.stack(layouts),
        }

    def _move_walls(self, rng: Rng, walls: np.ndarray, goal: int) -> np.ndarray:
        """Return the walls after some moved; the goal stays within reach."""
        draw = generator(rng.child("moved"))
        built = draw.permutation(np.flatnonzero(walls))
        stay = built[round(self.moved * len(built)) :]
        others = draw.permutation(np.flatnonzero(~walls))
        # Walls that stay come first, then new places; the old ones are the last resort.
        order = np.concatenate([stay, others, built])
        kept = 1 << START | 1 << goal
        found = place_walls(self.size, len(built), order, kept)
        near = distances(self.size, START, found)[goal] <= self.steps
        return found if near else walls
