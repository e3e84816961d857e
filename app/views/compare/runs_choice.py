"""Which runs are compared: chosen on the page, named by the link."""

from collections.abc import Mapping

import streamlit as st

from app import visitors
from app.client import client, run_groups
from app.client.client import Run
from app.results.run_title import run_title
from app.views.compare import selection
from app.widgets import page_elements
from app.widgets.escaping import escape_markdown
from engine.contract.jobs import Job, JobState
from engine.contract.learner_appearance import name_in_words
from engine.contract.run_facts import RunFacts

_OFFERED = 50  # newest finished runs that can be added
_LETTERS = "ABCDEFGH"  # as many as there can be runs
_CHOSEN, _SEEN = "compared", "compared_seen"


def choose_runs() -> list[str]:
    """Let the user add and remove runs; return their keys. The link follows."""
    named = _read_link()
    link = selection.join_keys(named)
    if st.session_state.get(_SEEN) != link:
        st.session_state[_SEEN], st.session_state[_CHOSEN] = link, named
    known = _offered_jobs(named)
    facts = run_groups.facts_of(list(known))
    chosen = st.multiselect(
        "Runs",
        list(known),
        key=_CHOSEN,
        format_func=lambda key: f"{_title(known[key], facts.get(key))} · {key[:6]}",
        max_selections=selection.MAX_RUNS,
        placeholder="Choose runs",
        help=f"Up to {selection.MAX_RUNS} runs; the newest {_OFFERED} finished ones "
        "are offered.",
    )
    _write_link(selection.join_keys(chosen), link)
    return list(chosen)


def _read_link() -> list[str]:
    """Return the runs that the link names; say in a sentence if any is missing."""
    keys, wrong = selection.read_keys(st.query_params.get(selection.PARAMETER, ""))
    if wrong:
        page_elements.draw_refusal(wrong)
    return keys


def _offered_jobs(named: list[str]) -> dict[str, Job]:
    """Return the runs of the link, and the newest finished ones, by key."""
    finished, _ = client.jobs((JobState.DONE,), "", (_OFFERED, 0))
    first = {key: job for key in named if (job := client.job(key)) is not None}
    return first | {job.key: job for job in finished if job.key not in first}


def _title(job: Job, facts: RunFacts | None) -> str:
    short = facts.question.as_title() if facts else name_in_words(job.about)
    return job.title or short


def _write_link(now: str, before: str) -> None:
    if now == before:
        return
    st.session_state[_SEEN] = now
    if now:
        st.query_params[selection.PARAMETER] = now
    elif selection.PARAMETER in st.query_params:
        del st.query_params[selection.PARAMETER]


def run_titles(runs: Mapping[str, Run]) -> dict[str, str]:
    """Return a name for each run by its key: a letter, and its title or question."""
    lettered = zip(_LETTERS, runs.items(), strict=False)
    return {key: f"{letter} · {run_title(run)}" for letter, (key, run) in lettered}


def draw_opening_links(titles: Mapping[str, str]) -> None:
    """Draw a link to each run in the Lab.

    Args:
        titles: Their names by key.
    """
    with st.container(horizontal=True, gap="small", key="compared_runs"):
        for key, title in titles.items():
            st.page_link(
                "../pages/lab.py",
                label=escape_markdown(title),
                icon=":material/open_in_new:",
                query_params=visitors.address_of(key),
                help="Opens this run in the Lab.",
            )
