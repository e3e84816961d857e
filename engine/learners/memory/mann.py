"""MANN: an LSTM with a memory of slots binds each label to what it was shown with.

Source: Santoro et al. (2016), arXiv:1605.06065, sections 2 and 3, equations 2 to 8.
Differs: with several heads the j-th writes to the j-th least used slot, and all slots
so chosen are emptied first; default sizes are smaller; the outer rule is a choice of
the run, RMSprop at 1e-4 in the paper; the run's net embeds inputs (an mlp of depth 0
passes them on as they are). A step reads before it writes (the indices of equation 8
are those of the opposite order, a knob), and the cosines can be sharpened.
Helps: where labels come one at a time: after one presentation a class is remembered,
and no gradient is taken at test.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.algorithms.few_shot.embedding_distances import feature_count
from engine.algorithms.few_shot.few_shot_learner import (
    FewShotLearner,
    draw_weights,
    outer_gradient,
)
from engine.algorithms.few_shot.inspected_episodes import first_episodes, memory_map
from engine.algorithms.few_shot.least_recently_used_memory import (
    MemoryRules,
    SlotMemory,
    access_memory,
    empty_memory,
)
from engine.algorithms.few_shot.sequence_reader import (
    ReadStep,
    input_size,
    read_episodes,
    read_states,
    support_inputs,
    why_other_ways,
)
from engine.algorithms.few_shot.sequences import shuffle_support
from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.nets.dense import apply_dense, init_dense, stack_members
from engine.nets.lstm import apply_lstm, init_lstm
from engine.protocol import (
    EpisodeBatch,
    Estimator,
    Inspection,
    Meta,
    Outer,
    OuterStepContext,
    Prediction,
    TaskBatch,
    Weights,
)


@register("learner")
class Mann(FewShotLearner):
    """w^w_t = σ(α) w^r_{t−1} + (1 − σ(α)) w^lu_{t−1}; ŷ_t = W [h_t, r_t] + b."""

    version: ClassVar[int] = 1
    short: ClassVar[str] = "MANN"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    reads_sequences: ClassVar[bool] = True

    hidden: int = knob(
        100,
        label="Controller size",
        unit="units",
        low=1,
        high=1024,
        help="Units of the LSTM that reads inputs and makes keys; 200 in the paper.",
    )
    slots: int = knob(
        32,
        label="Memory slots",
        unit="slots",
        low=1,
        high=1024,
        help="How many things can be stored; 128 in the paper.",
    )
    width: int = knob(
        20,
        label="Slot width",
        unit="numbers",
        low=1,
        high=256,
        help="Numbers in each slot; keys are as wide; 40 in the paper.",
    )
    heads: int = knob(
        2,
        label="Heads",
        unit="heads",
        low=1,
        high=16,
        help="Keys that are written, and read by, at each step; 4 in the paper.",
    )
    decay: float = knob(
        0.95,
        label="Decay γ of usage",
        low=0.0,
        high=1.0,
        help="How long a slot that was used is spared from being overwritten.",
        advanced=True,
    )

    strength: float = knob(
        1.0,
        label="Key strength β",
        low=0.1,
        high=100.0,
        log=True,
        help="Cosines are multiplied by it before the softmax; at 1, as in the paper, "
        "a read is an average over nearly all slots.",
    )

    order: Literal["read_first", "write_first"] = knob(
        "read_first",
        label="Order of a step",
        help="Read first: from what earlier steps wrote. Write first: a read mostly "
        "finds the key that was just written.",
        advanced=True,
    )

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw embedding, controller and layers of each replicate; memory is empty.

        Raises:
            Refused: If there are fewer slots than heads.
        """
        assert isinstance(tasks, EpisodeBatch)
        if self.slots < self.heads:
            raise Refused(
                f"{self.heads} heads write to as many slots, and there are only "
                f"{self.slots}; give it more slots or fewer heads",
                "slots",
            )
        like = tasks.support.x
        weights = draw_weights(tasks.net, tasks.body, rngs, like)
        size = input_size(feature_count(weights, tasks), tasks)
        nets = [self._init_net(size, tasks.outputs, rng) for rng in rngs]
        drawn = {name: v.to(like) for name, v in stack_members(nets).items()}
        return Meta(weights | drawn, {})

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return why targets of other sizes cannot be read; None if they can."""
        assert isinstance(tasks, EpisodeBatch)
        weights = meta.weights
        return why_other_ways(weights["readout.b0"], tasks) if weights else None

    def training_tasks(self, tasks: TaskBatch, rng: Rng) -> TaskBatch:
        """Return the episodes with their supports in a random order."""
        assert isinstance(tasks, EpisodeBatch)
        return shuffle_support(tasks, rng)

    def predict(self, theta: Weights, tasks: EpisodeBatch) -> Iterator[Prediction]:
        """Read the support, then each query from the memory that it leaves."""
        yield Prediction(0, self._answer(theta, tasks))

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Differentiate the query loss through all reads and writes."""

        def task_loss(theta: Weights, batch: EpisodeBatch) -> Tensor:
            return batch.each_loss(self._answer(theta, batch), batch.query.y).mean(1)

        return outer_gradient(meta, tasks, task_loss, per_member=False)

    def inspect(self, meta: Meta, tasks: TaskBatch) -> dict[str, Inspection]:
        """Show the usage of the memory over the first episode's support."""
        assert isinstance(tasks, EpisodeBatch)
        some, theta = first_episodes(tasks), meta.weights
        with torch.no_grad():
            inputs = support_inputs(theta, some)
            start = self._start(theta, some)
            states = read_states(inputs, tasks.replicates, start, self._step(theta))
            usage = torch.stack([state["usage"][:, 0] for _, state in states], 1)
        return {"memory_usage": memory_map(usage)}

    def _init_net(self, inputs: int, outputs: int, rng: Rng) -> Weights:
        reads = self.heads * self.width
        cell = init_lstm(inputs + reads, self.hidden, 1, rng.child("cell"))
        layers = {
            "key.": (self.hidden, reads),
            "gate.": (self.hidden, self.heads),
            "readout.": (self.hidden + reads, outputs),
        }
        return cell | {
            prefix + name: value
            for prefix, sizes in layers.items()
            for name, value in init_dense(sizes, rng.child(prefix), last=1.0).items()
        }

    def _answer(self, theta: Weights, tasks: EpisodeBatch) -> Tensor:
        start = self._start(theta, tasks)
        return read_episodes(theta, tasks, start, self._step(theta))

    def _start(self, theta: Weights, tasks: EpisodeBatch) -> Weights:
        """Return the state before the first input; shape (group, item, …)."""
        like, groups = tasks.support.x, len(theta["readout.b0"])
        batch = groups, tasks.members // groups
        memory = empty_memory(batch, self.slots, self.width, self.heads, like)
        zero = like.new_zeros(*batch, self.hidden)
        reads = like.new_zeros(*batch, self.heads * self.width)
        return {"h0": zero, "c0": zero, "reads": reads, **memory._asdict()}

    def _step(self, theta: Weights) -> ReadStep:
        """Return the function that reads one input."""
        write_first = self.order == "write_first"
        rules = MemoryRules(self.decay, self.strength, write_first)

        def step(x: Tensor, state: Weights) -> tuple[Tensor, Weights]:
            seen = torch.cat([x, state["reads"]], 2).mT
            before = {name: state[name].mT for name in ("h0", "c0")}
            out, after = apply_lstm(theta, seen, before)
            keys = torch.tanh(apply_dense(theta, out, "key.").mT)
            gates = torch.sigmoid(apply_dense(theta, out, "gate.").mT)
            memory = SlotMemory(*(state[name] for name in SlotMemory._fields))
            of_heads = keys.unflatten(2, (self.heads, self.width))
            found, memory = access_memory(memory, of_heads, gates, rules)
            reads = found.flatten(2)
            both = torch.cat([out, reads.mT], 1)
            answer = apply_dense(theta, both, "readout.").mT
            hidden = {name: value.mT for name, value in after.items()}
            return answer, hidden | {"reads": reads} | memory._asdict()

        return step
