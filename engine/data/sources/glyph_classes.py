"""Classes of glyphs: the characters of a font, look-alikes merged, split into pools.

Latin A, Greek Α and Cyrillic А are one class; otherwise the same shape could be in
meta-training and in the test.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.contract.rng import Rng
from engine.data.sources import font_bitmaps

# Cosine similarity of blurred bitmaps from which on they are one class. No pair of
# this font is within 1e-5 of it, so that rounding decides nothing.
ALIKE = 0.919443
POOLS = ("train", "validation", "test")
SHARES = (0.64, 0.80)  # where the classes are cut: 64 / 16 / 20 %
HELD_OUT = frozenset({"ARMENIAN", "GEORGIAN", "HEBREW", "LAO", "TIFINAGH"})


@dataclass(frozen=True, eq=False)
class GlyphClasses:
    """Classes of glyphs; compared and hashed by identity.

    Args:
        characters: Of each class, the character with the lowest code point.
        depth: Signed distance of each pixel to the outline, in pixels, positive
            inside; float32, shape (class, 48, 48).
        pools: Indices of the classes of each pool, and of the held-out scripts.
    """

    characters: tuple[str, ...]
    depth: np.ndarray
    pools: dict[str, np.ndarray]


@lru_cache(maxsize=1)
def build_glyph_classes() -> GlyphClasses:
    """Draw all glyphs of the font, merge look-alikes and split the classes into pools.

    Raises:
        Refused: If the font is absent or another version.
    """
    every = font_bitmaps.font_characters()
    # The placeholder comes first: what looks like it is no character of the font.
    drawn = np.concatenate(
        [font_bitmaps.missing_glyph(), font_bitmaps.draw_bitmaps(every)]
    )
    firsts = distinct_indices(drawn)
    kept = tuple(every[place - 1] for place in firsts if place)
    depth = ink_depths(drawn[firsts[firsts > 0]])
    return GlyphClasses(
        kept, depth, _divide_pools([font_bitmaps.script(c) for c in kept])
    )


def distinct_indices(drawn: np.ndarray) -> np.ndarray:
    """Return the indices of the bitmaps that no earlier kept one looks like.

    Blanks are left out.

    Args:
        drawn: uint8; shape (glyph, side, side), side a multiple of 3.

    Returns:
        Ascending indices; shape (kept glyph,).
    """
    marked = np.flatnonzero(drawn.any(axis=(1, 2)))
    alike = _similarity_mask(drawn[marked])
    kept = np.ones(len(marked), bool)
    for place in range(len(marked)):
        if kept[place]:
            kept[place + 1 :] &= ~alike[place, place + 1 :]
    return marked[kept]


def _similarity_mask(drawn: np.ndarray) -> np.ndarray:
    return cosine_similarity(drawn) >= ALIKE


def cosine_similarity(drawn: np.ndarray) -> np.ndarray:
    """Return the cosine similarity of bitmaps, after blurring and downsampling.

    Args:
        drawn: uint8, none of them blank; shape (glyph, side, side), side a multiple
            of 3.

    Returns:
        float32; shape (glyph, glyph).
    """
    from scipy.ndimage import gaussian_filter1d  # here, as it takes long to import

    count, side = len(drawn), drawn.shape[1] // 3
    small = drawn.reshape(count, side, 3, side, 3).mean((2, 4), dtype=np.float32)
    for axis in (1, 2):
        small = gaussian_filter1d(small, 0.5, axis=axis)
    flat = small.reshape(count, -1)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    return flat @ flat.T


def ink_depths(drawn: np.ndarray) -> np.ndarray:
    """Return the signed distance of each pixel to the outline, positive in the ink.

    Args:
        drawn: uint8, ink bright; shape (glyph, side, side).

    Returns:
        Pixels; float32, of the same shape.
    """
    from scipy.ndimage import distance_transform_edt

    inside = drawn > 127
    each = [distance_transform_edt(i) - distance_transform_edt(~i) for i in inside]
    return np.stack(each).astype(np.float32)


def _divide_pools(scripts: list[str]) -> dict[str, np.ndarray]:
    """Split the classes 64 / 16 / 20, after holding out whole scripts."""
    apart = np.array([script in HELD_OUT for script in scripts])
    # A fixed seed: the split is part of the data, not of a run.
    draw = np.random.Generator(np.random.Philox(key=Rng(0).child("glyphs").key()))
    order = draw.permutation(np.flatnonzero(~apart))
    cuts = np.round(np.array(SHARES) * len(order)).astype(int)
    parts = dict(zip(POOLS, np.split(order, cuts), strict=True))
    return {name: np.sort(some) for name, some in parts.items()} | {
        "held_out": np.flatnonzero(apart)
    }
