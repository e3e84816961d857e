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
    """Declare the number of inner steps of meta-training."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Inner steps k",
        unit="steps",
        low=low,
        high=high,
        work="steps",
        help="Gradient steps on the support in meta-training.",
    )


def inner_test_steps_knob(default: int = 0) -> int:
    """Declare the number of inner steps at test."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Inner steps at test",
        unit="steps",
        low=0,
        high=200,
        work="test_steps",
        help="Inner steps before the scored prediction; 0 means as many as in "
        "meta-training.",
        advanced=True,
    )


def inner_clip_knob(default: float = 0.0) -> float:
    """Declare the elementwise clip of inner gradients."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Inner clip",
        low=0.0,
        high=1e6,
        help="Largest absolute value of an entry of an inner gradient; 0 disables "
        "clipping. The paper uses 10 for images. With clipping this is no longer the "
        "published algorithm.",
        advanced=True,
    )


def training_share_knob(default: float, *, label: str, help: str) -> float:
    """Declare a first part of meta-training, as a share of all of it.

    Args:
        default: Share between 0 and 1.
        label: The knob's label.
        help: What holds during that part.
    """
    return knob(  # type: ignore[no-any-return]
        default,
        label=label,
        unit="of training",
        low=0.0,
        high=1.0,
        help=help,
        advanced=True,
    )


def particles_knob(default: int = 10, *, label: str = "Particles M") -> int:
    """Declare how many nets each prediction is a mixture of.

    Args:
        default: Number of particles.
        label: The knob's label.
    """
    return knob(  # type: ignore[no-any-return]
        default,
        label=label,
        unit="nets",
        low=1,
        high=100,
        work="size",
        help="Nets that each prediction is a mixture of; time and memory grow with "
        "their number.",
    )
