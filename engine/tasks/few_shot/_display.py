"""Examples to display: which of them, and images as bytes."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 42  # largest side of a displayed image, in pixels
ROOM = 100_000  # most bytes of one task's examples, or of one snapshot


def leading_examples(y: Tensor, each: int) -> list[int]:
    """Return the positions of each class's first examples; tasks may order differently.

    All tasks share the positions, so one is kept if any task needs it.

    Args:
        y: Class labels; int64, shape (task, example).
        each: Examples per class.

    >>> leading_examples(torch.tensor([[0, 0, 1, 1]]), 1)
    [0, 2]
    """
    classes = F.one_hot(y)
    rank = (classes.cumsum(1) * classes).sum(2)
    return torch.nonzero((rank <= each).any(0)).flatten().tolist()


def image_bytes(images: Tensor) -> np.ndarray:
    """Return images as bytes, downscaled to `SIDE` pixels at most.

    Args:
        images: Shape (task, example, channel, height, width).

    Returns:
        uint8; shape (task, example, height, width), with a last axis of three colors
        for color images.
    """
    step = pooling_stride(*images.shape[3:])
    if step > 1:
        small = F.avg_pool2d(images.flatten(0, 1), step)
        images = small.view(*images.shape[:2], *small.shape[1:])
    # Pixels in [0, 1] keep their brightness; shifted ones are scaled to fit.
    low, high = images.min().clamp(max=0.0), images.max().clamp(min=1.0)
    bright = (images - low) / (high - low)
    whole = (255.0 * bright).round().to(torch.uint8).cpu().numpy()
    if whole.shape[2] == 3:
        return np.moveaxis(whole, 2, -1)
    return np.asarray(whole[:, :, 0])


def pooling_stride(height: int, width: int) -> int:
    """Return the side of the square of pixels that is averaged into one.

    Args:
        height: In pixels.
        width: In pixels.

    >>> pooling_stride(28, 28), pooling_stride(105, 105)
    (1, 3)
    """
    return max(1, -(-max(height, width) // SIDE))


def display_bytes(shape: tuple[int, ...]) -> int:
    """Return the bytes that a displayed example takes.

    Args:
        shape: Shape of one example: (feature,), or (channel, height, width).

    >>> display_bytes((1, 28, 28)), display_bytes((1, 105, 105)), display_bytes((16,))
    (784, 1225, 64)
    """
    if len(shape) < 3:
        return 4 * math.prod(shape)
    step = pooling_stride(*shape[1:])
    return shape[0] * (shape[1] // step) * (shape[2] // step)


def to_numpy(tensor: Tensor) -> np.ndarray:
    """Return a tensor as a float32 or int64 array."""
    array = tensor.detach().cpu().numpy()
    return array.astype(np.float32 if array.dtype.kind == "f" else np.int64)
