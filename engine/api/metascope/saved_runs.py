"""Reading runs that were computed before, from a store or from the files of one."""

from pathlib import Path

from engine.contract.errors import Refused
from engine.contract.jobs import ALIVE, Job, JobState
from engine.export import RunRecord, archive_reader
from engine.export.run_folder import ARCHIVE, archive_in
from engine.store import NoStore, Store
from metascope.arguments import as_path, words_of_python
from metascope.execution import OWN_RUNS, StorePlace, home_of
from metascope.results import Result

_ENDED = (JobState.DONE, JobState.DIVERGED)
_HEX = frozenset("0123456789abcdef")
_SHORTEST, _LONGEST = 4, 64  # hex digits of a key


def load(path: str | Path, *, store: StorePlace = "default") -> Result:
    """Return a run that was computed before.

    Args:
        path: An archive, or a folder that `Result.save` or the command `run` wrote; it
            is read without putting the run into a store. Or the key of a run in the
            store, or its first digits.
        store: Where a key is looked for, as in `metascope.run`.

    Returns:
        The result, with the statistics that were kept with it. Parts that another
        notebook defined need not be there, unless one of its `learners` is used.

    Raises:
        Refused: If there is no such run, or it has not ended.

    Example:
        >>> import tempfile, metascope as ms
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     result = ms.run("smoke", replicates=1, store=None)
        ...     again = ms.load(result.save(folder + "/smoke"))
        >>> again.metrics.equals(result.metrics)
        True
    """
    file = as_path("path", path)
    if isinstance(path, str) and _is_key(path) and not file.exists():
        return _read_from_store(path.strip().lower(), store)
    if file.is_dir() and not (file / ARCHIVE).is_file():
        raise Refused(f"{file} holds no {ARCHIVE}, which `Result.save` writes", "path")
    file = archive_in(file)
    if not file.is_file():
        raise Refused(
            f"{path} is not there: give an archive, a folder that `Result.save` or "
            "`python -m metascope run` wrote, or the key of a run, at least "
            f"{_SHORTEST} hex digits",
            "path",
        )
    with words_of_python():
        came = archive_reader.read_archived_run(file.read_bytes())
    record = RunRecord(
        came.job.key,
        came.spec,
        came.blocks,
        came.timings,
        came.artefacts,
        came.texts.get("summary"),
        came.texts.get("fingerprint"),
    )
    return Result(record, came.job)


def _is_key(text: str) -> bool:
    digits = text.strip().lower()
    return _SHORTEST <= len(digits) <= _LONGEST and set(digits) <= _HEX


def _read_from_store(start: str, place: StorePlace) -> Result:
    """Return the run whose key begins with these digits."""
    if place is None:
        raise Refused("without a store there is no run to load by its key", "store")
    from engine.cli.runs import find_run

    home, unknown = home_of(place), ""
    # Runs of a notebook's own parts have a store each, of their key's first digits.
    for folder in (home, *sorted((home / OWN_RUNS).glob(f"{start[:16]}*"))):
        try:
            held = Store.open_existing(folder)
            job = find_run(held, start)
        except (NoStore, Refused) as refusal:
            unknown = unknown or getattr(refusal, "message", "it is empty")
            continue
        _check_ended(job)
        return Result(RunRecord.from_store(held, job.key), job)
    raise Refused(
        f"there is no run {start[:12]} in {home}: {unknown}; another store is given "
        "with store=",
        "path",
    )


def _check_ended(job: Job) -> None:
    """Refuse a run that has no result.

    Raises:
        Refused: With its state and what to do.
    """
    if job.state in _ENDED and not job.damaged:
        return
    named = f"the run {job.key[:12]}"
    if job.damaged:
        raise Refused(f"{named} is damaged: {job.damaged}", "path")
    if job.state in ALIVE:
        raise Refused(
            f"{named} is {job.state}, {job.done:.0%} done: wait for it with "
            "metascope.run(spec), or read it later",
            "path",
        )
    why = f": {job.error}" if job.error else ""
    raise Refused(
        f"{named} has no result, as it is {job.state}{why}; metascope.run(spec) goes "
        "on with it",
        "path",
    )
