"""What a stage of a run holds in memory, and which fields to lower for how much."""

from bisect import bisect_right
from typing import NamedTuple

from engine.runner.memory_limit import format_gigabytes

IMPORTED = 550e6  # bytes that Python, torch and the statistics hold without a run


class MemoryNeed(NamedTuple):
    """What one stage holds, in bytes.

    Args:
        stage: Its name.
        field: The budget's field that says how many tasks it has; none if fixed.
        count: That field's value.
        replicates: How many of them hold as much, at the same time.
        once: Bytes of each replicate.
        each: Bytes of each task of a replicate.
        member: Bytes of each task that is computed at the same time.
        chunk: How many are, at most.
        beside: Bytes that are there without any task.
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
        """Return what it holds with other numbers of tasks and replicates."""
        tasks = count * replicates
        at_once = min(self.chunk, tasks) * self.member
        return self.beside + replicates * self.once + at_once + tasks * self.each

    @property
    def total(self) -> float:
        return self.bytes_at(self.count, self.replicates)

    def divide_by(self, by: int) -> "MemoryNeed":
        """Return this need where only every so many of its field's units is a task."""
        return self._replace(
            each=self.each / by, member=self.member / by, chunk=self.chunk * by
        )

    def largest_count(self, limit: float) -> int:
        """Return up to which count it stays within a limit; 0 if there is none."""
        counts = range(1, self.count + 1) if self.field else ()
        return bisect_right(
            counts, limit, key=lambda n: self.bytes_at(n, self.replicates)
        )

    def largest_replicates(self, limit: float) -> int:
        """Return with how many replicates of one task it stays within a limit."""
        some = range(1, self.replicates + 1) if self.field else ()
        return bisect_right(some, limit, key=lambda n: self.bytes_at(1, n))

    @property
    def least_bytes(self) -> float:
        """Return what it holds whatever is lowered but the net and the horizon."""
        return self.bytes_at(1, 1) if self.field else self.total

    def is_hopeless(self, limit: float) -> bool:
        """Return whether no field of the budget makes it small enough."""
        return self.least_bytes > limit


def fields_to_lower(over: list[MemoryNeed], limit: float) -> dict[str, tuple[int, int]]:
    """Return each field to lower, from what and to what; none where none suffices."""
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
    """Say what to lower so that stages fit into a limit."""
    fields = fields_to_lower(over, limit)
    if not fields:
        least = format_gigabytes(max(need.least_bytes for need in over))
        return (
            "lower the size of the net or the horizon, for the least that it can be "
            f"asked for needs {least}"
        )
    ways = [
        f"{field} from {now:,} to {'about ' * (then > 1)}{then:,}"
        for field, (now, then) in fields.items()
    ]
    *first, last = ways
    return f"lower {', '.join(first)}{', and ' * bool(first)}{last}"


def _round_down(count: int) -> int:
    """Return a count with two digits, none of it more than was there.

    >>> _round_down(6789), _round_down(7)
    (6700, 7)
    """
    scale = 10 ** max(0, len(str(count)) - 2)
    return count // scale * scale
