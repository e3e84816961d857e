"""The form's learners: those that are judged, and the baselines beside them."""

import streamlit as st

from app import session
from app.client.catalogue import Catalogue
from app.experiment import compatibility, spec_mapping
from app.experiment.spec_mapping import Form
from app.figures.theme import learner_name
from app.form import changes, part_widgets
from app.widgets.escaping import escape_markdown
from engine.contract import kinds
from engine.contract.cards import Card

# What a learner's family of methods is called behind its name.
GROUPS = {
    "bayes": "Bayesian",
    "memory": "memory and attention",
    "optimizer": "learned optimizer",
}


def offered_labels(catalogue: Catalogue, role: str, form: Form) -> list[str]:
    """Return the selectable labels: every fitting part, and those a link brought."""
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


def draw_learners(catalogue: Catalogue, kind: kinds.Kind, form: Form) -> None:
    """Draw the choice of judged learners, by family of methods.

    Args:
        catalogue: All parts.
        kind: The form's kind of task.
        form: The form's fields.
    """
    labels = offered_labels(catalogue, "chosen", form)
    groups = {label: _group(catalogue, form, label) for label in labels}
    grouped = len(set(groups.values())) > 1
    chosen = st.multiselect(
        changes.mark_label(f"{kind.words.learner}: one or more", "k.chosen"),
        labels,
        format_func=lambda label: (
            f"{learner_name(label)} · {groups[label]}"
            if grouped and groups.get(label)
            else learner_name(label)
        ),
        key="k.chosen",
        placeholder="Choose one or more",
        select_all=False,
        help=f"{kind.words.learner_help} Type a name or a family of methods to find "
        "one. The first one is judged; all are compared.",
        **part_widgets.PERSIST,
    )
    _fit_estimator(catalogue, form | {"k.chosen": chosen})


def _group(catalogue: Catalogue, form: Form, label: str) -> str:
    """Return the name of a learner's family of methods; empty if it is unknown."""
    name = spec_mapping.part_name(form, label)
    card = catalogue.cards.get(("learner", name))
    return GROUPS.get(card.group, card.group) if card else ""


def judged_cards(catalogue: Catalogue) -> list[tuple[str, Card]]:
    """Return the label and the card of each judged learner.

    Raises:
        Refused: If a link brought a learner that is unknown here.
    """
    form = session.form_values()
    return [
        (label, catalogue.card("learner", spec_mapping.part_name(form, label)))
        for label in form.get("k.chosen") or ()
    ]


def able_estimators(catalogue: Catalogue, form: Form) -> list[Card] | None:
    """Return the gradient estimators that fit all judged learners; None: no need."""
    names = [spec_mapping.part_name(form, n) for n in form.get("k.chosen") or ()]
    cards = [catalogue.cards.get(("learner", name)) for name in names]
    trained = [card for card in cards if card and card.traits.get("estimators")]
    if not trained:
        return None
    return [
        card
        for card in catalogue.cards_of("estimator")
        if all(card.name in one.traits["estimators"] for one in trained)
    ]


def _fit_estimator(catalogue: Catalogue, form: Form) -> None:
    """Replace an estimator that does not fit the learners; refuse it if none does."""
    able = able_estimators(catalogue, form)
    if able is None:
        return
    if not able:
        st.warning("No gradient estimator fits all of these learners: choose fewer.")
    elif st.session_state.get("k.estimator") not in [card.name for card in able]:
        st.session_state["k.estimator"] = able[0].name


def is_any_trained(catalogue: Catalogue) -> bool:
    """Whether any selected learner is meta-trained, baselines included."""
    form = session.form_values()
    names = [
        spec_mapping.part_name(form, label)
        for label in spec_mapping.selected_labels(form)
    ]
    cards = (catalogue.cards.get(("learner", name)) for name in names)
    return any(card.traits.get("trains") for card in cards if card)


def draw_baselines(catalogue: Catalogue, kind: kinds.Kind, form: Form) -> None:
    """Draw the choice of baselines.

    Args:
        catalogue: All parts.
        kind: The form's kind of task.
        form: The form's fields.
    """
    chosen = st.multiselect(
        changes.mark_label("Compared with", "k.baselines"),
        offered_labels(catalogue, "baseline", form),
        format_func=learner_name,
        key="k.baselines",
        placeholder="No baseline",
        select_all=False,
        help=f"{kind.words.baselines}. {kind.words.baselines_help}",
        **part_widgets.PERSIST,
    )
    if not chosen:
        st.warning(
            "No baseline is selected: there will be no verdict, and the exports say so."
        )


def draw_rival() -> None:
    """Draw the choice of the rival in the primary question, where there is one."""
    rivals = spec_mapping.possible_rivals(session.form_values())
    if len(rivals) < 2:
        return
    options = ["", *rivals]
    if st.session_state.get("k.rival") not in options:
        st.session_state["k.rival"] = ""
    st.selectbox(
        changes.mark_label("Primary question: against", "k.rival"),
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
