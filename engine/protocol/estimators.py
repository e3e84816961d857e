"""Interface of gradient estimators, and of the inner problems that they unroll."""

from abc import abstractmethod
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

from torch import Tensor

from engine.contract.parts import Part
from engine.contract.rng import Rng
from engine.protocol.meta_types import Meta, Outer, OuterStepContext, Weights


class UnrollableProblem(Protocol):
    """An inner problem that an estimator can unroll a segment at a time.

    `exploration_weights` names the meta-weights that only a policy's noise depends
    on, not its mean action; estimators other than policy gradients skip them.
    """

    replicates: int
    tasks: int
    horizon: int
    exploration_weights: tuple[str, ...]

    def begin(self, particles: int) -> Weights:
        """Return the state at the start of a run, member first."""

    def segment(
        self, theta: Weights, state: Weights, span: "UnrollWindow"
    ) -> tuple[Weights, Tensor, Weights]:
        """Advance the run by some steps.

        Args:
            theta: Meta-weights; shape (group, …), a group being a replicate ×
                particle or a single member; a group's members are consecutive.
            state: From `begin` or the previous segment.
            span: The steps, and how they are differentiated.

        Returns:
            The new state, the objective at each step, shape (member, step), and
            what a policy recorded, shape (member, step, …).
        """


@runtime_checkable
class PolicyProblem(UnrollableProblem, Protocol):
    """An inner problem whose steps are a policy's actions.

    With noise streams in its window, `segment` records, for each step, `seen`
    (member, step, signal, layer), the sampled `action` (member, step, layer) and the
    objective `before` it (member, step). `inputs` is the number of signals.
    """

    inputs: int

    def policy(self, theta: Weights, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean actions and the log standard deviation of their noise.

        Args:
            theta: Meta-weights; shape (group, …).
            seen: Signals; shape (group, signal, item).

        Returns:
            Shapes (group, item) and (group, 1).
        """


class UnrollWindow(NamedTuple):
    """Steps `start` to `start + length` of a run.

    Args:
        start: First step.
        length: Number of steps.
        particles: Copies of each task, each with its own perturbed meta-weights.
        order: 0 no gradient; 1 through the updates only; 2 exact, through the inner
            gradients too.
        rngs: One stream per replicate for a policy's noise; empty for mean actions.
    """

    start: int
    length: int
    particles: int = 1
    order: int = 0
    rngs: tuple[Rng, ...] = ()


class Estimator(Part):
    """How the outer gradient is estimated.

    Attributes:
        needs_policy: Whether the learner must have a stochastic policy.
        compiles: Whether a meta-step with it can be compiled: it draws no random
            numbers.
    """

    slot: ClassVar[str] = "estimator"
    traits: ClassVar[tuple[str, ...]] = ("needs_policy",)
    needs_policy: ClassVar[bool] = False
    compiles: ClassVar[bool] = False

    @abstractmethod
    def window_length(self, horizon: int) -> int:
        """Return the number of inner steps that one outer step unrolls."""

    @abstractmethod
    def cost(self, horizon: int) -> float:
        """Return the task evaluations that one task costs per outer step."""

    @property
    def task_multiplier(self) -> int:
        """Return the factor on the number of tasks per step that the budget names."""
        return 1

    @abstractmethod
    def memory(self, weights: Weights, problem: UnrollableProblem) -> Weights:
        """Return the initial value of what is carried between outer steps."""

    @abstractmethod
    def estimate(
        self, meta: Meta, problem: UnrollableProblem, step_context: OuterStepContext
    ) -> Outer:
        """Estimate the outer gradient on these tasks."""
