"""The section Use this learner: start another experiment from what was learned here."""

from collections.abc import Mapping, Sequence

import streamlit as st

from app import session
from app.charts.chart_options import ViewState
from app.client import client
from app.client.client import Run
from app.experiment import compatibility
from app.figures.theme import learner_name
from app.widgets import page_elements
from app.widgets.escaping import escape_markdown
from engine.contract.cards import Card
from engine.contract.errors import Refused
from engine.contract.jobs import Job
from engine.contract.learner_appearance import name_in_words
from engine.contract.run_spec import Choice, Input, LearnerChoice, RunSpec

MAX_RUNS = 100  # the newest runs that are looked through for what started from this one


def draw_section(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
    """Draw the form that starts from a run's frozen learner, and where it was used."""
    if run.is_recorded:
        page_elements.draw_empty(
            "This example is recorded",
            "Press **Run** to compute it here: then what it learned can start another "
            "experiment.",
        )
    elif not (labels := _frozen_labels(run)):
        page_elements.draw_empty(
            "Nothing is frozen",
            "A finished run freezes what its learners learned. Choose a "
            f"{run.kind.words.learner.lower()} that is trained, and run it to the end.",
        )
    elif client.is_catalogue_ready():
        _draw_start(run, labels)
    _draw_lineage(run)


def _draw_start(run: Run, labels: Sequence[str]) -> None:
    """Draw the choice of learner and family, and the button that fills the form."""
    page_elements.draw_heading(
        "Try what was learned on other tasks",
        "It stays frozen; baselines are tuned anew on the new tasks.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox(
            "Learner", labels, format_func=learner_name, key="frozen", width=220
        )
        titles = {card.name: card.title for card in _target_families(run, str(label))}
        family = st.selectbox(
            "Task family",
            list(titles),
            format_func=titles.get,
            key="frozen_family",
            width=260,
        )
        pressed = st.button("Set it up", icon=":material/science:", key="carry")
    if run.kind.fixed_space:
        st.caption(
            "What was learned about a space applies only to that space: keep the "
            "family, and choose another target under All settings, Task."
        )
    if family and pressed:
        _set_up(start_from_frozen(run.spec, run.key, str(label), str(family)))


def _set_up(spec: RunSpec) -> None:
    """Fill the form with an experiment that starts from a frozen learner."""
    try:
        session.load_spec(_drop_unfit_baselines(spec), "this learner on other tasks")
    except Refused as refusal:
        page_elements.draw_refusal(refusal.message)
        return
    session.show_run(None)
    session.open_lab()


def _target_families(run: Run, label: str) -> list[Card]:
    """Return the families that a frozen learner can run on, its own first."""
    known, spec = client.catalogue(), run.spec
    part = next(entry.name for entry in spec.learners if entry.label == label)
    home = known.card("family", spec.family.name)
    parts = [known.card("learner", part)]
    if home.traits.get("uses_net", True):
        parts.append(known.card("net", spec.net.name))
    found = [
        card
        for card in compatibility.cards_of_kind(known, "family", run.kind.name)
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


def _frozen_labels(run: Run) -> list[str]:
    """Return a run's frozen meta-learners; tuned baselines are tuned anew."""
    return [name for name in run.frozen_labels if run.roles.get(name) == "chosen"]


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


def _draw_lineage(run: Run) -> None:
    """List the runs that started from this one; what it started from stands above."""
    if run.is_recorded:
        return
    for job in client.jobs(None, "", (MAX_RUNS, 0))[0]:
        for label, source in client.spec(job.key).inputs.items():
            if source.run == run.key:
                st.markdown(
                    f"[{escape_markdown(_describe_job(job))}](?run={job.key}) starts "
                    f"from this run's {escape_markdown(learner_name(label))}."
                )


def _describe_job(job: Job) -> str:
    return f"{job.title or name_in_words(job.about)} · {job.key[:6]}"
