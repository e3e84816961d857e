"""Few-shot functions of one input: the knobs they share, and episodes of them.

Queries are drawn before the support, so that more shots leave the queries, and the
first shots, as they were.
"""

import numpy as np

from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.protocol import Episode

SPAN = 5.0
GRID = np.linspace(-SPAN, SPAN, 101)


def amplitude_low_knob(default: float = 0.1) -> float:
    """Declare the smallest amplitude."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Smallest amplitude",
        low=0.0,
        high=50.0,
        help="Amplitudes are drawn evenly from here …",
    )


def amplitude_high_knob(default: float = 5.0) -> float:
    """Declare the largest amplitude."""
    return knob(  # type: ignore[no-any-return]
        default, label="Largest amplitude", low=0.0, high=50.0, help="… to here."
    )


def phase_low_knob(default: float) -> float:
    """Declare the smallest phase."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Smallest phase",
        unit="× π",
        low=-8.0,
        high=8.0,
        help="Phases are drawn evenly from here …",
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
        help="… to here; from 0 to 2 is every phase of a wave.",
    )


def frequency_knob() -> float:
    """Declare how fast all functions of a family vary."""
    return knob(  # type: ignore[no-any-return]
        1.0,
        label="Frequency ω",
        unit="× input",
        low=0.05,
        high=20.0,
        help="The same for all functions; at 2 they vary twice as fast.",
        advanced=True,
    )


def noise_knob() -> float:
    """Declare the noise on the support's answers."""
    return knob(  # type: ignore[no-any-return]
        0.0,
        label="Noise σ",
        low=0.0,
        high=5.0,
        help="Standard deviation on the support; queries have none.",
    )


def check_range(low: float, high: float, what: str, field: str) -> None:
    """Refuse a range that ends before it begins.

    Args:
        low: Smallest value.
        high: Largest value.
        what: Names the value in words.
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
    """Draw inputs evenly between −5 and 5, with those of the picture behind them."""
    x = SPAN * (2.0 * draw.random(count) - 1.0)
    return np.concatenate([x, GRID]) if grid else x


def curve_episode(
    x: np.ndarray, y: np.ndarray, cut: tuple[int, int], disturbed: np.ndarray | float
) -> Episode:
    """Make an episode of a function.

    Args:
        x: Inputs: of the queries, of the support, then of the picture; shape (point,).
        y: The function there; shape (point,).
        cut: How many queries and how many shots there are; the picture may be left
            out.
        disturbed: Noise that the support's answers carry; shape (shot,), or 0.
    """
    queries, shots = cut
    both = np.array([x, y], np.float32)
    count = queries + shots
    answers = both[1, queries:count]
    return Episode(
        x=both[:1, queries:count],
        y=answers + disturbed if np.ndim(disturbed) else answers,
        held_x=both[:1, :queries],
        held_y=both[1, :queries],
        outputs=1,
        shape=(1,),
        truth=both[:, count:] if len(x) > count else None,
    )


def draw_support_noise(
    draw: np.random.Generator, size: float, shots: int
) -> np.ndarray:
    """Draw the noise of the support; float32, shape (shot,)."""
    return np.asarray(size * draw.standard_normal(shots)).astype(np.float32)
