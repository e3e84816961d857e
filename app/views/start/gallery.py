"""The gallery: shipped experiments, each with its picture, its call and its time."""

from typing import NamedTuple

import streamlit as st

from app.charts.figure_cache import get_or_make
from app.client import client, recorded_examples
from app.client.catalogue import Preset
from app.experiment import cost_estimate
from app.figures.call_style import CALL_STYLES
from app.views.shipped_experiments import open_in_lab
from app.views.start import thumbnails
from app.widgets import page_elements
from app.widgets.escaping import escape_html
from app.widgets.svg_picture import Ink, Picture, picture_html
from engine.contract import kinds
from engine.contract.jobs import Job, JobState
from engine.contract.run_spec import RunSpec
from engine.stats.stored_claims import read_claims

PER_PAGE, COLUMNS = 9, 3
ALL = "all"


class Answer(NamedTuple):
    """What a finished run of an experiment said.

    Args:
        headline: Its verdict in one sentence.
        call: The call of its primary question; empty where it makes none.
        run: Its key in the store; None for the recorded example.
    """

    headline: str
    call: str
    run: str | None


def read_answer(
    summary: dict[str, object] | None, run: str | None = None
) -> Answer | None:
    """Return a finished run's answer; None where its summary holds none.

    Args:
        summary: The run's summary.
        run: Its key in the store; None for a recorded example.
    """
    if not summary or "headline" not in summary:
        return None
    primary = next((c.call for c in read_claims(summary) if c.primary), "")
    return Answer(str(summary["headline"]), primary, run)


def answer_html(answer: Answer, source: str) -> str:
    """Return an answer as HTML: its call as a chip, its headline, where it is from."""
    style = CALL_STYLES.get(answer.call)  # type: ignore[call-overload]
    chip = (
        f'<span class="chip chip-{style.css}">{style.sign} '
        f"{escape_html(answer.call)}</span> "
        if style
        else ""
    )
    return (
        f'<p class="start-answer">{chip}{escape_html(answer.headline)} '
        f"<small>{escape_html(source)}</small></p>"
    )


def draw_gallery(ink: Ink) -> None:
    """Draw the filter and one page of experiments; wait for the catalogue if needed."""
    page_elements.draw_heading(
        "Shipped experiments",
        "Each opens in the Lab with its settings filled in. Nothing starts by itself. "
        "Times are what this machine is expected to need.",
    )
    if client.is_catalogue_ready():
        _draw_page(ink)
    else:
        page_elements.wait_for_catalogue(
            "Loading the experiments: a few seconds, once per installation.", (180,)
        )


@st.fragment
def _draw_page(ink: Ink) -> None:
    known = client.catalogue()
    kind = st.segmented_control(
        "Kind of question",
        [ALL, *kinds.KINDS],
        default=ALL,
        format_func=lambda name: kinds.KINDS[name].title if name != ALL else "All",
        key="gallery",
        bind="query-params",
        required=True,
        help="Show only the experiments that ask this kind of question.",
    )
    found = [
        preset
        for preset in known.presets
        if kind in (ALL, known.kind_of(preset.spec.family.name))
    ]
    shown = _choose_page(found, str(kind))
    settled = {preset.name: _settle(preset) for preset in shown}
    jobs = client.jobs_by_key([key for _, key in settled.values()])
    machine = cost_estimate.this_machine()
    for first in range(0, len(shown), COLUMNS):
        columns = st.columns(COLUMNS, gap="small")
        for column, preset in zip(columns, shown[first:], strict=False):
            full, key = settled[preset.name]
            when = describe_time(full, key, machine)
            with column, st.container(border=True, height="stretch"):
                _draw_experiment(preset, full, jobs.get(key), when, ink)


def _settle(preset: Preset) -> tuple[RunSpec, str]:
    """Return an experiment's completed spec and its run key."""
    return get_or_make(
        ("preset", preset.name, id(preset)),
        lambda: client.complete_with_key(preset.spec),
    )


def _choose_page(found: list[Preset], kind: str) -> list[Preset]:
    """Draw pagination where needed; return the experiments of the page."""
    pages = -(-len(found) // PER_PAGE)
    if pages < 2:
        return found
    # Of another kind there are other pages, so each has a key of its own.
    number = st.pagination(pages, key=f"gallery_page.{kind}")
    return found[PER_PAGE * (number - 1) : PER_PAGE * number]


def _draw_experiment(
    preset: Preset, full: RunSpec, job: Job | None, when: str, ink: Ink
) -> None:
    kind = client.kind_of_spec(full)
    answer = find_answer(preset, job, kind)
    said = ""
    if answer is not None:
        said = answer_html(answer, "run here" if answer.run else "recorded")
    st.html(
        f"{picture_html(_picture(preset, kind, ink), 'start-thumbnail')}"
        f'<p class="eyebrow">{escape_html(kind.title)}</p>'
        f'<h3 class="card-title">{escape_html(preset.title)}</h3>'
        f'<p class="card-text">{escape_html(preset.summary)}</p>{said}'
        f'<p class="start-time">{escape_html(when)}</p>'
    )
    if st.button(
        "Open in the Lab",
        icon=":material/science:",
        key=f"gallery.{preset.name}",
        type="tertiary",
        help=f"Fills the form with “{preset.title}”; starts nothing.",
    ):
        open_in_lab(preset, answer.run if answer else None)


def _picture(preset: Preset, kind: kinds.Kind, ink: Ink) -> Picture:
    if preset.name == kind.preset:
        return recorded_curves(kind.name, ink)
    return thumbnails.symbol(kind.name, ink)


def recorded_curves(kind_name: str, ink: Ink) -> Picture:
    """Return the curves of a kind's recorded example; its symbol if there is none."""
    run = recorded_examples.recorded_run(kind_name)
    if run is None:
        return thumbnails.symbol(kind_name, ink)
    drawn = get_or_make(
        ("thumbnail", run.cache_key, ink), lambda: thumbnails.curves(run, ink)
    )
    return drawn or thumbnails.symbol(kind_name, ink)


def recorded_answer(kind: kinds.Kind) -> Answer | None:
    """Return what a kind's recorded example said; None if there is none."""
    run = recorded_examples.recorded_run(kind.name)
    if run is None:
        return None
    return get_or_make(("answer", run.cache_key), lambda: read_answer(run.summary))


def find_answer(preset: Preset, job: Job | None, kind: kinds.Kind) -> Answer | None:
    """Return what an experiment's run in the store said, else the recorded one.

    Args:
        preset: The experiment.
        job: Its run here; None if there is none.
        kind: Its kind of task.
    """
    if job is not None and job.state == JobState.DONE:
        return read_answer(client.summary(job.key), job.key)
    return recorded_answer(kind) if preset.name == kind.preset else None


def describe_time(full: RunSpec, key: str, machine: cost_estimate.Machine) -> str:
    """Describe how long a completed experiment takes here, as a range.

    Args:
        full: The experiment.
        key: Its run key.
        machine: What takes it.
    """
    estimate = cost_estimate.expected_duration(full, key, machine)
    return cost_estimate.describe_estimate(estimate)
