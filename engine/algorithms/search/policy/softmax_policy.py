"""Softmax policies over independent decisions, with their gradients and updates.

Logits have shape (member, position, option), −inf where a position has fewer options
than the largest; everything is float64, and members do not interact.
"""

from typing import Any, NamedTuple, TypeVar

import numpy as np
from jaxtyping import Bool, Float, Int

from engine.protocol import Space

T = TypeVar("T", bound=tuple[Any, ...])
HALVINGS = 30  # bisection steps: the temperature is exact to 2⁻³⁰


def flat_logits(
    space: Space, members: int
) -> Float[np.ndarray, "member position option"]:
    """Return logits of the uniform policy; shape (member, position, option).

    Args:
        space: The searched space.
        members: Number of members.

    >>> flat_logits(Space("two", ("a", "b"), (("x",), ("p", "q"))), 1).tolist()
    [[[0.0, -inf], [0.0, 0.0]]]
    """
    radix = np.array(space.radix)
    there = np.arange(radix.max()) < radix[:, None]
    return np.tile(np.where(there, 0.0, -np.inf), (members, 1, 1))


def near_flat_logits(
    space: Space, spread: float, normal: Float[np.ndarray, "member position option"]
) -> Float[np.ndarray, "member position option"]:
    """Return logits of a nearly uniform policy.

    Args:
        space: The searched space.
        spread: Standard deviation of the logits.
        normal: Standard normal numbers; shape (member, position, option).
    """
    start = flat_logits(space, len(normal))
    return np.where(np.isfinite(start), spread * normal, start)


def probabilities(
    logits: Float[np.ndarray, "*batch option"],
) -> Float[np.ndarray, "*batch option"]:
    """Return the softmax over the last axis.

    >>> probabilities(np.array([0.0, 0.0, -np.inf])).tolist()
    [0.5, 0.5, 0.0]
    """
    raised = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(raised / raised.sum(-1, keepdims=True))


def choose_options(
    logits: Float[np.ndarray, "*batch option"], uniform: Float[np.ndarray, " *batch"]
) -> Int[np.ndarray, " *batch"]:
    """Draw options by inversion; (…, option) and (…) → (…).

    Flat logits draw the same as `uniform_codes`: floor(uniform × options).

    Args:
        logits: Shape (…, option).
        uniform: Uniform in [0, 1); shape (…).
    """
    raised = np.exp(logits - logits.max(-1, keepdims=True)).cumsum(-1)
    total = raised[..., -1]
    # Below the total: rounding up to it would draw an option that does not exist.
    mark = np.minimum(uniform * total, np.nextafter(total, 0.0))
    return np.asarray((raised <= mark[..., None]).sum(-1))


def log_prob(
    prob: Float[np.ndarray, "*batch position option"],
    codes: Int[np.ndarray, "*batch position"],
) -> Float[np.ndarray, " *batch"]:
    """Return the log probability of whole architectures; nats, shape (…).

    Args:
        prob: Shape (…, position, option).
        codes: Shape (…, position).
    """
    taken = np.take_along_axis(prob, codes[..., None], -1)[..., 0]
    # Floored: an option whose probability underflowed must not give ln 0.
    return np.asarray(np.log(np.maximum(taken, 1e-300)).sum(-1))


def entropies(prob: Float[np.ndarray, "*batch option"]) -> Float[np.ndarray, " *batch"]:
    """Return the entropy of each decision; nats, shape (…, position)."""
    return np.asarray(-(prob * _safe_log(prob)).sum(-1))


def _safe_log(prob: Float[np.ndarray, " *shape"]) -> Float[np.ndarray, " *shape"]:
    return np.log(np.where(prob > 0, prob, 1.0))


def log_prob_gradient(
    prob: Float[np.ndarray, "*batch position option"],
    codes: Int[np.ndarray, "*batch position"],
) -> Float[np.ndarray, "*batch position option"]:
    """Return ∂ ln π(codes) / ∂ logits; shape (…, position, option).

    Args:
        prob: Shape (…, position, option).
        codes: Shape (…, position).
    """
    taken = codes[..., None] == np.arange(prob.shape[-1])
    return np.asarray(taken - prob)


def entropy_gradient(
    prob: Float[np.ndarray, "*batch option"],
) -> Float[np.ndarray, "*batch option"]:
    """Return ∂ (summed entropy of the decisions) / ∂ logits; shape of `prob`."""
    return np.asarray(-prob * (_safe_log(prob) + entropies(prob)[..., None]))


def policy_kl(
    old: Float[np.ndarray, "member position option"],
    new: Float[np.ndarray, "member position option"],
) -> Float[np.ndarray, " member"]:
    """Return KL(old ‖ new) of whole architectures; nats, shape (member,).

    Args:
        old: Probabilities; shape (member, position, option).
        new: Same shape.
    """
    both = np.where(old > 0, old * (_safe_log(old) - _safe_log(new)), 0.0)
    # Rounding can make the divergence of equal policies slightly negative.
    return np.asarray(np.maximum(both.sum((-1, -2)), 0.0))


def temper_logits(
    logits: Float[np.ndarray, "member position option"], floor: float
) -> Float[np.ndarray, "member position option"]:
    """Raise the temperature until the entropy reaches a share of its maximum.

    A higher temperature mixes the policy geometrically with the uniform one; the
    result is a softmax, so that its score function stays exact.

    Args:
        logits: Shape (member, position, option).
        floor: Least entropy, share of the maximum.
    """
    there = np.isfinite(logits)
    least = floor * np.log(there.sum(-1)).sum(-1)
    low = np.flatnonzero(entropies(probabilities(logits)).sum(-1) < least)
    if not len(low):
        return logits
    some = np.where(there, logits - logits.max(-1, keepdims=True), -np.inf)[low]
    cold, hot = np.ones(len(low)), np.zeros(len(low))
    for _ in range(HALVINGS):
        middle = (cold + hot) / 2
        enough = (
            entropies(probabilities(_scale_logits(some, middle))).sum(-1) >= least[low]
        )
        cold, hot = np.where(enough, cold, middle), np.where(enough, middle, hot)
    found = logits.copy()
    found[low] = _scale_logits(some, hot)
    return found


def _scale_logits(
    logits: Float[np.ndarray, "member position option"],
    factor: Float[np.ndarray, " member"],
) -> Float[np.ndarray, "member position option"]:
    absent = ~np.isfinite(logits)
    kept = np.where(absent, 0.0, logits) * factor[:, None, None]
    return np.where(absent, -np.inf, kept)


class AdamMoments(NamedTuple):
    """Adam's moments, (row, weight), and its step count, (row, 1)."""

    first: Float[np.ndarray, "row weight"]
    second: Float[np.ndarray, "row weight"]
    count: Float[np.ndarray, "row 1"]


def zero_moments(rows: Float[np.ndarray, "row weight"]) -> AdamMoments:
    """Return Adam's state before the first step, for weights of shape (row, weight)."""
    zero = np.zeros_like(rows)
    return AdamMoments(zero, zero, np.zeros((len(rows), 1)))


def adam_ascent(
    grad: Float[np.ndarray, "row weight"], state: AdamMoments, rate: float
) -> tuple[Float[np.ndarray, "row weight"], AdamMoments]:
    """Return Adam's ascent step and its next state.

    Args:
        grad: Shape (row, weight).
        state: State so far.
        rate: Learning rate.
    """
    # Not `adam_step`: rows have their own step counts, and numpy rounds differently.
    first, second = 0.9 * state.first, 0.999 * state.second
    first += 0.1 * grad
    second += 0.001 * grad * grad
    count = state.count + 1
    root = np.sqrt(second)
    root /= np.sqrt(1 - 0.999**count)
    root += 1e-8
    step = first * (rate / (1 - 0.9**count))
    step /= root
    return step, AdamMoments(first, second, count)


class RunningReward(NamedTuple):
    """Running mean and variance of rewards (Welford's algorithm); (row,) each."""

    count: Float[np.ndarray, " row"]
    mean: Float[np.ndarray, " row"]
    squares: Float[np.ndarray, " row"]

    @classmethod
    def empty(cls, rows: int) -> "RunningReward":
        """Return the statistics before the first reward."""
        return cls(*np.zeros((3, rows)))

    def update(
        self, reward: Float[np.ndarray, " row"], live: Bool[np.ndarray, " row"]
    ) -> "RunningReward":
        """Return the statistics with one more reward of each live row.

        Args:
            reward: Shape (row,).
            live: False for rows that received no reward; shape (row,).
        """
        count = self.count + 1
        gap = reward - self.mean
        mean = self.mean + gap / count
        after = RunningReward(count, mean, self.squares + gap * (reward - mean))
        return select_live(live, after, self)

    @property
    def spread(self) -> Float[np.ndarray, " row"]:
        """Return the standard deviation; 1 while it is 0 or unknown."""
        found = np.sqrt(self.squares / np.maximum(self.count, 1.0))
        return np.where(found > 1e-9, found, 1.0)

    def standardize(
        self, reward: Float[np.ndarray, " row *shape"]
    ) -> Float[np.ndarray, " row *shape"]:
        """Return (reward − mean) / standard deviation; (row, …)."""
        wide = (slice(None), *[None] * (reward.ndim - 1))
        return np.asarray((reward - self.mean[wide]) / self.spread[wide])

    def unstandardize(
        self, standard: Float[np.ndarray, " row *shape"]
    ) -> Float[np.ndarray, " row *shape"]:
        """Invert `standardize`; NaN in rows without rewards yet."""
        wide = (slice(None), *[None] * (standard.ndim - 1))
        mean = np.where(self.count > 0, self.mean, np.nan)
        return np.asarray(mean[wide] + self.spread[wide] * standard)


def select_live(live: Bool[np.ndarray, " row"], after: T, before: T) -> T:
    """Return a named tuple's arrays from `after` for live rows, else `before`."""
    if live.all():  # the common case, and much faster
        return after
    rows = [
        np.where(live.reshape(-1, *[1] * (new.ndim - 1)), new, old)
        for new, old in zip(after, before, strict=True)
    ]
    return type(after)(*rows)
