"""What an experiment may name in the demo: runs and files of whoever asks.

The workers compute all visitors' runs in one store, so a spec that names a run or a
file of somebody else would reach it. Both kinds of names get the same answer whether
there is such a thing or not.
"""

import re
from collections.abc import Iterator

from app.client import process_store
from engine.contract.errors import Refused
from engine.contract.run_spec import RunSpec
from engine.store.workspaces import WorkspaceStore

_DIGEST = re.compile(r"[0-9a-f]{64}")


def check_access(spec: RunSpec, key: str) -> None:
    """Check that whoever asks may use the runs and files that a spec names.

    A run that they may read names what it was computed with; so does one that a link
    has opened. An imported one names what its archive says.

    Args:
        spec: Completed.
        key: Its run key.

    Raises:
        Refused: If one is not theirs.
    """
    held = process_store.store()
    if not isinstance(held, WorkspaceStore):
        return
    if held.job(key) is not None and not held.was_imported(key):
        return
    if key in process_store.current_visitor().shared_keys:
        return
    for label, source in spec.inputs.items():
        if held.job(source.run) is None:
            raise Refused(
                f"{label} starts from run {source.run[:12]}, which is not among your "
                "runs: open a link to it or compute it first, or train from scratch.",
                "inputs",
            )
    for digest in _digests(spec.model_dump(mode="json", exclude={"inputs"})):
        if not held.has_file(digest):
            raise Refused(
                f"This experiment uses a file (sha256 {digest[:12]}) that is not among "
                "yours: choose a file of your own, or another task.",
                "family",
            )


def was_imported(key: str) -> bool:
    """Whether a run came from an archive of whoever asks, in the demo."""
    held = process_store.store()
    return isinstance(held, WorkspaceStore) and held.was_imported(key)


def _digests(value: object) -> Iterator[str]:
    """Yield every text in a spec that is a SHA-256."""
    if isinstance(value, dict):
        for each in value.values():
            yield from _digests(each)
    elif isinstance(value, list):
        for each in value:
            yield from _digests(each)
    elif isinstance(value, str) and _DIGEST.fullmatch(value):
        yield value


def note_file(digest: str) -> str:
    """Note that a file is of whoever asks; return its digest."""
    held = process_store.store()
    if isinstance(held, WorkspaceStore):
        held.add_file(digest)
    return digest
