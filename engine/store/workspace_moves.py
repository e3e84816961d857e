"""Moves the runs of one workspace into another, as when a visitor signs in."""

from engine.contract.jobs import FINAL
from engine.store import adoption, annotations, followers, queue, run_groups, run_rows
from engine.store.workspaces import WorkspaceStore


def move_runs(source: WorkspaceStore, target: WorkspaceStore) -> int:
    """Move all runs, with titles, tags, notes and groups; the source ends up empty.

    A run that the target has already stays there as it is. Each run is in the target
    before it leaves the source, so a move that was cut can be repeated.

    Args:
        source: The workspace that gives its runs away.
        target: The workspace that takes them.

    Returns:
        How many runs left the source.
    """
    target.make()
    moved = 0
    while jobs := source.jobs(limit=200, kind=None):
        for job in reversed(jobs):  # the oldest first
            if not target.owns(job.key):
                _take_over(source, target, job.key)
            source.delete(job.key)
            moved += 1
    return moved


def _take_over(source: WorkspaceStore, target: WorkspaceStore, key: str) -> None:
    job, spec = source.job(key), source.spec(key)
    if job is None:
        return  # deleted meanwhile
    if job.state not in FINAL:
        followers.follow(target.shared.index, key, str(target.name))
    whose = job.workspace if source.was_imported(key) else str(target.name)
    filing = queue.Submission(spec, key, job.title, whose)
    queue.submit(target.index, filing, False)
    kept = source.index.read(
        lambda db: run_groups.memberships(db, key) | annotations.find(db, key)
    )
    for name, value in kept.items():
        target.index.write(lambda db, n=name, v=value: run_rows.put_text(db, key, n, v))
    adoption.adopt(source.index, target.index, key)
