"""The form's learners: those that are judged, how they are trained, and baselines."""

import streamlit as st

from app import session
from app.client.catalogue import Catalogue
from app.experiment import compatibility, spec_mapping
from app.experiment import fields as experiment_fields
from app.figures.theme import learner_name
from app.form import part_widgets
from app.widgets.escaping import escape_markdown
from engine.contract import kinds
from engine.contract.cards import Card

_GROUP = "v.learners."  # before the group, in the keys of its pills
GROUPS = {
    "bayes": "Bayesian",
    "gradient": "Gradient-based",
    "memory": "Memory and attention",
    "metric": "Metric",
    "optimizer": "Learned optimizers",
}


def offered_labels(catalogue: Catalogue, role: str) -> list[str]:
    """Return the selectable labels: every fitting part, and those a link brought."""
    form = session.form_values()
    key = "k.chosen" if role == "chosen" else "k.baselines"
    labels: list[str] = []
    for card in compatibility.fitting_cards(
        catalogue, "learner", str(form["k.family"])
    ):
        if (card.group == "baseline") == (role == "baseline"):
            labels += [card.name] + [f"{card.name}_tuned"] * compatibility.is_tunable(
                card
            )
    return labels + [n for n in form.get(key) or () if n not in labels]


def draw_learners(catalogue: Catalogue, kind: kinds.Kind) -> None:
    """Draw the choice of judged learners and their hyperparameters."""
    part_widgets.write_section("Learner")
    _draw_choice(catalogue, kind)
    form = session.form_values()
    chosen = list(form.get("k.chosen") or ())
    cards = [
        catalogue.card("learner", spec_mapping.part_name(form, label))
        for label in chosen
    ]
    estimator = _draw_estimator(catalogue, cards)
    with st.expander("Hyperparameters", key="x.learner"):
        for label, card in zip(chosen, cards, strict=True):
            if len(cards) > 1:
                st.markdown(f"**{escape_markdown(learner_name(label))}**")
            st.caption(part_widgets.to_sentence(card.summary))
            fields = spec_mapping.learner_fields(form, catalogue.card, label)
            part_widgets.draw_knobs(fields, f"learner.{label}")
        if estimator:
            st.markdown(f"**Trained by {estimator.title}**")
            fields = experiment_fields.card_fields(
                estimator, f"k.estimator.{estimator.name}"
            )
            part_widgets.draw_knobs(fields, "estimator")
        if estimator or (kind.outer_alone and _is_any_trained(catalogue)):
            _draw_outer(catalogue, kind)


def _draw_choice(catalogue: Catalogue, kind: kinds.Kind) -> None:
    """Draw a row of pills for each group of learners, or one row for a single group."""
    form, groups = session.form_values(), dict[str, list[str]]()
    for label in offered_labels(catalogue, "chosen"):
        card = catalogue.card("learner", spec_mapping.part_name(form, label))
        groups.setdefault(card.group, []).append(label)
    for place, (group, labels) in enumerate(groups.items()):
        key = f"{_GROUP}{group}"
        st.session_state[key] = [a for a in form.get("k.chosen") or () if a in labels]
        alone = len(groups) == 1
        st.pills(
            kind.words.learner if alone else GROUPS.get(group, group.capitalize()),
            labels,
            selection_mode="multi",
            format_func=lambda label: escape_markdown(learner_name(label)),
            key=key,
            on_change=_collect_choice,
            args=(tuple(groups),),
            help=None if place else kind.words.learner_help,
            wrap=True,
        )


def _collect_choice(groups: tuple[str, ...]) -> None:
    """Put what is selected in the groups together; those chosen before come first."""
    picked = [a for g in groups for a in st.session_state.get(f"{_GROUP}{g}") or ()]
    before = [a for a in st.session_state.get("k.chosen") or () if a in picked]
    st.session_state["k.chosen"] = [*before, *(a for a in picked if a not in before)]


def _is_any_trained(catalogue: Catalogue) -> bool:
    """Whether any selected learner is meta-trained, baselines included."""
    form = session.form_values()
    names = [
        spec_mapping.part_name(form, label)
        for label in spec_mapping.selected_labels(form)
    ]
    cards = (catalogue.cards.get(("learner", name)) for name in names)
    return any(card.traits.get("trains") for card in cards if card)


def _draw_outer(catalogue: Catalogue, kind: kinds.Kind) -> None:
    cards = compatibility.cards_of_kind(catalogue, "outer", kind.name)
    if not cards:
        return
    outer = part_widgets.select_part(
        "Outer rule", "outer", cards, "Updates the meta-weights θ."
    )
    fields = spec_mapping.outer_fields(
        session.form_values(), catalogue.card, outer.name
    )
    part_widgets.draw_knobs(fields, "outer")


def _draw_estimator(catalogue: Catalogue, cards: list[Card]) -> Card | None:
    trained = [card for card in cards if card.traits.get("estimators")]
    if not trained:
        return None
    able = [
        card
        for card in catalogue.cards_of("estimator")
        if all(card.name in one.traits.get("estimators", ()) for one in trained)
    ]
    if not able:
        st.warning("No gradient estimator fits all of these learners: choose fewer.")
        return None
    text = "How the outer gradient is estimated."
    return part_widgets.select_part("Trained by", "estimator", able, text)


def draw_baselines(catalogue: Catalogue, kind: kinds.Kind) -> None:
    """Draw the choice of baselines."""
    part_widgets.write_section("Baselines")
    count = len(session.form_values().get("k.baselines") or ())
    with st.expander(f"Compared with ({count} selected)", key="x.baseline"):
        _draw_baseline_choice(catalogue, kind)
    _draw_rival()


def _draw_rival() -> None:
    """Draw the choice of the rival in the primary question, where there is one."""
    rivals = spec_mapping.possible_rivals(session.form_values())
    if len(rivals) < 2:
        return
    options = ["", *rivals]
    if st.session_state.get("k.rival") not in options:
        st.session_state["k.rival"] = ""
    st.selectbox(
        "Primary question: against",
        options,
        format_func=lambda label: (
            escape_markdown(learner_name(label))
            if label
            else "Strongest tuned baseline"
        ),
        key="k.rival",
        help="The comparison that a run until decided waits for. The strongest "
        "baseline is chosen by tuning and validation scores, before any test. All "
        "other comparisons are secondary.",
        **part_widgets.PERSIST,
    )


def _draw_baseline_choice(catalogue: Catalogue, kind: kinds.Kind) -> None:
    st.pills(
        kind.words.baselines,
        offered_labels(catalogue, "baseline"),
        selection_mode="multi",
        format_func=lambda label: escape_markdown(learner_name(label)),
        key="k.baselines",
        help=kind.words.baselines_help,
        wrap=True,
        **part_widgets.PERSIST,
    )
    form = session.form_values()
    if not form.get("k.baselines"):
        st.warning(
            "No baseline is selected: there will be no verdict, and the exports say so."
        )
        return
    for label in form["k.baselines"]:
        st.markdown(f"**{escape_markdown(learner_name(label))}**")
        fields = spec_mapping.learner_fields(form, catalogue.card, label)
        part_widgets.draw_knobs(fields, f"learner.{label}")
