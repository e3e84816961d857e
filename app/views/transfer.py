"""The page Transfer: severities, other families, and runs from a frozen learner."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app import session
from app.charts import optimization
from app.client import client
from app.experiment import compatibility
from app.figures.shift import family_matrix_figure, severity_figure
from app.figures.theme import learner_name
from app.widgets import page_elements
from app.widgets.escaping import escape_markdown
from app.widgets.metric_select import metric_select
from engine.contract import kinds
from engine.contract.cards import Card
from engine.contract.errors import Refused
from engine.contract.jobs import Job, JobState
from engine.contract.learner_appearance import name_in_words
from engine.contract.run_spec import Choice, Input, LearnerChoice, RunSpec
from engine.stats.shift_and_transfer import transfer_levels

DONE = (JobState.DONE,)
MAX_RUNS = 100


def list_finished() -> list[Job]:
    """Return the newest finished runs."""
    return client.jobs(DONE, "", (MAX_RUNS, 0))[0]


def draw_severity(jobs: Sequence[Job]) -> None:
    """Draw a run's metric against the severity of each of its shifts."""
    shifted = [job for job in jobs if client.spec(job.key).shifts]
    if not shifted:
        page_elements.draw_empty(
            "No run with shifts yet",
            "Choose a shift in the **Lab** and press **Run**: the metric by severity "
            "appears here.",
        )
        return
    run, metric = _choose_run_and_metric(shifted, "severity")
    found = optimization.severity_curves(run, metric)
    if found:
        page_elements.draw_chart(
            severity_figure(found, metric, run.roles, _severity_units()), "severity"
        )


def _severity_units() -> dict[str, str]:
    if not client.is_catalogue_ready():
        return {}
    shifts = client.catalogue().cards_of("shift")
    return {card.name: str(card.traits.get("unit", "")) for card in shifts}


def _choose_run_and_metric(jobs: Sequence[Job], place: str) -> tuple[client.Run, str]:
    by_key = {job.key: job for job in jobs}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = st.selectbox(
            "Run",
            list(by_key),
            format_func=lambda key: job_label(by_key[key]),
            key=f"{place}_run",
            width=420,
        )
        run = client.run(str(key))
        there = {block.metric for block in run.blocks}
        names = [m for m in run.kind.metrics.by_severity if m in there]
        metric = metric_select(names, f"{place}_by", width=220)
    return run, metric


def _underlying_metric(name: str, kind: kinds.Kind) -> str:
    """Return the metric that a key of the summary is computed from."""
    return kind.criteria[0].beside if name == "rmst" else name


def job_label(job: Job) -> str:
    """Return a run's name in a list of choices."""
    return f"{job.title or name_in_words(job.about)} · {job.key[:6]}"


def draw_matrix(jobs: Sequence[Job]) -> None:
    """Draw train family × test family for one learner, from finished runs."""
    learners = _judged_learners(jobs)
    if not learners:
        page_elements.draw_empty(
            "No finished run yet",
            "Each run with **Other families** fills one row: trained on one family, "
            "tested on the others.",
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox(
            "Learner",
            list(learners),
            format_func=learner_name,
            key="matrix_learner",
            width=220,
        )
        held, kind = _summaries(jobs), learners[str(label)]
        metric = metric_select(
            available_metrics(held, str(label), kind),
            "matrix_metric",
            width=220,
            metric_of=lambda name: _underlying_metric(name, kind),
        )
    made = transfer_levels(held, str(label), metric)
    if made.train:
        name = _underlying_metric(metric, kind)
        page_elements.draw_chart(family_matrix_figure(made, name), "matrix")
        st.caption("If several runs fill a cell, it shows the newest.")


def _judged_learners(jobs: Sequence[Job]) -> dict[str, kinds.Kind]:
    """Return the judged learners of finished runs, with the kind that they solve."""
    found: dict[str, kinds.Kind] = {}
    for spec in (client.spec(job.key) for job in jobs):
        for entry in spec.learners:
            if entry.role == "chosen":
                found.setdefault(entry.label, client.kind_of_spec(spec))
    return found


def available_metrics(
    runs: Sequence[tuple[RunSpec, dict[str, Any]]], label: str, kind: kinds.Kind
) -> list[str]:
    """Return the kind's metrics that some run has for a learner; else all."""
    there = {
        metric
        for _, summary in runs
        for entry in summary.get("conditions", [])
        for metric in entry["learners"].get(label, {})
    }
    return [m for m in kind.metrics.by_family if m in there] or list(
        kind.metrics.by_family
    )


def _summaries(jobs: Sequence[Job]) -> list[tuple[RunSpec, dict[str, Any]]]:
    held = [(client.spec(job.key), client.summary(job.key)) for job in jobs]
    return [(spec, summary) for spec, summary in held if summary]


def draw_frozen_start(jobs: Sequence[Job]) -> None:
    """Draw the form that starts a run from another run's frozen meta-learner."""
    sources = [(job, name) for job in jobs for name in _frozen_names(job)]
    if not sources or not client.is_catalogue_ready():
        page_elements.draw_empty(
            "Nothing is frozen yet",
            "A finished run freezes what it learned. Run one in the **Lab**, then try "
            "its frozen learner on another task here.",
        )
        return
    places = {f"{job.key}/{name}": (job, name) for job, name in sources}
    picked = st.selectbox(
        "Frozen meta-learner",
        list(places),
        format_func=lambda place: (
            f"{learner_name(places[place][1])} from {job_label(places[place][0])}"
        ),
        key="frozen",
    )
    job, name = places[str(picked)]
    spec = client.spec(job.key)
    titles = {card.name: card.title for card in _target_families(spec, name)}
    family = st.selectbox(
        "New task family", list(titles), format_func=titles.get, key="frozen_family"
    )
    if client.kind_of_spec(spec).fixed_space:
        st.caption(
            "What was learned about a space applies only to that space: keep the "
            "family, and choose another target under Task settings."
        )
    if family and st.button("Set it up", icon=":material/science:", key="carry"):
        try:
            session.load_spec(
                _drop_unfit_baselines(
                    start_from_frozen(spec, job.key, name, str(family))
                )
            )
        except Refused as refusal:
            page_elements.draw_refusal(refusal.message)
            return
        session.show_run(None)
        session.open_lab()


def _target_families(spec: RunSpec, label: str) -> list[Card]:
    """Return the families that a frozen learner can run on, its own first."""
    known = client.catalogue()
    part = next(entry.name for entry in spec.learners if entry.label == label)
    home = known.card("family", spec.family.name)
    parts = [known.card("learner", part)]
    if home.traits.get("uses_net", True):
        parts.append(known.card("net", spec.net.name))
    found = [
        card
        for card in compatibility.cards_of_kind(
            known, "family", client.kind_of_spec(spec).name
        )
        if not card.missing
        and all(compatibility.fits(known, one, card) for one in parts)
        and compatibility.can_transfer(known, home, card)
    ]
    # A stable sort: the own family first, the others in catalogue order.
    return sorted(found, key=lambda card: card.name != home.name)


def _drop_unfit_baselines(spec: RunSpec) -> RunSpec:
    """Drop baselines that do not fit the new family."""
    known = client.catalogue()
    family = known.card("family", spec.family.name)
    kept = tuple(
        entry
        for entry in spec.learners
        if compatibility.fits(known, known.card("learner", entry.name), family)
    )
    return spec.model_copy(update={"learners": kept})


def _frozen_names(job: Job) -> list[str]:
    """Return a run's frozen meta-learners; tuned baselines are tuned anew."""
    learned = {e.label for e in client.spec(job.key).learners if e.role == "chosen"}
    return [name for name in client.list_frozen(job.key) if name in learned]


def start_from_frozen(spec: RunSpec, key: str, artefact: str, family: str) -> RunSpec:
    """Return the same experiment on another family, its learner frozen.

    On its own family the knobs stay: they name the space, and the form can change them.

    Args:
        spec: The run that froze the learner.
        key: Its key.
        artefact: The frozen learner's artefact, named by its label.
        family: Name of the new family.
    """
    source, home = Input(run=key, artefact=artefact, spec=spec), spec.family
    return spec.model_copy(
        update={
            "family": home if family == home.name else Choice(name=family),
            "test_families": (),
            "learners": _keep_one_judged(spec.learners, artefact),
            "inputs": {artefact: source},
        }
    )


def _keep_one_judged(
    learners: Sequence[LearnerChoice], label: str
) -> tuple[LearnerChoice, ...]:
    return tuple(e for e in learners if e.role == "baseline" or e.label == label)


def draw_lineage(jobs: Sequence[Job]) -> None:
    """List the runs that start from another run's frozen learner."""
    for job in jobs:
        for label, source in client.spec(job.key).inputs.items():
            st.markdown(
                f"{escape_markdown(job_label(job))}: "
                f"{escape_markdown(learner_name(label))} starts frozen, "
                f"from run `{source.run[:12]}`"
            )
