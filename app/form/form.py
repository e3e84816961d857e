"""The experiment's form: what is learned, on what, against whom, at what price."""

import streamlit as st

from app import session
from app.client import client
from app.client.catalogue import Catalogue
from app.experiment import (
    budget_fields,
    compatibility,
    cost_estimate,
    default_rates,
    fields,
)
from app.figures.theme import learner_name
from app.form import field_widgets, layout, learners, own_examples
from app.form.layout import KEEP
from app.widgets import panels
from app.widgets.escaping import plain
from engine.contract import kinds
from engine.contract.cards import Card
from engine.contract.errors import Refused
from engine.contract.jobs import JobState
from engine.contract.runs import RunSpec


def draw() -> tuple[RunSpec, str] | None:
    """Draw the form and return what it asks for, or none where it cannot be taken."""
    known = client.catalogue()
    kind = _kind(known)
    _presets(known, kind)
    _task(known, kind)
    learners.learners(known, kind)
    learners.baselines(known, kind)
    _shifts(known, kind)
    _price(known, kind)
    try:
        return session.wanted()
    except Refused as refusal:
        panels.refused(refusal.message)
        return None


def _kind(known: Catalogue) -> kinds.Kind:
    """Draw what is learned; another kind comes with its default experiment."""
    page = kinds.kind_named(session.kind()).page
    names = [
        name
        for name in compatibility.kinds(known)
        if kinds.kind_named(name).page == page
    ]
    if len(names) > 1:
        st.segmented_control(
            *("What is learned?", names),
            format_func=lambda name: kinds.kind_named(name).title,
            key=session.KIND,
            required=True,
            on_change=_switch,
            width="stretch",
            help="An optimizer that trains nets, or a learner that adapts to a new "
            "task from few examples. Each comes with its own default experiment.",
            **KEEP,
        )
    return kinds.kind_named(session.kind())


def _switch() -> None:
    """Fill the form with the kind's default; show it if it is computed here."""
    kind = session.kind()
    session.switch(kind)
    session.show(session.default_done(kind))


def _presets(known: Catalogue, kind: kinds.Kind) -> None:
    shipped = compatibility.presets(known, kind.name)
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
        st.caption(plain(known.preset(chosen).summary))


def _load_preset() -> None:
    name = st.session_state.get("preset")
    if name is not None:
        session.load(client.catalogue().preset(name).spec)
        session.show(None)


def _task(known: Catalogue, kind: kinds.Kind) -> None:
    layout.section("Task")
    families = compatibility.of_kind(known, "family", kind.name)
    card = layout.select("Task family", "family", families, "What is trained on.")
    st.session_state.update(compatibility.refitted(session.form(), known))
    st.session_state.update(default_rates.resuited(session.form(), known.card))
    st.caption(layout.sentence(card.summary))
    if card.missing:
        st.warning(plain(f"Its data is not here: it needs {card.missing}."))
    if card.traits.get("needs_file"):
        own_examples.offer(card)
    with st.expander("Task settings", key="x.family"):
        layout.knobs(fields.fields(card, f"k.family.{card.name}"), "family")
    if card.traits.get("uses_net", True):
        with st.expander(kind.words.net, key="x.net"):
            nets = list(compatibility.fitting(known, "net", card.name))
            net = layout.select(kind.words.net, "net", nets, kind.words.net_help)
            layout.knobs(fields.fields(net, f"k.net.{net.name}"), "net")


def _shifts(known: Catalogue, kind: kinds.Kind) -> None:
    layout.section("Shifts")
    by_name = {c.name: c for c in compatibility.of_kind(known, "shift", kind.name)}
    held = [p for p in st.session_state.get("k.shifts", ()) if p not in by_name]
    places = st.multiselect(
        *("Then tested under", [*by_name, *held]),
        format_func=lambda place: _at(known, "shift", place).title,
        key="k.shifts",
        placeholder="No shift",
        help=kind.words.shifts_help,
        **KEEP,
    )
    for place in places:
        _shift(_at(known, "shift", place), place)
    with st.expander("Other families", key="x.families"):
        _families(known, kind)


def _at(known: Catalogue, slot: str, place: str) -> Card:
    """Return the card of a place: the same part may stand there twice, as `a#2`."""
    return known.card(slot, place.partition("#")[0])


def _shift(card: Card, place: str) -> None:
    key = f"k.shift.{place}.severities"
    unit = f" ({card.traits['unit']})" if card.traits.get("unit") else ""
    st.session_state.setdefault(
        key, fields.show_numbers(card.traits.get("severities", ()))
    )
    st.text_input(
        f"{card.title}: severities{unit}",
        key=key,
        help=plain(
            f"{card.summary} 0 is no change; at most {card.traits.get('top', 10)}."
        ),
        on_change="ignore",
        **KEEP,
    )
    for field in fields.fields(card, f"k.shift.{place}"):
        field_widgets.draw(field)


def _families(known: Catalogue, kind: kinds.Kind) -> None:
    cards = compatibility.of_kind(known, "family", kind.name)
    by_name = {card.name: card for card in cards if not card.missing}
    held = [p for p in st.session_state.get("k.test_families", ()) if p not in by_name]
    st.multiselect(
        *("Also tested on", [*by_name, *held]),
        format_func=lambda place: _at(known, "family", place).title,
        key="k.test_families",
        placeholder="No other family",
        help="Does what was learned carry over to other tasks?",
        **KEEP,
    )


def _price(known: Catalogue, kind: kinds.Kind) -> None:
    layout.section("Budget")
    left, right = st.columns(2)
    with left:
        field_widgets.draw(budget_fields.replicates_field())
    with right:
        field_widgets.draw(budget_fields.seed_field())
    with st.expander("Steps, tasks, device", key="x.budget"):
        fields = budget_fields.budget_fields(kind)
        shown = [f for f in fields if f.knob.name not in kind.no_budget]
        layout.knobs(shown, "budget")
        if len(known.devices) > 1:
            st.selectbox("Device", ["auto", *known.devices], key="k.device", **KEEP)
        if compatibility.compiles(known, kind.name):
            field_widgets.draw(budget_fields.compile_field())
    _inputs()


def _inputs() -> None:
    inputs = st.session_state.get("k.inputs") or {}
    for label, source in inputs.items():
        st.caption(
            f"{plain(learner_name(label))} starts frozen, "
            f"from run `{str(source['run'])[:12]}`."
        )
    if inputs and st.button("Train from scratch instead", key="drop_inputs"):
        st.session_state["k.inputs"] = {}
        st.rerun()


def run_button(wanted: tuple[RunSpec, str] | None) -> bool:
    """Draw the one primary action; says whether it was pressed."""
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
            help="Already computed: opens at once." if done else None,
        )
        if done:
            st.caption("This exact experiment is already computed.")
        elif wanted is not None:
            _about(wanted[0])
    return pressed


def _about(spec: RunSpec) -> None:
    """Say what the run will take, before it is started."""
    took = cost_estimate.seconds(spec)
    if took is None:
        st.caption(cost_estimate.told(spec, client.kind(spec)))
    else:
        st.caption(f"About {panels.span(max(1.0, took))}, as the last runs went.")
