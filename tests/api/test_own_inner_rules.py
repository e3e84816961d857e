"""Few-shot learners of a notebook: what their inner rule returns is checked."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
import torch

import metascope as ms
from engine.catalogue import find_card
from engine.contract import registry
from metascope.parts import Adaptation, GradientLearner, Outer


@pytest.fixture(autouse=True)
def forget_own_parts() -> Iterator[None]:
    yield
    registry.forget("learner", "inner")
    find_card.cache_clear()


WRONG_RULES: dict[str, Callable[..., object]] = {
    r"'w0' has the shape \(\d, .*, not a tensor of shape \(1, ": lambda w, g: {
        name: held[:1] for name, held in w.items()
    },
    r"'w0' has the shape .*, not a float": lambda w, g: dict.fromkeys(w, 0.5),
    r"dictionary of tensors .*: not None": lambda w, g: None,
    r"there is no weight 'v': 'w0', ": lambda w, g: {"v": w["w0"]},
}


def define_inner_rule(found: Callable[..., Any] | None) -> None:
    @ms.register
    class Inner(GradientLearner):
        """Inner: what a newcomer writes.

        w ← w − α g.
        """

        solves = frozenset({"few_shot"})
        trains: ClassVar[bool] = True

        def adaptation(self, theta: Any, tasks: Any) -> Any:
            rule = found and (lambda step, weights, grads: found(weights, grads))
            return rule and Adaptation(theta, rule)

        def outer(self, meta: Any, *seen: Any) -> Any:
            return Outer({n: torch.zeros_like(w) for n, w in meta.weights.items()}, {})


def run_inner_rule() -> None:
    budget = {"task_evaluations": 8, "test_tasks": 2}
    changes: dict[str, Any] = {"family": "gaussian_classes", "budget": budget}
    changes |= {"baselines": [], "shifts": [], "replicates": 2, "store": None}
    ms.run("few_shot_smoke", learner="inner", progress=False, **changes)


@pytest.mark.parametrize("told", WRONG_RULES)
def test_an_inner_rule_of_a_wrong_shape_names_the_learner(told: str) -> None:
    define_inner_rule(WRONG_RULES[told])
    with pytest.raises(ms.Refused, match=f"rule of the learner inner .*{told}"):
        run_inner_rule()


def test_an_adaptation_that_is_none_is_refused() -> None:
    define_inner_rule(None)
    with pytest.raises(ms.Refused, match=r"inner must return Adaptation\(.* not None"):
        run_inner_rule()
