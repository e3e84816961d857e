"""Random distortions of shapes, like handwriting: slant, bending, stroke, paleness."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

# Half ranges at affine = 1: degrees, log size, shear, share of the side.
ANGLE, STRETCH, SLANT, MOVE = 15.0, 0.2, 0.25, 0.06
CONTROL = 5  # control points of the elastic displacement along each side


class Distortion(NamedTuple):
    """How much examples of one shape differ.

    Args:
        affine: 1 rotates by up to 15°, scales by 20 %, shears by 0.25 and shifts by
            6 % of the side; 2 by twice as much.
        elastic: Standard deviation of a smooth displacement, in % of the side.
        stroke: Largest change of an outline, inward or outward, in % of the side.
        contrast: Largest share by which ink is paler than white.
    """

    affine: float
    elastic: float
    stroke: float
    contrast: float


def draw_shapes(
    depth: np.ndarray, side: int, wild: Distortion, draw: np.random.Generator
) -> np.ndarray:
    """Draw distorted shapes.

    Args:
        depth: Signed distance to the shape's outline, in pixels, positive inside;
            float32, shape (example, field, field).
        side: Side of the result, in pixels.
        wild: How much the shapes are distorted.
        draw: Random numbers.

    Returns:
        float32 in [0, 1], ink bright; shape (example, side, side).
    """
    count, field = depth.shape[:2]
    inside = interpolate(depth, sample_positions(count, side, wild, draw))
    thicker = draw.uniform(-1.0, 1.0, (count, 1, 1)) * (wild.stroke * field / 100)
    inside += thicker.astype(np.float32)
    inside *= np.float32(side / field)  # in pixels of the result: edges one pixel wide
    inside += np.float32(0.5)  # a pixel on the outline is half ink
    ink = np.clip(inside, 0.0, 1.0, out=inside)
    ink *= (1.0 - wild.contrast * draw.random((count, 1, 1))).astype(np.float32)
    return ink


def sample_positions(
    count: int, side: int, wild: Distortion, draw: np.random.Generator
) -> np.ndarray:
    """Return the position that each pixel of a distorted image is sampled from.

    Args:
        count: Number of examples.
        side: Side of the result, in pixels.
        wild: How much they are distorted.
        draw: Random numbers.

    Returns:
        (down, right) from the center, in half sides; float32, shape (2, example, side,
        side).
    """
    linear = _linear_maps(count, wild.affine, draw)
    moved = wild.affine * 2 * MOVE * draw.uniform(-1.0, 1.0, (2, count, 1))
    bent = wild.elastic / 50 * draw.standard_normal((2, count, CONTROL * CONTROL))
    factors = np.concatenate([linear, moved, bent], axis=2).astype(np.float32)
    # torch respects the process's thread limit; numpy's BLAS may not.
    where = torch.from_numpy(factors) @ torch.from_numpy(_displacement_fields(side))
    return where.numpy().reshape(2, count, side, side)


def interpolate(depth: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Sample images at given positions: bilinear, the edge repeated outside.

    Args:
        depth: float32; shape (example, field, field).
        where: From `sample_positions`: the center is 0, the edges are −1 and 1; shape
            (2, example, side, side).

    Returns:
        Shape (example, side, side).
    """
    # grid_sample wants (right, down).
    across = torch.from_numpy(where[::-1].copy()).permute(1, 2, 3, 0)
    values = F.grid_sample(
        torch.from_numpy(depth)[:, None],
        across,
        padding_mode="border",
        align_corners=False,
    )
    return values[:, 0].numpy()


def _linear_maps(count: int, affine: float, draw: np.random.Generator) -> np.ndarray:
    """Return rotation × shear × scale of each example; shape (2, example, 2)."""
    random = affine * draw.uniform(-1.0, 1.0, (4, count))
    angle, slant = np.deg2rad(ANGLE) * random[0], SLANT * random[1]
    high, wide = np.exp(STRETCH * random[2:])
    cosine, sine = np.cos(angle), np.sin(angle)
    down = [cosine * high, (slant * cosine - sine) * wide]
    right = [sine * high, (slant * sine + cosine) * wide]
    return np.stack([down, right]).transpose(0, 2, 1)


@lru_cache(maxsize=8)
def _displacement_fields(side: int) -> np.ndarray:
    """Return the displacement field of each factor; float32, shape (factor, pixel).

    The first three are affine: the pixel's position (down, right) and a constant; the
    others are smooth bumps around a grid of control points.
    """
    center = 2 * (np.arange(side) + 0.5) / side - 1
    down, right = np.meshgrid(center, center, indexing="ij")
    waves = _waves(side)
    bumps = np.einsum("rc,st->ctrs", waves, waves).reshape(-1, side, side)
    rows = np.concatenate([[down, right, np.ones_like(down)], bumps])
    return rows.reshape(len(rows), -1).astype(np.float32)


def _waves(side: int) -> np.ndarray:
    """Return smooth weights of the control points along a side; (side, control).

    The squares of each row sum to 1: every pixel's displacement has the same variance.
    """
    at = (np.arange(side) + 0.5) / side * (CONTROL - 1)
    near = np.exp(-0.5 * ((at[:, None] - np.arange(CONTROL)) / 0.7) ** 2)
    return near / np.sqrt((near**2).sum(axis=1, keepdims=True))
