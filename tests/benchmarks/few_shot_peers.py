"""The other sides of the few-shot benchmark: a plain loop, and libraries.

A library that is not installed gives no side and is named by `absent`.
"""

import importlib
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.protocol import EpisodeBatch, ExampleBatch

Side = Callable[[], object]
Params = list[Tensor]
ALPHA, CHARACTER_ALPHA = 0.01, 0.4
PEERS = ("higher", "torchopt", "easyfsl.methods.prototypical_networks")


def library(name: str) -> ModuleType | None:
    """Return an installed library, or none; none of them warns."""
    with warnings.catch_warnings(), _without_torchvision():
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module(name)
        except ImportError:
            return None


class _Anything(ModuleType):
    """A module that has whatever is asked of it."""

    __path__: ClassVar[list[str]] = []

    def __getattr__(self, name: str) -> type[object]:
        return object


@contextmanager
def _without_torchvision() -> Iterator[None]:
    """Let easyfsl import: it names torchvision's blocks, and we use none of them."""
    names = ("", ".models", ".models.resnet", ".transforms", ".datasets", ".ops")
    stand_ins = {
        f"torchvision{name}": _Anything(f"torchvision{name}") for name in names
    }
    present = {name: sys.modules.get(name) for name in stand_ins}
    sys.modules.update({n: m for n, m in stand_ins.items() if present[n] is None})
    try:
        yield
    finally:
        for name, was in present.items():
            if was is None:
                sys.modules.pop(name, None)


def absent() -> list[str]:
    """Name the libraries that are not here."""
    return [name.partition(".")[0] for name in PEERS if library(name) is None]


def _pairs(tasks: EpisodeBatch) -> list[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Return each task's support and query, example first."""
    s, q = tasks.support, tasks.query
    return [
        (s.x[i].T.contiguous(), s.y[i], q.x[i].T.contiguous(), q.y[i])
        for i in range(tasks.members)
    ]


def _wave(params: Params, x: Tensor) -> Tensor:
    for i in range(0, 4, 2):
        x = F.relu(F.linear(x, params[i], params[i + 1]))
    return F.linear(x, params[4], params[5])[:, 0]


def _characters(params: Params, x: Tensor) -> Tensor:
    x = x.view(-1, 1, 28, 28)
    for i in range(0, 16, 4):
        w, b, scale, shift = params[i : i + 4]
        x = F.conv2d(x, w, b, padding=1)
        x = F.batch_norm(x, None, None, scale, shift, training=True)
        x = F.max_pool2d(F.relu(x), 2)
    return F.linear(x.flatten(1), params[16], params[17])


def _loop(
    tasks: EpisodeBatch,
    params: Params,
    model: Callable[[Params, Tensor], Tensor],
    how: tuple[Callable[[Tensor, Tensor], Tensor], float, int],
) -> Side:
    """Return MAML as one writes it: a loop over tasks with autograd.grad."""
    loss, alpha, steps = how
    optimizer = torch.optim.Adam(params, lr=1e-3)
    pairs = _pairs(tasks)

    def step() -> object:
        optimizer.zero_grad()
        for x, y, held_x, held_y in pairs:
            fast = params
            for _ in range(steps):
                inner = loss(model(fast, x), y)
                grads = torch.autograd.grad(inner, fast, create_graph=True)
                fast = [w - alpha * g for w, g in zip(fast, grads, strict=True)]
            (loss(model(fast, held_x), held_y) / len(pairs)).backward()
        optimizer.step()
        return params

    return step


def _modules() -> nn.Module:
    return nn.Sequential(
        nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1)
    )


def sinusoid_sides(tasks: EpisodeBatch, steps: int) -> dict[str, Side]:
    """Return the loop and the libraries on sinusoids."""
    params = [p.detach().clone().requires_grad_() for p in _modules().parameters()]
    sides = {"loop": _loop(tasks, params, _wave, (F.mse_loss, ALPHA, steps))}
    for name, make in (("higher", _higher), ("torchopt", _torchopt)):
        found = library(name)
        if found is not None:
            sides[name] = make(found, tasks, steps)
    return sides


def _higher(higher: Any, tasks: EpisodeBatch, steps: int) -> Side:
    net, pairs = _modules(), _pairs(tasks)
    outer = torch.optim.Adam(net.parameters(), lr=1e-3)
    inner = torch.optim.SGD(net.parameters(), lr=ALPHA)

    def step() -> object:
        outer.zero_grad()
        for x, y, held_x, held_y in pairs:
            with higher.innerloop_ctx(net, inner, copy_initial_weights=False) as pair:
                fast, moves = pair
                for _ in range(steps):
                    moves.step(F.mse_loss(fast(x)[:, 0], y))
                (F.mse_loss(fast(held_x)[:, 0], held_y) / len(pairs)).backward()
        outer.step()
        return net

    return step


def _torchopt(torchopt: Any, tasks: EpisodeBatch, steps: int) -> Side:
    net, pairs = _modules(), _pairs(tasks)
    outer = torch.optim.Adam(net.parameters(), lr=1e-3)
    inner = torchopt.MetaSGD(net, lr=ALPHA)

    def step() -> object:
        outer.zero_grad()
        start = torchopt.extract_state_dict(net, by="reference", detach_buffers=True)
        moves = torchopt.extract_state_dict(inner, by="reference")
        for x, y, held_x, held_y in pairs:
            for _ in range(steps):
                inner.step(F.mse_loss(net(x)[:, 0], y))
            (F.mse_loss(net(held_x)[:, 0], held_y) / len(pairs)).backward()
            torchopt.recover_state_dict(net, start)
            torchopt.recover_state_dict(inner, moves)
        outer.step()
        return net

    return step


def _blocks() -> list[nn.Module]:
    widths = (1, 64, 64, 64, 64)
    return [
        nn.Sequential(
            nn.Conv2d(widths[i], widths[i + 1], 3, padding=1),
            nn.BatchNorm2d(64, track_running_stats=False),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        for i in range(4)
    ]


def conv_sides(tasks: EpisodeBatch) -> dict[str, Side]:
    """Return the loop on characters."""
    net = nn.Sequential(*_blocks(), nn.Flatten(), nn.Linear(64, tasks.outputs))
    params = [p.detach().clone().requires_grad_() for p in net.parameters()]
    how = (F.cross_entropy, CHARACTER_ALPHA, 1)
    return {"loop": _loop(tasks, params, _characters, how)}


def prototype_sides(tasks: EpisodeBatch) -> dict[str, Side]:
    """Return easyfsl's prototypical networks on the same images."""
    found = library("easyfsl.methods.prototypical_networks")
    if found is None:
        return {}
    net = found.PrototypicalNetworks(nn.Sequential(*_blocks(), nn.Flatten()))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    ((x, y, held_x, held_y),) = _pairs(tasks)
    x, held_x = x.view(-1, 1, 28, 28), held_x.view(-1, 1, 28, 28)

    def step() -> object:
        optimizer.zero_grad()
        net.process_support_set(x, y)
        F.cross_entropy(net(held_x), held_y).backward()
        optimizer.step()
        return net

    return {"easyfsl": step}


__all__ = [
    "ExampleBatch",
    "absent",
    "conv_sides",
    "library",
    "prototype_sides",
    "sinusoid_sides",
]
