"""Bernoulli arms: an arm pays 1 with its probability, else 0."""

from torch import Tensor

from engine.protocol import Weights
from engine.tasks.rl._bandit_family import Arms


class BernoulliArms(Arms):
    """Arm a pays 1 with probability p[a]; the logit of p[a] may walk."""

    uniforms = 1
    lowest = 0.0
    arm_rewards = "bernoulli"

    def means(self, parameters: Weights, walked: Tensor | None) -> Tensor:
        """Return probabilities; shape (member, lane, arm)."""
        chance = parameters["pays"].unsqueeze(1)
        return chance if walked is None else (chance.logit() + walked).sigmoid()

    def pay(self, mean: Tensor, noise: Tensor) -> Tensor:
        """Return 1 with the arm's probability."""
        return (noise[..., 0] < mean).to(mean)
