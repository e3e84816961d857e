"""Which runs the page Compare shows: the link's parameter `runs`."""

from collections.abc import Sequence

import streamlit as st

from app.client import run_groups

MAX_RUNS = 8
PARAMETER = "runs"
PAGE = "../pages/compare.py"
SHORTEST, _WHOLE = 12, 64  # hex digits of a run's key in a link
_LONGEST = MAX_RUNS * (_WHOLE + 1)


def open_comparison(keys: Sequence[str]) -> None:
    """Switch to the page Compare.

    Args:
        keys: Keys of the runs.
    """
    st.switch_page(PAGE, query_params={PARAMETER: join_keys(keys)})


def join_keys(keys: Sequence[str]) -> str:
    """Return the link's parameter for some runs: the first digits of their keys."""
    return ",".join(key[:SHORTEST] for key in keys)


def read_keys(text: str) -> tuple[list[str], str]:
    """Return the keys of the runs that a link names, each once.

    Args:
        text: The parameter: keys, or their first 12 digits or more, with commas.

    Returns:
        The keys, and what is wrong with the others, in one sentence; it may be empty.
    """
    given = [part.strip() for part in text[:_LONGEST].split(",") if part.strip()]
    if len(text) > _LONGEST or len(given) > MAX_RUNS:
        return [], f"At most {MAX_RUNS} runs are compared at once."
    found = {part: _keys_starting(part) for part in given}
    keys = list(dict.fromkeys(keys[0] for keys in found.values() if len(keys) == 1))
    if any(len(each) > 1 for each in found.values()):
        wrong = "An id in this link is that of several runs: give more of its digits."
    elif not all(found.values()):
        others = ": it may be deleted, or on another installation" if keys else ""
        wrong = f"There is no run with one of the ids in this link{others}."
    else:
        wrong = ""
    return keys, wrong


def _keys_starting(start: str) -> list[str]:
    is_key = SHORTEST <= len(start) <= _WHOLE and set(start) <= set("0123456789abcdef")
    return run_groups.keys_starting(start) if is_key else []
