"""Images of many members in one tensor: (example, member · channel, row, column)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.contract.errors import Refused
from engine.protocol import Weights


def image_sides(shape: tuple[int, ...], least: int) -> tuple[int, int]:
    """Return channels and side of square images.

    Raises:
        Refused: If examples are no images, or not square, or too small.
    """
    if len(shape) != 3:
        raise Refused(
            f"this net takes images, and an example has the shape {shape}; choose "
            "the net mlp, or tasks of images",
            "net",
        )
    channels, rows, columns = shape
    if rows != columns or rows < least:
        raise Refused(
            f"images are {rows} × {columns}; this net takes square ones of at least "
            f"{least} × {least}; choose the net mlp, or other images",
            "net",
        )
    return channels, rows


def check_pixels(kind: str, side: int) -> None:
    """Check that there is something to normalize a channel by.

    Raises:
        Refused: If a channel would be one pixel, which is 0 once normalized.
    """
    if kind == "instance" and side < 2:
        raise Refused(
            "normalization by instance needs channels of more than one pixel, and "
            "images this small have one in the last block; choose group or layer",
            "net.knobs.normalization",
        )


def to_images(x: Tensor, channels: int) -> Tensor:
    """Lay flat examples out as images; x has the shape (member, feature, example)."""
    members, features, examples = x.shape
    side = math.isqrt(features // channels)
    flat = x.permute(2, 0, 1)
    images = flat.reshape(examples, members * channels, side, side)
    if members == 1:
        return images.contiguous(memory_format=torch.channels_last)
    return images


def to_features(images: Tensor, members: int) -> Tensor:
    """Lay images out as features; (member, channel · row · column, example)."""
    return images.reshape(len(images), members, -1).permute(1, 2, 0)


def convolve_members(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int = 1
) -> Tensor:
    """Convolve each member's images with its own filters, the size kept.

    Args:
        x: Shape (example, member · channel, row, column).
        weight: Shape (member, filter, channel, 3, 3), or 1 by 1 pixels.
        bias: Shape (member, filter).
        stride: Pixels from one place to the next.
    """
    members, around = len(weight), weight.shape[-1] // 2
    kernel = weight.flatten(0, 1)
    if members == 1:
        kernel = kernel.contiguous(memory_format=torch.channels_last)
    flat = None if bias is None else bias.flatten()
    return F.conv2d(x, kernel, flat, stride, around, groups=members)


def pool_halves(x: Tensor) -> Tensor:
    """Keep the largest of each 2 × 2 pixels, where there are as many."""
    return F.max_pool2d(x, 2) if min(x.shape[-2:]) > 1 else x


def excitation_shapes(layer: str, channels: int) -> dict[str, tuple[int, ...]]:
    """Name the two dense layers that weigh a block's channels."""
    few = max(1, channels // 8)
    return {
        f"ws{layer}": (few, channels),
        f"bs{layer}": (few,),
        f"we{layer}": (channels, few),
        f"be{layer}": (channels,),
    }


def apply_excitation(weights: Weights, layer: str, x: Tensor) -> Tensor:
    """Weigh each channel by what the image as a whole shows."""
    members = len(weights[f"ws{layer}"])
    h = x.mean((2, 3)).view(len(x), members, -1).permute(1, 2, 0)
    for name, act in (("s", torch.relu), ("e", torch.sigmoid)):
        bias = weights[f"b{name}{layer}"].unsqueeze(-1)
        h = act(torch.baddbmm(bias, weights[f"w{name}{layer}"], h))
    return x * h.permute(2, 0, 1).reshape(len(x), -1, 1, 1)
