"""Convolutions for many members at once: one group of channels per member.

Images have the shape (example, member · channel, row, column).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.contract.errors import Refused
from engine.protocol import Weights


def image_sides(shape: tuple[int, ...], least: int) -> tuple[int, int]:
    """Return the channels and the side of square images.

    Args:
        shape: Shape of one example: (channel, height, width).
        least: Smallest side, in pixels, that the net can take.

    Raises:
        Refused: If examples are not images, not square, or too small.
    """
    if len(shape) != 3:
        raise Refused(
            f"this net takes images, but an example has the shape {shape}; choose "
            "the net mlp, or image tasks",
            "net",
        )
    channels, rows, columns = shape
    if rows != columns or rows < least:
        raise Refused(
            f"images are {rows} × {columns}; this net takes square images of at least "
            f"{least} × {least}; choose the net mlp, or other images",
            "net",
        )
    return channels, rows


def check_pixels(kind: str, side: int) -> None:
    """Check that a channel has enough pixels to be normalized by.

    Args:
        kind: A `Normalization`.
        side: Pixels of the channel's side.

    Raises:
        Refused: If a channel would be a single pixel, which normalizes to 0.
    """
    if kind == "instance" and side < 2:
        raise Refused(
            "normalization by instance needs channels of more than one pixel, and "
            "images this small have one in the last block; choose group or layer",
            "net.knobs.normalization",
        )


def to_images(x: Tensor, channels: int) -> Tensor:
    """Reshape flat examples to images.

    Args:
        x: Shape (member, channel · row · column, example).
        channels: Channels of each image.

    Returns:
        Shape (example, member · channel, row, column).
    """
    members, features, examples = x.shape
    side = math.isqrt(features // channels)
    flat = x.permute(2, 0, 1)
    images = flat.reshape(examples, members * channels, side, side)
    # Channels last is the faster format of an ungrouped convolution.
    if members == 1:
        return images.contiguous(memory_format=torch.channels_last)
    return images


def to_features(images: Tensor, members: int) -> Tensor:
    """Reshape images to features; the inverse of `to_images`.

    Args:
        images: Shape (example, member · channel, row, column).
        members: Number of members.

    Returns:
        Shape (member, channel · row · column, example).
    """
    return images.reshape(len(images), members, -1).permute(1, 2, 0)


def convolve_members(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int = 1
) -> Tensor:
    """Convolve each member's images with its own filters, with same padding.

    Args:
        x: Shape (example, member · channel, row, column).
        weight: Shape (member, filter, channel, 3, 3), or (…, 1, 1).
        bias: Shape (member, filter), or None.
        stride: In pixels.

    Returns:
        Shape (example, member · filter, row, column).
    """
    members, around = len(weight), weight.shape[-1] // 2
    kernel = weight.flatten(0, 1)
    if members == 1:
        kernel = kernel.contiguous(memory_format=torch.channels_last)
    flat = None if bias is None else bias.flatten()
    return F.conv2d(x, kernel, flat, stride, around, groups=members)


def pool_halves(x: Tensor) -> Tensor:
    """Max-pool 2 × 2 pixels; leave images of a single row or column as they are."""
    return F.max_pool2d(x, 2) if min(x.shape[-2:]) > 1 else x


def excitation_shapes(layer: str, channels: int) -> dict[str, tuple[int, ...]]:
    """Return the weights of the two dense layers of squeeze and excitation.

    Args:
        layer: The block's suffix in the names.
        channels: Channels of the block.
    """
    # The paper's reduction is 16; narrow nets would be left with too few units.
    few = max(1, channels // 8)
    return {
        f"ws{layer}": (few, channels),
        f"bs{layer}": (few,),
        f"we{layer}": (channels, few),
        f"be{layer}": (channels,),
    }


def apply_excitation(weights: Weights, layer: str, x: Tensor) -> Tensor:
    """Scale each channel by a weight computed from the whole image.

    Args:
        weights: Named weights, member first.
        layer: The block's suffix in the names.
        x: Shape (example, member · channel, row, column).

    Returns:
        The same shape.
    """
    members = len(weights[f"ws{layer}"])
    h = x.mean((2, 3)).view(len(x), members, -1).permute(1, 2, 0)
    for name, act in (("s", torch.relu), ("e", torch.sigmoid)):
        bias = weights[f"b{name}{layer}"].unsqueeze(-1)
        h = act(torch.baddbmm(bias, weights[f"w{name}{layer}"], h))
    return x * h.permute(2, 0, 1).reshape(len(x), -1, 1, 1)
