"""Meta-trained learners of a run, to be used with your own model or function."""

import functools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from engine.contract.errors import Refused
from engine.contract.events import Artefact
from engine.contract.run_spec import RunSpec
from engine.export import RunRecord
from metascope.arguments import UnknownName, show, whole_number, words_of_python

if TYPE_CHECKING:
    from torch import Tensor

    from engine.executors.frozen_learner import FrozenParts
    from metascope.frozen_net import FrozenNet
    from metascope.learned_optimizer import LearnedOptimizer
    from metascope.search_strategy import SearchStrategy


class FrozenLearner:
    """A meta-trained learner, frozen as it was tested.

    Attributes:
        label: Its label in the run.
        weights: Its meta-weights by name; each leads with the replicate, as every
            replicate is a meta-training of its own.
    """

    def __init__(self, spec: RunSpec, artefact: Artefact) -> None:
        self._spec = spec
        self.label = artefact.name
        self.weights: Mapping[str, np.ndarray] = artefact.arrays

    @property
    def replicates(self) -> int:
        """Return how many meta-trainings there are to choose from."""
        return len(next(iter(self.weights.values())))

    @functools.cached_property
    def _parts(self) -> "FrozenParts":
        from engine.executors.frozen_learner import frozen_parts

        with words_of_python():
            return frozen_parts(self._spec, self.label)

    def tensors(self, replicate: int = 0) -> dict[str, "Tensor"]:
        """Return the meta-weights of one replicate; shape (1, …) each.

        Raises:
            Refused: If there is no such replicate.
        """
        import torch

        replicate = whole_number("replicate", replicate, 0, self.replicates - 1)
        at = slice(replicate, replicate + 1)
        return {k: torch.from_numpy(np.array(v[at])) for k, v in self.weights.items()}

    def optimizer(
        self,
        params: Iterable["Tensor"],
        *,
        lr: float | None = None,
        horizon: int = 0,
        replicate: int = 0,
    ) -> "LearnedOptimizer":
        """Return a learned optimizer, or a tuned one, as a `torch.optim.Optimizer`.

        Args:
            params: The model's parameters, in its order: `model.parameters()`.
            lr: Its base learning rate; the run's own, or the tuned one, if None. Where
                a rule has none, it is a factor on each update, 1 if None.
            horizon: How many steps you will take: a rule may see its progress. 0 for
                the run's own number of inner steps.
            replicate: Which meta-training to use, from 0.

        Returns:
            The optimizer; its `step` takes the loss, or a closure that returns it.

        Raises:
            Refused: If this learner is no optimizer, in one sentence.

        Example:
            >>> import torch, metascope as ms
            >>> result = ms.run("smoke", replicates=1, store=None)
            >>> model = torch.nn.Linear(2, 1)
            >>> optimizer = result.learners["lr_scale"].optimizer(model.parameters())
            >>> loss = model(torch.ones(4, 2)).square().mean()
            >>> loss.backward()
            >>> optimizer.step(loss) is loss
            True
        """
        from metascope.learned_optimizer import make_optimizer

        given = self.tensors(replicate)
        steps = whole_number("horizon", horizon, 0) or self._spec.budget.horizon
        return make_optimizer(self._parts.learner, given, params, lr, steps)

    def module(self, replicate: int = 0) -> "FrozenNet":
        """Return the net as a `torch.nn.Module`: a start, or an embedding.

        Args:
            replicate: Which meta-training to use, from 0.

        Returns:
            A module from (example, *shape) to (example, output), whose parameters you
            may train; see `FrozenNet`.

        Raises:
            Refused: If the net alone is not what this learner has learned.
        """
        from metascope.frozen_net import make_net

        return make_net(self._parts, self.tensors(replicate))

    def strategy(self, evaluations: int, replicate: int = 0) -> "SearchStrategy":
        """Return a search strategy as ask and tell, on a function of your own.

        Args:
            evaluations: How many architectures it will try.
            replicate: Which meta-training to use, from 0.

        Returns:
            The strategy; see `SearchStrategy`. It searches the space of the run.

        Raises:
            Refused: If this learner is no search strategy.
        """
        from metascope.search_strategy import make_strategy

        return make_strategy(self._parts, self.tensors(replicate), evaluations)

    def __repr__(self) -> str:
        name = next(c.name for c in self._spec.learners if c.label == self.label)
        return f"<frozen {self.label}: {name}, {self.replicates} replicates>"


class FrozenLearners(Mapping[str, FrozenLearner]):
    """The frozen learners of a run, by label; a missing one says why."""

    def __init__(self, spec: RunSpec, held: dict[str, FrozenLearner]) -> None:
        self._labels = [choice.label for choice in spec.learners]
        self._held = held

    def __getitem__(self, label: str) -> FrozenLearner:
        if isinstance(label, str) and label in self._held:
            return self._held[label]
        known = ", ".join(self._held) or "none"
        why = "is not trained" if label in self._labels else "is no learner of this run"
        raise UnknownName(f"{show(label)} {why}; frozen are: {known}", "label")

    def __getattr__(self, label: str) -> FrozenLearner:
        if label.startswith("_"):  # pickling and IPython ask for private names
            raise AttributeError(label)
        try:
            return self[label]
        except Refused as refusal:
            raise AttributeError(refusal.message) from None

    def __dir__(self) -> list[str]:
        return [*self._held, *super().__dir__()]

    def __iter__(self):  # type: ignore[no-untyped-def] # noqa: ANN204
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._held)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self._held.values()))


def list_frozen(record: RunRecord) -> FrozenLearners:
    """Return the frozen learners of a run."""
    held = [a for a in record.artefacts if a.kind == "frozen"]
    made = {a.name: FrozenLearner(record.spec, a) for a in held}
    return FrozenLearners(record.spec, made)
