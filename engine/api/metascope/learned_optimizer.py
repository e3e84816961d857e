"""An update rule of the lab as an optimizer of torch."""

import math
from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from engine.algorithms.optimization.hand_designed import HandDesignedOptimizer
from engine.contract.errors import Refused
from engine.protocol import Layout, Learner, OptimizerInput, UpdateRule
from metascope.arguments import show

Loss = Tensor | float | Callable[[], Tensor] | None


class LearnedOptimizer(torch.optim.Optimizer):
    """A frozen update rule that trains your model.

    All parameters form one flat vector, as a net of the lab does; a tensor of two or
    more dimensions begins a layer, and those of one dimension after it belong to it.
    The rule sees loss, gradients and weights at each step, nothing else of your model.
    A learned rule takes no more steps than `horizon`, as it may see its progress.
    Parameters of half precision are moved by what the rule computes in float32. `lr` of
    a parameter group may be changed by a scheduler of torch.
    """

    def __init__(
        self, learner: Learner, theta: Mapping[str, Tensor], params: Iterable[Tensor]
    ) -> None:
        first = theta.get("lr")
        # Of a hand-designed optimizer the rate is what was tuned.
        own = float(first[0]) if first is not None else getattr(learner, "lr", 1.0)
        self._learner, self._theta = learner, dict(theta)
        self.horizon = 1
        super().__init__(_list_params(params), {"lr": own})
        if len(self.param_groups) != 1:
            raise Refused(
                "a learned optimizer takes one group of parameters, as its rule sees "
                "the whole net; give it model.parameters()",
                "params",
            )

    @torch.no_grad()
    def step(self, loss: Loss = None) -> Tensor | float | None:  # type: ignore[override]
        """Take one step.

        Args:
            loss: The training loss whose gradients the parameters have, or a closure
                that computes it and calls `backward`. Its value is enough, as of
                `loss.item()`. Only a hand-designed optimizer can do without.

        Returns:
            The loss.

        Raises:
            Refused: If a learned rule is not told the loss, or is past its horizon, or
                if there is no gradient.
        """
        if callable(loss):
            with torch.enable_grad():
                loss = loss()
        seen = self._inputs(loss)
        rule = self._rule(seen.weights)
        held = self.state[self._params[0]]
        state = held.get("rule") or rule.start(seen.weights)
        # torch loads a state in the parameters' precision, which may be half.
        state = {
            k: v.to(seen.weights) if v.is_floating_point() else v
            for k, v in state.items()
        }
        update, state, _ = rule.step(seen, state)
        factor = 1.0 if hasattr(self._learner, "lr") else self.param_groups[0]["lr"]
        held.update(step=seen.step + 1, rule=state)
        parts = update[0].split([p.numel() for p in self._params])
        for param, part in zip(self._params, parts, strict=True):
            param.add_(part.view_as(param), alpha=factor)
        return loss

    @property
    def _params(self) -> list[Tensor]:
        return self.param_groups[0]["params"]  # type: ignore[no-any-return]

    def _inputs(self, loss: Loss) -> OptimizerInput:
        """Return what the rule sees at this step."""
        if loss is None and not isinstance(self._learner, HandDesignedOptimizer):
            raise Refused(
                f"{self._learner.name} sees the loss: call optimizer.step(loss), or "
                "give it a closure",
                "loss",
            )
        if all(p.grad is None for p in self._params):
            raise Refused(
                "no parameter has a gradient: call loss.backward() before "
                "optimizer.step(loss), or in the closure",
                "loss",
            )
        value = _read_loss(loss)
        weights = _flatten([p.detach() for p in self._params])
        grad = _flatten([_gradient(p) for p in self._params])
        value = value.to(weights).reshape(1)
        step = int(self.state[self._params[0]].get("step", 0))
        self._check_horizon(step)
        last = max(self.horizon, step)
        norm = grad.norm(dim=1)
        return OptimizerInput(step, last, value, grad, norm, weights)

    def _check_horizon(self, step: int) -> None:
        """Refuse a step of a learned rule past the end that it was told of."""
        if step < self.horizon or isinstance(self._learner, HandDesignedOptimizer):
            return
        raise Refused(
            f"this is step {step + 1:,} of an optimizer for {self.horizon:,}: make it "
            "with horizon=, the number of steps that you will take in all",
            "horizon",
        )

    def _rule(self, weights: Tensor) -> UpdateRule:
        rate = self.param_groups[0]["lr"]
        learner: Any = self._learner
        if isinstance(learner, HandDesignedOptimizer):
            return learner.rule(weights.new_full((1, 1), rate))
        if hasattr(learner, "lr"):
            learner = learner.model_copy(update={"lr": float(rate)})
        theta = {name: value.to(weights) for name, value in self._theta.items()}
        # Of its tasks a rule asks for nothing but how their weights lie.
        tasks: Any = SimpleNamespace(layout=_layout(self._params))
        rule: UpdateRule = learner.rule(theta, tasks)
        return rule


def _list_params(params: object) -> list[Any]:
    """Return the parameters as a list.

    Raises:
        Refused: If they are none, or a model itself.
    """
    held = list(params) if isinstance(params, Iterable) else []
    odd = next((p for p in held if not isinstance(p, (Tensor, dict, tuple))), None)
    if isinstance(params, (Tensor, nn.Module)) or not held or odd is not None:
        given = show(params) if odd is None else f"a list with a {type(odd).__name__}"
        given = "an empty list" if isinstance(params, Iterable) and not held else given
        given = "one tensor" if isinstance(params, Tensor) else given
        given = type(params).__name__ if isinstance(params, nn.Module) else given
        raise Refused(
            "params are the parameters that are trained, model.parameters() or a list "
            f"of tensors, not {given}",
            "params",
        )
    return held


def _read_loss(loss: object) -> Tensor:
    """Return a loss as a number without a graph; NaN for None.

    Raises:
        Refused: If it is not a single number.
    """
    try:
        value = torch.as_tensor(math.nan if loss is None else loss).detach()
    except (TypeError, ValueError, RuntimeError):
        raise Refused(f"the loss is one number, not {show(loss)}", "loss") from None
    if value.dtype == torch.bool:
        raise Refused(f"the loss is one number, not {show(loss)}", "loss")
    if value.numel() != 1:
        raise Refused(
            f"the loss is one number, not of shape {tuple(value.shape)}: take its mean",
            "loss",
        )
    return value


def _flatten(tensors: list[Tensor]) -> Tensor:
    """Return tensors as one row; float32 at least, as a rule's sums need it."""
    row = torch.cat([tensor.flatten() for tensor in tensors])[None]
    return row.float() if row.dtype.itemsize < torch.float32.itemsize else row


def _gradient(param: Tensor) -> Tensor:
    return torch.zeros_like(param) if param.grad is None else param.grad


def _layout(params: list[Tensor]) -> Layout:
    """Return how the parameters lie in one vector, layer by layer."""
    names = tuple(f"p{i}" for i in range(len(params)))
    layers: list[list[str]] = []
    for name, param in zip(names, params, strict=True):
        if param.dim() > 1 or not layers:
            layers.append([])
        layers[-1].append(name)
    shapes = tuple(tuple(p.shape) for p in params)
    return Layout(names, shapes, tuple(map(tuple, layers)))


def make_optimizer(
    learner: Learner,
    theta: Mapping[str, Tensor],
    params: Iterable[Tensor],
    lr: float | None,
    horizon: int,
) -> LearnedOptimizer:
    """Return a learner as an optimizer; arguments as of `FrozenLearner.optimizer`.

    Raises:
        Refused: If the learner is no optimizer.
    """
    if "optimization" not in learner.solves or not hasattr(learner, "rule"):
        raise Refused(
            f"{learner.name} is no optimizer of a whole net: it solves "
            f"{', '.join(sorted(learner.solves))}"
            + (
                "" if hasattr(learner, "rule") else " and has no update rule of its own"
            ),
            "learner",
        )
    made = LearnedOptimizer(learner, theta, params)
    made.horizon = horizon
    if lr is not None:
        number = isinstance(lr, (int, float)) and not isinstance(lr, bool)
        if not (number and 0 < lr < math.inf):
            raise Refused(f"lr must be a number above 0, not {show(lr)}", "lr")
        made.param_groups[0]["lr"] = lr
    return made
