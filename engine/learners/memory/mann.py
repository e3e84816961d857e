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

from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.algorithms.few_shot.inspected_episodes import memory_map
from engine.algorithms.few_shot.least_recently_used_memory import (
    MemoryRules,
    SlotMemory,
    access_memory,
    empty_memory,
)
from engine.algorithms.few_shot.sequence_reader import (
    ReadStep,
    read_states,
    support_inputs,
)
from engine.algorithms.few_shot.step_learner import READ_OUT, StepLearner
from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.nets.dense import apply_dense, init_dense
from engine.nets.lstm import apply_lstm, init_lstm
from engine.protocol import EpisodeBatch, Inspection, Meta, TaskBatch, Weights


@register("learner")
class Mann(StepLearner):
    """w^w_t = σ(α) w^r_{t−1} + (1 − σ(α)) w^lu_{t−1}; ŷ_t = W [h_t, r_t] + b."""

    version: ClassVar[int] = 1
    short: ClassVar[str] = "MANN"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True

    hidden: int = knob(
        100,
        label="Controller size",
        unit="units",
        low=1,
        high=1024,
        work="size",
        help="Units of the LSTM that reads inputs and makes keys; 200 in the paper.",
    )
    slots: int = knob(
        32,
        label="Memory slots",
        unit="slots",
        low=1,
        high=1024,
        work="size",
        help="How many things can be stored; 128 in the paper.",
    )
    width: int = knob(
        20,
        label="Slot width",
        unit="numbers",
        low=1,
        high=256,
        work="size",
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

    def init_net(self, inputs: int, outputs: int, rng: Rng) -> Weights:
        """Draw the controller and the layers for keys, gates and answers.

        Raises:
            Refused: If there are fewer slots than heads.
        """
        if self.slots < self.heads:
            raise Refused(
                f"{self.heads} heads write to as many slots, and there are only "
                f"{self.slots}; give it more slots or fewer heads",
                "slots",
            )
        reads = self.heads * self.width
        cell = init_lstm(inputs + reads, self.hidden, 1, rng.child("cell"))
        layers = {
            "key.": (self.hidden, reads),
            "gate.": (self.hidden, self.heads),
            READ_OUT: (self.hidden + reads, outputs),
        }
        return cell | {
            prefix + name: value
            for prefix, sizes in layers.items()
            for name, value in init_dense(sizes, rng.child(prefix), last=1.0).items()
        }

    def start(self, theta: Weights, tasks: EpisodeBatch) -> Weights:
        """Return an empty memory, and a controller and reads of zeros."""
        like, groups = tasks.support.x, len(theta[f"{READ_OUT}b0"])
        batch = groups, tasks.members // groups
        memory = empty_memory(batch, self.slots, self.width, self.heads, like)
        zero = like.new_zeros(*batch, self.hidden)
        reads = like.new_zeros(*batch, self.heads * self.width)
        return {"h0": zero, "c0": zero, "reads": reads, **memory._asdict()}

    def step(self, theta: Weights) -> ReadStep:
        """Return one step of controller and memory."""
        write_first = self.order == "write_first"
        rules = MemoryRules(self.decay, self.strength, write_first)

        def advance(x: Tensor, state: Weights) -> tuple[Tensor, Weights]:
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
            answer = apply_dense(theta, both, READ_OUT).mT
            hidden = {name: value.mT for name, value in after.items()}
            return answer, hidden | {"reads": reads} | memory._asdict()

        return advance

    def inspect(self, meta: Meta, tasks: TaskBatch) -> dict[str, Inspection]:
        """Show the usage of the memory over the first episode's support."""
        assert isinstance(tasks, EpisodeBatch)
        some, theta = tasks.first_tasks(1), meta.weights
        with torch.no_grad():
            inputs = support_inputs(theta, some)
            start = self.start(theta, some)
            states = read_states(inputs, tasks.replicates, start, self.step(theta))
            usage = torch.stack([state["usage"][:, 0] for _, state in states], 1)
        return {"memory_usage": memory_map(usage)}
