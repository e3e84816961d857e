"""A meta-learned net as a module of torch."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from engine.contract.errors import Refused
from engine.protocol import EpisodeBatch, Layout, Net

if TYPE_CHECKING:
    from engine.executors.frozen_learner import FrozenParts


class FrozenNet(nn.Module):
    """A net with meta-learned weights; (example, *shape) → (example, output).

    The parameters are trainable: of a start (MAML, Reptile, …) take a few steps on your
    support set; an embedding (ProtoNet, R2-D2) you use as it is. A net with batch
    normalization normalizes by the examples that it is given together, in training and
    evaluation alike, as the lab's nets do.

    Attributes:
        role: "start" or "embedding".
        shape: Shape of one example: (feature,), or (channel, height, width).
        outputs: Outputs of the head; 0 for an embedding, which has none.
    """

    def __init__(self, net: Net, layout: Layout, weights: dict[str, Tensor]) -> None:
        super().__init__()
        self._net = net
        self._names = layout.names
        for name in layout.names:
            held = weights[name][0].clone()
            if name in layout.buffers:
                self.register_buffer(name, held)
            else:
                self.register_parameter(name, nn.Parameter(held))
        self.role, self.shape, self.outputs = "", (), 0

    def forward(self, x: Tensor) -> Tensor:
        """Run the net.

        Args:
            x: Examples; shape (example, *shape), or (example, feature) if flattened.

        Returns:
            Logits, predictions or features; shape (example, output).
        """
        weights = {name: getattr(self, name)[None] for name in self._names}
        flat = x.reshape(len(x), -1).T[None]
        return self._net.apply(weights, flat)[0].T  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        """Describe it in torch's listing."""
        return f"{self._net.name}, {self.role}, shape={self.shape}"


def make_net(parts: "FrozenParts", weights: dict[str, Tensor]) -> FrozenNet:
    """Return the net of a frozen learner.

    Raises:
        Refused: If the net alone is not what the learner has learned.
    """
    learner, tasks = parts
    if not learner.net_role or not isinstance(tasks, EpisodeBatch):
        raise Refused(
            f"{learner.name} is no net by itself: what it has learned is more than the "
            "weights of one; its arrays are in `weights`",
            "learner",
        )
    if tasks.net.support_statistics:
        raise Refused(
            f"{tasks.net.name} normalizes queries by their support set, which a module "
            "does not have; choose another normalization",
            "net",
        )
    layout = tasks.layout if learner.net_role == "start" else tasks.body
    made = FrozenNet(tasks.net, layout, weights)
    made.role, made.shape = learner.net_role, tasks.shape
    made.outputs = tasks.outputs if learner.net_role == "start" else 0
    return made.to(torch.float32)
