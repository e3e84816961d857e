"""Environments on grids with walls, whose optimal values can be drawn as a map."""

import torch

from engine.protocol import Places, Weights
from engine.tasks.rl._tabular import DeterministicWorld


class WalledWorld(DeterministicWorld):
    """Base class: states are cells of a grid, maybe of several layouts one by one.

    Parameters: also `walls`, bool, shape (member, …), a number for each cell.
    """

    picture = "grid"

    def places(self, parameters: Weights, episode: int) -> Places:
        """Return all states in the layout of an episode; NaN where a wall is."""
        optimal, walls = parameters["value"], parameters["walls"].flatten(1)
        numbers = torch.tensor([episode], device=optimal.device)
        layout = self.first(parameters, numbers) // self.states
        each = torch.arange(self.states, device=optimal.device)
        states = layout * self.states + each
        # Key and door: the states with the key have the walls of those without it.
        wall = walls.gather(1, states % walls.shape[1])
        value = optimal.gather(1, states).masked_fill(wall, torch.nan)
        return Places(torch.eye(self.states).to(optimal), value)
