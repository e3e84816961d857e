"""The session's state: the form, the run in view, and the URL in sync with both.

The URL names the run in view (`run`) and, if the form differs from it, the form (`x`).
Opening such a URL restores both and never starts anything.
"""

from typing import Any

import streamlit as st

from app import share_links
from app.client import client
from app.experiment import compatibility, derived_experiments, spec_mapping
from app.experiment.spec_mapping import Form
from engine.contract import kinds
from engine.contract.cards import Card
from engine.contract.errors import Refused
from engine.contract.jobs import JobState
from engine.contract.run_spec import Choice, RunSpec

FORM = "k."
KIND = "k.kind"
_RUN, _SEEN, _NOTES = "run_in_view", "seen_url", "notices"
_PENDING, _LATER = "pending_spec", "pending_fields"
_ASIDE = "forms_aside"
SWEEP = "sweep"  # the URL's parameter that names a sweep
LAB = "../pages/lab.py"


def read_url() -> None:
    """Load what the URL names, if it changed."""
    url = _url_state()
    if st.session_state.get(_SEEN) == url:
        return
    st.session_state[_SEEN] = url
    st.session_state[_NOTES] = []
    try:
        _take_run(st.query_params.get("run"))
        _take_spec(st.query_params.get("x"))
    except Refused as refusal:
        add_notice(refusal.message)


def _fill_form(fields: Form) -> None:
    for key in [key for key in st.session_state if str(key).startswith(FORM)]:
        del st.session_state[key]
    st.session_state.update(fields)


def open_lab(run: str = "") -> None:
    """Switch to the Lab.

    Args:
        run: Key of the run to show; empty for what the session holds.
    """
    st.switch_page(LAB, query_params={"run": run} if run else {})


def _url_state() -> tuple[str | None, str | None]:
    return st.query_params.get("run"), st.query_params.get("x")


def _take_run(text: str | None) -> None:
    st.session_state[_RUN] = None
    if text is None:
        return
    key = share_links.check_run_key(text)
    if client.job(key) is not None:
        show_run(key)
        st.session_state[_PENDING] = client.spec(key)
    elif st.query_params.get("x") is None:
        raise Refused("There is no run with this id.", "run")


def _take_spec(text: str | None) -> None:
    if text is not None:
        cards = client.catalogue().card if client.is_catalogue_ready() else None
        st.session_state[_PENDING] = share_links.unpack(text, cards)


def add_notice(text: str) -> None:
    """Show a notice until the URL changes."""
    st.session_state.setdefault(_NOTES, []).append(text)


def notices() -> list[str]:
    """Return the problems with the link that was opened."""
    return list(st.session_state.get(_NOTES, ()))


def prepare_form() -> None:
    """Fill the form once: from the link, else with the default experiment."""
    st.session_state.update(st.session_state.pop(_LATER, {}))
    pending = st.session_state.get(_PENDING)
    if pending is not None:
        del st.session_state[_PENDING]
        try:
            load_spec(pending)
            return
        except Refused as refusal:
            add_notice(f"The form cannot show this experiment: {refusal.message}")
    if "k.family" not in st.session_state:
        load_spec(
            derived_experiments.default_experiment(client.catalogue(), form_kind())
        )


def load_spec(spec: RunSpec) -> None:
    """Put a spec into the form.

    Raises:
        Refused: If the spec is invalid; the form is unchanged.
    """
    full, _ = client.complete_with_key(spec)
    if spec.device == "auto":
        full = full.model_copy(update={"device": "auto"})
    _fill_form(spec_mapping.spec_to_form(full))
    st.session_state[KIND] = client.catalogue().kind_of(full.family.name)


def form_kind() -> str:
    """Return the form's kind of task."""
    return kinds.kind_named(st.session_state.get(KIND)).name


def choose_kind(name: str) -> None:
    """Fill the form with a kind's experiment: the last one, else its default.

    The form of the other kind is set aside until that kind is chosen again. The
    default experiment's run is shown if the store has it.
    """
    shown = finished_default_run(name)
    if not client.is_catalogue_ready():
        st.session_state[KIND] = name  # the form is filled once the catalogue is there
    else:
        _swap_form(name)
    show_run(shown)


def _swap_form(kind: str) -> None:
    aside = st.session_state.setdefault(_ASIDE, {})
    if family := st.session_state.get("k.family"):
        aside[client.catalogue().kind_of(str(family))] = form_values()
    if kind in aside:
        _fill_form(aside.pop(kind) | {KIND: kind})
    else:
        load_spec(derived_experiments.default_experiment(client.catalogue(), kind))


def finished_default_run(name: str) -> str | None:
    """Return the run key of a kind's default experiment if it is done, else None."""
    if not client.is_catalogue_ready():
        return None
    key = client.complete_with_key(
        derived_experiments.default_experiment(client.catalogue(), name)
    )[1]
    job = client.job(key)
    return key if job is not None and job.state == JobState.DONE else None


def set_fields_later(fields: Form) -> None:
    """Set fields at the next rerun, since a drawn widget cannot be changed."""
    st.session_state.setdefault(_LATER, {}).update(fields)


def form_values() -> Form:
    """Return the form's fields and their values."""
    state = st.session_state
    return {str(k): state[k] for k in state if str(k).startswith(FORM)}


def requested_run() -> tuple[RunSpec, str]:
    """Return the form's completed spec, and its run key.

    Raises:
        Refused: If the form is invalid.
    """
    spec = spec_mapping.form_to_spec(form_values(), client.catalogue().card)
    for family in (spec.family, *spec.test_families):
        _check_data(client.catalogue().card("family", family.name), family)
    refused = compatibility.describe_misfit(client.catalogue(), spec)
    if refused:
        raise Refused(refused, "learners")
    return client.complete_with_key(spec)


def _check_data(card: Card, family: Choice) -> None:
    """Refuse a family whose data is missing, or whose code only you may start."""
    if card.traits.get("own_code"):
        raise Refused(
            f"{card.title} runs code that the experiment names, so it starts from the "
            "command line alone: python -m engine run SPEC.json --out FOLDER",
            "family",
        )
    if card.missing:
        raise Refused(f"{card.title} cannot run: it needs {card.missing}.", "family")
    if card.traits.get("needs_file") and not family.knobs.get("digest"):
        noun = "an archive" if card.traits.get("file") == "zip" else "a CSV"
        raise Refused(f"{card.title} needs a file: choose {noun} first.", "family")


def form_starts_frozen() -> bool:
    """Whether the form's experiment starts from another run's frozen learner."""
    return bool(form_values().get(f"{FORM}inputs"))


def show_run(key: str | None) -> None:
    """Put a run in view."""
    st.session_state[_RUN] = key


def run_in_view() -> str | None:
    """Return the key of the run in view; None while the recorded example is shown."""
    key: Any = st.session_state.get(_RUN)
    return key


def write_url(spec: RunSpec | None, key: str | None) -> None:
    """Write the run in view and the form to the URL.

    Args:
        spec: The form's completed spec; None if the form is invalid.
        key: Its run key.
    """
    shown = run_in_view()
    if shown:
        st.query_params["run"] = shown
    elif "run" in st.query_params:
        del st.query_params["run"]
    if spec is not None and key not in (shown, _default_key()):
        st.query_params["x"] = share_links.pack(spec)
    elif "x" in st.query_params:
        del st.query_params["x"]
    st.session_state[_SEEN] = _url_state()


def _default_key() -> str | None:
    if run_in_view():
        return None
    first = derived_experiments.default_experiment(client.catalogue(), form_kind())
    return client.complete_with_key(first)[1]
