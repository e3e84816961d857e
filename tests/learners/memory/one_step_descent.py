"""What one layer of linear attention can reach on linear regression, in closed form.

Let y = wᵀx + σ n, w ~ N(0, I / d), x ~ N(0, I), and n examples. A layer reads Σ p(z_i)
q(z_i, z_q) / n, p linear and q bilinear in tokens z = (x, y, 1). The error is convex in
the coefficients of the products, and does not change where all x and w are rotated, or
all y and w are negated. So the average of an optimum over these symmetries is one, too,
and the only product that survives it is a multiple of b · x_q, b = Σ y_i x_i / n: one
step of gradient descent from 0, of some size η. With S = Σ x_i x_iᵀ / n, E S = I and
E S² = (1 + (d + 1) / n) I for normal inputs:

E (y_q − η b · x_q)² = E |w − η S w|² + η² σ² E tr S / n + σ²
                     = 1 − 2η + η² (1 + (d + 1) / n + σ² d / n) + σ²,

least at η = 1 / (1 + (d + 1 + σ² d) / n), where it is 1 − η + σ². As in theorem 1 of
Ahn et al. (2023), arXiv:2306.00297, for isotropic inputs without noise.
"""


def best_step(dimensions: int, count: int, noise: float = 0.0) -> float:
    """Return the best step size η of one step of gradient descent from 0."""
    return 1.0 / (1.0 + (dimensions + 1 + noise**2 * dimensions) / count)


def one_step_error(
    step: float, dimensions: int, count: int, noise: float = 0.0
) -> float:
    """Return the expected squared error of one step of gradient descent from 0."""
    squared = 1.0 / best_step(dimensions, count, noise)
    return 1.0 - 2.0 * step + step**2 * squared + noise**2
