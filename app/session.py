"""The session's state: the form, what it was filled with, and the run in view."""

from typing import Any, NamedTuple

import streamlit as st

from app import visitors
from app.client import client
from app.experiment import derived_experiments, spec_mapping
from app.experiment.spec_mapping import Form
from engine.contract import kinds
from engine.contract.errors import Refused
from engine.contract.jobs import JobState
from engine.contract.run_spec import RunSpec

FORM = "k."
KIND = "k.kind"
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
        title: Its title; empty where it has none.
        is_opened: Whether the user opened it, by a link or a choice.
        is_default: Whether it is the default experiment of its kind, which the recorded
            example is of.
    """

    form: Form
    key: str
    title: str
    is_opened: bool
    is_default: bool


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
        st.session_state[SEEN_URL] = (None, None, None)
    st.switch_page(LAB, query_params=visitors.address_of(run) if run else {})


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
    load_spec(
        derived_experiments.default_experiment(client.catalogue(), kind),
        is_opened=False,
    )


def _default_of_kind(kind: str) -> tuple[RunSpec, str]:
    """Return a kind's default experiment, completed, and its run key."""
    spec = derived_experiments.default_experiment(client.catalogue(), kind)
    return client.complete_with_key(spec)


def load_spec(spec: RunSpec, title: str = "", *, is_opened: bool = True) -> None:
    """Put a spec into the form.

    Args:
        spec: The experiment.
        title: Its title; empty where it has none.
        is_opened: As in `Start`.

    Raises:
        Refused: If the spec is invalid; the form is unchanged.
    """
    full, key = client.complete_with_key(spec)
    if spec.device == "auto":
        full = full.model_copy(update={"device": "auto"})
    form = spec_mapping.spec_to_form(full)
    kind = client.catalogue().kind_of(full.family.name)
    is_default = key == _default_of_kind(kind)[1]
    start = Start(form, key, title, is_opened, is_default)
    _fill_form(form | {KIND: kind, PRESET: None})
    st.session_state[_START] = start


def start_form() -> Form:
    """Return the fields that the form was filled with; empty before that."""
    start = _start()
    return start.form if start else {}


def is_from_default() -> bool:
    """Whether the form was filled with a kind's default experiment, which can run."""
    start = _start()
    return start is not None and start.is_default


def start_title() -> str:
    """Return what the screen calls the experiment that the form was filled with."""
    start = _start()
    if start is None:
        return ""
    other = "the default experiment" if start.is_default else "what was opened"
    return start.title or other


def title_of(key: str) -> str:
    """Return the title of the form's experiment, if it is as it was opened.

    Args:
        key: Its run key now.
    """
    start = _start()
    return start.title if start is not None and start.key == key else ""


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
    key = _default_of_kind(name)[1]
    job = client.job(key)
    return key if job is not None and job.state == JobState.DONE else None


def set_fields_later(fields: Form) -> None:
    """Set fields at the next rerun, since a drawn widget cannot be changed."""
    st.session_state.setdefault(_LATER, {}).update(fields)


def form_values() -> Form:
    """Return the form's fields and their values."""
    # All at once: one by one, each would be looked up among all widgets of the page.
    state = st.session_state.to_dict()
    return {str(k): value for k, value in state.items() if str(k).startswith(FORM)}


def frozen_inputs() -> dict[str, Any]:
    """Return what the form's selected learners start from, by label, if frozen."""
    return spec_mapping.frozen_inputs(form_values())


def show_run(key: str | None) -> None:
    """Put a run in view."""
    st.session_state[_RUN] = key


def forget_deleted_run() -> None:
    """Take the run in view out of it if it was deleted, as in another tab."""
    key = st.session_state.get(_RUN)
    if key is not None and client.job(key) is None:
        show_run(None)
        add_notice("The run that was in view is deleted. Its settings are in the form.")


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


def is_start(key: str) -> bool:
    """Whether a recorded example answers what the form was filled with.

    Args:
        key: The example's run key; its effort may be another than the default one.
    """
    start = _start()
    return start is not None and (start.is_default or start.key == key)
