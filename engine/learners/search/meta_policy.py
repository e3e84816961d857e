"""Meta-policy: policy and value function learned on other tasks, then fine-tuned.

Source: Mnih et al. (2016), arXiv:1602.01783, for one actor-critic over parallel tasks;
Finn and Levine (2018), arXiv:1710.11622, on fine-tuning as adaptation; Wong et al.
(2018), arXiv:1803.02780, for architecture controllers transferred to new tasks.
Differs: no derivative through the fine-tuning; source tasks may be ordered by measured
difficulty; the nets may see features of the task.
Helps: what the source tasks have in common is known before the first evaluation of a
new one. Where the new task differs, fine-tuning has to unlearn it.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float

from engine.algorithms.search.knowledge.knowledge_base import space_fingerprint
from engine.algorithms.search.policy.actor_critic_nets import (
    ActorCriticNets,
    init_size,
    initial_actor_critic,
)
from engine.algorithms.search.policy.curriculum import Curriculum, CurriculumOrder
from engine.algorithms.search.policy.multi_task_training import (
    choose_source_tasks,
    draw_permutations,
    feature_scale,
    nets_mismatch,
    train_on_tasks,
    visible_task_features,
)
from engine.algorithms.search.policy.policy_search import PolicySearch, UpdateContext
from engine.algorithms.search.policy.sequence_policy import PolicyShape
from engine.algorithms.search.untrained_strategy import plan_searches
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.contract.run_spec import Budget
from engine.protocol import (
    Estimator,
    Meta,
    Outer,
    OuterStepContext,
    Plan,
    SearchBatch,
    TaskBatch,
    TraceSegment,
    generator,
)
from engine.protocol.member_chunks import broadcast_to_members


@register("learner")
class MetaPolicy(PolicySearch):
    """θ ← θ + β mean over T of Σᵢ Âᵢ ∇ ln π_θ(aᵢ | a₁…aᵢ₋₁, T); then actor-critic."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "blue"
    solves: ClassVar[frozenset[str]] = frozenset({"search"})
    trains: ClassVar[bool] = True

    meta_rate: float = knob(
        0.003,
        label="Meta learning rate β",
        unit="per evaluation",
        low=1e-5,
        high=1.0,
        log=True,
        help="Adam's learning rate of the policy net in meta-training.",
    )
    fine_tune: float = knob(
        0.01,
        label="Fine-tuning rate",
        unit="per update",
        low=0.0,
        high=1.0,
        help="Adam's learning rate of the policy net on the new task; 0 does not "
        "fine-tune.",
    )
    curriculum: CurriculumOrder = knob(
        "uniform",
        label="Curriculum",
        help="Order of the source tasks by measured difficulty: as drawn, easy or hard "
        "ones first, or one more whenever the easiest are mastered.",
    )
    told: Literal["nothing", "features"] = knob(
        "nothing",
        label="Task input",
        help="Whether the nets see the features of the task, if the space has any.",
    )
    shuffled: bool = knob(
        False,
        label="Shuffled sources",
        advanced=True,
        help="Negative control: accuracies are permuted among the architectures of "
        "each source task, so that nothing can be learned from them.",
    )

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return the reason why it cannot take these tasks; None if it can."""
        assert isinstance(tasks, SearchBatch)
        known = visible_task_features(tasks, told=self.told == "features")
        return nets_mismatch(meta.weights, tasks, known.shape[1])

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw nearly uniform nets, one pair per replicate."""
        assert isinstance(tasks, SearchBatch)
        known = visible_task_features(tasks, told=self.told == "features")
        frame = PolicyShape(tasks.space.radix, known.shape[1], self.hidden)
        streams = [generator(r.child("nets")) for r in rngs]
        nets = initial_actor_critic(
            frame, np.stack([s.normal(size=init_size(frame)) for s in streams])
        )
        weights, memory = nets.to_weights()
        count, key = len(rngs), [int(s.integers(2**62)) for s in streams]
        fixed = {
            "scale": np.tile(feature_scale(known[list(tasks.sources)]), (count, 1, 1)),
            "radix": np.tile(np.array(frame.radix, float), (count, 1)),
            "space": np.tile(space_fingerprint(tasks.space), (count, 1)),
        }
        weights |= {name: torch.from_numpy(array) for name, array in fixed.items()}
        curriculum = Curriculum.empty(count, len(tasks.sources)).to_memory()
        return Meta(weights, memory | curriculum | {"shuffle": torch.tensor(key)})

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Search with the meta-trained nets, fine-tuned on the way."""
        assert isinstance(tasks, SearchBatch)
        rows = {
            k: v.numpy()
            for k, v in broadcast_to_members(meta.weights, tasks.members).items()
        }
        learning = self._update_context(tasks, rows["scale"], 1, self.fine_tune)
        nets = ActorCriticNets.with_zero_moments(rows["policy"], rows["value"])
        yield from self.search(tasks, nets, learning, path=path)

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Search source tasks in parallel; every evaluation updates the nets."""
        assert isinstance(tasks, SearchBatch)
        course = Curriculum.from_memory(meta.memory)
        places, tasks = choose_source_tasks(
            course, self.curriculum, tasks, step_context
        )
        scale = broadcast_to_members(meta.weights, tasks.members)["scale"].numpy()
        learning = self._update_context(tasks, scale, places.shape[1], self.meta_rate)
        keys = [Rng(int(key)) for key in meta.memory["shuffle"]]
        swap = draw_permutations(tasks, keys) if self.shuffled else None
        nets = ActorCriticNets.from_weights(meta.weights, meta.memory)
        found = train_on_tasks(self, nets, tasks, learning, swap)
        course = course.update(places, found.value)
        weights, memory = found.nets.to_weights()
        info = found.info | course.coverage_metrics(places)
        return Outer(
            meta.memory | memory | course.to_memory(),
            {name: torch.from_numpy(array) for name, array in info.items()},
            weights=meta.weights | weights,
        )

    def plan(self, budget: Budget, estimator: Estimator) -> Plan:
        """Spend the budget on searches of source tasks."""
        return plan_searches(budget)

    def _update_context(
        self,
        tasks: SearchBatch,
        scale: Float[np.ndarray, "member 2 feature"],
        items: int,
        rate: float,
    ) -> UpdateContext:
        known = visible_task_features(tasks, told=self.told == "features")[
            tasks.task_index
        ]
        context = (known - scale[:, 0]) / scale[:, 1]
        rows = tasks.members // items
        context = context.reshape(rows, items, known.shape[1])
        return self.update_context(tasks, context, rate)
