"""Shapes drawn as a hand would: slanted, bent, with thicker or paler strokes."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

ANGLE, STRETCH, SLANT, MOVE = 15.0, 0.2, 0.25, 0.06
CONTROL = 5


class Distortion(NamedTuple):
    """How much examples of one shape differ.

    Args:
        affine: Multiple of 15° of turn, 20 % of size, 0.25 of slant, 6 % of the
            side of place.
        elastic: Standard deviation of a smooth displacement, % of the side.
        stroke: Half the range of the thickness, % of the side.
        contrast: By how much ink may be paler than white, a share.
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
        depth: How many pixels inside its outline each pixel of an example's shape
            lies, negative outside; float32, (example, field, field).
        side: Pixels of each side of the result.
        wild: How much they are distorted.
        draw: Random numbers.

    Returns:
        float32 in [0, 1], ink bright; shape (example, side, side).
    """
    count, field = depth.shape[:2]
    inside = interpolate(depth, sample_positions(count, side, wild, draw))
    thicker = draw.uniform(-1.0, 1.0, (count, 1, 1)) * (wild.stroke * field / 100)
    inside += thicker.astype(np.float32)
    inside *= np.float32(side / field)  # in pixels of the result: edges one pixel wide
    inside += np.float32(0.5)
    ink = np.clip(inside, 0.0, 1.0, out=inside)
    ink *= (1.0 - wild.contrast * draw.random((count, 1, 1))).astype(np.float32)
    return ink


def sample_positions(
    count: int, side: int, wild: Distortion, draw: np.random.Generator
) -> np.ndarray:
    """Return where each pixel looks: down and right of the middle, in half sides.

    Returns:
        float32; shape (2, example, side, side).
    """
    linear = _linear_maps(count, wild.affine, draw)
    moved = wild.affine * 2 * MOVE * draw.uniform(-1.0, 1.0, (2, count, 1))
    bent = wild.elastic / 50 * draw.standard_normal((2, count, CONTROL * CONTROL))
    factors = np.concatenate([linear, moved, bent], axis=2).astype(np.float32)
    # torch keeps to the threads that it is given, also where numpy would not.
    where = torch.from_numpy(factors) @ torch.from_numpy(_displacement_fields(side))
    return where.numpy().reshape(2, count, side, side)


def interpolate(depth: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Look values up between pixels, bilinearly; beyond the edge they are the edge's.

    Args:
        depth: float32; shape (example, field, field).
        where: As `places` returns it; the middle is 0, the edges are −1 and 1.

    Returns:
        Shape (example, side, side).
    """
    across = torch.from_numpy(where[::-1].copy()).permute(1, 2, 3, 0)
    values = F.grid_sample(
        torch.from_numpy(depth)[:, None],
        across,
        padding_mode="border",
        align_corners=False,
    )
    return values[:, 0].numpy()


def _linear_maps(count: int, affine: float, draw: np.random.Generator) -> np.ndarray:
    """Return turn × slant × stretch of each example; shape (2, example, 2)."""
    random = affine * draw.uniform(-1.0, 1.0, (4, count))
    angle, slant = np.deg2rad(ANGLE) * random[0], SLANT * random[1]
    high, wide = np.exp(STRETCH * random[2:])
    cosine, sine = np.cos(angle), np.sin(angle)
    down = [cosine * high, (slant * cosine - sine) * wide]
    right = [sine * high, (slant * sine + cosine) * wide]
    return np.stack([down, right]).transpose(0, 2, 1)


@lru_cache(maxsize=8)
def _displacement_fields(side: int) -> np.ndarray:
    """Return how each pixel follows each factor; float32, shape (factor, pixel).

    The first three are affine: its place down and right of the middle, and one; the
    others are smooth bumps around a grid of points.
    """
    center = 2 * (np.arange(side) + 0.5) / side - 1
    down, right = np.meshgrid(center, center, indexing="ij")
    waves = _waves(side)
    bumps = np.einsum("rc,st->ctrs", waves, waves).reshape(-1, side, side)
    rows = np.concatenate([[down, right, np.ones_like(down)], bumps])
    return rows.reshape(len(rows), -1).astype(np.float32)


def _waves(side: int) -> np.ndarray:
    """Return smooth weights of the control points along a side; (side, control).

    Squares of each row sum to one, so that every pixel is displaced alike.
    """
    at = (np.arange(side) + 0.5) / side * (CONTROL - 1)
    near = np.exp(-0.5 * ((at[:, None] - np.arange(CONTROL)) / 0.7) ** 2)
    return near / np.sqrt((near**2).sum(axis=1, keepdims=True))
