"""Studies: named sets of runs that test one claim, and their progress."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import streamlit as st

from app.charts.figure_cache import get_or_make
from app.client import client, run_groups
from app.client.catalogue import Study
from app.client.client import Run
from app.widgets import page_elements, tables
from app.widgets.escaping import escape_markdown
from engine.contract.errors import Refused
from engine.contract.jobs import ALIVE, RESUMABLE, Job, JobState
from engine.contract.learner_appearance import name_in_words
from engine.contract.run_spec import RunSpec
from engine.executors.demo import demo_limits, is_demo
from engine.stats.verdicts.wording import capitalize_first, format_count
from engine.store.errors import OverLimit, QueueFull


class StudyRun(NamedTuple):
    """A run of a study and its job; None if it was never queued."""

    spec: RunSpec
    key: str
    job: Job | None

    @property
    def is_done(self) -> bool:
        """Whether it has finished."""
        return self.job is not None and self.job.state == JobState.DONE

    @property
    def is_alive(self) -> bool:
        """Whether it is queued or running."""
        return self.job is not None and self.job.state in ALIVE


def list_studies() -> tuple[Study, ...]:
    """Return the catalogue's studies; empty until it is ready."""
    return client.catalogue().studies if client.is_catalogue_ready() else ()


def is_ready(*, skeleton: bool = True) -> bool:
    """Whether the catalogue is ready; if not, reruns the page when it is.

    Args:
        skeleton: Whether to draw a placeholder until then.
    """
    if client.is_catalogue_ready():
        return True
    page_elements.wait_for_catalogue("", (120,) if skeleton else ())
    return False


def study_runs(study: Study) -> list[StudyRun]:
    """Return a study's runs with their jobs.

    Raises:
        Refused: If a part that it needs is not installed.
    """
    settled = settle(study)
    return with_jobs(settled, client.jobs_by_key([key for _, key in settled]))


def with_jobs(
    settled: Sequence[tuple[RunSpec, str]], jobs: Mapping[str, Job]
) -> list[StudyRun]:
    """Return runs with those of the jobs that are theirs."""
    return [StudyRun(spec, key, jobs.get(key)) for spec, key in settled]


def settle(study: Study) -> list[tuple[RunSpec, str]]:
    """Return a study's completed specs with their keys here.

    Raises:
        Refused: If a part that it needs is not installed.
    """
    return get_or_make(
        ("settled", study.name, id(study)),
        lambda: [client.complete_with_key(spec) for spec in study.specs],
    )


def portable_keys(study: Study) -> tuple[str, ...]:
    """Return the keys that a study's runs have on a CPU, whatever device is here."""
    if client.catalogue().default_device == "cpu":
        return tuple(key for _, key in settle(study))
    return tuple(client.portable_key(spec) for spec in study.specs)


def queue_missing(study: Study, runs: Sequence[StudyRun]) -> None:
    """Queue the missing runs of a study; resume those that ended early."""
    for run in runs:
        if run.job is not None and run.job.state in RESUMABLE:
            client.resume(run.key)
        elif run.job is None or not (run.is_done or run.is_alive):
            client.submit_completed((run.spec, run.key), study.title)
    run_groups.file_claim(study, [run.key for run in study_runs(study)])


def finished_runs(runs: Sequence[StudyRun]) -> list[Run]:
    """Return the finished runs of a study, with their numbers."""
    found = [client.run(run.key) for run in runs if run.is_done]
    return [run for run in found if run is not None]


def draw_measure_button(
    study: Study, runs: Sequence[StudyRun], *, place: str, shown: bool = False
) -> None:
    """Draw the button that queues a study's missing runs, if there are any.

    Args:
        study: The study.
        runs: All of its runs.
        place: Where the button stands; part of its key.
        shown: Whether a recorded verdict is shown, which the runs would replace.
    """
    if refusal := refusal_to_measure(runs):
        st.caption(refusal)
        return
    waiting = _missing_runs(runs)
    if not waiting:
        return
    word = "Measure here" if shown else "Measure"
    if st.button(
        word if len(waiting) == len(runs) else f"Measure {len(waiting)} more",
        icon=":material/play_arrow:",
        key=f"{place}.{study.name}",
        type="tertiary" if shown else "secondary",
        help=f"Queues {format_count(len(waiting), 'run')}; runs that were computed "
        "before are reused.",
    ):
        try:
            queue_missing(study, waiting)
        except (Refused, QueueFull, OverLimit) as refused:
            page_elements.draw_refusal(capitalize_first(str(refused)))
            return
        st.rerun()


def _missing_runs(runs: Sequence[StudyRun]) -> list[StudyRun]:
    """Return the runs that can be queued: none while any is queued or running."""
    waiting = [run for run in runs if not run.is_done]
    return [] if any(run.is_alive for run in waiting) else waiting


def refusal_to_measure(runs: Sequence[StudyRun]) -> str:
    """Return why the missing ones of a study's runs cannot be queued; empty if so."""
    waiting = _missing_runs(runs)
    return measure_refusal([run.key for run in waiting]) if waiting else ""


def measure_refusal(keys: Sequence[str]) -> str:
    """Return why a visitor of the demo cannot measure a claim; empty if they can.

    Args:
        keys: Keys of the runs that are missing.
    """
    if not is_demo():
        return ""
    limits = demo_limits()
    most = limits.running + limits.queued
    if len(keys) <= most:
        return ""
    return (
        f"Takes {format_count(len(keys), 'run')} more, and a visitor of this demo has "
        f"at most {most} at a time: measure it in a lab on your own computer."
    )


def draw_progress(runs: Sequence[StudyRun]) -> None:
    """Draw how many runs of a study are done, and what stopped the others."""
    done = sum(run.is_done for run in runs)
    if any(run.is_alive for run in runs):
        st.progress(_share_done(runs), f"{done} of {len(runs)} runs are done")
        if trouble := client.engine_trouble():
            st.warning(escape_markdown(trouble))
    elif 0 < done < len(runs):
        st.caption(f"{done} of {len(runs)} runs are done.")
    for run in runs:
        if run.job is not None and not (run.is_done or run.is_alive):
            st.caption(
                escape_markdown(
                    f"Run {run.key[:8]}: {page_elements.explain_state(run.job)}"
                )
            )


def _share_done(runs: Sequence[StudyRun]) -> float:
    """Return the finished share of a study, 0 to 1; running runs count in part."""
    total = 0.0
    for run in runs:
        if run.is_done:
            total += 1.0
        elif run.job is not None and run.job.state == JobState.RUNNING:
            # `st.progress` raises outside 0 to 1.
            total += min(1.0, max(0.0, client.progress(run.key).done))
    return min(1.0, total / max(len(runs), 1))


def recorded_badge(is_outdated: bool) -> str:
    """Return the mark of what ships with the app, as Markdown.

    Args:
        is_outdated: Whether its runs are no longer those that would be computed here.
    """
    word = "recorded by an earlier version" if is_outdated else "recorded"
    return f":gray-badge[:material/inventory_2: {word}]"


def draw_recorded_badge(is_outdated: bool) -> None:
    """Draw the mark of what ships with the app, as in `recorded_badge`."""
    st.markdown(
        recorded_badge(is_outdated),
        help="Measured before it was shipped; your own runs replace it.",
    )


def draw_run_states(runs: Sequence[StudyRun]) -> None:
    """Draw the runs of a study with their states."""
    rows = []
    for run in runs:
        word = page_elements.STATES[run.job.state].word if run.job else "not queued"
        about = run.job.about if run.job else run.spec.family.name
        title = run.job.title if run.job else ""
        shown = title or name_in_words(about)
        rows.append({"Run": run.key[:8], "About": shown, "State": word})
    tables.draw_table(rows, alt="Runs of this study with their states")
