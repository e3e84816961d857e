"""Conv-4 against torch's own modules, and what it refuses."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from engine.contract.errors import Refused
from engine.nets.batched_convolution import apply_excitation, excitation_shapes
from engine.nets.conv4 import Conv4
from engine.protocol import Weights
from tests.nets.drawing import episodes, members_of, started

NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": lambda c: nn.BatchNorm2d(c, track_running_stats=False),
    "layer": lambda c: nn.GroupNorm(1, c),
    "group": lambda c: nn.GroupNorm(c // 16, c),
    "instance": lambda c: nn.InstanceNorm2d(c, affine=True),
}


def reference(weights: Weights, member: int, norm: str, rough: bool) -> nn.Sequential:
    """Build torch's net of a member's weights: pooled after the rectifier."""
    parts: list[nn.Module] = []
    for i in range(4):
        w = weights[f"w{i}"][member]
        conv = nn.Conv2d(w.shape[1], len(w), 3, 1 + rough, 1, bias=False)
        scaled = NORMS[norm](len(w))
        filled(conv, w)
        filled(scaled, weights[f"g{i}"][member], weights[f"b{i}"][member])
        parts += [conv, scaled, nn.ReLU()]
        parts += [] if rough else [nn.MaxPool2d(2)]
    parts += [nn.AdaptiveAvgPool2d(1)] if rough else []
    head = weights["w4"][member]
    last = nn.Linear(head.shape[1], len(head))
    filled(last, head, weights["b4"][member])
    return nn.Sequential(*parts, nn.Flatten(), last).double()


def filled(module: nn.Module, weight: Tensor, bias: Tensor | None = None) -> None:
    """Give a module of torch our weights."""
    module.double()
    with torch.no_grad():
        module.weight.copy_(weight)  # type: ignore[operator]
        if bias is not None:
            module.bias.copy_(bias)  # type: ignore[operator]


@pytest.mark.parametrize("members", [1, 2])
@pytest.mark.parametrize("rough", [False, True])
@pytest.mark.parametrize("norm", NORMS)
def test_conv4_is_torchs_sequential_net(norm: str, rough: bool, members: int) -> None:
    net = Conv4(
        filters=32, normalization=norm, downsample="stride" if rough else "pool"
    )
    tasks = episodes(net, shape=(3, 28, 28), tasks=1, replicates=members)
    weights = started(tasks)
    mine = tasks.answer(weights, tasks.query)
    for member in range(members):
        theirs = reference(weights, member, norm, rough)
        images = tasks.query.x[member].T.reshape(-1, 3, 28, 28)
        torch.testing.assert_close(mine[member].T, theirs(images).detach())


def test_the_shift_is_the_convolutions_bias_where_nothing_is_normalized() -> None:
    net = Conv4(filters=8, normalization="none")
    tasks = episodes(net, shape=(1, 28, 28), tasks=1)
    weights = started(tasks)
    h = tasks.query.x[0].T.reshape(-1, 1, 28, 28)
    for i in range(4):
        h = nn.functional.conv2d(h, weights[f"w{i}"][0], weights[f"b{i}"][0], padding=1)
        h = nn.functional.max_pool2d(h.relu(), 2)
    theirs = nn.functional.linear(h.flatten(1), weights["w4"][0], weights["b4"][0])
    torch.testing.assert_close(tasks.answer(weights, tasks.query)[0].T, theirs)


def test_excitation_weighs_channels_by_their_means() -> None:
    draw = torch.Generator().manual_seed(0)
    shapes = excitation_shapes("0", 16)
    weights = {n: torch.randn(2, *s, generator=draw) for n, s in shapes.items()}
    x = torch.randn(5, 2 * 16, 3, 3, generator=draw)
    mine = apply_excitation(weights, "0", x).view(5, 2, 16, 3, 3)
    for m, images in enumerate(x.view(5, 2, 16, 3, 3).unbind(1)):
        own = {name: value[m] for name, value in weights.items()}
        few = (images.mean((2, 3)) @ own["ws0"].T + own["bs0"]).relu()
        share = (few @ own["we0"].T + own["be0"]).sigmoid()
        torch.testing.assert_close(mine[:, m], images * share[..., None, None])


@pytest.mark.parametrize(
    ("side", "rough", "features"),
    [
        (28, False, 64),
        (84, False, 1600),
        (14, False, 64),
        (4, False, 64),
        (28, True, 64),
    ],
)
def test_features_are_what_pooling_leaves(
    side: int, rough: bool, features: int
) -> None:
    net = Conv4(downsample="stride" if rough else "pool")
    tasks = episodes(net, shape=(1, side, side), tasks=1, dtype=torch.float32)
    body = {n: v for n, v in started(tasks).items() if n in tasks.body.names}
    assert tasks.answer(members_of(body, tasks), tasks.query).shape == (1, features, 6)


@pytest.mark.parametrize("shape", [(784,), (1, 28, 27), (1, 3, 3)])
def test_inputs_that_are_no_square_image_are_refused(
    shape: tuple[int, ...],
) -> None:
    with pytest.raises(Refused, match="choose the net mlp") as found:
        Conv4().layout(shape, 5)
    assert found.value.field == "net"


def test_a_channel_of_one_pixel_is_not_normalized_by_itself() -> None:
    net = Conv4(normalization="instance")
    net.layout((1, 28, 28), 5)
    with pytest.raises(Refused, match="choose group or layer"):
        net.layout((1, 14, 14), 5)


def test_strides_leave_a_pixel_sooner_than_pooling() -> None:
    Conv4(normalization="instance").layout((1, 16, 16), 5)
    rough = Conv4(normalization="instance", downsample="stride")
    rough.layout((1, 17, 17), 5)
    with pytest.raises(Refused, match="one in the last block"):
        rough.layout((1, 16, 16), 5)


def test_pixels_that_are_one_and_alone_do_not_stop_a_batch() -> None:
    net = Conv4(filters=8)
    tasks = episodes(net, shape=(1, 14, 14), tasks=1)
    alone = net.apply(started(tasks), tasks.query.x[..., :1])
    assert alone.isfinite().all()
