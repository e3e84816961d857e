"""RL²: a recurrent policy whose hidden state learns each new environment.

Source: Duan et al. (2016), arXiv:1611.02779, sections 2.2 and 2.3; Wang et al. (2016),
arXiv:1611.05763, the same with A2C; Cho et al. (2014), arXiv:1406.1078, for the GRU.
Differs: 64 units, γ 1 and λ 0.9 by default (256, 0.99 and 0.3 in the paper), PPO or A2C
instead of TRPO, an entropy bonus that falls to 0, and one GRU for policy and value
function, which are two nets in the paper. The run's net is not used.
Helps: explores as the distribution of tasks asks for, without any update of weights;
what it has learned of an environment is lost when the trial ends.
"""

from typing import ClassVar

from torch import Tensor

from engine.algorithms.rl.memory_agent import MemoryNet
from engine.algorithms.rl.memory_learner import MemoryLearner
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.nets.gru import init_gru, read_gru
from engine.protocol import TrialBatch, Weights


class GruMemory(MemoryNet):
    """Keeps what it knows of a trial in the state of a GRU."""

    def __init__(self, inputs: int, hidden: int) -> None:
        self.inputs, self.features = inputs, hidden

    def init(self, rng: Rng) -> Weights:
        """Draw the cell."""
        return init_gru(self.inputs, self.features, rng)

    def start(self, members: int, like: Tensor) -> Weights:
        """Return a state of zeros; shape (member, 1, hidden)."""
        return {"state": like.new_zeros(members, 1, self.features)}

    def advance(
        self, weights: Weights, memory: Weights, x: Tensor
    ) -> tuple[Tensor, Weights]:
        """Take one step of the cell; its state is what the policy sees."""
        before = memory["state"][:, 0].unflatten(0, (len(x), -1)).mT
        state = read_gru(weights, x.unsqueeze(0), before)[0]
        return state, {"state": state.mT.flatten(0, 1).unsqueeze(1)}

    def read(self, weights: Weights, x: Tensor) -> Tensor:
        """Take all steps of the cell."""
        _, groups, _, trials = x.shape
        return read_gru(weights, x, x.new_zeros(groups, self.features, trials))


@register("learner")
class Rl2(MemoryLearner):
    """a_t ~ π(· | h_t), h_t = GRU(h_{t−1}, [o_t, a_{t−1}, r_{t−1}, d_{t−1}])."""

    version: ClassVar[int] = 2
    short: ClassVar[str] = "RL²"
    hue: ClassVar[str] = "blue"
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    trains: ClassVar[bool] = True

    hidden: int = knob(
        64,
        label="State size",
        unit="units",
        low=1,
        high=1024,
        work="size",
        help="Units of the GRU; they hold all that it remembers of a trial.",
    )

    def memory_net(self, inputs: int, tasks: TrialBatch) -> MemoryNet:
        """Return the cell."""
        return GruMemory(inputs, self.hidden)
