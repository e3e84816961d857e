"""The memory's algebra against a plain loop, and what is written where."""

import numpy as np
import pytest
import torch

from engine.algorithms.few_shot.least_recently_used_memory import (
    EMPTY,
    MemoryRules,
    SlotMemory,
    access_memory,
    empty_memory,
    least_used,
)

DECAY, STRENGTH = 0.9, 3.0
RULES = MemoryRules(DECAY)


def softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values - values.max())
    return np.asarray(powers / powers.sum())


def step(
    state: tuple[np.ndarray, np.ndarray, np.ndarray],
    keys: np.ndarray,
    gates: np.ndarray,
    write_first: bool,
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Take one step of one memory, slot by slot and head by head."""
    slots, usage, read = (array.copy() for array in state)
    heads, count = len(keys), len(slots)
    least = np.argsort(usage, kind="stable")[:heads]
    write = np.zeros((heads, count))
    for head in range(heads):
        for slot in range(count):
            lu = 1.0 if slot == least[head] else 0.0
            write[head, slot] = gates[head] * read[head, slot] + (1 - gates[head]) * lu
    before = slots.copy()
    for slot in least:
        slots[slot] = 0.0
    for head in range(heads):
        for slot in range(count):
            slots[slot] += write[head, slot] * keys[head]
    seen = slots if write_first else before
    usage *= DECAY
    found = []
    for head in range(heads):
        # A slot of zeros has a cosine of 0.
        of_slots = np.sqrt(np.square(seen).sum(1) + EMPTY)
        cosine = seen @ keys[head] / of_slots / np.linalg.norm(keys[head])
        read[head] = softmax(STRENGTH * cosine)
        usage += read[head] + write[head]
        found.append(read[head] @ seen)
    return np.stack(found), (slots, usage, read)


@pytest.mark.parametrize("write_first", [False, True])
def test_writes_and_reads_are_those_of_a_plain_loop(write_first: bool) -> None:
    rules = MemoryRules(DECAY, STRENGTH, write_first)
    heads, count, width = 2, 5, 3
    draw = np.random.default_rng(1)
    memory = empty_memory((4,), count, width, heads, torch.zeros(1).double())
    plain = [tuple(each[i].numpy() for each in memory) for i in range(4)]
    for _ in range(7):
        keys = draw.standard_normal((4, heads, width))
        gates = draw.random((4, heads))
        found, memory = access_memory(
            memory, torch.from_numpy(keys), torch.from_numpy(gates), rules
        )
        for i in range(4):
            expected, plain[i] = step(plain[i], keys[i], gates[i], write_first)
            np.testing.assert_allclose(found[i], expected, atol=1e-7)
            for ours, theirs in zip(memory, plain[i], strict=True):
                np.testing.assert_allclose(ours[i], theirs, atol=1e-7)


def test_each_head_has_its_own_least_used_slot_and_no_gradient_chooses_it() -> None:
    usage = torch.tensor([[0.3, 0.0, 0.2, 0.0]], requires_grad=True)
    found = least_used(usage, 3)
    assert found.argmax(2).tolist() == [[1, 3, 2]]
    assert not found.requires_grad


def test_no_gradient_flows_through_usage() -> None:
    memory = empty_memory((1,), 4, 2, 1, torch.zeros(1))
    usage = torch.tensor([[0.4, 0.1, 0.2, 0.3]], requires_grad=True)
    memory = SlotMemory(memory.slots, usage, memory.read)
    keys = torch.ones(1, 1, 2, requires_grad=True)
    for _ in range(2):
        found, memory = access_memory(memory, keys, torch.full((1, 1), 0.5), RULES)
    grads = torch.autograd.grad(found.sum(), (usage, keys), allow_unused=True)
    assert grads[0] is None and grads[1] is not None


def test_an_empty_memory_has_finite_gradients() -> None:
    memory = empty_memory((1,), 4, 2, 1, torch.zeros(1))
    keys = torch.ones(1, 1, 2, requires_grad=True)
    for _ in range(3):
        found, memory = access_memory(memory, keys, torch.zeros(1, 1), RULES)
    (slope,) = torch.autograd.grad(found.sum(), keys)
    assert slope.isfinite().all() and (slope.abs() < 100).all()
