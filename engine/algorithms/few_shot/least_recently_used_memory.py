"""External memory that writes to what was read last, or to what was used least lately.

Source: Santoro et al. (2016), arXiv:1605.06065, section 2.2.
Differs: with several heads the j-th writes to the j-th least used slot; the paper's
indicator w^lu marks all of them for every head. Each slot so marked is emptied first.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from engine.protocol import square_root

EMPTY = 1e-8  # keeps the cosine of an empty slot, and its gradient, finite


class SlotMemory(NamedTuple):
    """The memory's state; all tensors lead with the same batch axes, here (…).

    Args:
        slots: M, what is stored; shape (…, slot, width).
        usage: w^u, how much each slot was read or written lately; shape (…, slot).
        read: w^r, the last read weights; shape (…, head, slot).
    """

    slots: Tensor
    usage: Tensor
    read: Tensor


def empty_memory(
    batch: tuple[int, ...], slots: int, width: int, heads: int, like: Tensor
) -> SlotMemory:
    """Return a memory that was never used.

    Args:
        batch: Sizes of the batch axes.
        slots: Number of slots.
        width: Numbers in a slot.
        heads: Number of heads.
        like: A tensor of the wanted dtype and device.
    """
    return SlotMemory(
        like.new_zeros(*batch, slots, width),
        like.new_zeros(*batch, slots),
        like.new_zeros(*batch, heads, slots),
    )


class MemoryRules(NamedTuple):
    """How a memory is used.

    Args:
        decay: γ, by which usage decays at each step.
        strength: β, which makes reads sharper; 1 in the paper.
        write_first: Whether a step writes before it reads, and so may read its own key.
    """

    decay: float
    strength: float = 1.0
    write_first: bool = False


def access_memory(
    memory: SlotMemory, keys: Tensor, gates: Tensor, rules: MemoryRules
) -> tuple[Tensor, SlotMemory]:
    """Read by the keys, and write them.

    w^r_t = softmax β cos(k_t, M); r_t = Σ_i w^r_t(i) M(i);
    w^w_t = σ(α) w^r_{t−1} + (1 − σ(α)) w^lu_{t−1}; M(i) ← M(i) + w^w_t(i) k_t, least
    used slots emptied first; w^u_t = γ w^u_{t−1} + w^r_t + w^w_t.

    Args:
        memory: The state before.
        keys: k, one for each head; shape (…, head, width).
        gates: σ(α), the share that is written to what was read last; (…, head).
        rules: How the memory is used.

    Returns:
        What each head reads, shape (…, head, width), and the new state.
    """
    least = least_used(memory.usage, keys.shape[-2])
    gate = gates.unsqueeze(-1)
    write = gate * memory.read + (1 - gate) * least
    kept = memory.slots * (1 - least.sum(-2)).unsqueeze(-1)
    slots = kept + write.mT @ keys
    seen = slots if rules.write_first else memory.slots
    read = (rules.strength * _cosines(keys, seen)).softmax(-1)
    usage = rules.decay * memory.usage + read.sum(-2) + write.sum(-2)
    return read @ seen, SlotMemory(slots, usage, read)


def least_used(usage: Tensor, heads: int) -> Tensor:
    """Return w^lu: for each head another one of the least used slots, 1 there, else 0.

    Args:
        usage: Shape (…, slot).
        heads: Number of heads, at most that of the slots.

    Returns:
        Shape (…, head, slot), without a gradient; of equally used slots the first.
    """
    order = usage.detach().argsort(dim=-1, stable=True)[..., :heads]
    return torch.nn.functional.one_hot(order, usage.shape[-1]).to(usage.dtype)


def _cosines(keys: Tensor, slots: Tensor) -> Tensor:
    """Return the cosine similarity of keys and slots; shape (…, head, slot)."""
    lengths = (square_root(each.square().sum(-1) + EMPTY) for each in (keys, slots))
    of_keys, of_slots = lengths
    return keys @ slots.mT / (of_keys.unsqueeze(-1) * of_slots.unsqueeze(-2))
