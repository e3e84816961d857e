"""Episodes whose targets are revealed one by one, and how to change them."""

from dataclasses import replace

from engine.protocol import EpisodeBatch


def revealed(tasks: EpisodeBatch) -> EpisodeBatch:
    """Return the episodes with their support revealed one by one."""
    return replace(tasks, query=tasks.support, online=True)


def with_other_targets(tasks: EpisodeBatch) -> EpisodeBatch:
    """Return the episodes with other targets of the queries."""
    other = tasks.query.y.flip(1) if tasks.has_classes else tasks.query.y + 1
    return replace(tasks, query=replace(tasks.query, y=other))


def change_example(tasks: EpisodeBatch, place: int) -> EpisodeBatch:
    """Return online episodes of values with another example at a place."""
    support = replace(
        tasks.support, x=tasks.support.x.clone(), y=tasks.support.y.clone()
    )
    support.x[..., place] += 1.0
    support.y[..., place] -= 2.0
    return replace(tasks, support=support, query=support)
