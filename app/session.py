"""The session's state: the form, what it was filled with, and the run in view."""

from typing import Any, NamedTuple

import streamlit as st

from app.client import client, spec_checks
from app.experiment import compatibility, derived_experiments, spec_mapping
from app.experiment.spec_mapping import Form
from engine.contract import kinds
from engine.contract.cards import Card
from engine.contract.errors import Refused
from engine.contract.jobs import JobState
from engine.contract.run_spec import Choice, RunSpec

FORM = "k."
KIND = "k.kind"
SOON = 0.25  # seconds in which the engine answers most questions, once it is warm
PRESET = "preset"
SEEN_URL = "seen_url"
_RUN, _NOTES = "run_in_view", "notices"
_PENDING, _LATER = "pending_spec", "pending_fields"
_ASIDE = "forms_aside"
_START = "form_start"
SWEEP = "sweep"  # the URL's parameter that names a sweep
LAB = "../pages/lab.py"


class Start(NamedTuple):
    """What the form was filled with.

    Args:
        form: Its fields then.
        key: Run key of the experiment that they made.
        title: What the screen calls it.
        is_opened: Whether the user opened it, by a link or a choice; else it is the
            default experiment of a kind, for which a recorded example may be shown.
    """

    form: Form
    key: str
    title: str
    is_opened: bool


class _Aside(NamedTuple):
    """A kind's form and the run in view, while another kind is in view."""

    form: Form
    start: Start | None
    run: str | None


def _fill_form(fields: Form) -> None:
    for key in [key for key in st.session_state if str(key).startswith(FORM)]:
        del st.session_state[key]
    st.session_state.update(fields)


def open_lab(run: str = "") -> None:
    """Switch to the Lab.

    Args:
        run: Key of the run to show; empty for what the session holds.
    """
    if not run:
        # The bare address is as good as read: what the session holds stays.
        st.session_state[SEEN_URL] = (None, None)
    st.switch_page(LAB, query_params={"run": run} if run else {})


def forget_notices() -> None:
    """Drop the notices of the previous link."""
    st.session_state[_NOTES] = []


def add_notice(text: str) -> None:
    """Show a notice until the URL changes."""
    st.session_state.setdefault(_NOTES, []).append(text)


def notices() -> list[str]:
    """Return the problems with the link that was opened."""
    return list(st.session_state.get(_NOTES, ()))


def open_spec(spec: RunSpec) -> None:
    """Put a link's spec into the form as soon as the catalogue is there."""
    st.session_state[_PENDING] = spec


def is_opening() -> bool:
    """Whether a link's experiment waits to be put into the form."""
    return st.session_state.get(_PENDING) is not None


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
        _load_default(form_kind())


def _load_default(kind: str) -> None:
    spec = derived_experiments.default_experiment(client.catalogue(), kind)
    load_spec(spec, "the default experiment", is_opened=False)


def load_spec(spec: RunSpec, title: str = "", *, is_opened: bool = True) -> None:
    """Put a spec into the form.

    Args:
        spec: The experiment.
        title: What the screen calls it.
        is_opened: As in `Start`.

    Raises:
        Refused: If the spec is invalid; the form is unchanged.
    """
    full, key = client.complete_with_key(spec)
    if spec.device == "auto":
        full = full.model_copy(update={"device": "auto"})
    form = spec_mapping.spec_to_form(full)
    kind = client.catalogue().kind_of(full.family.name)
    start = Start(form, key, title or "the experiment that was opened", is_opened)
    _fill_form(form | {KIND: kind, PRESET: None})
    st.session_state[_START] = start


def start_form() -> Form:
    """Return the fields that the form was filled with; empty before that."""
    start = _start()
    return start.form if start else {}


def start_title() -> str:
    """Return what the screen calls the experiment that the form was filled with."""
    start = _start()
    return start.title if start else ""


def _start() -> Start | None:
    start: Start | None = st.session_state.get(_START)
    return start


def reset_form() -> None:
    """Fill the form once more with what it was filled with."""
    if start := _start():
        _fill_form(start.form | {KIND: form_kind()})


def form_kind() -> str:
    """Return the form's kind of task."""
    return kinds.kind_named(st.session_state.get(KIND)).name


def choose_kind(name: str) -> None:
    """Fill the form with a kind's experiment: the last one, else its default.

    Form and run in view of the other kind are set aside until that kind is chosen
    again. The default experiment's run is shown if the store has it.
    """
    if not client.is_catalogue_ready():
        st.session_state[KIND] = name  # the form is filled once the catalogue is there
        show_run(None)
        return
    kept: dict[str, _Aside] = st.session_state.setdefault(_ASIDE, {})
    if family := st.session_state.get("k.family"):
        before = client.catalogue().kind_of(str(family))
        kept[before] = _Aside(form_values(), _start(), st.session_state.get(_RUN))
    if held := kept.pop(name, None):
        _fill_form(held.form | {KIND: name, PRESET: None})
        st.session_state[_START] = held.start
        show_run(held.run)
    else:
        _load_default(name)
        show_run(finished_default_run(name))


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


class Request(NamedTuple):
    """What the form asks for.

    Args:
        run: Its completed spec and run key; None if it can't be run.
        refusal: Why not, in one sentence; else empty.
        is_pending: Whether the engine is still to say if it can be run.
    """

    run: tuple[RunSpec, str] | None
    refusal: str
    is_pending: bool = False


def request_run(seconds: float = SOON) -> Request:
    """Return what the form asks for, or why it can't be run.

    Args:
        seconds: How long to wait for what only the engine can say.
    """
    try:
        spec, key = requested_run()
    except Refused as refusal:
        return Request(None, refusal.message)
    start = _start()
    is_default = start is not None and key == start.key and not start.is_opened
    if is_default or client.job(key) is not None:  # it can be run, or was
        return Request((spec, key), "")
    found = spec_checks.checker.refusal(key, spec, seconds)
    return Request(None if found else (spec, key), found or "", found is None)


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


def show_in_lab(key: str) -> None:
    """Put another run in view, and its settings into the form."""
    show_run(key)
    open_spec(client.spec(key))


def run_in_view() -> str | None:
    """Return the key of the run in view; None while the recorded example is shown.

    An experiment that was opened and is computed here is shown at once.
    """
    key: Any = st.session_state.get(_RUN)
    start = _start()
    if key is None and start is not None and start.is_opened:
        return start.key if client.job(start.key) is not None else None
    return key


def is_result_awaited() -> bool:
    """Whether the form holds an opened experiment that is not computed here yet."""
    start = _start()
    return start is not None and start.is_opened and run_in_view() is None


def start_key() -> str:
    """Return the run key of what the form was filled with; empty before that."""
    start = _start()
    return start.key if start else ""
