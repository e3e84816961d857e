"""What can be done with the selected runs, and the import of a run."""

from collections.abc import Callable, Sequence

import streamlit as st

from app import session
from app.client import client, run_groups
from app.form import uploads
from app.views.compare.selection import MAX_RUNS, open_comparison
from app.views.run_import import import_chosen_archive
from app.views.runs.table import clear_selection, open_group
from app.widgets.escaping import escape_markdown
from engine.contract.annotations import MOST_TAGS, NOTE_LIMIT, TAG_LIMIT
from engine.contract.jobs import FINAL, Job
from engine.contract.text_decoding import TEXT_LIMIT
from engine.executors.demo import is_demo

KEY_DIGITS = 64  # of a run; a group's id is shorter


def draw_import() -> None:
    """Draw the import of an exported run, where files are taken."""
    if not uploads.takes_files():
        return
    with st.popover("Import a run", icon=":material/upload:", key="import_run"):
        job = import_chosen_archive("runs")
        if job is not None:
            st.success(f"Imported as run `{job.key[:12]}`.", icon=":material/check:")


def draw_delete_all() -> None:
    """Draw, in the demo, the button that deletes all runs of the visitor."""
    if not is_demo() or not (count := client.jobs(None, "", (1, 0))[1]):
        return
    with st.popover("Delete all my runs", icon=":material/delete:", key="all_ask"):
        what = "your only run" if count == 1 else f"all of your {count} runs"
        them = "it" if count == 1 else "them all"
        st.markdown(
            f"Delete {what}, with titles, tags and notes? Links that you gave away "
            "still open a result until the demo drops it, too."
        )
        if st.button(f"Delete {them}", key="delete_all", icon=":material/delete:"):
            client.delete_all()
            clear_selection()
            st.rerun(scope="app")


def runs_of(names: Sequence[str]) -> list[str]:
    """Return the keys of the selected runs, and of those of the selected groups."""
    keys: list[str] = []
    for name in names:
        is_group = len(name) != KEY_DIGITS
        keys.extend(run_groups.member_keys(name) if is_group else [name])
    return list(dict.fromkeys(keys))


def draw_actions(names: Sequence[str]) -> None:
    """Draw the actions on the selected runs and groups.

    Args:
        names: Their ids.
    """
    jobs = [job for key in runs_of(names) if (job := client.job(key)) is not None]
    with st.container(horizontal=True, vertical_alignment="center", key="run_actions"):
        if not jobs:
            st.caption(
                "Click a name to open it. Select rows in the first column to compare, "
                "tag, cancel, resume, rename or delete."
            )
            return
        st.markdown(f"**{len(jobs)} selected**", width="content")
        _draw_open(names, jobs)
        _draw_compare(jobs)
        if len(jobs) == 1:
            _draw_words(jobs[0])
        else:
            _draw_tag_all(jobs)
        alive = [job for job in jobs if job.state not in FINAL]
        _draw_bulk_action(alive, "Cancel", client.cancel)
        ended_early = [job for job in jobs if job.is_resumable]
        _draw_bulk_action(ended_early, "Resume", client.resume)
        _draw_delete(jobs)
    if len(jobs) == 1:
        _draw_error(jobs[0])


def _draw_open(names: Sequence[str], jobs: Sequence[Job]) -> None:
    group = run_groups.find_group(names[0]) if len(names) == 1 else None
    if group is not None:
        if st.button("Open", icon=":material/open_in_new:", key="open_sweep"):
            open_group(group)
    elif len(jobs) == 1 and st.button(
        "Open", icon=":material/open_in_new:", key="open"
    ):
        session.open_lab(jobs[0].key)


def _draw_compare(jobs: Sequence[Job]) -> None:
    if len(jobs) < 2:
        return
    if st.button(
        "Compare",
        icon=":material/compare_arrows:",
        key="compare",
        disabled=len(jobs) > MAX_RUNS,
        help=f"Curves, numbers and settings side by side; up to {MAX_RUNS} runs.",
    ):
        open_comparison([job.key for job in jobs])


def _draw_bulk_action(
    jobs: Sequence[Job], word: str, do: Callable[[str], object]
) -> None:
    icon = {"Cancel": ":material/stop_circle:", "Resume": ":material/play_arrow:"}[word]
    if jobs and st.button(word, icon=icon, key=f"all_{word.lower()}"):
        for job in jobs:
            do(job.key)
        st.rerun()


def _draw_tag_all(jobs: Sequence[Job]) -> None:
    with (
        st.popover("Tag", icon=":material/label:", key="tag_all"),
        st.form("tags_of_all", border=False),
    ):
        given = st.text_input(
            "Tags to add",
            max_chars=200,
            placeholder="paper, first try",
            help="Separated by commas; each run keeps the tags that it has.",
        )
        if st.form_submit_button("Add tags") and given:
            run_groups.add_tags([job.key for job in jobs], given.split(","))
            st.rerun(scope="app")


def _draw_delete(jobs: Sequence[Job]) -> None:
    with st.popover("Delete", icon=":material/delete:", key="delete_ask"):
        st.markdown(f"Delete {len(jobs)} run{'s' * (len(jobs) > 1)} and their files?")
        if st.button("Delete permanently", key="delete", icon=":material/delete:"):
            for job in jobs:
                client.delete(job.key)
            clear_selection()
            st.rerun()


def _draw_error(job: Job) -> None:
    if job.error:
        st.error(escape_markdown(job.error))
    if job.traceback and not is_demo():  # it names folders of the operator's machine
        with st.expander("Log"):
            st.code(job.traceback, language=None, wrap_lines=True)


def _draw_words(job: Job) -> None:
    """Let the user change a run's title, tags and note."""
    held = run_groups.read_annotations(job.key)
    with (
        st.popover("Title, tags, note", icon=":material/edit:", key="words"),
        st.form(f"words.{job.key}", border=False),
    ):
        title = st.text_input(
            "Title",
            job.title,
            max_chars=TEXT_LIMIT,
            help="Shown in lists instead of the question.",
        )
        tags = st.text_input(
            "Tags",
            ", ".join(held.tags),
            max_chars=MOST_TAGS * (TAG_LIMIT + 2),
            help="Separated by commas; the list can be filtered by them.",
        )
        note = st.text_area(
            "Note",
            held.note,
            max_chars=NOTE_LIMIT,
            help="Kept with the run, found by the search and exported in its archive.",
        )
        if st.form_submit_button("Save", icon=":material/save:"):
            client.rename(job.key, title or "")
            run_groups.annotate(job.key, (tags or "").split(","), note or "")
            st.rerun(scope="app")
