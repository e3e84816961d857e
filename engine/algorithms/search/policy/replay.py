"""Experience replay in bounded memory: the best, and a reservoir sample of the rest.

Source: Vitter (1985), algorithm R, for the reservoir; Espeholt et al. (2018),
arXiv:1802.01561, for importance weights clipped from above.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from engine.algorithms.search.policy import softmax_policy
from engine.contract.parts import knob
from engine.protocol import Learner, SearchBatch


class ReplayMemory(NamedTuple):
    """Experiences of each search; arrays lead with the member.

    The first slots hold the best, the others a reservoir sample of the rest.

    Args:
        codes: Shape (member, slot, position).
        value: Reward; −inf in empty slots; shape (member, slot).
        log_prob: Log probability of the codes when they were drawn; same shape.
        offer_count: Number of experiences offered to the reservoir; shape (member,).
    """

    codes: Int[np.ndarray, "member slot position"]
    value: Float[np.ndarray, "member slot"]
    log_prob: Float[np.ndarray, "member slot"]
    offer_count: Int[np.ndarray, " member"]


class ReplayEntry(NamedTuple):
    """Evaluations as the memory stores them; shape (member, …)."""

    codes: Int[np.ndarray, "member *draw position"]
    value: Float[np.ndarray, " member *draw"]
    log_prob: Float[np.ndarray, " member *draw"]


def empty_memory(members: int, slots: int, positions: int) -> ReplayMemory:
    """Return an empty memory."""
    return ReplayMemory(
        np.zeros((members, slots, positions), np.int64),
        np.full((members, slots), -np.inf),
        np.zeros((members, slots)),
        np.zeros(members, np.int64),
    )


def store_entry(
    memory: ReplayMemory,
    found: ReplayEntry,
    top: int,
    uniform: Float[np.ndarray, " member"],
    live: Bool[np.ndarray, " member"],
) -> ReplayMemory:
    """Return the memory with an experience offered to the best, then the reservoir.

    Args:
        memory: The memory; it is not changed.
        found: One experience per member.
        top: Number of slots for the best.
        uniform: Uniform in [0, 1), for the reservoir; shape (member,).
        live: False for members whose experience is not stored; shape (member,).
    """
    slots = memory.value.shape[1]
    members = np.arange(len(found.value))
    codes, value, chance, offered = (part.copy() for part in memory)
    mine = ReplayEntry(*(part.copy() for part in found))
    on = live.copy()
    if top:
        worst = value[:, :top].argmin(1)
        better = on & (mine.value > value[members, worst])
        rows, at = members[better], worst[better]
        let_go = ReplayEntry(codes[rows, at], value[rows, at], chance[rows, at])
        for kept, new, old in zip((codes, value, chance), mine, let_go, strict=True):
            kept[rows, at] = new[rows]
            new[rows] = old
        on &= np.isfinite(mine.value)  # an empty slot was filled: nothing to pass on
    if slots > top:
        room = slots - top
        place = np.where(
            offered < room, offered, np.floor(uniform * (offered + 1)).astype(np.int64)
        )
        rows = members[on & (place < room)]
        at = top + place[rows]
        for kept, new in zip((codes, value, chance), mine, strict=True):
            kept[rows, at] = new[rows]
        offered = offered + on
    return ReplayMemory(codes, value, chance, offered)


def sample_memory(
    memory: ReplayMemory, uniform: Float[np.ndarray, "member draw"]
) -> tuple[ReplayEntry, Bool[np.ndarray, "member draw"]]:
    """Draw experiences with replacement.

    Args:
        memory: The memory.
        uniform: Uniform in [0, 1); shape (member, drawn).

    Returns:
        Experiences, shape (member, drawn, …), and whether each is valid, shape
        (member, drawn): an empty memory has none.
    """
    full = np.isfinite(memory.value)
    order = np.argsort(~full, axis=1, kind="stable")
    rank = np.floor(uniform * full.sum(1)[:, None]).astype(np.int64)
    slot = np.take_along_axis(order, rank, 1)
    members = np.arange(len(slot))[:, None]
    there = full[members, slot]
    value = np.where(there, memory.value[members, slot], 0.0)
    found = ReplayEntry(
        memory.codes[members, slot], value, memory.log_prob[members, slot]
    )
    return found, there


def importance_weights(
    new: Float[np.ndarray, " *shape"], old: Float[np.ndarray, " *shape"], clip: float
) -> Float[np.ndarray, " *shape"]:
    """Return π_new / π_old from log probabilities; all of one shape.

    Args:
        new: Log probability under the current policy, nats.
        old: Log probability when drawn, nats.
        clip: Largest weight; 0 for no limit.

    >>> importance_weights(np.log([0.4, 0.1]), np.log([0.2, 0.2]),
    ...     1.5).round(3).tolist()
    [1.5, 0.5]
    """
    ratio = np.exp(np.minimum(new - old, 50.0))  # larger exponents may overflow
    return np.minimum(ratio, clip) if clip else ratio


def replay_gradient(
    memory: ReplayMemory,
    prob: Float[np.ndarray, "member position option"],
    baseline: Float[np.ndarray, " member"],
    clip: float,
    uniform: Float[np.ndarray, "member draw"],
) -> Float[np.ndarray, "member position option"]:
    """Return the summed policy gradient of replayed evaluations.

    Args:
        memory: Memory to draw from.
        prob: The current policy; shape (member, position, option).
        baseline: Subtracted from rewards; shape (member,).
        clip: As `importance_weights` takes it.
        uniform: Uniform in [0, 1); shape (member, drawn).

    Returns:
        Gradient of the logits; shape (member, position, option).
    """
    past, there = sample_memory(memory, uniform)
    each = np.repeat(prob[:, None], uniform.shape[1], 1)
    now = softmax_policy.log_prob(each, past.codes)
    weight = importance_weights(now, past.log_prob, clip) * there
    gain = weight * (past.value - baseline[:, None])
    scores = softmax_policy.log_prob_gradient(each, past.codes)
    return np.asarray((gain[..., None, None] * scores).sum(1))


class ReplayMixin(Learner):
    """A strategy that can replay earlier evaluations of the same search."""

    replay: int = knob(
        0,
        label="Replays",
        unit="per evaluation",
        low=0,
        high=64,
        work="steps",
        help="Past evaluations replayed in each update; 0: none.",
    )
    clip: float = knob(
        1.5,
        label="Weight clip",
        unit="× chance",
        low=0.0,
        high=100.0,
        advanced=True,
        help="Largest importance weight of a replay; 0 does not clip, and the "
        "variance explodes.",
    )
    top: int = knob(
        20,
        label="Best kept",
        unit="evaluations",
        low=0,
        high=1000,
        advanced=True,
        help="Slots of the memory for the best; the rest is a reservoir sample.",
    )
    capacity: int = knob(
        200,
        label="Memory",
        unit="evaluations",
        low=1,
        high=5000,
        advanced=True,
        help="Slots of the memory in total.",
    )

    def new_memory(self, tasks: SearchBatch) -> ReplayMemory:
        """Return an empty memory of the chosen size, or of one slot without replays."""
        slots = self.capacity if self.replay else 1
        return empty_memory(tasks.members, slots, len(tasks.space.radix))

    def store_evaluation(
        self,
        memory: ReplayMemory,
        found: ReplayEntry,
        uniform: Float[np.ndarray, " member"],
        live: Bool[np.ndarray, " member"],
    ) -> ReplayMemory:
        """Store the latest evaluation; as `store_entry`, with the chosen sizes."""
        return store_entry(memory, found, min(self.top, self.capacity), uniform, live)
