"""The title of a run: its own, else what its experiment is about."""

from collections.abc import Mapping

from app.client.client import Run
from app.experiment.experiment_title import experiment_title


def run_title(run: Run, titles: Mapping[str, str] | None = None) -> str:
    """Return a run's title as plain text.

    Args:
        run: The run.
        titles: Titles of parts, by name; spelled from the names otherwise.
    """
    own = run.job.title.strip() if run.job is not None else ""
    return own or experiment_title(run.spec, titles)
