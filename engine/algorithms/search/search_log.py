"""The log of a batch of searches: evaluations, budgets, failures, caps, incumbents."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from engine.algorithms.search.best_possible_scores import best_possible_scores
from engine.protocol import Evaluation, Measurement, Proposal, SearchBatch, Space

FAILED_VALUE = -1.0  # below any accuracy, so that a failure never becomes incumbent
# Noise can push an accuracy below -1, but a training that ran beats one that failed.
LEAST = FAILED_VALUE + 1e-9

# What a strategy reports of each evaluation; arrays lead with the member.
StepMetrics = dict[str, Float[np.ndarray, "member ..."]]


@dataclass
class SearchLog:
    """The evaluations of each search so far, and its incumbent.

    `incumbent` is the evaluation with the highest value at the highest fidelity
    trained, −1 if there is none. `is_over` marks searches whose budget is spent,
    `is_capped` those whose cap holds by now.
    """

    tasks: SearchBatch
    best_possible: Float[np.ndarray, " member"]
    uniform: Float[np.ndarray, "member horizon 2"]
    failing_regions: Bool[np.ndarray, "member region"]
    codes: Int[np.ndarray, "member horizon position"]
    value: Float[np.ndarray, "member horizon"]
    score: Float[np.ndarray, "member horizon"]
    property_values: Float[np.ndarray, "member horizon"]
    fidelity: Int[np.ndarray, "member horizon"]
    spent: Float[np.ndarray, " member"]
    incumbent: Int[np.ndarray, " member"]
    is_over: Bool[np.ndarray, " member"]
    is_capped: Bool[np.ndarray, " member"]

    @classmethod
    def start(cls, tasks: SearchBatch) -> "SearchLog":
        """Return an empty log, with all random numbers of the searches drawn."""
        members, horizon = tasks.members, tasks.horizon
        space = tasks.space
        empty = np.full((members, horizon), np.nan)
        regions = space.radix[0] * (space.radix[1] if len(space.radix) > 1 else 1)
        return cls(
            tasks,
            best_possible_scores(tasks, capped=False),
            tasks.uniform("evaluation", horizon, 2),
            tasks.uniform("failing", regions) < tasks.failing_share,
            np.zeros((members, horizon, len(space.radix)), np.int64),
            empty.copy(),
            empty.copy(),
            empty.copy(),
            np.zeros((members, horizon), np.int64),
            np.zeros(members),
            np.full(members, -1),
            np.zeros(members, bool),
            np.zeros(members, bool),
        )

    def evaluate(self, proposal: Proposal, step: int) -> tuple[Evaluation, StepMetrics]:
        """Train the proposed architectures and record the result.

        Args:
            proposal: One architecture per member; a fidelity above the full one is
                reduced to it.
            step: Index of the evaluation, from 0.

        Returns:
            What the strategy learns of it, and the metrics of this step.

        Raises:
            ValueError: If a code is not an option of the space.
        """
        from scipy.special import ndtri  # here, as it takes long to import

        tasks = self.tasks
        _check_codes(tasks.space, proposal.codes)
        self._apply_cap(step)
        top = np.full(tasks.members, tasks.full_fidelity)
        fidelity = (
            top if proposal.fidelity is None else np.minimum(proposal.fidelity, top)
        )
        full = tasks.to_evaluator_codes(proposal.codes)
        found = self._measure(full, fidelity, step)
        cost = np.nan_to_num(found.cost, nan=0.0)
        # Tolerance: sums of prices that should equal the budget may round above it.
        live = ~self.is_over & (self.spent + cost <= tasks.budget * (1 + 1e-9))
        self.is_over = ~live
        self.spent = np.where(live, self.spent + cost, self.spent)
        # Clipped: the normal quantile of 0 is infinite.
        noise = tasks.noise * ndtri(self.uniform[:, step, 1].clip(1e-12, 1 - 1e-12))
        signal = np.where(
            live & ~self._is_failing(proposal.codes), found.signal + noise, np.nan
        )
        self._record(step, proposal, signal, found.score, full, fidelity)
        value = self._values(step)[:, step]
        told = Evaluation(step, proposal.codes, fidelity, signal, value, live)
        return told, self._metrics(told)

    def _measure(
        self,
        full: Int[np.ndarray, "member position"],
        fidelity: Int[np.ndarray, " member"],
        step: int,
    ) -> Measurement:
        """Train for members whose search is not over; NaN for the others."""
        tasks, uniform = self.tasks, self.uniform[:, step, 0]
        if not self.is_over.any():
            return tasks.evaluator.measure(tasks.task_index, full, fidelity, uniform)
        found = Measurement(*np.full((3, tasks.members), np.nan))
        on = np.flatnonzero(~self.is_over)
        if len(on):
            some = tasks.evaluator.measure(
                tasks.task_index[on], full[on], fidelity[on], uniform[on]
            )
            for whole, part in zip(found, some, strict=True):
                whole[on] = part
        return found

    def _is_failing(
        self, codes: Int[np.ndarray, "member position"]
    ) -> Bool[np.ndarray, " member"]:
        second = codes[:, 1] if codes.shape[1] > 1 else 0
        wide = self.tasks.space.radix[1] if codes.shape[1] > 1 else 1
        region = codes[:, 0] * wide + second
        return self.failing_regions[np.arange(len(codes)), region]

    def _record(
        self,
        step: int,
        proposal: Proposal,
        signal: Float[np.ndarray, " member"],
        score: Float[np.ndarray, " member"],
        full: Int[np.ndarray, "member position"],
        fidelity: Int[np.ndarray, " member"],
    ) -> None:
        tasks = self.tasks
        self.codes[:, step] = proposal.codes
        self.value[:, step] = np.maximum(signal, LEAST)
        self.score[:, step] = score
        self.fidelity[:, step] = fidelity
        if tasks.objective.property:
            name = tasks.objective.property
            self.property_values[:, step] = tasks.evaluator.property(
                name, tasks.task_index, full
            )
        self.incumbent = _update_incumbents(
            self.incumbent, step, self._values(step), self.fidelity
        )

    def _apply_cap(self, step: int) -> None:
        """Recompute the incumbents of searches whose cap starts to hold now."""
        objective, horizon = self.tasks.objective, self.tasks.horizon
        if not objective.property or self.is_capped.all():
            return
        late = step >= min(round(objective.since * horizon), horizon - 1)
        due = late | self.is_over | (self._share_done(step) >= objective.since)
        now = due & ~self.is_capped
        if not now.any():
            return
        self.is_capped |= now
        self.best_possible = np.where(
            now, best_possible_scores(self.tasks, capped=True), self.best_possible
        )
        best = np.full_like(self.incumbent, -1)
        value = self._values(step - 1) if step else np.zeros((len(best), 0))
        for at in range(step):
            best = _update_incumbents(best, at, value, self.fidelity)
        self.incumbent = np.where(now, best, self.incumbent)

    def _values(self, step: int) -> Float[np.ndarray, "member evaluation"]:
        """Return the value of every evaluation up to a step, under the current cap."""
        value = np.nan_to_num(self.value[:, : step + 1], nan=FAILED_VALUE)
        if not self.is_capped.any():
            return value
        cap = self.tasks.objective.cap
        assert cap is not None
        # Not `>`: an unknown property is NaN, and counts as above the cap.
        above = ~(
            self.property_values[:, : step + 1] <= cap[self.tasks.task_index][:, None]
        )
        return np.where(above & self.is_capped[:, None], FAILED_VALUE, value)

    def _share_done(self, steps: int) -> Float[np.ndarray, " member"]:
        """Return the share of each search that is done, by evaluations or budget."""
        counted = np.full(len(self.spent), steps / self.tasks.horizon)
        if np.isfinite(self.tasks.budget):
            return np.maximum(counted, self.spent / self.tasks.budget)
        return counted

    def _metrics(self, evaluation: Evaluation) -> StepMetrics:
        members = np.arange(len(self.incumbent))
        none = self.incumbent < 0
        score = np.where(none, np.nan, self.score[members, self.incumbent])
        index = self.tasks.space.index(evaluation.codes).astype(float)
        row = {
            "score": score,
            "regret": self.best_possible - np.nan_to_num(score, nan=0.0),
            "signal": evaluation.signal,
            "architecture": np.where(evaluation.live, index, np.nan),
            "spent": self.spent.copy(),
        }
        if self.tasks.objective.property:
            row["capped"] = self.is_capped.astype(float)
        return row


def _check_codes(space: Space, codes: Int[np.ndarray, "member position"]) -> None:
    """Raise ValueError if a strategy proposes an option that the space lacks."""
    wrong = (codes < 0) | (codes >= np.array(space.radix))
    if wrong.any():
        member, at = np.argwhere(wrong)[0].tolist()
        raise ValueError(
            f"option {codes[member, at]} was proposed for {space.positions[at]!r}, "
            f"which has options 0 to {space.radix[at] - 1}"
        )


def _update_incumbents(
    best: Int[np.ndarray, " member"],
    at: int,
    value: Float[np.ndarray, "member evaluation"],
    depth: Int[np.ndarray, "member horizon"],
) -> Int[np.ndarray, " member"]:
    """Return the incumbents after considering the evaluation `at`."""
    members = np.arange(len(best))
    rival, mine = value[members, best], value[:, at]
    deeper = depth[:, at] > depth[members, best]
    level = depth[:, at] == depth[members, best]
    wins = (best < 0) | deeper | (level & (mine > rival))
    return np.where(wins & (mine > FAILED_VALUE), at, best)
