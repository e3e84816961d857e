"""Ridge regression in closed form, batched over members: a head without inner steps."""

import torch
from torch import Tensor

FLOAT32_LIMIT = 100  # larger systems lose too many digits in float32


def ridge_head(features: Tensor, goals: Tensor, ridge: Tensor) -> Tensor:
    """Return the weights that minimize squared error plus λ times their squared norm.

    Of two equal forms (Woodbury) the one with the smaller system is solved:
    W = X (Xᵀ X + λ I)⁻¹ Y over examples, or (X Xᵀ + λ I)⁻¹ X Y over features.

    Args:
        features: X; shape (member, feature, example).
        goals: Y; shape (member, example, output).
        ridge: λ > 0; shape (member,).

    Returns:
        Shape (member, feature, output); differentiable in all three.

    >>> x, y = torch.tensor([[[1.0, 2.0]]]), torch.tensor([[[1.0], [2.0]]])
    >>> round(ridge_head(x, y, torch.tensor([5.0])).item(), 6)
    0.5
    """
    if features.shape[2] <= features.shape[1]:
        return features @ solve_ridge(features.mT @ features, goals, ridge)
    return solve_ridge(features @ features.mT, features @ goals, ridge)


def solve_ridge(gram: Tensor, goals: Tensor, ridge: Tensor) -> Tensor:
    """Solve (G + λ I) Z = Y, large systems in float64 if the device supports it.

    A singular system gives a Z that is not finite instead of an error: a diverged
    member must not end the run.

    Args:
        gram: G; shape (member, size, size).
        goals: Y; shape (member, size, output).
        ridge: λ > 0; shape (member,).

    Returns:
        Z; shape (member, size, output), in G's dtype.
    """
    # Apple's GPUs (mps) have no float64.
    large = gram.shape[1] > FLOAT32_LIMIT and gram.device.type != "mps"
    kind = torch.float64 if large else gram.dtype
    eye = torch.eye(gram.shape[1], dtype=kind, device=gram.device)
    system = gram.to(kind) + ridge.to(kind).view(-1, 1, 1) * eye
    return torch.linalg.solve_ex(system, goals.to(kind)).result.to(gram.dtype)
