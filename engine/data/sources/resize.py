"""Images as arrays of bytes, 255 being bright."""

import numpy as np


def block_average(images: np.ndarray, side: int) -> np.ndarray:
    """Average square images down, in blocks, to side × side pixels.

    Args:
        images: uint8; shape (…, height, width), both a multiple of `side`.
        side: Pixels of each side.

    Returns:
        uint8, rounded; the images themselves where they have that size already.

    >>> block_average(np.array([[[0, 4], [8, 12]]], np.uint8), 1).tolist()
    [[[6]]]
    """
    whole = images.shape[-1]
    if whole == side:
        return images
    block = whole // side
    cut = images.reshape(*images.shape[:-2], side, block, side, block)
    total = cut.sum(axis=(-3, -1), dtype=np.uint32)
    area = block * block
    return ((total + area // 2) // area).astype(np.uint8)
