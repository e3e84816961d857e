"""Key and door: fetch the key, then go to the door and stay; nothing else pays.

Source: ours, after the keys and doors of Chevalier-Boisvert et al. (2023),
arXiv:2306.13831.
Differs: the open door pays at every step that is left, so regret counts lost steps.
Helps: sparse rewards: an agent must explore without a hint, and remember what it found.
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

START = 0  # the cell at the bottom left


class KeyDoorGrid(WalledWorld):
    """r = 1 for every step that ends at the door, with the key; else 0.

    States are the cells without the key, then the cells with it; cell = row × side +
    column, row 0 at the bottom; moves are up, right, down, left, stay. Parameters:
    `leads`, where each move leads, int64, shape (member, state, move); `key` and
    `door`, cells, shape (member, 1); `walls`, bool, shape (member, cell). A film reads
    them so; the path is the argmax of the observations, modulo the number of cells.

    Args:
        side: Cells along an edge.
        steps: Steps of an episode.
    """

    lowest = 0.0

    def __init__(self, side: int, steps: int) -> None:
        super().__init__(2 * side * side, MOVES, steps)

    def rewards(self, parameters: Weights) -> Tensor:
        """Return 1 where a move leads to the door, with the key."""
        opened = parameters["door"] + self.states // 2
        return (parameters["leads"] == opened.unsqueeze(-1)).float()

    def first(self, parameters: Weights, episode: Tensor) -> Tensor:
        """Return the start, without the key."""
        return episode.new_full((len(parameters["key"]), len(episode)), START)


@register("family")
class KeyDoor(TabularFamily):
    """key, door ~ uniform over the free cells, both within reach in one episode."""

    version: ClassVar[int] = 1

    size: int = knob(
        5,
        label="Size",
        unit="cells",
        low=3,
        high=9,
        work="area",
        help="Cells along an edge.",
    )
    walls: int = knob(
        4, label="Walls", unit="cells", low=0, high=30, help="Cells with a wall."
    )
    steps: int = knob(
        30,
        label="Steps",
        unit="steps",
        low=4,
        high=200,
        work="passes",
        help="Steps of an episode.",
    )

    def environment(self) -> Environment:
        """Return the grid."""
        return KeyDoorGrid(self.size, self.steps)

    def parameters(self, rng: Rng, pool: str) -> dict[str, np.ndarray]:
        """Draw walls, then a key within half an episode, then a door from there."""
        cells = self.size**2
        order = generator(rng.child("walls")).permutation(cells)
        walls = place_walls(self.size, self.walls, order, 1 << START)
        away = distances(self.size, START, walls)
        draw = generator(rng.child("key"))
        # A neighbor of the start is always free, and leaves steps for the door.
        key = int(draw.choice(np.flatnonzero((away > 0) & (away <= self.steps // 2))))
        on = distances(self.size, key, walls)
        left = (on > 0) & (on <= self.steps - away[key])
        left[START] = False
        door = int(draw.choice(np.flatnonzero(left)))
        table = move_table(self.size, walls)
        # A move onto the key's cell takes it.
        without = np.where(table == key, table + cells, table)
        leads = np.concatenate([without, table + cells])
        return {
            "leads": leads,
            "key": np.array([key]),
            "door": np.array([door]),
            "walls": walls,
        }
