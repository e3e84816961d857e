"""Turns a failed import into a sentence with the command that installs the package."""

import re

_OURS = frozenset({"app", "engine", "pages"})
_WORDS = re.compile(r"No module named '([\w.]+)'")


def describe_missing(said: str) -> str:
    """Return a sentence on the package that an import did not find.

    Args:
        said: Python's message, such as that of a `ModuleNotFoundError`.

    Returns:
        The sentence; empty if the missing module is our own.

    >>> describe_missing("No module named 'scipy.stats'").split(":")[0]
    'The package scipy is not installed'
    >>> describe_missing("No module named 'app.widgets.tables'")
    ''
    """
    found = _WORDS.search(said)
    package = found[1].partition(".")[0] if found else ""
    if not package or package in _OURS:
        return ""
    return (
        f"The package {package} is not installed: run `python -m pip install -r "
        "requirements.txt` in Metascope's folder (or `make run`), then start it again."
    )
