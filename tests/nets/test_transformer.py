"""A transformer over examples: who sees whom, and torch's own encoder."""

import pytest
import torch
from torch import nn

from engine.contract.errors import Refused
from engine.nets.transformer import Transformer
from engine.protocol import ExampleBatch
from tests.nets.drawing import episodes, members_of, started

NET = Transformer(width=8, heads=2, depth=2)


def test_a_query_never_sees_another_query() -> None:
    tasks = episodes(NET)
    x = tasks.query.x.clone().requires_grad_()
    answer = tasks.answer(
        members_of(started(tasks), tasks), ExampleBatch(x, tasks.query.y)
    )
    (seen,) = torch.autograd.grad(answer[..., 2].sum(), x)
    assert (seen[..., 2] != 0).any()
    seen[..., 2] = 0
    assert (seen == 0).all()


def test_the_support_never_sees_a_query() -> None:
    tasks = episodes(NET)
    weights = members_of(started(tasks), tasks)
    both = torch.cat([tasks.support.x, tasks.query.x], 2)
    together = NET.apply(weights, both, reference=3)[..., :3]
    torch.testing.assert_close(together, tasks.answer(weights, tasks.support))


def test_a_query_sees_the_support_in_any_order() -> None:
    tasks = episodes(NET)
    weights = members_of(started(tasks), tasks)
    before = tasks.answer(weights, tasks.query)

    def behind(support: torch.Tensor) -> torch.Tensor:
        both = torch.cat([support, tasks.query.x], 2)
        return NET.apply(weights, both, reference=3)[..., 3:]

    torch.testing.assert_close(behind(tasks.support.x[..., [2, 0, 1]]), before)
    assert (behind(2 * tasks.support.x) - before).abs().max() > 1e-3


def test_over_the_support_it_is_torchs_encoder() -> None:
    tasks = episodes(NET, tasks=1)
    weights = started(tasks)
    own = {name: value[0] for name, value in weights.items()}
    h = tasks.support.x.mT @ own["w0"].T + own["b0"]
    for i in (1, 2):
        layer = nn.TransformerEncoderLayer(
            8, 2, 32, 0.0, "gelu", batch_first=True, norm_first=True
        ).double()
        looks = torch.cat([own[f"w{name}{i}"] for name in "qkv"])
        state = {
            "self_attn.in_proj_weight": looks,
            "self_attn.in_proj_bias": looks.new_zeros(24),
            "self_attn.out_proj.weight": own[f"wo{i}"],
            "self_attn.out_proj.bias": own[f"bo{i}"],
            "linear1.weight": own[f"wu{i}"],
            "linear1.bias": own[f"bu{i}"],
            "linear2.weight": own[f"wd{i}"],
            "linear2.bias": own[f"bd{i}"],
            "norm1.weight": own[f"ga{i}"],
            "norm1.bias": own[f"ba{i}"],
            "norm2.weight": own[f"gf{i}"],
            "norm2.bias": own[f"bf{i}"],
        }
        layer.load_state_dict(state)
        h = layer(h)
    h = nn.functional.layer_norm(h, (8,), own["gz"], own["bz"])
    theirs = h @ own["w3"].T + own["b3"]
    mine = tasks.answer(weights, tasks.support)
    torch.testing.assert_close(mine.mT, theirs.detach())


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(Refused, match="choose 63"):
        Transformer(width=64, heads=3).layout((5,), 3)
