"""The GRU, a step at a time and along a sequence, is that of torch."""

import pytest
import torch
from torch import Tensor

from engine.contract.rng import Rng
from engine.nets.dense import stack_members
from engine.nets.gru import apply_gru, init_gru, read_gru
from engine.protocol import Weights


def drawn(members: int = 2) -> tuple[Weights, Tensor, Tensor]:
    """Return weights, the inputs of five steps and a first state, in float64."""
    torch.manual_seed(0)
    cells = [init_gru(3, 4, Rng(1).child(m)) for m in range(members)]
    weights = {k: v.double() + 0.1 for k, v in stack_members(cells).items()}
    x = torch.randn(5, members, 3, 6, dtype=torch.float64)
    return weights, x, torch.randn(members, 4, 6, dtype=torch.float64)


def test_a_step_is_that_of_torch() -> None:
    weights, x, state = drawn(1)
    cell = torch.nn.GRUCell(3, 4).double()
    names = {"weight_ih": "wx", "weight_hh": "wh", "bias_ih": "bx", "bias_hh": "bh"}
    cell.load_state_dict({name: weights[own][0] for name, own in names.items()})
    wanted = cell(x[0, 0].T, state[0].T).T
    torch.testing.assert_close(apply_gru(weights, x[0], state)[0], wanted)


def test_a_sequence_is_that_of_torch() -> None:
    weights, x, state = drawn(1)
    net = torch.nn.GRU(3, 4).double()
    names = {"weight_ih_l0": "wx", "weight_hh_l0": "wh"}
    names |= {"bias_ih_l0": "bx", "bias_hh_l0": "bh"}
    net.load_state_dict({name: weights[own][0] for name, own in names.items()})
    wanted, _ = net(x[:, 0].mT, state[0].T.unsqueeze(0))
    torch.testing.assert_close(read_gru(weights, x, state)[:, 0].mT, wanted)


def test_derivatives_of_a_sequence_are_those_of_its_steps() -> None:
    weights, x, state = drawn()
    leaves = [each.requires_grad_() for each in (*weights.values(), x, state)]
    stepped = []
    for now in x.unbind():
        state = apply_gru(weights, now, state)
        stepped.append(state)
    # Every state counts differently, or an error could cancel.
    count = torch.linspace(1, 2, 5 * 2 * 4 * 6, dtype=torch.float64).view(5, 2, 4, 6)
    wanted = torch.autograd.grad((torch.stack(stepped) * count).sum(), leaves)
    found = torch.autograd.grad(
        (read_gru(weights, x, leaves[-1]) * count).sum(), leaves
    )
    for own, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(own, other, rtol=1e-10, atol=1e-12)


def test_a_sequence_has_no_second_derivatives() -> None:
    weights, x, state = drawn()
    read = read_gru(weights, x.requires_grad_(), state)
    with pytest.raises(RuntimeError, match="first derivatives only"):
        torch.autograd.grad(read.square().sum(), x, create_graph=True)
