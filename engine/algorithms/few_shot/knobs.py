"""Knobs that gradient-based few-shot learners share."""

from engine.contract.parts import knob


def inner_rate_knob(default: float = 0.01, *, high: float = 10.0) -> float:
    """Declare the size of an inner step."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Inner step size α",
        unit="per step",
        low=1e-5,
        high=high,
        log=True,
        help="Size of each gradient step on the support.",
    )


def inner_steps_knob(default: int = 1, *, low: int = 0, high: int = 64) -> int:
    """Declare how many inner steps are trained through."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Inner steps k",
        unit="steps",
        low=low,
        high=high,
        help="Gradient steps on the support that meta-training goes through.",
    )


def inner_test_steps_knob(default: int = 0) -> int:
    """Declare after how many inner steps the answer counts in the tests."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Inner steps at test",
        unit="steps",
        low=0,
        high=200,
        help="After how many steps its answer counts; 0 means as many as it was "
        "trained through.",
        advanced=True,
    )


def inner_clip_knob(default: float = 0.0) -> float:
    """Declare how large a number of an inner gradient may be."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Inner clip",
        low=0.0,
        high=1e6,
        help="Largest number in an inner gradient; 0 never clips. The paper takes 10 "
        "for images. It is another algorithm then.",
        advanced=True,
    )


def training_share_knob(default: float, *, label: str, help: str) -> float:
    """Declare the share of meta-training at whose end something has changed."""
    return knob(  # type: ignore[no-any-return]
        default,
        label=label,
        unit="of training",
        low=0.0,
        high=1.0,
        help=help,
        advanced=True,
    )
