"""Small inner problems whose outer gradient is known without any estimator."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.contract.rng import Rng
from engine.protocol import (
    Estimator,
    Meta,
    Outer,
    OuterStepContext,
    UnrollableProblem,
    UnrollWindow,
    Weights,
    generator,
)
from engine.protocol.member_chunks import broadcast_to_members

DOUBLE = torch.float64


@dataclass
class Influence:
    """Influence balancing: s ← A s + θ·signs, the loss being ½ (s₁ − 1)².

    Source: Tallec and Ollivier (2017), arXiv:1705.08209; n = 23, ten signs positive.
    At rest s₁ = −6 θ, so θ* = −1/6, though at once a larger θ seems to pay.
    """

    replicates: int = 1
    tasks: int = 1
    horizon: int = 3000
    exploration_weights: tuple[str, ...] = ()
    signs: Tensor = field(
        default_factory=lambda: torch.tensor([1.0] * 10 + [-1.0] * 13, dtype=DOUBLE)
    )

    def start(self, theta: float) -> Weights:
        return {"theta": torch.full((self.replicates, 1), theta, dtype=DOUBLE)}

    def begin(self, particles: int) -> Weights:
        members = self.replicates * particles * self.tasks
        return {"s": torch.ones(members, len(self.signs), dtype=DOUBLE)}

    def segment(
        self, theta: Weights, state: Weights, span: UnrollWindow
    ) -> tuple[Weights, Tensor, Weights]:
        s, push = (
            state["s"],
            broadcast_to_members(theta, len(state["s"]))["theta"] * self.signs,
        )
        scores = []
        for _ in range(span.length):
            following = torch.cat([s[:, 1:], torch.zeros_like(s[:, :1])], 1)
            s = 0.5 * s + 0.5 * following + push
            scores.append(0.5 * (s[:, 0] - 1).square())
        return {"s": s}, torch.stack(scores, 1), {}

    def at_rest(self, theta: float) -> Weights:
        """Return where the state comes to rest, the replicate first."""
        size = len(self.signs)
        held = 0.5 * torch.eye(size, dtype=DOUBLE)
        ahead = 0.5 * torch.diag(torch.ones(size - 1, dtype=DOUBLE), 1)
        matrix = torch.eye(size, dtype=DOUBLE) - held - ahead
        rest = torch.linalg.solve(matrix, theta * self.signs)
        return {"s": rest.expand(self.replicates, self.tasks, -1).clone()}


@dataclass
class NoisyBowl:
    """SGD on a noisy quadratic, in expectation: m ← (1 − α h)² m + (α h)².

    Source: Wu et al. (2018), arXiv:1803.02021. The meta-weights say each step's
    rate, between 0 and 1.9. A step's score is how much ½ Σ h m rises by it, so that
    over a window they sum to the loss at its end.
    """

    curvature: Tensor
    horizon: int
    replicates: int = 1
    tasks: int = 1
    exploration_weights: tuple[str, ...] = ()

    def loss(self, m: Tensor) -> Tensor:
        return 0.5 * (self.curvature * m).sum(1)

    def begin(self, particles: int) -> Weights:
        shape = (self.replicates * particles * self.tasks, len(self.curvature))
        return {"m": torch.full(shape, 10.0, dtype=DOUBLE)}

    def moved(self, m: Tensor, rate: Tensor) -> Tensor:
        step = rate[:, None] * self.curvature
        return (1 - step).square() * m + step.square()

    def segment(
        self, theta: Weights, state: Weights, span: UnrollWindow
    ) -> tuple[Weights, Tensor, Weights]:
        m, scores = state["m"], []
        rates = 1.9 * broadcast_to_members(theta, len(m))["rate"].sigmoid()
        for step in range(span.start, span.start + span.length):
            after = self.moved(m, rates[:, step])
            scores.append(self.loss(after) - self.loss(m))
            m = after
        return {"m": m}, torch.stack(scores, 1), {}


@dataclass
class Bandit:
    """One action a ~ N(μ, σ²), and its loss (a − target)²: a policy's shortest run."""

    replicates: int
    tasks: int
    target: float = 1.5
    horizon: int = 1
    inputs: int = 1
    exploration_weights: tuple[str, ...] = ("log_std",)

    def start(self, mean: float, log_std: float) -> Weights:
        made = torch.full((self.replicates, 1), mean, dtype=DOUBLE)
        return {"log_std": torch.full_like(made, log_std), "mean": made}

    def begin(self, particles: int) -> Weights:
        return {"x": torch.zeros(self.replicates * particles * self.tasks, 1)}

    def policy(self, theta: Weights, seen: Tensor) -> tuple[Tensor, Tensor]:
        return theta["mean"].expand(-1, seen.shape[2]), theta["log_std"]

    def segment(
        self, theta: Weights, state: Weights, span: UnrollWindow
    ) -> tuple[Weights, Tensor, Weights]:
        members = len(state["x"])
        here = broadcast_to_members(theta, members)
        each = members // self.replicates
        noise = [generator(r).standard_normal((each, 1)) for r in span.rngs]
        drawn = torch.cat([torch.from_numpy(n) for n in noise])
        action = here["mean"] + here["log_std"].exp() * drawn
        wrote = {
            "seen": torch.zeros(members, 1, 1, 1, dtype=DOUBLE),
            "action": action[:, None],
            "before": torch.zeros(members, 1, dtype=DOUBLE),
        }
        return state, (action - self.target).square(), wrote


def lesson_of(
    problem: UnrollableProblem, step: int, segments: int, root: str = "x"
) -> OuterStepContext:
    """Return the lesson of an outer step, with a stream of its own per replicate."""
    rngs = tuple(Rng(0).child(root, r, step) for r in range(problem.replicates))
    return OuterStepContext(step, step % segments, segments, rngs)


def estimates(
    estimator: Estimator, problem: UnrollableProblem, weights: Weights, segments: int
) -> list[Outer]:
    """Estimate segment after segment, the meta-weights held where they are."""
    memory = estimator.memory(weights, problem)
    found = []
    for step in range(segments):
        step_context = lesson_of(problem, step, segments)
        outer = estimator.estimate(Meta(weights, memory), problem, step_context)
        memory = outer.memory
        found.append(outer)
    return found
