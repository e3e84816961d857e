"""Few-shot regression of functions of one input: shared knobs, and their episodes.

Queries are drawn before the support, so that more shots leave the queries and the
first shots unchanged.
"""

import numpy as np

from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.rng import Rng
from engine.protocol import Episode, generator

SPAN = 5.0
GRID = np.linspace(-SPAN, SPAN, 101)


def amplitude_low_knob(default: float = 0.1) -> float:
    """Declare the smallest amplitude."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Smallest amplitude",
        low=0.0,
        high=50.0,
        help="Lower end of the uniform distribution of amplitudes.",
    )


def amplitude_high_knob(default: float = 5.0) -> float:
    """Declare the largest amplitude."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Largest amplitude",
        low=0.0,
        high=50.0,
        help="Upper end of the uniform distribution of amplitudes.",
    )


def phase_low_knob(default: float) -> float:
    """Declare the smallest phase."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Smallest phase",
        unit="× π",
        low=-8.0,
        high=8.0,
        help="Lower end of the uniform distribution of phases.",
        advanced=True,
    )


def phase_high_knob(default: float) -> float:
    """Declare the largest phase."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Largest phase",
        unit="× π",
        low=-8.0,
        high=8.0,
        help="Upper end of the uniform distribution; 0 to 2 covers all phases.",
    )


def frequency_knob() -> float:
    """Declare how fast all functions of a family vary."""
    return knob(  # type: ignore[no-any-return]
        1.0,
        label="Frequency ω",
        unit="× input",
        low=0.05,
        high=20.0,
        help="The same for all functions; 2 lets them vary twice as fast.",
        advanced=True,
    )


def noise_knob() -> float:
    """Declare the noise on the support's targets."""
    return knob(  # type: ignore[no-any-return]
        0.0,
        label="Noise σ",
        low=0.0,
        high=5.0,
        help="Standard deviation on the support's targets; queries are exact.",
    )


def check_range(low: float, high: float, what: str, field: str) -> None:
    """Check that a range is not empty.

    Args:
        low: Smallest value.
        high: Largest value.
        what: Name of the value, for the message.
        field: Knob of the smallest value.

    Raises:
        Refused: If the smallest is above the largest.
    """
    if low > high:
        raise Refused(
            f"Smallest {what} is {low:g}; it can be at most the largest {what}, "
            f"which is {high:g}",
            field,
        )


def draw_inputs(draw: np.random.Generator, count: int, grid: bool = True) -> np.ndarray:
    """Draw inputs from U(−5, 5).

    Args:
        draw: Random numbers.
        count: Number of inputs.
        grid: Whether the regular grid of the plot is appended.

    Returns:
        Shape (count,) or (count + 101,).
    """
    x = SPAN * (2.0 * draw.random(count) - 1.0)
    return np.concatenate([x, GRID]) if grid else x


def curve_episode(
    x: np.ndarray,
    y: np.ndarray,
    cut: tuple[int, int],
    disturbed: np.ndarray | float,
    held_noise: np.ndarray | float = 0.0,
) -> Episode:
    """Make an episode of a function.

    Args:
        x: Inputs: queries, then support, then the grid of the plot, if any; shape
            (point,).
        y: Function values; shape (point,).
        cut: Numbers of queries and of shots.
        disturbed: Noise of the support's targets; shape (shot,), or 0.
        held_noise: Noise of the queries' targets; shape (query,), or 0.
    """
    queries, shots = cut
    both = np.array([x, y], np.float32)
    count = queries + shots
    answers, held = both[1, queries:count], both[1, :queries]
    return Episode(
        x=both[:1, queries:count],
        y=answers + disturbed if np.ndim(disturbed) else answers,
        held_x=both[:1, :queries],
        held_y=held + held_noise if np.ndim(held_noise) else held,
        outputs=1,
        shape=(1,),
        truth=both[:, count:] if len(x) > count else None,
    )


def draw_noise(draw: np.random.Generator, size: float, count: int) -> np.ndarray:
    """Draw the noise of targets.

    Args:
        draw: Random numbers.
        size: Standard deviation.
        count: Number of examples.

    Returns:
        float32, shape (count,).
    """
    return np.asarray(size * draw.standard_normal(count)).astype(np.float32)


def limit_training_tasks(rng: Rng, pool: str, count: int) -> Rng:
    """Return the stream of one of a few fixed training tasks; other pools keep theirs.

    Args:
        rng: The task's own stream; the second name of its path is the replicate, whose
            fixed tasks are its own.
        pool: "train", "validation" or "test".
        count: How many tasks there are for meta-training; 0 draws each anew.
    """
    if pool != "train" or not count:
        return rng
    which = int(generator(rng.child("which")).integers(count))
    return Rng(rng.root).child("fixed_task", *rng.path[1:2], which)
