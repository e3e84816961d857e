"""Autoregressive policy nets that build an architecture decision by decision.

State i is the one-hot of the first i decisions, the one-hot of the next position, and
optional task features. A net has one hidden layer; nets of all rows (a row is a member,
or a replicate in meta-training) are computed in one batch, in float64, each with its
own flat row of weights. Gradients are written out by hand.

Source: Zoph and Le (2017), arXiv:1611.01578, for sequential decisions.
Differs: a net over the one-hot of the prefix instead of a recurrent one.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from engine.algorithms.search.policy.softmax_policy import choose_options, probabilities
from engine.protocol import Space


class PolicyShape(NamedTuple):
    """Sizes of the nets: options per position, task features, hidden units."""

    radix: tuple[int, ...]
    features: int
    hidden: int

    @classmethod
    def of(cls, space: Space, hidden: int, features: int = 0) -> "PolicyShape":
        """Return the sizes for a space."""
        return cls(space.radix, features, hidden)

    @property
    def width(self) -> int:
        """Number of inputs of a net."""
        return sum(self.radix) + len(self.radix) + self.features

    @property
    def most_options(self) -> int:
        """Largest number of options of a position."""
        return max(self.radix)

    @property
    def option_mask(self) -> Float[np.ndarray, "position option"]:
        """Return −inf where a position lacks an option, else 0; (position, option)."""
        there = np.arange(self.most_options) < np.array(self.radix)[:, None]
        return np.where(there, 0.0, -np.inf)

    def weight_count(self, outputs: int) -> int:
        """Return the number of weights of a net with so many outputs."""
        return (self.width + 1 + outputs) * self.hidden + outputs

    def initial_weights(
        self, outputs: int, normal: Float[np.ndarray, "row weight"]
    ) -> Float[np.ndarray, "row weight"]:
        """Scale normal numbers to initial weights with outputs close to 0.

        Args:
            outputs: Outputs of the net.
            normal: Standard normal numbers; shape (row, weight).

        Returns:
            Flat weights of the same shape; biases are 0.
        """
        hidden = self.width * self.hidden
        scale = np.zeros(self.weight_count(outputs))
        # By the mean number of ones in the input: half of the decisions, one position.
        scale[:hidden] = (len(self.radix) / 2 + 1) ** -0.5
        scale[hidden + self.hidden :][: outputs * self.hidden] = (
            0.01 * self.hidden**-0.5
        )
        return normal * scale

    def inputs(
        self,
        codes: Int[np.ndarray, "row item position"],
        context: Float[np.ndarray, "row item feature"],
    ) -> Float[np.ndarray, "row item position width"]:
        """Return the states in which architectures were built.

        Args:
            codes: Shape (row, item, position).
            context: Task features of each item; shape (row, item, feature).

        Returns:
            Shape (row, item, position, width); state i contains the decisions before i.
        """
        size, places = sum(self.radix), len(self.radix)
        owner = np.repeat(np.arange(places), self.radix)
        option = np.concatenate([np.arange(r) for r in self.radix])
        known = owner < np.arange(places)[:, None]
        found = np.zeros((*codes.shape, self.width))
        taken = codes[..., owner] == option
        found[..., :size] = taken[..., None, :] & known
        found[..., size : size + places] = np.eye(places)
        found[..., size + places :] = context[..., None, :]
        return found


class LayerWeights(NamedTuple):
    """Flat weights split by layer; shape (row, in, out), biases (row, 1, out)."""

    inner: Float[np.ndarray, "row width hidden"]
    inner_bias: Float[np.ndarray, "row 1 hidden"]
    outer: Float[np.ndarray, "row hidden output"]
    outer_bias: Float[np.ndarray, "row 1 output"]

    @classmethod
    def from_flat(
        cls, flat: Float[np.ndarray, "row weight"], frame: PolicyShape, outputs: int
    ) -> "LayerWeights":
        """Split flat weights into layers, without copying.

        Args:
            flat: Shape (row, weight).
            frame: Sizes of the net.
            outputs: Outputs of the net.
        """
        shapes = (
            (frame.width, frame.hidden),
            (1, frame.hidden),
            (frame.hidden, outputs),
            (1, outputs),
        )
        ends = np.cumsum([a * b for a, b in shapes])
        parts = np.split(flat, ends[:-1], axis=1)
        return cls(
            *(p.reshape(len(flat), *s) for p, s in zip(parts, shapes, strict=True))
        )

    def forward(
        self, inputs: Float[np.ndarray, "row item width"]
    ) -> tuple[
        Float[np.ndarray, "row item output"], Float[np.ndarray, "row item hidden"]
    ]:
        """Return outputs, (row, item, output), and hidden units, (row, item, hidden).

        Args:
            inputs: Shape (row, item, width).
        """
        hidden = np.tanh(inputs @ self.inner + self.inner_bias)
        return hidden @ self.outer + self.outer_bias, hidden

    def backward(
        self,
        inputs: Float[np.ndarray, "row item width"],
        hidden: Float[np.ndarray, "row item hidden"],
        wanted: Float[np.ndarray, "row item output"],
    ) -> Float[np.ndarray, "row weight"]:
        """Backpropagate gradients of the outputs to the flat weights.

        Args:
            inputs: Inputs of `forward`.
            hidden: Hidden units that it returned.
            wanted: Gradient of each output; shape (row, item, output).

        Returns:
            Shape (row, weight).
        """
        before = (wanted @ self.outer.transpose(0, 2, 1)) * (1.0 - hidden * hidden)
        parts = (
            inputs.transpose(0, 2, 1) @ before,
            before.sum(1),
            hidden.transpose(0, 2, 1) @ wanted,
            wanted.sum(1),
        )
        return np.concatenate([part.reshape(len(wanted), -1) for part in parts], 1)


def draw_architectures(
    frame: PolicyShape,
    weights: Float[np.ndarray, "row weight"],
    context: Float[np.ndarray, "row item feature"],
    uniform: Float[np.ndarray, "row item position"],
) -> tuple[
    Int[np.ndarray, "row item position"], Float[np.ndarray, "row item position option"]
]:
    """Draw architectures, one decision after the other.

    Args:
        frame: Sizes of the net.
        weights: Flat weights of the policy; shape (row, weight).
        context: Task features; shape (row, item, feature).
        uniform: Uniform in [0, 1); shape (row, item, position).

    Returns:
        Codes, shape (row, item, position), and the probabilities that each decision
        was drawn from, shape (row, item, position, option).
    """
    net, absent = (
        LayerWeights.from_flat(weights, frame, frame.most_options),
        frame.option_mask,
    )
    size, places = sum(frame.radix), len(frame.radix)
    rows, items = np.indices(uniform.shape[:2])
    state = np.zeros((*uniform.shape[:2], frame.width))
    state[..., size + places :] = context
    codes, prob, first = [], [], 0
    for place, options in enumerate(frame.radix):
        state[..., size : size + places] = np.arange(places) == place
        logits = net.forward(state)[0] + absent[place]
        codes.append(choose_options(logits, uniform[..., place]))
        prob.append(probabilities(logits))
        state[rows, items, first + codes[-1]] = 1.0
        first += options
    return np.stack(codes, -1), np.stack(prob, -2)
