"""Who competes: the learners that are judged, how they are trained, their rivals."""

import streamlit as st

from app import session
from app.client.catalogue import Catalogue
from app.experiment import compatibility, spec_mapping
from app.experiment import fields as experiment_fields
from app.figures.theme import learner_name
from app.form import layout
from app.widgets.escaping import plain
from engine.contract import kinds
from engine.contract.cards import Card


def offered(known: Catalogue, role: str) -> list[str]:
    """Return the labels on offer: every fitting part, and what a link brought."""
    form = session.form()
    key = "k.chosen" if role == "chosen" else "k.baselines"
    labels: list[str] = []
    for card in compatibility.fitting(known, "learner", str(form["k.family"])):
        if (card.group == "baseline") == (role == "baseline"):
            labels += [card.name] + [f"{card.name}_tuned"] * compatibility.tunable(card)
    return labels + [n for n in form.get(key) or () if n not in labels]


def learners(known: Catalogue, kind: kinds.Kind) -> None:
    """Draw who is judged, and how they learn."""
    layout.section("Learner")
    st.pills(
        *(kind.words.learner, offered(known, "chosen")),
        selection_mode="multi",
        format_func=lambda label: plain(learner_name(label)),
        key="k.chosen",
        help=kind.words.learner_help,
        wrap=True,
        **layout.KEEP,
    )
    form = session.form()
    chosen = list(form.get("k.chosen") or ())
    cards = [
        known.card("learner", spec_mapping.part_of(form, label)) for label in chosen
    ]
    estimator = _estimator(known, cards)
    with st.expander("Hyperparameters", key="x.learner"):
        for label, card in zip(chosen, cards, strict=True):
            if len(cards) > 1:
                st.markdown(f"**{plain(learner_name(label))}**")
            st.caption(layout.sentence(card.summary))
            fields = spec_mapping.learner_fields(form, known.card, label)
            layout.knobs(fields, f"learner.{label}")
        if estimator:
            st.markdown(f"**Trained by {estimator.title}**")
            fields = experiment_fields.fields(
                estimator, f"k.estimator.{estimator.name}"
            )
            layout.knobs(fields, "estimator")
        if estimator or (kind.outer_alone and _trained(known)):
            _outer(known, kind)


def _trained(known: Catalogue) -> bool:
    """Whether anybody in the form is meta-trained, baselines included."""
    form = session.form()
    names = [spec_mapping.part_of(form, label) for label in spec_mapping.labels(form)]
    cards = (known.cards.get(("learner", name)) for name in names)
    return any(card.traits.get("trains") for card in cards if card)


def _outer(known: Catalogue, kind: kinds.Kind) -> None:
    cards = compatibility.of_kind(known, "outer", kind.name)
    if not cards:
        return
    outer = layout.select("Outer rule", "outer", cards, "Moves the meta-weights θ.")
    fields = spec_mapping.outer_fields(session.form(), known.card, outer.name)
    layout.knobs(fields, "outer")


def _estimator(known: Catalogue, cards: list[Card]) -> Card | None:
    trained = [card for card in cards if card.traits.get("estimators")]
    if not trained:
        return None
    able = [
        card
        for card in known.of("estimator")
        if all(card.name in one.traits.get("estimators", ()) for one in trained)
    ]
    if not able:
        st.warning("No single training fits all of these learners: choose fewer.")
        return None
    text = "How the outer gradient is got."
    return layout.select("Trained by", "estimator", able, text)


def baselines(known: Catalogue, kind: kinds.Kind) -> None:
    """Draw whom they are compared with."""
    layout.section("Baselines")
    count = len(session.form().get("k.baselines") or ())
    with st.expander(f"Compared with ({count} on)", key="x.baseline"):
        _baseline_choice(known, kind)


def _baseline_choice(known: Catalogue, kind: kinds.Kind) -> None:
    st.pills(
        *(kind.words.baselines, offered(known, "baseline")),
        selection_mode="multi",
        format_func=lambda label: plain(learner_name(label)),
        key="k.baselines",
        help=kind.words.baselines_help,
        wrap=True,
        **layout.KEEP,
    )
    form = session.form()
    if not form.get("k.baselines"):
        st.warning(
            "No baseline is on: there will be no verdict, and the exports say so."
        )
        return
    for label in form["k.baselines"]:
        st.markdown(f"**{plain(learner_name(label))}**")
        fields = spec_mapping.learner_fields(form, known.card, label)
        layout.knobs(fields, f"learner.{label}")
