"""The experiment's form: what is learned, on what, against whom, at what price."""

import streamlit as st

from app import door, experiment, forms, own, panels, rates, session
from app.figures.theme import nice
from app.plain import plain
from engine.contract.cards import Card
from engine.contract.errors import Refused
from engine.contract.runs import RunSpec

_KEEP = {"persist_state": "session"}


def draw() -> tuple[RunSpec, str] | None:
    """Draw the form and return what it asks for, or none where it cannot be taken."""
    known = door.catalogue()
    _presets(known)
    _task(known)
    _learner(known)
    _baselines(known)
    _shifts(known)
    _price(known)
    try:
        return session.wanted()
    except Refused as refusal:
        panels.refused(refusal.message)
        return None


def _presets(known: door.Catalogue) -> None:
    titles = {preset.name: preset.title for preset in known.presets}
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
        session.load(door.catalogue().preset(name).spec)
        session.show(None)


def _section(title: str) -> None:
    st.html(f'<p class="eyebrow">{title}</p>')


def _sentence(text: str) -> str:
    return plain(text[:1].upper() + text[1:])


def _select(label: str, slot: str, cards: list[Card], text: str) -> Card:
    """Draw the choice of one part; return its card."""
    key = f"k.{slot}"
    by_name = {card.name: card for card in cards}
    if st.session_state.get(key) not in by_name:
        st.session_state[key] = next(iter(by_name))
    name = st.selectbox(
        *(label, list(by_name)),
        format_func=lambda part: _titled(by_name[part]),
        key=key,
        help=text,
        **_KEEP,
    )
    return by_name[name]


def _titled(card: Card) -> str:
    return f"{card.title} · needs data" if card.missing else card.title


def _knobs(made: list[forms.Field], switch: str) -> None:
    """Draw basic fields, and the advanced ones behind a switch."""
    for field in (f for f in made if not f.knob.advanced):
        forms.draw(field)
    folded = [field for field in made if field.knob.advanced]
    if folded and st.toggle(f"{len(folded)} more", key=f"v.more.{switch}"):
        for field in folded:
            forms.draw(field)


def _task(known: door.Catalogue) -> None:
    _section("Task")
    card = _select(
        "Task family", "family", list(known.of("family")), "What is trained on."
    )
    st.session_state.update(rates.resuited(session.form(), known.card))
    st.caption(_sentence(card.summary))
    if card.missing:
        st.warning(plain(f"Its data is not here: it needs {card.missing}."))
    if card.traits.get("needs_file"):
        own.offer(card)
    with st.expander("Task settings", key="x.family"):
        _knobs(forms.fields(card, f"k.family.{card.name}"), "family")
    if card.traits.get("uses_net", True):
        with st.expander("Base learner", key="x.net"):
            net = _select(
                "Base learner", "net", list(known.of("net")), "What is trained."
            )
            _knobs(forms.fields(net, f"k.net.{net.name}"), "net")


def _labels(known: door.Catalogue, role: str) -> list[str]:
    """Return the labels on offer: every fitting part, and what a link brought."""
    key = "k.chosen" if role == "chosen" else "k.baselines"
    offered: list[str] = []
    for card in known.of("learner"):
        hand_made = card.group == "baseline"
        if hand_made != (role == "baseline"):
            continue
        offered += [card.name] + [f"{card.name}_tuned"] * bool(
            card.traits.get("tunable")
        )
    return offered + [n for n in st.session_state.get(key, ()) if n not in offered]


def _learner(known: door.Catalogue) -> None:
    _section("Learner")
    st.pills(
        *("Learned optimizer", _labels(known, "chosen")),
        selection_mode="multi",
        format_func=lambda label: plain(nice(label)),
        key="k.chosen",
        help="What is meta-trained and judged against the baselines.",
        wrap=True,
        **_KEEP,
    )
    form = session.form()
    chosen = list(form.get("k.chosen") or ())
    cards = [known.card("learner", experiment.part_of(form, label)) for label in chosen]
    estimator = _estimator(known, cards)
    with st.expander("Hyperparameters", key="x.learner"):
        for label, card in zip(chosen, cards, strict=True):
            st.caption(_sentence(card.summary))
            _knobs(
                experiment.learner_fields(form, known.card, label), f"learner.{label}"
            )
        if estimator:
            st.markdown(f"**Trained by {estimator.title}**")
            _knobs(
                forms.fields(estimator, f"k.estimator.{estimator.name}"), "estimator"
            )
            outer = _select("Outer rule", "outer", list(known.of("outer")), "Moves θ.")
            _knobs(forms.fields(outer, f"k.outer.{outer.name}"), "outer")


def _estimator(known: door.Catalogue, cards: list[Card]) -> Card | None:
    trained = [card for card in cards if card.traits.get("estimators")]
    if not trained:
        return None
    fitting = [
        card
        for card in known.of("estimator")
        if all(card.name in one.traits.get("estimators", ()) for one in trained)
    ]
    if not fitting:
        st.warning("No single training fits all of these learners: choose fewer.")
        return None
    return _select("Trained by", "estimator", fitting, "How the outer gradient is got.")


def _baselines(known: door.Catalogue) -> None:
    _section("Baselines")
    count = len(session.form().get("k.baselines") or ())
    with st.expander(f"Compared with ({count} on)", key="x.baseline"):
        _baseline_choice(known)


def _baseline_choice(known: door.Catalogue) -> None:
    st.pills(
        *("Same tasks, same start, same steps", _labels(known, "baseline")),
        selection_mode="multi",
        format_func=lambda label: plain(nice(label)),
        key="k.baselines",
        help="“Tuned” means: the best rate found on meta-training tasks.",
        wrap=True,
        **_KEEP,
    )
    form = session.form()
    if not form.get("k.baselines"):
        st.warning(
            "No baseline is on: there will be no verdict, and the exports say so."
        )
        return
    for label in form["k.baselines"]:
        st.markdown(f"**{plain(nice(label))}**")
        _knobs(experiment.learner_fields(form, known.card, label), f"learner.{label}")


def _shifts(known: door.Catalogue) -> None:
    _section("Shifts")
    by_name = {card.name: card for card in known.of("shift")}
    held = [p for p in st.session_state.get("k.shifts", ()) if p not in by_name]
    places = st.multiselect(
        *("Then tested under", [*by_name, *held]),
        format_func=lambda place: by_name[place.partition("#")[0]].title,
        key="k.shifts",
        placeholder="No shift",
        help="After training, the frozen learner meets the same tasks, changed.",
        **_KEEP,
    )
    for place in places:
        _shift(by_name[place.partition("#")[0]], place)
    with st.expander("Other families", key="x.families"):
        _families(known)


def _shift(card: Card, place: str) -> None:
    key = f"k.shift.{place}.severities"
    unit = f" ({card.traits['unit']})" if card.traits.get("unit") else ""
    st.session_state.setdefault(
        key, forms.show_numbers(card.traits.get("severities", ()))
    )
    st.text_input(
        f"{card.title}: severities{unit}",
        key=key,
        help=plain(
            f"{card.summary} 0 is no change; at most {card.traits.get('top', 10)}."
        ),
        on_change="ignore",
        **_KEEP,
    )
    for field in forms.fields(card, f"k.shift.{place}"):
        forms.draw(field)


def _families(known: door.Catalogue) -> None:
    by_name = {card.name: card for card in known.of("family") if not card.missing}
    held = [p for p in st.session_state.get("k.test_families", ()) if p not in by_name]
    st.multiselect(
        *("Also tested on", [*by_name, *held]),
        format_func=lambda place: by_name[place.partition("#")[0]].title,
        key="k.test_families",
        placeholder="No other family",
        help="Does what was learned carry over to other tasks?",
        **_KEEP,
    )


def _price(known: door.Catalogue) -> None:
    _section("Budget")
    left, right = st.columns(2)
    with left:
        forms.draw(experiment.replicates_field())
    with right:
        forms.draw(experiment.seed_field())
    with st.expander("Steps, tasks, device", key="x.budget"):
        _knobs(experiment.budget_fields(), "budget")
        if len(known.devices) > 1:
            st.selectbox("Device", ["auto", *known.devices], key="k.device", **_KEEP)
    _inputs()


def _inputs() -> None:
    inputs = st.session_state.get("k.inputs") or {}
    for label, source in inputs.items():
        st.caption(
            f"{plain(nice(label))} starts frozen, from run `{str(source['run'])[:12]}`."
        )
    if inputs and st.button("Train from scratch instead", key="drop_inputs"):
        st.session_state["k.inputs"] = {}
        st.rerun()
