"""The table of a sweep: configurations by the calls of their primary question."""

import csv
import io
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from engine.contract.jobs import Job, JobState
from engine.contract.metrics import METRICS
from engine.contract.run_answer import Answer, find_answer
from engine.contract.run_groups import GroupMember
from engine.contract.sweep_grid import SEED, describe_values
from engine.export.long_format import escape_formula
from engine.stats.claims.calls import CALLS
from engine.store import RunGroups, Store

# After the run's key and the values that set it apart.
JUDGED = (
    "state",
    "learner",
    "against",
    "metric",
    "call",
    "value",
    "difference",
    "low",
    "high",
    "level",
    "n_replicates",
    "n_tasks",
)

LEGEND = (
    "Value and difference are means over the runs of a configuration, lowest and "
    "highest the smallest and the largest difference of a single run; less is better."
)


class SweepResult(NamedTuple):
    """A run of a sweep, and its answer; None before its end or without a rival."""

    job: Job
    values: Mapping[str, Any]
    answer: Answer | None


def read_results(store: Store, group: str) -> list[SweepResult]:
    """Read the runs of a group from the store, in their order."""
    return [_read_result(store, m) for m in RunGroups(store.index).members(group)]


def _read_result(store: Store, member: GroupMember) -> SweepResult:
    done = member.job.state == JobState.DONE and not member.job.damaged
    summary = store.summary(member.job.key) if done else None
    return SweepResult(member.job, member.values, find_answer(summary or {}))


def sweep_csv(results: Iterable[SweepResult]) -> bytes:
    """Return a sweep as CSV: one row per run, with its values and its answer.

    Args:
        results: The runs.

    Returns:
        UTF-8 bytes: `run`, a column per value that sets runs apart, then `JUDGED`.
    """
    results = list(results)
    paths = list(dict.fromkeys(path for each in results for path in each.values))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("run", *paths, *JUDGED))
    for each in results:
        values = [_cell(each.values.get(path)) for path in paths]
        found = each.answer._asdict() if each.answer else {}
        judged = [_cell(found.get(name)) for name in JUDGED[1:]]
        writer.writerow((each.job.key, *values, str(each.job.state), *judged))
    return out.getvalue().encode()


def _cell(value: object) -> object:
    if value is None:
        return ""
    return value if isinstance(value, int | float) else escape_formula(str(value))


class ConfigurationRow(NamedTuple):
    """A configuration over its seeds.

    Args:
        configuration: Its values, as one text.
        runs: How many runs it has.
        done: How many of them have a result.
        calls: How many of those made each call.
        compared: The learner and its rivals.
        metric: What was compared, with its unit.
        value: Mean over the runs of the learner's mean; None without results.
        difference: Mean over the runs of the difference.
        lowest: Smallest difference of any run.
        highest: Largest difference of any run.
    """

    configuration: str
    runs: int
    done: int
    calls: Mapping[str, int]
    compared: str
    metric: str
    value: float | None
    difference: float | None
    lowest: float | None
    highest: float | None


def configuration_rows(results: Iterable[SweepResult]) -> list[ConfigurationRow]:
    """Return one row per configuration, in the order of the sweep.

    Args:
        results: The runs.
    """
    grouped: dict[str, list[SweepResult]] = {}
    for each in results:
        free = {path: v for path, v in each.values.items() if path != SEED}
        grouped.setdefault(describe_values(free) or "as given", []).append(each)
    return [_make_row(name, held) for name, held in grouped.items()]


def _make_row(name: str, held: list[SweepResult]) -> ConfigurationRow:
    answers = [each.answer for each in held if each.answer is not None]
    calls = Counter(answer.call for answer in answers)
    differences = [a.difference for a in answers if a.difference is not None]
    values = [a.value for a in answers if a.value is not None]
    rivals = ", ".join(dict.fromkeys(a.against for a in answers))
    metrics = dict.fromkeys(a.metric for a in answers)
    return ConfigurationRow(
        configuration=name,
        runs=len(held),
        done=sum(each.job.state == JobState.DONE for each in held),
        calls={call: calls[call] for call in CALLS},
        compared=f"{answers[0].learner} against {rivals}" if answers else "",
        metric=", ".join(map(_describe_metric, metrics)),
        value=statistics.fmean(values) if values else None,
        difference=statistics.fmean(differences) if differences else None,
        lowest=min(differences, default=None),
        highest=max(differences, default=None),
    )


def _describe_metric(name: str) -> str:
    known = METRICS.get(name)
    if known is None:
        return name
    return f"{known.label} ({known.unit})" if known.unit else known.label
