"""Square grids with walls: which cells there are, and how far apart they are.

Sets of cells are the bits of an integer: cell = row × side + column, row 0 at the
bottom. Moves are up, right, down, left and stay; walls and edges stop them.
"""

import numpy as np

UP, RIGHT, DOWN, LEFT, STAY = range(5)
MOVES = 5
FREE = 3  # cells that stay free at least: a start, a key and a door


def neighbors(side: int) -> np.ndarray:
    """Return where each move leads without walls; int64, shape (cell, move)."""
    row, column = np.divmod(np.arange(side * side), side)
    last = side - 1
    steps = [
        (np.minimum(row + 1, last), column),
        (row, np.minimum(column + 1, last)),
        (np.maximum(row - 1, 0), column),
        (row, np.maximum(column - 1, 0)),
        (row, column),
    ]
    return np.stack([down * side + along for down, along in steps], 1)


def move_table(side: int, walls: np.ndarray) -> np.ndarray:
    """Return where each move leads; a wall is not entered.

    Args:
        side: Cells along an edge.
        walls: Which cells are walls; bool, shape (cell,).

    Returns:
        int64, shape (cell, move).
    """
    free = neighbors(side)
    here = np.arange(side * side)[:, None]
    return np.where(walls[free], here, free)


def spread(side: int, cells: int, free: int) -> int:
    """Return the cells that are reached in at most one move.

    Args:
        side: Cells along an edge.
        cells: The set of cells to start from.
        free: The set of cells without a wall.
    """
    full = (1 << side * side) - 1
    left_edge = full // ((1 << side) - 1)
    right_edge = left_edge << (side - 1)
    up, down = cells << side, cells >> side
    right, left = (cells & ~right_edge) << 1, (cells & ~left_edge) >> 1
    return (cells | up | down | right | left) & free


def distances(side: int, start: int, walls: np.ndarray) -> np.ndarray:
    """Return how many moves each cell is from a start; −1 if it is not reached.

    Args:
        side: Cells along an edge.
        start: The cell to start from.
        walls: Which cells are walls; bool, shape (cell,).
    """
    free = sum(1 << int(cell) for cell in np.flatnonzero(~walls))
    found = np.full(side * side, -1)
    reached, count = 0, 0
    frontier = 1 << start
    while frontier != reached:
        new = frontier & ~reached
        found[[i for i in range(side * side) if new >> i & 1]] = count
        reached, frontier = frontier, spread(side, frontier, free)
        count += 1
    return found


def place_walls(side: int, count: int, order: np.ndarray, kept: int) -> np.ndarray:
    """Place walls one by one, wherever all free cells stay connected.

    Args:
        side: Cells along an edge.
        count: How many walls; fewer where no more can be placed.
        order: The cells to try, in this order.
        kept: Set of cells that stay free.

    Returns:
        Which cells are walls; bool, shape (cell,).
    """
    full = (1 << side * side) - 1
    walls = np.zeros(side * side, bool)
    free = full
    for cell in map(int, order):
        if walls.sum() == min(count, side * side - FREE):
            break
        left = free & ~(1 << cell)
        if not kept >> cell & 1 and _is_connected(side, left):
            walls[cell], free = True, left
    return walls


def _is_connected(side: int, free: int) -> bool:
    """Return whether every free cell is reached from every other one."""
    reached, frontier = 0, free & -free
    while frontier != reached:
        reached, frontier = frontier, spread(side, frontier, free)
    return reached == free
