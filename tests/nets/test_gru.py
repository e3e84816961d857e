import torch

from engine.contract.rng import Rng
from engine.nets.gru import apply_gru, init_gru


def test_the_cell_is_torchs() -> None:
    hidden, items = 5, 4
    weights = {k: v[None].double() for k, v in init_gru(3, hidden, Rng(1)).items()}
    draw = torch.Generator().manual_seed(2)
    weights["bx"] = torch.randn(1, 3 * hidden, generator=draw, dtype=torch.float64)
    weights["bh"] = torch.randn(1, 3 * hidden, generator=draw, dtype=torch.float64)
    theirs = torch.nn.GRUCell(3, hidden).double()
    for name, ours in (("ih", "x"), ("hh", "h")):
        theirs.get_parameter(f"weight_{name}").data.copy_(weights[f"w{ours}"][0])
        theirs.get_parameter(f"bias_{name}").data.copy_(weights[f"b{ours}"][0])
    state = torch.zeros(1, hidden, items, dtype=torch.float64)
    expected = torch.zeros(items, hidden, dtype=torch.float64)
    for _ in range(3):
        x = torch.randn(1, 3, items, generator=draw, dtype=torch.float64)
        state, expected = apply_gru(weights, x, state), theirs(x[0].T, expected)
    torch.testing.assert_close(state[0].T, expected, rtol=0, atol=1e-12)
