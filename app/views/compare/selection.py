"""Which runs the page Compare shows: the link's parameter `runs`."""

from collections.abc import Sequence

import streamlit as st

from app.client import run_groups
from engine.contract.errors import Refused

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


def read_keys(text: str) -> list[str]:
    """Return the keys of the runs that a link names, each once.

    Args:
        text: The parameter: keys, or their first 12 digits or more, with commas.

    Raises:
        Refused: If it names too many, or one that is not here; always one sentence.
    """
    given = [part.strip() for part in text[:_LONGEST].split(",") if part.strip()]
    if len(text) > _LONGEST or len(given) > MAX_RUNS:
        raise Refused(f"At most {MAX_RUNS} runs are compared at once.", PARAMETER)
    return list(dict.fromkeys(_find_key(part) for part in given))


def _find_key(start: str) -> str:
    is_key = SHORTEST <= len(start) <= _WHOLE and set(start) <= set("0123456789abcdef")
    found = run_groups.keys_starting(start) if is_key else []
    if len(found) > 1:
        raise Refused(
            "An id in this link is that of several runs: give more of its digits.",
            PARAMETER,
        )
    if not found:
        raise Refused("There is no run with one of the ids in this link.", PARAMETER)
    return found[0]
