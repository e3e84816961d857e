"""Runs and groups as rows of the list: plain text, no widget."""

import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from app.figures.call_style import CALL_STYLES
from app.figures.theme import format_number
from app.widgets import page_elements
from engine.contract.jobs import ALIVE, Job, JobState
from engine.contract.kinds import Criterion, kind_named
from engine.contract.learner_appearance import name_in_words
from engine.contract.metrics import METRICS
from engine.contract.run_answer import Answer
from engine.contract.run_facts import RunFacts
from engine.contract.run_groups import RunGroup

NAME = "Name"
LINK = ":material/arrow_outward: "  # so that a name can be seen to be a link


class QueueState(NamedTuple):
    """What the rows of queued runs say.

    Args:
        wait: Typical seconds of a run; None if unknown.
        trouble: Why no worker takes queued runs; empty if one does.
    """

    wait: float | None = None
    trouble: str = ""


def job_row(job: Job, facts: RunFacts | None, queue: QueueState) -> dict[str, object]:
    """Return a run as a row.

    Args:
        job: The run.
        facts: What is known of it; None if nothing is.
        queue: What queued runs say.
    """
    question = facts.question.in_words() if facts else name_in_words(job.about)
    name = job.title or (facts.question.as_title() if facts else question)
    return {
        NAME: f"{LINK}{name}",
        "State": _describe_progress(job),
        "Call": _sign_call(facts.answer.call) if facts and facts.answer else "",
        **_levels(facts),
        "Question": question,
        "Kind": kind_named(facts.kind).title if facts and facts.kind else "",
        "Age": page_elements.format_age(job.created),
        "Tags": ", ".join(facts.tags) if facts else "",
        "Status": _describe_status(job, queue),
        "Id": job.key[:12],
    }


def group_row(group: RunGroup) -> dict[str, object]:
    """Return a group as a row: its calls counted, without numbers of its own."""
    look = page_elements.STATES[group.state]
    is_alive = group.state in ALIVE
    share = f" {100 * group.done:.0f} %" if is_alive else ""
    return {
        NAME: f"{LINK}{group.noun.capitalize()} · {group.title}",
        "State": f"{look.sign} {look.word}{share}",
        "Call": group.describe_calls(),
        **_levels(None),
        "Question": f"{group.size} runs",
        "Kind": ", ".join(kind_named(kind).title for kind in group.kinds if kind),
        "Age": page_elements.format_age(group.created),
        "Tags": "",
        "Status": f"{group.size} runs: {group.describe_states()}.",
        "Id": group.name,
    }


def typical_seconds(jobs: Sequence[Job]) -> float | None:
    """Return the median duration of the finished runs, seconds; None without any."""
    took = [
        job.finished - job.started
        for job in jobs
        if job.state == JobState.DONE and job.started and job.finished
    ]
    return statistics.median(took) if took else None


def _describe_progress(job: Job) -> str:
    look = page_elements.STATES[job.state]
    if job.damaged:
        return f"{look.sign} damaged"
    share = f" {100 * job.done:.0f} %" if job.state == JobState.RUNNING else ""
    return f"{look.sign} {look.word}{share}"


def _sign_call(call: str) -> str:
    style = CALL_STYLES.get(call)  # type: ignore[call-overload]
    return f"{style.sign} {call}" if style else call


def _levels(facts: RunFacts | None) -> dict[str, object]:
    """Return the main metric of the judged learner and of its main rival, with n."""
    answer = facts.answer if facts else None
    if facts is None or answer is None:
        return dict.fromkeys(("Result", "Rival", "Metric", "n"), "")
    rule = _criterion(facts.kind, answer, facts.numbers)
    return {
        "Result": _format_level(answer.value, rule),
        "Rival": _format_level(answer.rival_value, rule),
        "Metric": _metric_title(answer.metric, rule),
        "n": f"{answer.n_replicates} × {answer.n_tasks}",
    }


def _criterion(
    kind: str, answer: Answer, numbers: Mapping[str, float]
) -> Criterion | None:
    """Return the criterion that a run was judged by; None if it is not known."""
    held = [r for r in kind_named(kind).criteria if r.deciding == answer.metric]
    reported = [rule for rule in held if rule.reported in numbers]
    return next(iter(reported or held), None)


def _format_level(value: float | None, rule: Criterion | None) -> str:
    if value is None:
        return "–"
    if rule is None:
        return format_number(value)
    # A share of wrong answers is shown as that of right ones, as everywhere.
    level = 1.0 - value if rule.share else value
    return format_number(rule.scale * level)


def _metric_title(metric: str, rule: Criterion | None) -> str:
    if rule is None:
        known = METRICS.get(metric)
        return known.label if known else name_in_words(metric)
    unit = f" ({rule.unit})" if rule.unit not in ("ln", "MSE") else ""
    return f"{rule.called[:1].upper()}{rule.called[1:]}{unit}"


def _describe_status(job: Job, queue: QueueState) -> str:
    if job.damaged:
        return f"Quarantined (damaged file): {job.damaged}"
    text = page_elements.explain_state(job, queue.trouble)
    waits = job.state == JobState.QUEUED and job.position and not queue.trouble
    if waits and queue.wait and job.position and "starts in" not in text:
        start = page_elements.format_duration(queue.wait * job.position)
        return f"{text} Starts in about {start}."
    return text
