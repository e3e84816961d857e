"""Dense layers against torch's own, and statistics that are kept by inner step."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from engine.nets.conv4 import Conv4
from engine.nets.mlp import Mlp
from engine.nets.normalization import group_count
from engine.nets.resnet12 import Resnet12
from engine.nets.tower import Tower
from engine.protocol import Net
from tests.nets.drawing import episodes, members_of, started

NORMS: dict[str, Callable[[int], nn.Module]] = {
    "none": lambda c: nn.Identity(),
    "batch": lambda c: nn.BatchNorm1d(c, track_running_stats=False),
    "layer": lambda c: nn.LayerNorm(c),
    "group": lambda c: nn.GroupNorm(c // 16, c),
}


@pytest.mark.parametrize("norm", NORMS)
def test_a_tower_is_torchs_dense_layers(norm: str) -> None:
    tasks = episodes(Tower(widest=64, narrowest=32, depth=3, normalization=norm))
    weights = members_of(started(tasks), tasks)
    mine = tasks.answer(weights, tasks.query)
    assert [weights[f"w{i}"].shape[1] for i in range(4)] == [64, 32, 32, 3]
    for member in range(2):
        own = {name: value[member] for name, value in weights.items()}
        h = tasks.query.x[member].T
        for i in range(3):
            scaled = NORMS[norm](len(own[f"w{i}"])).double()
            bias = own[f"b{i}"]
            h = h @ own[f"w{i}"].T
            if norm == "none":
                h = h + bias
            else:
                pair = {"weight": own[f"g{i}"], "bias": bias}
                h = torch.func.functional_call(scaled, pair, (h,))
            h = h.relu()
        theirs = h @ own["w3"].T + own["b3"][:, None].T
        torch.testing.assert_close(mine[member].T, theirs)


@pytest.mark.parametrize(("kind", "groups"), [("layer", 1), ("instance", 640)])
def test_groups_are_of_sixteen_channels_where_they_divide(
    kind: str, groups: int
) -> None:
    assert group_count(kind, 640) == groups
    assert [group_count("group", n) for n in (8, 24, 40, 64, 640)] == [1, 1, 2, 4, 40]


KEPT = (
    Conv4(filters=8, normalization="meta_batch", norm_steps=2),
    Resnet12(size="tiny", normalization="meta_batch", norm_steps=2),
    Tower(widest=16, narrowest=8, normalization="meta_batch", norm_steps=2),
    Mlp(depth=2, width=8, normalization="meta_batch"),
)
SCALED = KEPT[:3]
EACH = pytest.mark.parametrize("net", KEPT, ids=lambda net: str(net.name))


@EACH
def test_each_inner_step_has_rows_of_its_own_and_later_ones_the_last(net: Net) -> None:
    tasks = episodes(net)
    weights = members_of(started(tasks), tasks)
    last = weights["mean0"].shape[1] - 1
    rows = [tasks.answer(weights, tasks.query, step) for step in (0, 1, last, 99)]
    assert not torch.equal(rows[0], rows[1])
    assert torch.equal(rows[2], rows[3])


@pytest.mark.parametrize("net", SCALED, ids=lambda net: str(net.name))
def test_with_the_batchs_own_statistics_kept_it_is_batch_normalization(
    net: Net,
) -> None:
    tasks = episodes(net, shape=(1, 16, 16))
    weights = members_of(started(tasks), tasks)
    # A layer's statistics are right once those before it are.
    for _ in range(16):
        for name, seen in net.statistics(weights, tasks.query.x, 1).items():
            weights[name] = weights[name].clone()
            weights[name][:, 1] = seen
    mine = tasks.answer(weights, tasks.query, 1)
    plain = net.model_copy(update={"normalization": "batch"})
    rows = {
        n: v[:, 1] if v.dim() == 3 and n[0] in "gb" else v for n, v in weights.items()
    }
    torch.testing.assert_close(mine, plain.apply(rows, tasks.query.x))


@EACH
def test_nets_that_keep_nothing_see_nothing(net: Net) -> None:
    plain = net.model_copy(update={"normalization": "batch"})
    tasks = episodes(plain)
    assert plain.statistics(members_of(started(tasks), tasks), tasks.query.x) == {}
