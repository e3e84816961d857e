"""What a run found: its call, its numbers as DataFrames, its figures, its files."""

import functools
import html
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from engine.contract.errors import Refused
from engine.contract.jobs import Job
from engine.contract.run_answer import Answer, find_answer
from engine.contract.run_facts import make_facts
from engine.contract.run_spec import RunSpec
from engine.export import RunRecord
from metascope import frames
from metascope.arguments import as_path

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from metascope.figures import Plots
    from metascope.frozen import FrozenLearner


class Call(NamedTuple):
    """The answer to a run's primary question.

    Attributes:
        call: "better", "worse", "equal" or "can't tell yet".
        sentence: The same in words.
        learner: Label of the judged learner.
        against: Label of its rival.
        metric: What was compared; of every compared metric, less is better.
        difference: Mean of the learner minus that of its rival; None without tests.
        low: Lower end of the interval of the difference.
        high: Upper end.
        level: Confidence of the interval.
        replicates: Replicates.
        tasks: Test tasks per replicate.
    """

    call: str
    sentence: str
    learner: str
    against: str
    metric: str
    difference: float | None
    low: float | None
    high: float | None
    level: float | None
    replicates: int
    tasks: int

    def __str__(self) -> str:
        return self.sentence


class Result:
    """A finished run.

    Attributes:
        key: The key that it is stored under.
        spec: Its complete spec, `engine.contract.run_spec.RunSpec`.
        state: "done", or "diverged" if no chosen learner stayed finite.
        title: Its title; may be empty.
        summary: Statistics and verdict, as in summary.json.

    Example:
        >>> import metascope as ms
        >>> result = ms.run("smoke", replicates=1, store=None)
        >>> result.claims.loc[result.claims["primary"], ["learner", "against"]].values
        array([['lr_scale', 'sgd_tuned']], dtype=object)
        >>> figure = result.plot(result.plots[0])
        >>> type(figure).__name__
        'Figure'
    """

    def __init__(self, record: RunRecord, job: Job) -> None:
        self._record = record
        self._job = job

    @property
    def state(self) -> str:
        return str(self._job.state)

    @property
    def title(self) -> str:
        return self._job.title

    @property
    def key(self) -> str:
        return self._record.key

    @property
    def spec(self) -> RunSpec:
        return self._record.spec

    @property
    def summary(self) -> dict[str, Any]:
        return dict(self._record.summary or {})

    @property
    def fingerprint(self) -> dict[str, Any]:
        """Return device, versions and CPU that it was computed with."""
        return dict(self._record.fingerprint or {})

    @functools.cached_property
    def call(self) -> Call:
        """Return the answer to the primary question.

        Raises:
            Refused: If nothing was compared.
        """
        found: Answer | None = find_answer(self.summary)
        if found is None:
            raise Refused(
                "this run compares nothing: it needs a chosen learner, a baseline and "
                "test tasks"
            )
        return Call(
            found.call,
            str(self.summary.get("headline", "")),
            found.learner,
            found.against,
            found.metric,
            found.difference,
            found.low,
            found.high,
            found.level,
            found.n_replicates,
            found.n_tasks,
        )

    @functools.cached_property
    def metrics(self) -> pd.DataFrame:
        """Return every number of metrics.csv, one per row.

        Columns: `run`, `learner`, `role`, `phase` (tune, train, validate, test),
        `test_family`, `shift`, `severity`, `metric`, `statistic` (value, task_mean,
        mean, low, high), `replicate`, `task`, `step`, `inner_step`, `layer`, `rate`,
        `bin`, `context`, `presentation`, `value`, `status`.
        """
        return frames.metrics_frame(self._record)

    @functools.cached_property
    def traces(self) -> pd.DataFrame:
        """Return `metrics` with every single trace, not only their means."""
        return frames.metrics_frame(self._record, traces=True)

    @functools.cached_property
    def claims(self) -> pd.DataFrame:
        """Return the comparisons, one per pair of learners, metric and condition.

        Columns: `learner`, `against`, `test_family`, `shift`, `severity`, `metric`,
        `call`, `difference`, `low`, `high`, `level`, `margin`, `primary`, `decisive`,
        `n_replicates`, `n_tasks`, `over`, `probability_of_improvement`, `diverged`,
        `diverged_against`, `by_divergence`, `more_replicates`. The call follows from
        `low` and `high`, the interval of the difference at `level`.
        """
        return frames.claims_frame(self._record)

    @functools.cached_property
    def curves(self) -> pd.DataFrame:
        """Return the curves, one point per row.

        Columns: `learner`, `role`, `phase`, `test_family`, `shift`, `severity`,
        `metric`, `along` (step, inner_step, rate, context or presentation), `x`,
        `mean`, `low`, `high`: the mean over replicates with its 95 % interval, and
        `inner_step`, `layer`, `bin` where a curve has several of them.
        """
        return frames.curves_frame(self.metrics)

    @functools.cached_property
    def tasks(self) -> pd.DataFrame:
        """Return the tests task by task.

        Columns: `learner`, `role`, `test_family`, `shift`, `severity`, `metric`,
        `replicate`, `task`, `value`, `status` (ok, censored, diverged, never,
        unmeasured).
        """
        return frames.tasks_frame(self.metrics)

    @functools.cached_property
    def plots(self) -> "Plots":
        """Return the names of its figures, those of the lab, with their titles."""
        from metascope.figures import Plots

        return Plots(self._record)

    def plot(self, name: str = "") -> "go.Figure":
        """Return a figure of the lab.

        Args:
            name: One of `plots`; the main chart if empty.

        Returns:
            A plotly figure, which can be changed.

        Raises:
            Refused: If there is no such figure; the message names similar ones.
        """
        return self.plots.figure(name)

    @functools.cached_property
    def learners(self) -> Mapping[str, "FrozenLearner"]:
        """Return the meta-trained learners, by label, to be used outside the lab."""
        from metascope.frozen import list_frozen

        return list_frozen(self._record)

    def save(self, path: str | Path, *, replace: bool = False) -> Path:
        """Write the run's files.

        Args:
            path: A folder, for metrics.csv, timings.csv, config.json, summary.json and
                the run's archive; or a file that ends in `.zip`, for the archive alone,
                or in `.ipynb`, for a notebook that computes it again.
            replace: Whether to replace another run that is there.

        Raises:
            Refused: If that holds something else, or cannot be written.
        """
        from metascope.files import save_run

        return save_run(self._record, as_path("path", path), self._job, replace=replace)

    def report(self, path: str | Path) -> Path:
        """Write a report: one HTML file with figures and films that works offline.

        Args:
            path: The file, which ends in `.html`; it is replaced.

        Raises:
            Refused: If it cannot be written.
        """
        from metascope.figures import write_report

        return write_report(self._record, as_path("path", path))

    def __repr__(self) -> str:
        lines = [self._question(), self.summary.get("headline", "")]
        return "\n".join(filter(None, (*lines, f"run {self.key[:12]}, {self.state}")))

    def _repr_html_(self) -> str:
        chosen = self.claims[self.claims["primary"]]
        shown = ["learner", "against", "metric", "call", "difference", "low", "high"]
        table = chosen[shown].to_html(index=False, float_format="{:.3g}".format)
        return (
            f"<p>{html.escape(self._question())}<br>"
            f"<b>{html.escape(str(self.summary.get('headline', '')))}</b><br>"
            f"<small>run {self.key[:12]}, {self.state}, "
            f"{self.summary.get('replicates', 0)} replicates</small></p>{table}"
        )

    def _question(self) -> str:
        return make_facts(self.spec.model_dump(mode="json")).question.in_words()
