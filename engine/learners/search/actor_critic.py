"""Actor-critic: sequential decisions, each credited by the change of predicted value.

Source: Mnih et al. (2016), arXiv:1602.01783; Schulman et al. (2016),
arXiv:1506.02438, for the advantages; Zoph and Le (2017), arXiv:1611.01578, for
architectures built decision by decision.
Differs: two nets of one hidden layer over the one-hot of the decisions so far; rewards
are standardized by those so far; a failed training has reward 0.
Helps: a decision's credit is not blurred by the others, and a decision can depend on
those before it; but two nets have to be learned within one search.
"""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from engine.algorithms.search.policy.actor_critic_nets import (
    init_size,
    initial_actor_critic,
)
from engine.algorithms.search.policy.policy_search import PolicySearch
from engine.algorithms.search.untrained_strategy import FixedStrategy
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.protocol import Meta, SearchBatch, TaskBatch, TraceSegment


@register("learner")
class ActorCritic(PolicySearch, FixedStrategy):
    """Δθ ∝ Σᵢ Âᵢ ∇ ln π(aᵢ | a₁…aᵢ₋₁) + c ∇ H, Âᵢ = Σⱼ λʲ [V(sᵢ₊ⱼ₊₁) − V(sᵢ₊ⱼ)]."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "magenta"

    rate: float = knob(
        0.02,
        label="Learning rate",
        unit="per update",
        low=1e-5,
        high=1.0,
        log=True,
        help="Adam's learning rate of the policy net.",
    )

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Search with newly initialized nets."""
        from scipy.special import ndtri  # here, as it takes long to import

        assert isinstance(tasks, SearchBatch)
        learning = self.update_context(
            tasks, np.zeros((tasks.members, 1, 0)), self.rate
        )
        # Clipped: the normal quantile of 0 is infinite.
        uniform = tasks.uniform("nets", init_size(learning.frame)).clip(
            1e-12, 1 - 1e-12
        )
        nets = initial_actor_critic(learning.frame, ndtri(uniform))
        yield from self.search(tasks, nets, learning, path=path)
