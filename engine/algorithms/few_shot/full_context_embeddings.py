"""Full-context embeddings: each example is embedded in the context of the support.

Source: Vinyals et al. (2016), arXiv:1606.04080, appendix A.1 and A.2; Vinyals, Bengio
and Kudlur (2016), arXiv:1511.06391, for reading a set by attention.
Differs: see `reading_order`.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.contract.rng import Rng
from engine.nets.dense import stack_members
from engine.nets.lstm import apply_lstm, init_lstm, start_lstm
from engine.protocol import EpisodeBatch, Weights

READERS = ("forward", "backward", "attention")


def init_context(size: int, rngs: Sequence[Rng], tasks: EpisodeBatch) -> Weights:
    """Draw the three LSTMs of each replicate.

    Args:
        size: Number of features, which is also the hidden size.
        rngs: One stream per replicate.
        tasks: Episodes, for device and dtype.

    Returns:
        `forward.cell0.w`, …, and `backward.…` for the support, `attention.…` for the
        queries; shape (replicate, …) each. The last one's input is twice as wide: a
        query and what it read from the support.
    """
    like = tasks.support.x
    weights: Weights = {}
    for reader in READERS:
        inputs = 2 * size if reader == "attention" else size
        nets = [
            init_lstm(inputs, size, 1, rng.child("context", reader)) for rng in rngs
        ]
        stacked = stack_members(nets)
        weights |= {f"{reader}.{name}": v.to(like) for name, v in stacked.items()}
    return weights


def reading_order(x: Tensor) -> Tensor:
    """Return the order in which an LSTM reads a support: by projection of its inputs.

    Episodes list their classes one after the other, and that order would reveal to the
    LSTM which examples belong together. The projection is fixed and uses neither labels
    nor positions, so the order is the same however the support is shuffled.

    Args:
        x: Inputs of the support; shape (member, feature, example).

    Returns:
        Indices of the examples in reading order; shape (member, example).
    """
    place = torch.arange(x.shape[1], device=x.device, dtype=x.dtype)
    # Steps of the golden angle: coefficients do not repeat.
    direction = torch.cos(1.0 + 2.4 * place)
    return (x * direction.view(1, -1, 1)).sum(1).argsort(dim=1, stable=True)


def support_context(theta: Weights, features: Tensor, x: Tensor) -> Tensor:
    """Add the output of a bidirectional LSTM over the support to its features.

    Args:
        theta: Weights of each member, those of `init_context` among them.
        features: Shape (member, feature, example).
        x: Inputs of these examples, which determine the reading order; shape (member,
            input, example).

    Returns:
        Same shape and order as `features`.
    """
    order = reading_order(x).unsqueeze(1).expand_as(features)
    read = features.gather(2, order)
    both = _run_lstm(theta, "forward", read)
    both = both + _run_lstm(theta, "backward", read.flip(2)).flip(2)
    # `scatter` undoes the reading order that `gather` made.
    return features + torch.zeros_like(features).scatter(2, order, both)


def query_context(theta: Weights, query: Tensor, support: Tensor, steps: int) -> Tensor:
    """Let each query attend to the support several times: h ← LSTM(f, [h, r]) + f.

    Args:
        theta: Weights of each member.
        query: Features of the queries; shape (member, feature, query).
        support: Features of the support, in context; (member, feature, example).
        steps: Number of attention steps; at least 1.

    Returns:
        Same shape as `query`.
    """
    cell = _lstm_weights(theta, "attention")
    state = start_lstm(query.mT, query.shape[1], 1)
    read = torch.zeros_like(query)
    for _ in range(steps):
        seen = torch.cat([query, read], 1)
        out, state = apply_lstm(cell, seen, state)
        hidden = out + query
        state["h0"] = hidden  # the residual is part of the recurrent state
        attention = (support.mT @ hidden).softmax(1)
        read = support @ attention
    return hidden


def _lstm_weights(theta: Weights, reader: str) -> Weights:
    """Return one LSTM's weights without the prefix of their names."""
    start = f"{reader}."
    return {k.removeprefix(start): v for k, v in theta.items() if k.startswith(start)}


def _run_lstm(theta: Weights, reader: str, features: Tensor) -> Tensor:
    """Run an LSTM over the examples as a sequence; same shape as `features`."""
    cell = _lstm_weights(theta, reader)
    state = start_lstm(features[:, 0, :1], features.shape[1], 1)
    outs = []
    for i in range(features.shape[2]):
        out, state = apply_lstm(cell, features[:, :, i : i + 1], state)
        outs.append(out)
    return torch.cat(outs, 2)
