"""Reading of episodes step by step: each input comes with the target of the one before.

Episodes that share weights are one group; they are items of the same batched product,
so that a gradient needs no copy of the weights for each episode. Inputs, outputs and
states are of shape (group, item, …).
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from engine.algorithms.few_shot.sequences import embed_sequence, encode_targets
from engine.protocol import EpisodeBatch, Weights
from engine.protocol.member_chunks import broadcast_to_members

# One input, (group, item, feature), and the state → the output and the new state.
ReadStep = Callable[[Tensor, Weights], tuple[Tensor, Weights]]


def input_size(features: int, tasks: EpisodeBatch) -> int:
    """Return the size of an input: features, and the target before."""
    return features + tasks.outputs


def read_episodes(
    theta: Weights, tasks: EpisodeBatch, start: Weights, step: ReadStep
) -> Tensor:
    """Return the outputs for the queries.

    Online episodes have an output at each step. In usual ones the support is read in
    order, and from the state that it leaves each query is one more step.

    Args:
        theta: Weights of each group, those of the net without its head among them;
            shape (group, …). A group is one or more consecutive members.
        tasks: The episodes.
        start: The state before the first step.
        step: One step.

    Returns:
        Shape (member, output, query).
    """
    groups = len(next(iter(start.values())))
    support, query = _inputs(theta, tasks)
    if tasks.online:
        outs = [out for out, _ in read_states(support, groups, start, step)]
        return torch.stack(outs, 3).flatten(0, 1)
    *_, (_, state) = read_states(support, groups, start, step)
    count = tasks.query.count
    each = {name: value.repeat_interleave(count, 1) for name, value in state.items()}
    items = query.mT.reshape(groups, -1, query.shape[1])
    out, _ = step(items, each)
    return out.reshape(tasks.members, count, -1).mT


def read_states(
    inputs: Tensor, groups: int, start: Weights, step: ReadStep
) -> Iterator[tuple[Tensor, Weights]]:
    """Yield output and state after each input.

    Args:
        inputs: Shape (member, feature, step).
        groups: Number of groups of members that share weights.
        start: The state before the first step.
        step: One step.

    Yields:
        The output, shape (group, item, output), and the state.
    """
    state = start
    for x in inputs.unflatten(0, (groups, -1)).unbind(3):
        out, state = step(x, state)
        yield out, state


def support_inputs(theta: Weights, tasks: EpisodeBatch) -> Tensor:
    """Return the inputs of the support: x_t with y_{t−1}; (member, feature, example).

    Args:
        theta: As for `read_episodes`.
        tasks: The episodes.
    """
    return _inputs(theta, tasks)[0]


def why_other_ways(readout: Tensor, tasks: EpisodeBatch) -> str | None:
    """Return why targets of other sizes cannot be read; None if they can.

    Args:
        readout: Bias of the output layer; shape (replicate, output).
        tasks: The tasks.
    """
    trained = readout.shape[1]
    if trained == tasks.outputs:
        return None
    return f"it was trained to read {trained} ways and cannot read {tasks.outputs}"


def _inputs(theta: Weights, tasks: EpisodeBatch) -> tuple[Tensor, Tensor]:
    """Return the inputs of support and queries; shape (member, feature, example)."""
    body = {name: theta[name] for name in tasks.body.names}
    each = broadcast_to_members(body, tasks.members)
    support, query = embed_sequence(each, tasks)
    targets = encode_targets(tasks)
    # One step late: an input must never come with its own target.
    before = torch.cat([torch.zeros_like(targets[..., :1]), targets[..., :-1]], 2)
    last = targets[..., -1:].expand(-1, -1, query.shape[2])
    return torch.cat([support, before], 1), torch.cat([query, last], 1)
