"""The result in view and the form: which result is shown, and how they differ."""

from typing import NamedTuple

import streamlit as st

from app import session
from app.client import client, recorded_examples
from app.client.client import Run
from app.experiment import (
    effort_fields,
    experiment_summary,
    form_differences,
    spec_mapping,
)
from app.experiment.experiment_title import experiment_title
from app.figures.theme import learner_name
from app.form import run_bar, run_request
from app.widgets import page_elements
from app.widgets.escaping import escape_markdown
from engine.contract import kinds
from engine.contract.run_spec import RunSpec
from engine.executors.demo import is_demo


class _Result(NamedTuple):
    """Whose result is in view; a recorded example has no title."""

    key: str
    spec: RunSpec
    title: str


def run_to_show(key: str | None) -> Run | None:
    """Return the run in view, else the recorded example of the form's kind of task.

    None where the form holds an experiment that was opened and is not computed here:
    the result of another one would look like its own; and where the run was deleted.
    """
    if key:
        return client.run(key) if client.job(key) is not None else None
    if session.is_opening():
        return None
    example = recorded_examples.recorded_run(session.form_kind())
    if session.is_result_awaited():
        is_own = example is not None and session.is_start(example.key)
        return example if is_own else None
    return example


def draw_difference(wanted: tuple[RunSpec, str] | None) -> None:
    """Say over the result in which fields the form differs from it.

    Args:
        wanted: The form's completed spec and run key; None if the form is invalid.
    """
    shown = _result_in_view()
    if shown is None or wanted is None or shown.key == wanted[1]:
        return
    names = _differing_fields(wanted[0], shown)
    if not names:  # it differs in a version of a part, which is said elsewhere
        return
    with st.container(
        key="form_differs", horizontal=True, vertical_alignment="center", gap="small"
    ):
        what = f"{_describe_result(shown)} **The form differs:**"
        st.markdown(f"{what} {escape_markdown(names)}.", width="content")
        st.button(
            "Show in form",
            key="show_in_form",
            icon=":material/edit_note:",
            type="tertiary",
            on_click=_fill_form,
            args=(shown,),
            help="Fill the form with the settings of this result.",
        )
        st.button(
            "Run the form",
            key="run_form",
            icon=":material/play_arrow:",
            type="tertiary",
            on_click=run_bar.ask_for_run,
            help="Compute what the form holds, or open it if it is computed.",
        )


def _differing_fields(wanted: RunSpec, shown: _Result) -> str:
    form, held = (spec_mapping.spec_to_form(spec) for spec in (wanted, shown.spec))
    found = form_differences.form_differences(form, held, client.catalogue().card)
    if session.run_in_view() is None:
        # A recorded example is one batch, as it says; the form asks for more.
        found = [each for each in found if each.key not in effort_fields.KEYS]
    return form_differences.list_labels(found)


def _result_in_view() -> _Result | None:
    """Return which experiment's result is in view, without reading its numbers."""
    if key := session.run_in_view():
        job = client.job(key)
        return _Result(key, client.spec(key), job.title) if job else None
    example = run_to_show(None)
    return _Result(example.key, example.spec, "") if example else None


def _describe_result(shown: _Result) -> str:
    if session.run_in_view() is None:
        return "This is a recorded example."
    title = shown.title or experiment_title(shown.spec, client.part_titles())
    return f"Result of *{escape_markdown(title)}*."


def _fill_form(shown: _Result) -> None:
    """Put the settings of the result in view into the form; the result stays."""
    held = session.run_in_view()
    session.load_spec(shown.spec, shown.title)
    session.show_run(held)


def draw_no_result() -> None:
    """Draw why there is no result in view, and what to do for one."""
    if session.is_opening():
        st.skeleton(240)
    elif session.is_result_awaited():
        _draw_awaited()
    else:
        words = kinds.kind_named(session.form_kind()).words
        page_elements.draw_empty(
            "Nothing has run yet",
            f"Choose {words.first_choice} and a {words.learner.lower()} in the form, "
            "then press **Run**. A short experiment takes a few seconds.",
        )


def _draw_awaited() -> None:
    """Draw the settings of an opened experiment that is not computed here yet."""
    frozen = bool(session.frozen_inputs())
    start = "It starts from a frozen learner. " if frozen else ""
    asked = run_request.request_run(0.0)
    todo = "Press **Run** to compute this experiment."
    if is_demo():
        todo += " If somebody computes it right now, the link shows it from its end on."
    if asked.run is None:
        todo = f"It can't run yet: {escape_markdown(asked.refusal)}"
    page_elements.draw_empty(
        "Ready to run" if frozen else "Not computed here yet", start + todo
    )
    if asked.run is None:
        return
    spec, cards = asked.run[0], client.catalogue().card
    title = session.title_of(asked.run[1])
    page_elements.draw_heading(title or experiment_title(spec, client.part_titles()))
    page_elements.draw_facts(experiment_summary.describe_experiment(spec, cards))


def draw_origins(run: Run) -> None:
    """Say of each learner that starts frozen from which run it comes.

    Args:
        run: The run in view.
    """
    for label, source in run.spec.inputs.items():
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(
                f":material/ac_unit: {escape_markdown(learner_name(label))} was not "
                f"trained here: it starts frozen, {_describe_source(source.spec)}"
                f"from run `{source.run[:12]}`.",
                width="content",
            )
            if client.job(source.run) is not None and st.button(
                "Open that run",
                key=f"origin.{label}",
                type="tertiary",
                icon=":material/arrow_forward:",
            ):
                session.show_in_lab(source.run)
                st.rerun()


def _describe_source(spec: RunSpec | None) -> str:
    if spec is None or not client.is_catalogue_ready():
        return ""
    title = client.catalogue().card("family", spec.family.name).title
    return f"as meta-trained on {escape_markdown(title)}, "
