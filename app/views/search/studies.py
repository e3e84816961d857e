"""Studies: named sets of runs that answer one sentence, and how far each is."""

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from app.charts.figure_cache import kept
from app.client import client
from app.client.catalogue import Study
from app.client.client import Run
from app.widgets import panels, tables
from app.widgets.escaping import plain
from engine.contract.errors import Refused
from engine.contract.jobs import ALIVE, RESUMABLE, Job, JobState
from engine.contract.runs import RunSpec


class Held(NamedTuple):
    """A run of a study, as far as it is: no job where it was never asked for."""

    spec: RunSpec
    key: str
    job: Job | None

    @property
    def done(self) -> bool:
        """Whether all of its numbers are there."""
        return self.job is not None and self.job.state == JobState.DONE

    @property
    def alive(self) -> bool:
        """Whether it waits or runs."""
        return self.job is not None and self.job.state in ALIVE


def studies() -> tuple[Study, ...]:
    """Return the studies that the catalogue knows."""
    return client.catalogue().studies if client.catalogue_ready() else ()


def ready() -> bool:
    """Whether studies can be told; comes back when they can."""
    if client.catalogue_ready():
        return True
    st.fragment(run_every=0.7)(_waiting)()
    return False


def _waiting() -> None:
    if client.catalogue_ready():
        st.rerun()
    if client.catalogue_error():
        panels.refused(client.catalogue_error())
        return
    st.skeleton(120)


def held(study: Study) -> list[Held]:
    """Return a study's runs, as far as they are.

    Raises:
        Refused: If a part that it needs is not here.
    """
    settled = kept(
        ("settled", study.name, id(study)),
        lambda: [client.settle(spec) for spec in study.specs],
    )
    return [Held(spec, key, client.job(key)) for spec, key in settled]


def measure(study: Study, runs: Sequence[Held]) -> None:
    """Queue what is missing of a study; what ended early goes on."""
    for run in runs:
        if run.job is not None and run.job.state in RESUMABLE:
            client.resume(run.key)
        elif run.job is None or not (run.done or run.alive):
            client.queue((run.spec, run.key), study.title)


def finished(runs: Sequence[Held]) -> list[Run]:
    """Return the runs of a study that are done, with their numbers."""
    found = [client.run(run.key) for run in runs if run.done]
    return [run for run in found if run is not None]


def button(study: Study, runs: Sequence[Held], *, place: str) -> None:
    """Draw the button that measures a study, where something is left to start."""
    waiting = [run for run in runs if not run.done]
    if not waiting or any(run.alive for run in waiting):
        return
    if st.button(
        "Measure" if len(waiting) == len(runs) else f"Measure {len(waiting)} more",
        icon=":material/play_arrow:",
        key=f"{place}.{study.name}",
        help=f"Queues {len(waiting)} runs; what was computed before is taken as it is.",
    ):
        try:
            measure(study, waiting)
        except Refused as refusal:
            panels.refused(refusal.message)
            return
        st.rerun()


def progress(runs: Sequence[Held]) -> None:
    """Say how many runs of a study are done, and what stopped the others."""
    done = sum(run.done for run in runs)
    if any(run.alive for run in runs):
        st.progress(_share(runs), f"{done} of {len(runs)} runs are done")
        if trouble := client.engine_trouble():
            st.warning(plain(trouble))
    elif 0 < done < len(runs):
        st.caption(f"{done} of {len(runs)} runs are done.")
    for run in runs:
        if run.job is not None and not (run.done or run.alive):
            st.caption(plain(f"Run {run.key[:8]}: {panels.explain(run.job)}"))


def _share(runs: Sequence[Held]) -> float:
    """Return how much of a study is done, 0 to 1, running runs in part."""
    total = 0.0
    for run in runs:
        if run.done:
            total += 1.0
        elif run.job is not None and run.job.state == JobState.RUNNING:
            total += min(1.0, max(0.0, client.progress(run.key).done))
    return min(1.0, total / max(len(runs), 1))


def states(runs: Sequence[Held]) -> None:
    """List the runs of a study with their states."""
    rows = []
    for run in runs:
        word = panels.STATES[run.job.state].word if run.job else "not asked for"
        about = run.job.title or run.job.about if run.job else run.spec.family.name
        rows.append({"Run": run.key[:8], "About": about, "State": word})
    tables.draw(rows, alt="Runs of this study with their states")
