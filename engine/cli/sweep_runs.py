"""The runs that a sweep asks for: specs read, expanded, completed and named."""

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from engine.cli.run import read_spec
from engine.contract.effort import Effort, with_effort
from engine.contract.errors import Refused
from engine.contract.kinds import kind_named
from engine.contract.run_spec import RunSpec
from engine.contract.sweep_grid import Sweep, Values, describe_values

_ID_DIGITS = 12  # hex digits of a sweep's id; a run's has 64


def read_specs(names: Sequence[str]) -> dict[str, RunSpec]:
    """Read the specs; return them by a short name.

    Raises:
        Refused: If one cannot be read, or is given twice.
    """
    for name, count in Counter(names).items():
        if count > 1:
            raise Refused(f"{name[:60]} is given twice", "specs")
    stems = Counter(Path(name).stem for name in names)
    return {
        Path(name).stem if stems[Path(name).stem] == 1 else name: read_spec(name)
        for name in names
    }


class SpecOptions(NamedTuple):
    """The options that change every spec of a sweep."""

    effort: Effort | None
    replicates: int | None
    device: str


class SweepRun(NamedTuple):
    """A completed spec of a sweep, its key, and the values that set it apart."""

    spec: RunSpec
    key: str
    values: Values


def settle_runs(asked: Sweep, options: SpecOptions) -> list[SweepRun]:
    """Complete every spec.

    Raises:
        Refused: If one cannot be run here, or two are the same run.
    """
    from engine.catalogue import find_card
    from engine.contract.run_keys import run_key
    from engine.executors.in_process import settle_spec

    members: dict[str, SweepRun] = {}
    for variant in asked.configurations(find_card):
        full = settle_spec(variant.spec, options.device)
        kind = kind_named(full.kind)
        full = with_effort(full, kind, options.effort, options.replicates)
        for each in asked.with_seeds(variant._replace(spec=full)):
            key = run_key(each.spec, find_card)
            if key in members:
                raise Refused(
                    f"{describe_values(members[key].values)} and "
                    f"{describe_values(each.values)} are the same run",
                    "grid",
                )
            members[key] = SweepRun(each.spec, key, each.values)
    return list(members.values())


def group_id(members: Sequence[SweepRun]) -> str:
    """Return the id of a sweep, which follows from its runs: the same each time."""
    keys = sorted(member.key for member in members)
    return sha256("".join(keys).encode()).hexdigest()[:_ID_DIGITS]
