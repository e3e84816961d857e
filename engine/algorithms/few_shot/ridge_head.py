"""Ridge regression in closed form, member first: a head that needs no steps."""

import torch
from torch import Tensor

EXACT = 100  # examples from which float32 is not enough


def ridge_head(features: Tensor, goals: Tensor, ridge: Tensor) -> Tensor:
    """Return the weights of least squared error plus λ times their squared norm.

    Of the two equal forms (Woodbury) the one with the smaller system is solved:
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
    """Solve (G + λ I) Z = Y, large systems in float64 where the device has it.

    What cannot be solved gives a Z that is no number instead of an error: a
    member that has diverged must not end the run.
    """
    large = gram.shape[1] > EXACT and gram.device.type != "mps"
    kind = torch.float64 if large else gram.dtype
    eye = torch.eye(gram.shape[1], dtype=kind, device=gram.device)
    system = gram.to(kind) + ridge.to(kind).view(-1, 1, 1) * eye
    return torch.linalg.solve_ex(system, goals.to(kind)).result.to(gram.dtype)
