"""The experiment's form: task, learners, baselines, shifts, budget, Run button."""

import streamlit as st

from app import session
from app.client import client
from app.client.catalogue import Catalogue
from app.experiment import (
    budget_fields,
    compatibility,
    cost_estimate,
    family_default_rates,
    fields,
    spec_mapping,
)
from app.figures.theme import learner_name
from app.form import effort, field_widgets, learners, own_examples, part_widgets
from app.form.part_widgets import PERSIST
from app.widgets import page_elements
from app.widgets.escaping import escape_markdown
from engine.contract import kinds
from engine.contract.cards import Card
from engine.contract.errors import Refused
from engine.contract.jobs import JobState
from engine.contract.run_spec import RunSpec


def draw_form() -> tuple[RunSpec, str] | None:
    """Draw the form; return the completed spec and its key, or None if invalid."""
    known = client.catalogue()
    kind = _draw_kind(known)
    _draw_presets(known, kind)
    _draw_task(known, kind)
    learners.draw_learners(known, kind)
    learners.draw_baselines(known, kind)
    _draw_shifts(known, kind)
    _draw_budget(known, kind)
    try:
        return session.requested_run()
    except Refused as refusal:
        page_elements.draw_refusal(refusal.message)
        return None


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
        **PERSIST,
    )
    return kinds.kind_named(session.form_kind())


def _switch_kind() -> None:
    """Load the kind's experiment into the form."""
    session.choose_kind(session.form_kind())


def _draw_presets(catalogue: Catalogue, kind: kinds.Kind) -> None:
    shipped = compatibility.presets_of_kind(catalogue, kind.name)
    titles = {preset.name: preset.title for preset in shipped}
    if st.session_state.get("preset") not in (None, *titles):
        st.session_state["preset"] = None
    st.selectbox(
        "Start from a shipped experiment",
        list(titles),
        index=None,
        placeholder="Shipped experiments",
        format_func=lambda name: titles.get(name, name),
        key="preset",
        on_change=_load_preset,
        label_visibility="collapsed",
    )
    chosen = st.session_state.get("preset")
    if chosen in titles:
        st.caption(escape_markdown(catalogue.preset(chosen).summary))


def _load_preset() -> None:
    name = st.session_state.get("preset")
    if name is not None:
        session.load_spec(client.catalogue().preset(name).spec)
        session.show_run(None)


def _draw_task(catalogue: Catalogue, kind: kinds.Kind) -> None:
    part_widgets.write_section("Task")
    families = compatibility.cards_of_kind(catalogue, "family", kind.name)
    card = part_widgets.select_part(
        "Task family",
        "family",
        families,
        "The distribution that training tasks are drawn from.",
    )
    st.session_state.update(compatibility.refit_form(session.form_values(), catalogue))
    st.session_state.update(
        family_default_rates.refit_defaults(session.form_values(), catalogue.card)
    )
    st.caption(part_widgets.to_sentence(card.summary))
    if card.missing:
        st.warning(
            escape_markdown(f"Its data is not installed: it needs {card.missing}.")
        )
    if card.traits.get("needs_file"):
        own_examples.draw_file_button(card)
    with st.expander("Task settings", key="x.family"):
        part_widgets.draw_knobs(
            fields.card_fields(card, f"k.family.{card.name}"), "family"
        )
    if compatibility.needs_net(session.form_values(), catalogue):
        with st.expander(kind.words.net, key="x.net"):
            nets = list(compatibility.fitting_cards(catalogue, "net", card.name))
            net = part_widgets.select_part(
                kind.words.net, "net", nets, kind.words.net_help
            )
            knobs = spec_mapping.net_fields(
                session.form_values(), catalogue.card, net.name
            )
            shown = [f for f in knobs if f.knob.only in ("", kind.name)]
            part_widgets.draw_knobs(shown, "net")


def _draw_shifts(catalogue: Catalogue, kind: kinds.Kind) -> None:
    part_widgets.write_section("Shifts")
    by_name = {
        c.name: c for c in compatibility.cards_of_kind(catalogue, "shift", kind.name)
    }
    held = [p for p in st.session_state.get("k.shifts", ()) if p not in by_name]
    places = st.multiselect(
        "Test under shifts",
        [*by_name, *held],
        format_func=lambda place: _card_at(catalogue, "shift", place).title,
        key="k.shifts",
        placeholder="No shift",
        help=kind.words.shifts_help,
        **PERSIST,
    )
    for place in places:
        _draw_shift(_card_at(catalogue, "shift", place), place)
    with st.expander("Other families", key="x.families"):
        _draw_test_families(catalogue, kind)


def _card_at(catalogue: Catalogue, slot: str, place: str) -> Card:
    """Return the card of a place: the same part may be used twice, as `a#2`."""
    return catalogue.card(slot, place.partition("#")[0])


def _draw_shift(card: Card, place: str) -> None:
    key = f"k.shift.{place}.severities"
    unit = f" ({card.traits['unit']})" if card.traits.get("unit") else ""
    st.session_state.setdefault(
        key, fields.format_numbers(card.traits.get("severities", ()))
    )
    st.text_input(
        f"{card.title}: severities{unit}",
        key=key,
        help=escape_markdown(
            f"{card.summary} 0 means no change; at most {card.traits.get('top', 10)}."
        ),
        on_change="ignore",
        **PERSIST,
    )
    for field in fields.card_fields(card, f"k.shift.{place}"):
        field_widgets.draw_field(field)


def _draw_test_families(catalogue: Catalogue, kind: kinds.Kind) -> None:
    cards = compatibility.cards_of_kind(catalogue, "family", kind.name)
    by_name = {card.name: card for card in cards if not card.missing}
    held = [p for p in st.session_state.get("k.test_families", ()) if p not in by_name]
    st.multiselect(
        "Test on other families",
        [*by_name, *held],
        format_func=lambda place: _card_at(catalogue, "family", place).title,
        key="k.test_families",
        placeholder="No other family",
        help="Tests whether what was learned transfers to other tasks.",
        **PERSIST,
    )


def _draw_budget(catalogue: Catalogue, kind: kinds.Kind) -> None:
    part_widgets.write_section("Budget")
    effort.draw_effort(kind)
    with st.expander("Steps, tasks, device", key="x.budget"):
        fields = budget_fields.budget_fields(kind)
        shown = [f for f in fields if f.knob.name not in kind.no_budget]
        part_widgets.draw_knobs(shown, "budget")
        if len(catalogue.devices) > 1:
            st.selectbox(
                "Device", ["auto", *catalogue.devices], key="k.device", **PERSIST
            )
        if compatibility.can_compile(catalogue, kind.name):
            field_widgets.draw_field(budget_fields.compile_field())
    _draw_inputs()


def _draw_inputs() -> None:
    inputs = st.session_state.get("k.inputs") or {}
    for label, source in inputs.items():
        st.caption(
            f"{escape_markdown(learner_name(label))} starts frozen, "
            f"from run `{str(source['run'])[:12]}`."
        )
    if inputs and st.button("Train from scratch instead", key="drop_inputs"):
        st.session_state["k.inputs"] = {}
        st.rerun()


def is_run_pressed() -> bool:
    """Whether Run was just pressed, before the form is drawn."""
    return bool(st.session_state.get("run_button"))


def draw_run_button(wanted: tuple[RunSpec, str] | None) -> bool:
    """Draw the Run button; return whether it was pressed."""
    job = client.job(wanted[1]) if wanted else None
    done = job is not None and job.state == JobState.DONE
    with st.container(key="runbar"):
        pressed = st.button(
            "Open result" if done else "Run",
            key="run_button",
            type="primary",
            icon=":material/folder_open:" if done else ":material/play_arrow:",
            shortcut="Ctrl+Enter",
            width="stretch",
            disabled=wanted is None,
            help="Already computed: opens immediately." if done else None,
        )
        if done:
            st.caption("This exact experiment is already computed.")
        elif wanted is not None:
            _draw_estimate(wanted[0])
    return pressed


def _draw_estimate(spec: RunSpec) -> None:
    """Show the estimated duration before the run is started."""
    estimate = cost_estimate.estimate_duration(spec, client.worker_count())
    work = cost_estimate.describe_cost(spec, client.kind_of_spec(spec))
    st.caption(
        f"{cost_estimate.describe_estimate(estimate)}.",
        help=cost_estimate.explain_estimate(estimate, work),
    )
