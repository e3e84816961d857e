"""Gaussian process regression in closed form, batched over members.

Every kernel is a map of the inputs, followed by a Gaussian of the distance or by an
inner product; so no tensor of shape (feature, point, point) is made.

Source: Rasmussen and Williams (2006), algorithm 2.1 for posterior and evidence, chapter
4 for the kernels, section 6.5 for least-squares classification; Wilson and Adams
(2013), arXiv:1302.4245, equation 12, for the spectral mixture.
"""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from engine.algorithms.few_shot.embedding_distances import squared_distances
from engine.contract.rng import Rng
from engine.protocol import Weights, generator, square_root

Kernel = Literal["rbf", "periodic", "cosine", "spectral", "linear"]
# Adam moves every weight by its rate, and log(hyperparameters) must move further than
# weights of a net; so they are stored divided by this.
SPEED = 10.0
NOISE_FLOOR = 1e-6  # variance; keeps the matrix of a smooth kernel positive definite
PREFIX = "gp."


class Posterior(NamedTuple):
    """The prediction of a Gaussian process.

    Args:
        mean: Shape (member, output, query).
        sd: With the noise; the same for all outputs; shape (member, query).
    """

    mean: Tensor
    sd: Tensor


class KernelStart(NamedTuple):
    """Where learning the hyperparameters begins; in units of inputs and targets.

    Args:
        length: Length scale ℓ; waves begin at the frequency 1/ℓ.
        period: Of the periodic kernel.
        amplitude: Standard deviation of the functions.
        noise: Standard deviation of the noise.
        components: Number of terms of the spectral mixture.
    """

    length: float = 1.0
    period: float = 4.0
    amplitude: float = 1.0
    noise: float = 0.1
    components: int = 4


def initial_hyperparameters(
    kernel: Kernel, start: KernelStart, size: int, rngs: Sequence[Rng], like: Tensor
) -> Weights:
    """Return hyperparameters to learn from, only those that the kernel has.

    Args:
        kernel: Its name.
        start: Their values.
        size: Number of features.
        rngs: One stream per replicate, for the directions of waves.
        like: A tensor of the wanted device and dtype.

    Returns:
        Names begin with "gp."; shape (replicate, …).
    """
    logs = {"amplitude": start.amplitude, "noise": start.noise}
    if kernel in ("rbf", "periodic"):
        logs["length"] = start.length
    if kernel == "periodic":
        logs["period"] = start.period
    count = len(rngs)
    found = {
        name: like.new_full((count,), math.log(value) / SPEED)
        for name, value in logs.items()
    }
    found["offset"] = like.new_zeros(count)
    if kernel in ("cosine", "spectral"):
        terms = start.components if kernel == "spectral" else 1
        drawn = torch.stack([_draw_frequencies(terms, size, rng) for rng in rngs])
        found["frequency"] = drawn.to(like) / start.length
    if kernel == "spectral":
        found["share"] = like.new_zeros(count, terms)
        # Half of the gap between two frequencies: the terms overlap.
        width = math.log(0.5 / start.length) / SPEED
        found["bandwidth"] = like.new_full((count, terms), width)
    return {f"{PREFIX}{name}": value for name, value in found.items()}


def _draw_frequencies(terms: int, size: int, rng: Rng) -> Tensor:
    """Draw directions with the lengths 1, 2, …; shape (term, feature)."""
    drawn = torch.from_numpy(
        generator(rng.child("frequency")).standard_normal((terms, size))
    )
    lengths = torch.arange(1, terms + 1, dtype=drawn.dtype).unsqueeze(1)
    return lengths * torch.nn.functional.normalize(drawn, dim=1)


def to_stable_dtype(theta: Weights, points: Tensor) -> tuple[Weights, Tensor]:
    """Convert hyperparameters and points to float64, where the device has it."""
    # Apple's GPUs (mps) have no float64.
    kind = points.dtype if points.device.type == "mps" else torch.float64
    own = {name: v.to(kind) for name, v in theta.items() if name.startswith(PREFIX)}
    return own, points.to(kind)


def positive_value(theta: Weights, name: str) -> Tensor:
    """Return a positive hyperparameter; shape (member, 1, 1), or (member, term)."""
    value = (SPEED * theta[f"{PREFIX}{name}"]).exp()
    return value.view(-1, 1, 1) if value.dim() == 1 else value


def noise_variance(theta: Weights) -> Tensor:
    """Return the variance of the noise; shape (member, 1, 1)."""
    return positive_value(theta, "noise").square() + NOISE_FLOOR


def covariance(kernel: Kernel, theta: Weights, points: Tensor) -> Tensor:
    """Return the prior covariance of the function's values.

    Args:
        kernel: Its name.
        theta: Hyperparameters of each member.
        points: Inputs or features x; shape (member, feature, point).

    Returns:
        Without noise; shape (member, point, point).
    """
    return positive_value(theta, "amplitude").square() * _correlation(
        kernel, theta, points
    )


def _correlation(kernel: Kernel, theta: Weights, x: Tensor) -> Tensor:
    """Return the kernel matrix at amplitude 1."""
    if kernel == "rbf":
        return _gaussian(x / positive_value(theta, "length"))
    if kernel == "periodic":
        # Chords of a circle: ‖Δ‖² = 4 sin²(π d / p), summed over the inputs.
        angles = 2.0 * math.pi * x / positive_value(theta, "period")
        return _gaussian(_on_circle(angles) / positive_value(theta, "length"))
    if kernel == "cosine":
        return _waves(theta, x)[:, 0]
    if kernel == "linear":
        return 1.0 + x.mT @ x
    width = positive_value(theta, "bandwidth").unsqueeze(-1).unsqueeze(-1)
    near = _gaussian(x.unsqueeze(1) * width)
    share = theta[f"{PREFIX}share"].mul(SPEED).softmax(1)
    return torch.einsum("mt,mtij->mij", share, near * _waves(theta, x))


def _gaussian(x: Tensor) -> Tensor:
    """Return exp(−½‖x − x′‖²); shape (…, point, point)."""
    flat = x.flatten(0, -3)
    return (-0.5 * squared_distances(flat, flat)).exp().unflatten(0, x.shape[:-2])


def _waves(theta: Weights, x: Tensor) -> Tensor:
    """Return cos ω·(x − x′) for each frequency; shape (member, term, point, point)."""
    angles = (theta[f"{PREFIX}frequency"] @ x).unsqueeze(2)
    wave = _on_circle(angles)
    return wave.mT @ wave


def _on_circle(angles: Tensor) -> Tensor:
    """Return cosines and sines, joined along the features."""
    return torch.cat([angles.cos(), angles.sin()], -2)


def factorize(matrix: Tensor) -> Tensor:
    """Return the Cholesky factor L; NaN, and no error, where there is none.

    A diverged member must not end the run.
    """
    factor, failed = torch.linalg.cholesky_ex(matrix)
    return factor.masked_fill((failed > 0).view(-1, 1, 1), torch.nan)


def add_noise(matrix: Tensor, noise: Tensor) -> Tensor:
    """Add the variance of the noise to the diagonal."""
    eye = torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
    return matrix + noise * eye


def condition(prior: Tensor, noise: Tensor, y: Tensor) -> Posterior:
    """Predict queries from a support.

    Args:
        prior: Covariance of support and queries, in this order, without noise; shape
            (member, support + query, support + query).
        noise: Variance of the noise; shape (member, 1, 1).
        y: Targets of the support, centered; shape (member, support, output).
    """
    seen = y.shape[1]
    factor = factorize(add_noise(prior[:, :seen, :seen], noise))
    white = torch.linalg.solve_triangular(factor, y, upper=False)
    gain = torch.linalg.solve_triangular(factor, prior[:, :seen, seen:], upper=False)
    left = prior.diagonal(dim1=1, dim2=2)[:, seen:] - gain.square().sum(1)
    # Rounding may take more variance than there is.
    variance = left.clamp(min=0.0) + noise.view(-1, 1)
    return Posterior(white.mT @ gain, square_root(variance))


def condition_on_earlier(prior: Tensor, noise: Tensor, y: Tensor) -> Posterior:
    """Predict each example from those before it, with one factorization.

    With K + σ²I = L Lᵀ and z = L⁻¹y, example i has mean Σ_{j<i} L_ij z_j and standard
    deviation L_ii given the earlier ones.

    Args:
        prior: Covariance of the examples; shape (member, example, example).
        noise: Variance of the noise; shape (member, 1, 1).
        y: Targets, centered; shape (member, example, output).
    """
    factor = factorize(add_noise(prior, noise))
    white = torch.linalg.solve_triangular(factor, y, upper=False)
    # Not y_i − L_ii z_i, whose rounding depends on the target that is predicted.
    mean = factor.tril(-1) @ white
    return Posterior(mean.mT, factor.diagonal(dim1=1, dim2=2))


def log_evidence(prior: Tensor, noise: Tensor, y: Tensor) -> Tensor:
    """Return the log marginal likelihood, summed over independent outputs.

    Args:
        prior: Covariance of the examples; shape (member, example, example).
        noise: Variance of the noise; shape (member, 1, 1).
        y: Targets, centered; shape (member, example, output).

    Returns:
        Nats; shape (member,).
    """
    factor = factorize(add_noise(prior, noise))
    white = torch.linalg.solve_triangular(factor, y, upper=False)
    volume = factor.diagonal(dim1=1, dim2=2).log().sum(1)
    constant = 0.5 * y.shape[1] * math.log(2.0 * math.pi)
    return -0.5 * white.square().sum((1, 2)) - y.shape[2] * (volume + constant)
