"""Surrogates of the expected return whose derivatives are policy gradients.

Their values mean little; what counts are derivatives. The second one decides whether
MAML's outer gradient knows that the weights also choose which episodes are played.

Source: Foerster et al. (2018), arXiv:1802.05098 (DiCE), in the form of Farquhar,
Whiteson and Foerster (2019), arXiv:1909.10549 ("Loaded DiCE"), for any estimate of the
advantage; Rothfuss et al. (2019), arXiv:1810.06784, section 5 (low-variance curvature).
"""

from typing import Literal

from torch import Tensor

Surrogate = Literal["curvature", "dice", "log_prob", "first_order"]


def score_surrogate(
    log_prob: Tensor, advantage: Tensor, alive: Tensor, form: Surrogate
) -> Tensor:
    """Return a surrogate, the mean over the steps that were taken.

    All forms have the same gradient: the mean of ∇ log π(a_t) A_t. The expected second
    derivative is that of the return with `dice`; with `curvature` it lacks products of
    the scores of two steps; with `log_prob`, all products of scores.

    Args:
        log_prob: Of each action, with a graph; shape (member, episode, step).
        advantage: Of each action, without a graph; same shape.
        alive: 1 where the step was taken; same shape.
        form: Which surrogate; `first_order` has the graph of `log_prob`.

    Returns:
        Shape (member,).
    """
    log_prob = log_prob * alive
    if form == "curvature":
        gain = magic_box(log_prob) * advantage
    elif form == "dice":
        total = log_prob.cumsum(2)
        gain = (magic_box(total) - magic_box(total - log_prob)) * advantage
    else:
        gain = log_prob * advantage
    return (gain * alive).sum((1, 2)) / alive.sum((1, 2)).clamp(min=1.0)


def magic_box(log_prob: Tensor) -> Tensor:
    """Return 1, whose every derivative is that of the probability ratio."""
    return (log_prob - log_prob.detach()).exp()
