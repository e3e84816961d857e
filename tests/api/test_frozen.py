"""Frozen learners outside the lab compute what they compute inside it."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import metascope as ms
from engine.executors.frozen_learner import frozen_parts
from engine.protocol import Meta


@pytest.mark.parametrize("label", ["lr_scale", "sgd_tuned"])
def test_the_optimizer_takes_the_steps_of_the_labs_training(
    smoke: ms.Result, label: str
) -> None:
    frozen = copy.copy(smoke.learners[label])
    # A training this short may end at its start, where LR scale is plain SGD.
    draw = np.random.default_rng(0)
    frozen.weights = {
        name: held * draw.uniform(0.9, 1.1) - 0.2 * (label == "lr_scale")
        for name, held in frozen.weights.items()
    }
    learner, tasks = frozen_parts(smoke.spec, label)
    meta = Meta(frozen.tensors(1), {})
    wanted = torch.cat([s.traces["loss"] for s in learner.adapt(meta, tasks)], 1)[0]
    weights = nn.Parameter(tasks.start()[0].clone())
    optimizer = frozen.optimizer([weights], replicate=1)
    losses = []
    for step in range(tasks.horizon + 1):
        loss, grad, _ = tasks.gradient(weights.detach()[None], step)
        weights.grad = grad[0]
        losses.append(loss[0])
        if step < tasks.horizon:
            optimizer.step(loss[0])
    torch.testing.assert_close(torch.stack(losses), wanted, rtol=1e-4, atol=1e-6)


def test_a_learned_scale_of_one_is_torchs_sgd(smoke: ms.Result) -> None:
    frozen = smoke.learners["lr_scale"]
    still = copy.copy(frozen)
    still.weights = {k: np.zeros_like(v) for k, v in frozen.weights.items()}
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    twin = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    twin.load_state_dict(model.state_dict())
    optimizers = (
        still.optimizer(model.parameters(), lr=0.1),
        torch.optim.SGD(twin.parameters(), lr=0.1),
    )
    x = torch.randn(16, 3)
    for _ in range(5):
        for net, optimizer in zip((model, twin), optimizers, strict=True):
            optimizer.zero_grad()
            loss = net(x).square().mean()
            loss.backward()
            optimizer.step(loss) if net is model else optimizer.step()
    for mine, other in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(mine, other)


def test_an_optimizer_goes_on_from_its_state(smoke: ms.Result) -> None:
    def train(steps: tuple[int, ...]) -> torch.Tensor:
        weight = nn.Parameter(torch.ones(3))
        state = None
        for count in steps:
            optimizer = smoke.learners["lr_scale"].optimizer([weight], horizon=8)
            if state:
                optimizer.load_state_dict(state)
            for _ in range(count):
                weight.grad = 2 * weight.detach()
                optimizer.step(weight.detach().square().sum())
            state = optimizer.state_dict()
        return weight.detach()

    assert torch.equal(train((8,)), train((3, 5)))


@pytest.mark.parametrize("label", ["lr_scale", "sgd_tuned"])
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision_is_moved_by_what_float32_computes(
    smoke: ms.Result, label: str, kind: torch.dtype
) -> None:
    def train(dtype: torch.dtype) -> torch.Tensor:
        weight = nn.Parameter(torch.linspace(-1, 1, 9, dtype=dtype))
        state: dict[str, object] = {}
        for _ in range(4):  # saved and loaded between the steps
            optimizer = smoke.learners[label].optimizer([weight], lr=0.1, horizon=4)
            if state:
                optimizer.load_state_dict(state)
            weight.grad = 2 * weight.detach()
            optimizer.step(weight.detach().float().square().sum())
            state = optimizer.state_dict()
        assert weight.dtype == dtype
        return weight.detach().float()

    torch.testing.assert_close(train(kind), train(torch.float32), rtol=0.03, atol=0.01)


def test_a_learned_rule_takes_no_step_past_its_horizon(smoke: ms.Result) -> None:
    weight = nn.Parameter(torch.ones(3))
    optimizer = smoke.learners["lr_scale"].optimizer([weight], horizon=2)
    tuned = smoke.learners["sgd_tuned"].optimizer([weight], horizon=2)
    for _ in range(2):
        weight.grad = weight.detach().clone()
        # The value alone is enough, as of loss.item().
        assert optimizer.step(0.3) == 0.3
    before = weight.detach().clone()
    with pytest.raises(
        ms.Refused, match=r"is step 3 of an optimizer for 2: .*horizon="
    ):
        optimizer.step(0.3)
    assert torch.equal(weight, before)
    for _ in range(5):  # a hand-designed rule sees no horizon
        tuned.step()


def test_what_a_learner_is_not_is_refused(smoke: ms.Result) -> None:
    frozen = smoke.learners["lr_scale"]
    weight = nn.Parameter(torch.ones(2))
    with pytest.raises(ms.Refused, match="sees the loss"):
        frozen.optimizer([weight]).step()
    with pytest.raises(ms.Refused, match="is no net by itself"):
        frozen.module()
    with pytest.raises(ms.Refused, match="is no search strategy"):
        frozen.strategy(4)
    with pytest.raises(ms.Refused, match="from 0 to 1, not 2"):
        frozen.optimizer([weight], replicate=2)
    with pytest.raises(ms.Refused, match="is not trained"):
        _ = smoke.learners["sgd"]


@pytest.mark.parametrize("label", ["maml", "protonet"])
def test_a_module_computes_what_the_labs_net_does(
    episodes: ms.Result, label: str
) -> None:
    frozen = episodes.learners[label]
    _, tasks = frozen_parts(episodes.spec, label)
    net = frozen.module(replicate=1)
    examples = tasks.support.x[0].T
    inside = tasks.answer(frozen.tensors(1), tasks.support)[0].T
    assert (net(examples) - inside).abs().max() < 1e-6
    # Once more without the lab's code: a dense net with rectifiers.
    h, held = examples, dict(net.named_parameters())
    depth = sum(name.startswith("w") for name in held)
    for i in range(depth):
        h = F.linear(h, held[f"w{i}"], held[f"b{i}"])
        h = h.relu() if i < depth - 1 or net.role == "embedding" else h
    assert (net(examples) - h).abs().max() < 1e-5
    assert net.outputs == (tasks.outputs if label == "maml" else 0)


def test_a_strategy_asks_for_what_the_labs_search_tries() -> None:
    result = ms.run("search_smoke", replicates=1, store=None)
    frozen = result.learners["warm_evolution"]
    _, tasks = frozen_parts(result.spec, "warm_evolution")
    tried = []
    with frozen.strategy(12) as search:
        while (trial := search.ask()) is not None:
            assert search.ask() is trial
            tried.append(trial.code)
            search.tell(1.0 - len(tried) / 100)
        with pytest.raises(ms.Refused, match="nothing to tell"):
            search.tell(0.5)
    assert len(tried) == 12 and search.best == (search.best[0], 0.99)
    gone = frozen.strategy(5)
    assert gone.ask() is not None
    gone.close()
    assert not gone._thread.is_alive() and gone.ask() is None
    # The warm start proposes the best of its knowledge, whatever the values are.
    learner = frozen_parts(result.spec, "warm_evolution").learner
    segments = learner.adapt(Meta(frozen.tensors(), {}), tasks)
    index = next(iter(segments)).traces["architecture"][0]
    first = tasks.space.codes(index[:3].long().numpy())
    assert tried[:3] == [tuple(map(int, code)) for code in first]
