"""Knobs that gradient-based few-shot learners share."""

from engine.contract.knobs import knob


def inner_rate(default: float = 0.01, *, high: float = 10.0) -> float:
    """Declare the size of an inner step."""
    return knob(  # type: ignore[no-any-return]
        default, label="Inner step size α", unit="per step", low=1e-5, high=high,
        log=True, help="Size of each gradient step on the support.",
    )  # fmt: skip


def inner_count(default: int = 1) -> int:
    """Declare how many inner steps are trained through."""
    return knob(  # type: ignore[no-any-return]
        default, label="Inner steps k", unit="steps", low=0, high=64,
        help="Gradient steps on the support that meta-training goes through.",
    )  # fmt: skip


def shown_count(default: int = 0) -> int:
    """Declare after how many inner steps the answer counts in the tests."""
    return knob(  # type: ignore[no-any-return]
        default, label="Inner steps at test", unit="steps", low=0, high=200,
        help="After how many steps its answer counts; 0 means as many as it was "
        "trained through.", advanced=True,
    )  # fmt: skip
