"""Memory needs of a run's stages, and which budget fields to lower to fit a limit."""

from bisect import bisect_right
from typing import NamedTuple

from engine.runner.memory_limit import format_gigabytes

IMPORTED = 550e6  # bytes of a process that has imported the engine, without a run


class MemoryNeed(NamedTuple):
    """The memory of one stage, in bytes.

    Args:
        stage: Its name.
        field: The budget's field for its number of tasks; empty if that is fixed.
        count: That field's value.
        replicates: How many replicates are held at the same time.
        once: Bytes per replicate.
        each: Bytes per task of a replicate.
        member: Bytes per task that is computed at the same time.
        chunk: How many tasks are, at most.
        beside: Bytes that are held without any task.
    """

    stage: str
    field: str
    count: int
    replicates: int
    once: float
    each: float
    member: float = 0.0
    chunk: float = 0.0
    beside: float = IMPORTED

    def bytes_at(self, count: int, replicates: int) -> float:
        """Return its bytes for other numbers of tasks and replicates."""
        tasks = count * replicates
        at_once = min(self.chunk, tasks) * self.member
        return self.beside + replicates * self.once + at_once + tasks * self.each

    @property
    def total(self) -> float:
        return self.bytes_at(self.count, self.replicates)

    def divide_by(self, by: float) -> "MemoryNeed":
        """Return this need if one task takes `by` units of its field."""
        # A chunk stays the same number of tasks, so it is more units.
        return self._replace(
            each=self.each / by, member=self.member / by, chunk=self.chunk * by
        )

    def largest_count(self, limit: float) -> int:
        """Return the largest count within a limit; 0 if there is none."""
        counts = range(1, self.count + 1) if self.field else ()
        return bisect_right(
            counts, limit, key=lambda n: self.bytes_at(n, self.replicates)
        )

    def largest_replicates(self, limit: float) -> int:
        """Return the most replicates, of one task each, within a limit."""
        some = range(1, self.replicates + 1) if self.field else ()
        return bisect_right(some, limit, key=lambda n: self.bytes_at(1, n))

    @property
    def least_bytes(self) -> float:
        """Return its bytes with every field of the budget at its minimum."""
        return self.bytes_at(1, 1) if self.field else self.total

    def is_hopeless(self, limit: float) -> bool:
        """Return whether no change of the budget makes it fit into a limit."""
        return self.least_bytes > limit


def fields_to_lower(over: list[MemoryNeed], limit: float) -> dict[str, tuple[int, int]]:
    """Return the fields to lower, each with its present and its new value.

    Args:
        over: Stages that exceed the limit.
        limit: Bytes.

    Returns:
        By field name; empty if no change of the budget suffices.
    """
    found: dict[str, tuple[int, int]] = {}
    if any(need.is_hopeless(limit) for need in over):
        return found
    for need in over:
        fits, wish = need.largest_count(limit), {}
        if need.count > 1:
            wish[need.field] = (need.count, _round_down(fits) or 1)
        if not fits:
            wish["replicates"] = (need.replicates, need.largest_replicates(limit))
        for field, (now, then) in wish.items():
            found[field] = (now, min(then, found.get(field, (now, then))[1]))
    return found


def describe_remedy(over: list[MemoryNeed], limit: float) -> str:
    """Return which fields to lower so that stages fit into a limit.

    Args:
        over: Stages that exceed the limit.
        limit: Bytes.
    """
    fields = fields_to_lower(over, limit)
    if not fields:
        least = format_gigabytes(max(need.least_bytes for need in over))
        return (
            "lower the size of the net or the horizon: even the smallest budget "
            f"needs {least}"
        )
    ways = [
        f"{field} from {now:,} to {'about ' * (then > 1)}{then:,}"
        for field, (now, then) in fields.items()
    ]
    *first, last = ways
    return f"lower {', '.join(first)}{', and ' * bool(first)}{last}"


def _round_down(count: int) -> int:
    """Round a count down to two significant digits.

    >>> _round_down(6789), _round_down(7)
    (6700, 7)
    """
    scale = 10 ** max(0, len(str(count)) - 2)
    return count // scale * scale
