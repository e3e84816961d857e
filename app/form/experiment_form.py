"""The experiment's form: task, learners, baselines, shifts, effort, and Run."""

import streamlit as st

from app import session
from app.client import client
from app.client.catalogue import Catalogue
from app.experiment import (
    budget_fields,
    compatibility,
    family_default_rates,
    spec_mapping,
)
from app.experiment.spec_mapping import Form
from app.figures.theme import learner_name
from app.form import (
    all_settings,
    changes,
    effort,
    field_widgets,
    learners,
    own_examples,
    part_widgets,
    run_bar,
    run_request,
    shifts,
)
from app.widgets.escaping import escape_markdown
from engine.contract import kinds
from engine.contract.run_spec import RunSpec

PATIENCE = 1.5  # seconds; a worker refuses what was not answered by then


def draw_form() -> tuple[tuple[RunSpec, str] | None, bool]:
    """Draw the form.

    Returns:
        The completed spec and its key, None if the form is invalid; and whether to run
        it.
    """
    run_bar.draw_skip_link()
    known = client.catalogue()
    kind = _draw_kind(known)
    _draw_presets(known, kind)
    # The session is read twice for the whole form, since each time all of it is read.
    form = _draw_task(known)
    learners.draw_learners(known, kind, form)
    learners.draw_baselines(known, kind, form)
    shifts.draw_shifts(known, kind)
    effort.draw_effort(kind, form)
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    with left:
        field_widgets.draw_field(budget_fields.seed_field())
    with right:
        all_settings.draw_button()
    form = session.form_values()
    _draw_inputs(form)
    changes.draw_summary(form)
    # Who has pressed Run waits for the answer: what can't be run is never queued.
    seconds = PATIENCE if run_bar.is_run_pressed() else None
    asked = run_request.request_run(seconds, form)
    has_keyboard = not all_settings.is_open()
    pressed = run_bar.draw_run_bar(asked, "sidebar", shortcut=has_keyboard)
    return asked.run, pressed


def _draw_kind(catalogue: Catalogue) -> kinds.Kind:
    """Draw the choice of the kind of task; each has its own default experiment."""
    st.segmented_control(
        "What is learned?",
        compatibility.available_kinds(catalogue),
        format_func=lambda name: kinds.kind_named(name).title,
        key=session.KIND,
        required=True,
        on_change=_switch_kind,
        width="stretch",
        help="An optimizer that trains nets, a learner that adapts to a new task from "
        "few examples, an agent that explores a new environment (reinforcement "
        "learning), or a strategy that searches for architectures. Each comes with "
        "its own default experiment.",
        **part_widgets.PERSIST,
    )
    return kinds.kind_named(session.form_kind())


def _switch_kind() -> None:
    """Load the kind's experiment into the form."""
    session.choose_kind(session.form_kind())


def _draw_presets(catalogue: Catalogue, kind: kinds.Kind) -> None:
    shipped = compatibility.presets_of_kind(catalogue, kind.name)
    titles = {preset.name: preset.title for preset in shipped}
    key = session.PRESET
    if st.session_state.get(key) not in (None, *titles):
        st.session_state[key] = None
    chosen = titles.get(str(st.session_state.get(key))) and catalogue.preset(
        str(st.session_state[key])
    )
    st.selectbox(
        "Start from a shipped experiment",
        list(titles),
        index=None,
        placeholder="Shipped experiments",
        format_func=lambda name: titles.get(name, name),
        key=key,
        on_change=_load_preset,
        label_visibility="collapsed",
    )
    if chosen:
        st.caption(escape_markdown(chosen.summary))


def _load_preset() -> None:
    name = st.session_state.get(session.PRESET)
    if name is not None:
        preset = client.catalogue().preset(name)
        session.load_spec(preset.spec, preset.title)
        session.show_run(None)
        st.session_state[session.PRESET] = name


def _draw_task(catalogue: Catalogue) -> Form:
    """Draw the choice of the task; return the form's fields, fit for that task."""
    families = compatibility.cards_of_kind(catalogue, "family", session.form_kind())
    card = part_widgets.select_part(
        "Task", "family", families, "The distribution that tasks are drawn from."
    )
    form = session.form_values()
    changed = compatibility.refit_form(form, catalogue)
    changed |= family_default_rates.refit_defaults(form | changed, catalogue.card)
    st.session_state.update(changed)
    if card.missing:
        st.warning(
            escape_markdown(f"Its data is not installed: it needs {card.missing}.")
        )
    if card.traits.get("needs_file"):
        own_examples.draw_file_button(card)
    return form | changed


def _draw_inputs(form: Form) -> None:
    inputs = spec_mapping.frozen_inputs(form)
    for label, source in inputs.items():
        st.caption(
            f"{escape_markdown(learner_name(label))} starts frozen, "
            f"from run `{str(source['run'])[:12]}`."
        )
    if inputs and st.button("Train from scratch instead", key="drop_inputs"):
        st.session_state["k.inputs"] = {}
        st.rerun()
