"""A search strategy of the lab as ask and tell."""

import math
import queue
import threading
from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
from torch import Tensor

from engine.contract.errors import Refused
from engine.protocol import Evaluator, Learner, Measurement, Meta, SearchBatch
from engine.protocol.search import Objective
from metascope.arguments import show, whole_number

if TYPE_CHECKING:
    from engine.executors.frozen_learner import FrozenParts


class Trial(NamedTuple):
    """An architecture to be evaluated.

    Attributes:
        choices: The chosen option of each decision, by name.
        code: The same as numbers, one per decision.
        fidelity: How long to train, in the space's own unit, such as epochs.
    """

    choices: Mapping[str, str]
    code: tuple[int, ...]
    fidelity: float


class _Closed(Exception):
    """The search was given up."""


class _Told(Evaluator):
    """An evaluator that passes each architecture on, and waits for its value."""

    def __init__(self, of: Evaluator) -> None:
        for name in ("space", "tasks", "fidelities", "fidelity_unit", "cost_unit"):
            setattr(self, name, getattr(of, name))
        self.properties: dict[str, str] = {}
        self.features = of.features
        self.asked: queue.Queue[object] = queue.Queue()
        self.told: queue.Queue[float | None] = queue.Queue()

    def measure(
        self,
        which: np.ndarray,
        codes: np.ndarray,
        fidelity: np.ndarray,
        uniform: np.ndarray,
    ) -> Measurement:
        """Pass one architecture on; a search of one member asks for one at a time."""
        self.asked.put((codes[0], int(fidelity[0])))
        value = self.told.get()
        if value is None:
            raise _Closed
        found = np.array([value], float)
        return Measurement(found, found, np.ones(1))

    def property(self, name: str, which: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Return NaN: nothing is known of them."""
        return np.full(len(codes), np.nan)


class SearchStrategy:
    """A search, one architecture at a time.

    Attributes:
        evaluations: How many it tries in all.
        best: The best trial so far and its value; None before the first.

    Example:
        ```python
        with result.learners["warm_evolution"].strategy(evaluations=50) as search:
            while (trial := search.ask()) is not None:
                search.tell(accuracy_of(trial.choices))
        print(search.best)
        ```
    """

    def __init__(self, learner: Learner, meta: Meta, tasks: SearchBatch) -> None:
        self._evaluator = _Told(tasks.evaluator)
        self._space = self._evaluator.space
        self.evaluations = tasks.horizon
        self.best: tuple[Trial, float] | None = None
        self._open: Trial | None = None
        self._over = False
        batch = replace(
            tasks,
            evaluator=self._evaluator,
            budget=float("inf"),
            noise=0.0,
            failing_share=0.0,
            objective=Objective(),
        )
        # A strategy is a generator that asks in the middle of a step, so it waits in a
        # thread of its own.
        self._thread = threading.Thread(
            target=self._search, args=(learner, meta, batch), daemon=True
        )
        self._thread.start()

    def _search(self, learner: Learner, meta: Meta, tasks: SearchBatch) -> None:
        try:
            for _ in learner.adapt(meta, tasks):
                pass
            self._evaluator.asked.put(None)
        except _Closed:
            self._evaluator.asked.put(None)
        except Exception as error:  # raised where the caller asks
            self._evaluator.asked.put(error)

    def ask(self) -> Trial | None:
        """Return the architecture to evaluate next; None at the end of the search.

        To ask again before `tell` returns the same one.
        """
        if self._open is None and not self._over:
            found = self._evaluator.asked.get()
            if isinstance(found, Exception):
                self._over = True
                raise found
            self._over = found is None
            if isinstance(found, tuple):
                self._open = self._trial(*found)
        return self._open

    def _trial(self, code: np.ndarray, fidelity: int) -> Trial:
        space = self._space
        names = zip(space.positions, space.options, code, strict=True)
        return Trial(
            {position: options[int(at)] for position, options, at in names},
            tuple(map(int, code)),
            float(self._evaluator.fidelities[fidelity]),
        )

    def tell(self, value: float) -> None:
        """Tell the value of the architecture that was asked for.

        Args:
            value: What is to be maximized, such as an accuracy from 0 to 1; NaN where
                the training failed.

        Raises:
            Refused: If none was asked for, or it is no number up to 1.
        """
        if self._open is None:
            raise Refused("there is nothing to tell: ask for an architecture first")
        value = _read_value(value)
        if not np.isnan(value) and (self.best is None or value > self.best[1]):
            self.best = (self._open, value)
        self._open = None
        self._evaluator.told.put(value)

    def close(self) -> None:
        """Give the search up."""
        self._over, self._open = True, None
        self._evaluator.told.put(None)
        self._thread.join(timeout=5)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _read_value(given: object) -> float:
    """Return a value that was told, also one of numpy or torch.

    Raises:
        Refused: If it is no number from -1 to 1, nor NaN.
    """
    try:
        value = math.inf if isinstance(given, str) else float(given)  # type: ignore[arg-type]
    except (TypeError, ValueError, RuntimeError):
        value = math.inf
    if math.isnan(value) or -1.0 < value <= 1.0:
        return value
    raise Refused(
        "a value must be a number above -1 and at most 1, as an accuracy is, or NaN "
        f"for a training that failed, not {show(given)}; rescale it",
        "value",
    )


def make_strategy(
    parts: "FrozenParts", weights: dict[str, Tensor], evaluations: int
) -> SearchStrategy:
    """Return a frozen strategy as ask and tell.

    Raises:
        Refused: If the learner is no search strategy, or cannot search this space.
    """
    learner, tasks = parts
    if not isinstance(tasks, SearchBatch):
        raise Refused(
            f"{learner.name} is no search strategy: it solves "
            f"{', '.join(sorted(learner.solves))}",
            "learner",
        )
    evaluations = whole_number("evaluations", evaluations, 1, tasks.space.size)
    batch = replace(tasks, horizon=evaluations)
    meta = Meta(weights, {})
    if reason := learner.why_not(meta, batch):
        raise Refused(f"{learner.name} cannot search this space: {reason}", "learner")
    return SearchStrategy(learner, meta, batch)
