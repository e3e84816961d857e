"""Whether the lab takes files, and how large: the public demo takes none by default."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from app.widgets import demo_notice, page_elements
from app.widgets.escaping import escape_markdown
from engine.executors.demo import MIB, demo_limits, is_demo
from engine.stats.verdicts.wording import capitalize_first

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

MEGABYTES = 100  # of a file of the user's own data
REMARKS = 8  # at most, about one file


def draw_uploader(
    what: str, label: str, kinds: Sequence[str], key: str, explain: Callable[[], None]
) -> "UploadedFile | None":
    """Draw the choice of a file, as every dialog for the user's own data begins.

    Args:
        what: The file, such as "a CSV".
        label: Label of the choice.
        kinds: Suffixes of files that are taken.
        key: Key of the widget.
        explain: Draws what the file should be; called while none is chosen.

    Returns:
        The file; None while there is none, or where the lab takes none.
    """
    if not (most := upload_megabytes(MEGABYTES)):
        draw_uploads_off(what)
        return None
    given = st.file_uploader(label, type=list(kinds), key=key, max_upload_size=most)
    if given is None:
        explain()
    return given


def draw_refusal(message: str) -> None:
    """Show why a file is not used as it is, as a sentence.

    Args:
        message: The reason and the remedy.
    """
    page_elements.draw_refusal(_spell_sentence(message))


def draw_remarks(remarks: Sequence[str]) -> None:
    """Show what should be known of a file, in one box; nothing without remarks.

    Args:
        remarks: One each; the first few are shown.
    """
    lines = [escape_markdown(_spell_sentence(text)) for text in remarks[:REMARKS]]
    if len(lines) == 1:
        st.warning(lines[0])
    elif lines:
        st.warning("\n".join(f"- {line}" for line in lines))


def _spell_sentence(text: str) -> str:
    return capitalize_first(text if text.endswith((".", "?", "!")) else f"{text}.")


def upload_megabytes(local: int) -> int:
    """Return how large an uploaded file may be, MiB; 0 if none is taken.

    Args:
        local: The limit of a local lab, MiB.
    """
    return min(local, demo_limits().upload // MIB) if is_demo() else local


def takes_files() -> bool:
    """Whether any file is taken: always in a local lab, by a setting in a demo."""
    return upload_megabytes(1) > 0


def where_files_stay() -> str:
    """Return one sentence on where an uploaded file goes."""
    if is_demo():
        return "The file is stored by the demo, for this browser alone."
    return "The file stays on this machine."


def draw_uploads_off(what: str) -> None:
    """Say that the demo takes no files, and how to use one nevertheless.

    Args:
        what: The file, such as "a CSV".
    """
    st.markdown(
        f":material/block: This demo takes no files. To use {what}, run the lab on "
        "your own computer: there, the file stays on your machine."
    )
    demo_notice.draw_local_commands()
