"""Examples to be looked at: which of them, and images as bytes."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 42  # pixels that a shown image has at most, each way
ROOM = 100_000  # bytes that one task's examples, or one snapshot, may take


def leading_examples(y: Tensor, each: int) -> list[int]:
    """Return the first examples of each class; tasks may order them differently.

    All tasks keep the same positions, so a position stays if any task wants it.

    >>> leading_examples(torch.tensor([[0, 0, 1, 1]]), 1)
    [0, 2]
    """
    classes = F.one_hot(y)
    rank = (classes.cumsum(1) * classes).sum(2)
    return torch.nonzero((rank <= each).any(0)).flatten().tolist()


def image_bytes(images: Tensor) -> np.ndarray:
    """Return images as bytes, 0 to 1 or the whole range as 0 to 255, not too large.

    Args:
        images: Shape (task, example, channel, height, width).

    Returns:
        uint8; shape (task, example, height, width), and a last axis of three colors
        where there are as many channels.
    """
    step = pooling_stride(*images.shape[3:])
    if step > 1:
        small = F.avg_pool2d(images.flatten(0, 1), step)
        images = small.view(*images.shape[:2], *small.shape[1:])
    low, high = images.min().clamp(max=0.0), images.max().clamp(min=1.0)
    bright = (images - low) / (high - low)
    whole = (255.0 * bright).round().to(torch.uint8).cpu().numpy()
    if whole.shape[2] == 3:
        return np.moveaxis(whole, 2, -1)
    return np.asarray(whole[:, :, 0])


def pooling_stride(height: int, width: int) -> int:
    """Return how many pixels, each way, become one.

    >>> pooling_stride(28, 28), pooling_stride(105, 105)
    (1, 3)
    """
    return max(1, -(-max(height, width) // SIDE))


def display_bytes(shape: tuple[int, ...]) -> int:
    """Return how many bytes a shown example takes.

    >>> display_bytes((1, 28, 28)), display_bytes((1, 105, 105)), display_bytes((16,))
    (784, 1225, 64)
    """
    if len(shape) < 3:
        return 4 * math.prod(shape)
    step = pooling_stride(*shape[1:])
    return shape[0] * (shape[1] // step) * (shape[2] // step)


def to_numpy(tensor: Tensor) -> np.ndarray:
    """Return float32 or int64 numbers."""
    array = tensor.detach().cpu().numpy()
    return array.astype(np.float32 if array.dtype.kind == "f" else np.int64)
