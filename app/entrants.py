"""Who competes: the learners that are judged, how they are trained, their rivals."""

import streamlit as st

from app import door, experiment, fitting, forms, kinds, pieces, session
from app.figures.theme import nice
from app.plain import plain
from engine.contract.cards import Card


def offered(known: door.Catalogue, role: str) -> list[str]:
    """Return the labels on offer: every fitting part, and what a link brought."""
    form = session.form()
    key = "k.chosen" if role == "chosen" else "k.baselines"
    labels: list[str] = []
    for card in fitting.fitting(known, "learner", str(form["k.family"])):
        if (card.group == "baseline") == (role == "baseline"):
            labels += [card.name] + [f"{card.name}_tuned"] * fitting.tunable(card)
    return labels + [n for n in form.get(key) or () if n not in labels]


def learners(known: door.Catalogue, kind: kinds.Kind) -> None:
    """Draw who is judged, and how they learn."""
    pieces.section("Learner")
    st.pills(
        *(kind.learner, offered(known, "chosen")),
        selection_mode="multi",
        format_func=lambda label: plain(nice(label)),
        key="k.chosen",
        help=kind.learner_help,
        wrap=True,
        **pieces.KEEP,
    )
    form = session.form()
    chosen = list(form.get("k.chosen") or ())
    cards = [known.card("learner", experiment.part_of(form, label)) for label in chosen]
    estimator = _estimator(known, cards)
    with st.expander("Hyperparameters", key="x.learner"):
        for label, card in zip(chosen, cards, strict=True):
            if len(cards) > 1:
                st.markdown(f"**{plain(nice(label))}**")
            st.caption(pieces.sentence(card.summary))
            fields = experiment.learner_fields(form, known.card, label)
            pieces.knobs(fields, f"learner.{label}")
        if estimator:
            st.markdown(f"**Trained by {estimator.title}**")
            fields = forms.fields(estimator, f"k.estimator.{estimator.name}")
            pieces.knobs(fields, "estimator")
        if estimator or (kind.outer and _trained(known)):
            _outer(known, kind)


def _trained(known: door.Catalogue) -> bool:
    """Whether anybody in the form is meta-trained, baselines included."""
    form = session.form()
    names = [experiment.part_of(form, label) for label in experiment.labels(form)]
    cards = (known.cards.get(("learner", name)) for name in names)
    return any(card.traits.get("trains") for card in cards if card)


def _outer(known: door.Catalogue, kind: kinds.Kind) -> None:
    cards = fitting.of_kind(known, "outer", kind.name)
    if not cards:
        return
    outer = pieces.select("Outer rule", "outer", cards, "Moves the meta-weights θ.")
    fields = experiment.outer_fields(session.form(), known.card, outer.name)
    pieces.knobs(fields, "outer")


def _estimator(known: door.Catalogue, cards: list[Card]) -> Card | None:
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
    return pieces.select("Trained by", "estimator", able, text)


def baselines(known: door.Catalogue, kind: kinds.Kind) -> None:
    """Draw whom they are compared with."""
    pieces.section("Baselines")
    count = len(session.form().get("k.baselines") or ())
    with st.expander(f"Compared with ({count} on)", key="x.baseline"):
        _baseline_choice(known, kind)


def _baseline_choice(known: door.Catalogue, kind: kinds.Kind) -> None:
    st.pills(
        *(kind.baselines, offered(known, "baseline")),
        selection_mode="multi",
        format_func=lambda label: plain(nice(label)),
        key="k.baselines",
        help=kind.baselines_help,
        wrap=True,
        **pieces.KEEP,
    )
    form = session.form()
    if not form.get("k.baselines"):
        st.warning(
            "No baseline is on: there will be no verdict, and the exports say so."
        )
        return
    for label in form["k.baselines"]:
        st.markdown(f"**{plain(nice(label))}**")
        fields = experiment.learner_fields(form, known.card, label)
        pieces.knobs(fields, f"learner.{label}")
