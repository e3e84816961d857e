"""The linear feature baseline: a value function refitted to every batch of episodes.

Source: Duan et al. (2016), arXiv:1604.06778, section 5 ("linear feature baseline"), as
the protocol of MAML-RL has it: Finn et al. (2017), arXiv:1703.03400, section 5.3.
Differs: time is a share of the longest episode, not of 100 steps.
"""

import torch
from torch import Tensor

from engine.algorithms.advantages import advantages
from engine.algorithms.rl.rollouts import Rollout

RIDGE = 1e-5  # keeps the solution unique where features coincide
FAR = 10.0  # bound on an observation, so that its square stays moderate


def feature_values(part: Rollout, discount: float) -> Tensor:
    """Return what the baseline of each task expects before each step.

    Args:
        part: Episodes; each task has its own baseline, fitted to its own episodes.
        discount: γ.

    Returns:
        Shape (member, episode, step).
    """
    alive = part.alive.to(part.reward)
    # λ = 1 with nothing expected: the advantages are the discounted returns.
    returns = advantages(part.reward, torch.zeros_like(alive), discount, 1.0)
    x = _features(part.observation).double().flatten(1, 2)
    # After the end, nothing is fitted.
    x = x * alive.flatten(1).unsqueeze(2)
    gram = x.mT @ x
    ridge = RIDGE * torch.eye(x.shape[2], dtype=x.dtype, device=x.device)
    right = x.mT @ returns.double().flatten(1).unsqueeze(2)
    fitted = x @ torch.linalg.solve(gram + ridge, right)
    return fitted.squeeze(2).view_as(alive).to(alive)


def _features(observation: Tensor) -> Tensor:
    """Return o, o², t, t², t³ and 1; shape (member, episode, step, feature)."""
    o = observation.clamp(-FAR, FAR)
    steps = o.shape[2]
    time = torch.arange(steps, device=o.device).to(o) / steps
    t = time.view(1, 1, -1, 1).expand(*o.shape[:3], 1)
    return torch.cat([o, o.square(), t, t.square(), t**3, torch.ones_like(t)], -1)
