"""All settings of the experiment, in a wide dialog, grouped by what they are about."""

from collections.abc import Callable

import streamlit as st

from app import session
from app.client import client
from app.client.catalogue import Catalogue
from app.experiment import (
    budget_fields,
    compatibility,
    effort_fields,
    fields,
    spec_mapping,
)
from app.figures.theme import learner_name
from app.form import (
    changes,
    field_widgets,
    learners,
    part_widgets,
    run_bar,
    run_request,
    shifts,
)
from app.widgets.escaping import escape_markdown
from engine.contract import kinds
from engine.contract.effort import Effort
from engine.contract.errors import Refused

_OPEN = "settings_open"
TAB = "settings_tab"
Draw = Callable[[Catalogue, kinds.Kind], None]


def draw_button() -> None:
    """Draw the button that opens the dialog, and the dialog while it is open."""
    st.button(
        "All settings",
        key="open_settings",
        icon=":material/tune:",
        on_click=_open,
        width="stretch",
        help="Settings of the task, the learners, the shifts and the budget.",
    )
    # By a mark of our own: a rerun of the page, as at the end of a run, would close it.
    if is_open():
        _settings_dialog()


def is_open() -> bool:
    """Whether the dialog is open."""
    return bool(st.session_state.get(_OPEN))


def _open() -> None:
    st.session_state[_OPEN] = True


def close() -> None:
    """Close the dialog at the next rerun; all values stay."""
    st.session_state[_OPEN] = False


# Dismissed by Escape or a cross, it would lose what is still being typed.
@st.dialog("All settings", width="large", icon=":material/tune:", dismissible=False)
def _settings_dialog() -> None:
    known = client.catalogue()
    kind = kinds.kind_named(session.form_kind())
    changes.draw_list()
    drawn = _groups(known, kind)
    tabs = st.tabs(list(drawn), key=TAB, on_change="rerun")
    for tab, draw in zip(tabs, drawn.values(), strict=True):
        if tab.open:
            with tab:
                draw(known, kind)
    if run_bar.draw_run_bar(run_request.request_run(), "dialog"):
        close()
        run_bar.ask_for_run()
        st.rerun()
    if st.button("Done", key="close_settings", icon=":material/check:"):
        close()
        st.rerun()


def _groups(catalogue: Catalogue, kind: kinds.Kind) -> dict[str, Draw]:
    """Return what draws each group of settings that this experiment has."""
    groups: dict[str, Draw] = {"Task": _draw_task}
    if compatibility.needs_net(session.form_values(), catalogue):
        groups[kind.words.net] = _draw_net
    groups["Learners"] = _draw_learners
    if learners.is_any_trained(catalogue):
        groups["Meta-training"] = _draw_training
    groups["Baselines"] = _draw_baselines
    groups["Shifts and transfer"] = _draw_shifts
    groups["Budget"] = _draw_budget
    return groups


def _draw_task(catalogue: Catalogue, kind: kinds.Kind) -> None:
    card = catalogue.card("family", str(st.session_state["k.family"]))
    st.caption(f"**{escape_markdown(card.title)}.** {_summary(card.summary)}")
    field_widgets.draw_fields(fields.card_fields(card, f"k.family.{card.name}"))


def _draw_net(catalogue: Catalogue, kind: kinds.Kind) -> None:
    family = str(st.session_state["k.family"])
    nets = list(compatibility.fitting_cards(catalogue, "net", family))
    card = part_widgets.select_part(kind.words.net, "net", nets, kind.words.net_help)
    knobs = spec_mapping.net_fields(session.form_values(), catalogue.card, card.name)
    field_widgets.draw_fields([f for f in knobs if f.knob.only in ("", kind.name)])


def _draw_learners(catalogue: Catalogue, kind: kinds.Kind) -> None:
    try:
        judged = learners.judged_cards(catalogue)
    except Refused:  # the reason stands beside Run
        return
    for label, card in judged:
        st.markdown(
            f"**{escape_markdown(learner_name(label))}.** {_summary(card.summary)}"
        )
        _draw_learner_fields(catalogue, label)


def _draw_learner_fields(catalogue: Catalogue, label: str) -> None:
    form = session.form_values()
    found = spec_mapping.learner_fields(form, catalogue.card, label)
    if not found:
        st.caption("It has no settings.")
    field_widgets.draw_fields(found)


def _draw_training(catalogue: Catalogue, kind: kinds.Kind) -> None:
    able = learners.able_estimators(catalogue, session.form_values())
    if able:
        text = "How the outer gradient is estimated."
        card = part_widgets.select_part("Trained by", "estimator", able, text)
        place = f"k.estimator.{card.name}"
        field_widgets.draw_fields(fields.card_fields(card, place))
    rules = compatibility.cards_of_kind(catalogue, "outer", kind.name)
    if not rules or not (able or kind.outer_alone):
        st.caption("It has no settings.")
        return
    outer = part_widgets.select_part(
        "Outer rule", "outer", rules, "Updates the meta-weights θ."
    )
    form = session.form_values()
    field_widgets.draw_fields(
        spec_mapping.outer_fields(form, catalogue.card, outer.name)
    )


def _draw_baselines(catalogue: Catalogue, kind: kinds.Kind) -> None:
    learners.draw_rival()
    for label in session.form_values().get("k.baselines") or ():
        st.markdown(f"**{escape_markdown(learner_name(label))}**")
        _draw_learner_fields(catalogue, label)


def _draw_shifts(catalogue: Catalogue, kind: kinds.Kind) -> None:
    shifts.draw_shift_fields(catalogue)
    shifts.draw_test_families(catalogue, kind)


def _draw_budget(catalogue: Catalogue, kind: kinds.Kind) -> None:
    form = session.form_values()
    made = effort_fields.count_fields(form, kind)
    if form.get(effort_fields.EFFORT) == Effort.FIXED:
        made = []  # its number stands beside the effort
    budget = budget_fields.budget_fields(kind)
    made += [field for field in budget if field.knob.name not in kind.no_budget]
    if compatibility.can_compile(catalogue, kind.name):
        made.append(budget_fields.compile_field())
    field_widgets.draw_fields(made)
    if len(catalogue.devices) > 1:
        st.selectbox(
            changes.mark_label("Device", "k.device"),
            ["auto", *catalogue.devices],
            key="k.device",
            help="What computes the run; auto takes the fastest that is here.",
            **part_widgets.PERSIST,
        )


def _summary(text: str) -> str:
    return part_widgets.to_sentence(text)
