"""Sweeps from Python: a spec for every value of a grid and every seed."""

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pandas as pd

from engine.contract.errors import Refused
from engine.contract.jobs import ALIVE
from engine.contract.run_answer import Answer, find_answer
from engine.contract.run_groups import RunGroup
from engine.contract.sweep_grid import Setting, Sweep, describe_values
from engine.executors.stop_signal import StopSignal
from engine.export import RunRecord
from engine.store import RunGroups, Store
from engine.store.run_groups import NewMember
from metascope.arguments import as_text, show, whole_number, words_of_python
from metascope.execution import StorePlace, handle_interrupt, home_of, run
from metascope.experiments import Base, Spec, spec
from metascope.own_parts import own_parts_of
from metascope.progress import Show, show_progress
from metascope.results import Result
from metascope.spec_changes import plain

_NUMBERS = ("value", "difference", "low", "high")


class SweepResult(Sequence[Result]):
    """The finished runs of a sweep, in its order.

    Attributes:
        values: What sets each run apart: its values by path, and its seed.
        failed: Why runs have no result, by their values in words.
    """

    def __init__(
        self, held: list[tuple[dict[str, Any], Result]], failed: dict[str, str]
    ) -> None:
        self._results = [result for _, result in held]
        self.values = [values for values, _ in held]
        self.failed = failed

    def __getitem__(self, place):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN204
        return self._results[place]

    def __len__(self) -> int:
        return len(self._results)

    @property
    def runs(self) -> pd.DataFrame:
        """Return one row per run.

        Columns: one per path of the grid, `seed`, then `learner`, `against`, `metric`,
        `call`, `value` (the learner's mean), `difference`, `low`, `high`,
        `n_replicates`, `n_tasks` and the run's `key`.
        """
        return pd.DataFrame(
            [
                {**values, **_answer_row(result), "key": result.key}
                for values, result in zip(self.values, self, strict=True)
            ]
        )

    @property
    def table(self) -> pd.DataFrame:
        """Return one row per configuration: its calls counted over seeds.

        Columns: one per path of the grid, `runs`, one per call, and the means over
        runs of `value` and `difference`.
        """
        rows = self.runs
        paths = [n for n in {k: 0 for v in self.values for k in v} if n != "seed"]
        rows["all"] = "all"
        by = rows.groupby(paths or ["all"], sort=False, dropna=False)
        found = by[["value", "difference"]].mean()
        counts = by["call"].value_counts().unstack(fill_value=0)
        found.insert(0, "runs", by.size())
        return found.join(counts).reset_index().drop(columns=["all"], errors="ignore")

    def __repr__(self) -> str:
        return repr(self.table)

    def _repr_html_(self) -> str:
        return str(self.table.to_html(index=False))


def _answer_row(result: Result) -> dict[str, Any]:
    found: Answer | None = find_answer(result.summary)
    names = ("learner", "against", "metric", "call", *_NUMBERS)
    held = found._asdict() if found else {}
    return {name: held.get(name) for name in (*names, "n_replicates", "n_tasks")}


def sweep(
    base: Base = "default",
    /,
    *,
    grid: Mapping[str, Iterable[Any]] | None = None,
    seeds: Iterable[int] = (),
    store: StorePlace = "default",
    title: str = "",
    jobs: int = 0,
    progress: bool = True,
    **changes: Any,
) -> SweepResult:
    """Run an experiment for every value of a grid and every seed.

    Args:
        base: What `metascope.spec` takes.
        grid: Values by path: `learner.lr`, `net`, `budget.horizon`, `LABEL.KNOB`, …
        seeds: The seeds; empty for the spec's own.
        store: As in `metascope.run`.
        title: Of the sweep, in lists.
        jobs: Worker processes; 0 for those of the running lab, or one per core. With 1
            and no store the runs are computed in this process.
        progress: Whether to draw a progress bar.
        **changes: What differs from `base` in every run.

    Returns:
        The finished runs. What the store holds already is not computed again, so the
        same call continues an interrupted sweep.

    Raises:
        Refused: If a path leads nowhere, two runs are the same, or there are more than
            10,000.

    Example:
        >>> import metascope as ms
        >>> found = ms.sweep("smoke", grid={"learner.lr": [0.1]}, replicates=1,
        ...                  store=None, jobs=1)
        >>> found.runs[["learner.lr", "seed", "call"]].values.tolist()
        [[0.1, 7, "can't tell yet"]]
    """
    title, jobs = as_text("title", title), whole_number("jobs", jobs, 0)
    first, values = spec(base, **changes), _read_grid(grid)
    with words_of_python():
        members = _list_members(first, values, _read_seeds(seeds))
    with ExitStack() as stack:
        show = stack.enter_context(show_progress(progress))
        alone = store is None and jobs == 1  # starting a worker takes seconds
        if alone or any(own_parts_of(each.full) for each, _ in members):
            return _run_one_by_one(members, store, show)
        held = _open_store(store, stack)
        return _run_queued(held, members, (title, jobs), show)


def _read_grid(grid: object) -> Mapping[str, Iterable[Any]]:
    if grid is None or isinstance(grid, Mapping):
        return grid or {}
    raise Refused(
        'the grid is a dictionary, such as {"learner.lr": [0.1, 0.3]}, not '
        f"{show(grid)}",
        "grid",
    )


def _read_seeds(seeds: object) -> tuple[int, ...]:
    if not isinstance(seeds, Iterable) or isinstance(seeds, (str, Mapping)):
        raise Refused(
            f"seeds are a list of whole numbers, such as range(20), not {show(seeds)}",
            "seeds",
        )
    return tuple(whole_number("a seed", seed, 0) for seed in seeds)


Member = tuple[Spec, dict[str, Any]]


def _list_members(
    first: Spec, grid: Mapping[str, Iterable[Any]], seeds: tuple[int, ...]
) -> list[Member]:
    from engine.catalogue import find_card
    from engine.executors.in_process import settle_spec

    settings = tuple(
        Setting(path, tuple(plain(path, value) for value in _as_values(path, values)))
        for path, values in grid.items()
    )
    for setting in settings:
        if not setting.values:
            raise Refused(f"the grid gives {setting.path} no value", "grid")
    wanted = Sweep({"": first.asked}, settings, tuple(range(s, s + 1) for s in seeds))
    wanted.check(confirmed=True)
    found: dict[str, Member] = {}
    for variant in wanted.configurations(find_card):
        for each in wanted.with_seeds(variant):
            member = Spec(each.spec, settle_spec(each.spec))
            if member.key in found:
                raise Refused(
                    f"{describe_values(found[member.key][1])} and "
                    f"{describe_values(each.values)} are the same run",
                    "grid",
                )
            found[member.key] = (member, each.values)
    return list(found.values())


def _as_values(path: str, given: object) -> Iterable[Any]:
    if isinstance(given, Iterable) and not isinstance(given, (str, Mapping)):
        return given
    raise Refused(f"the grid takes a list of values, such as {path}=[{given!r}]", path)


def _open_store(place: StorePlace, stack: ExitStack) -> Store:
    if place is None:
        folder = tempfile.TemporaryDirectory(prefix="metascope-")
        return Store.open(Path(stack.enter_context(folder)) / "store")
    return Store.open(home_of(place))


def _run_one_by_one(
    members: list[Member], store: StorePlace, show: Show
) -> SweepResult:
    """Run a sweep in this process, as no other one has the parts of a notebook."""
    held = []
    for place, (member, values) in enumerate(members):
        show(place / len(members), describe_values(values))
        held.append((values, run(member, store=store, progress=False)))
    return SweepResult(held, {})


def _run_queued(
    store: Store, members: list[Member], options: tuple[str, int], show: Show
) -> SweepResult:
    """Queue the runs that have no result, and wait for the workers."""
    from engine.cli.sweep_runs import SweepRun, group_id
    from engine.executors.queued_runs import (
        LocalWorkers,
        cancel_unfinished,
        submit_or_resume,
        wait_for_group,
    )

    title, jobs = options
    group = group_id([SweepRun(m.full, m.key, values) for m, values in members])
    workers, stop, queued = LocalWorkers(jobs), StopSignal(), []
    workers.check(store)
    try:
        with handle_interrupt(stop):
            for member, values in members:
                words = describe_values(values)
                if submit_or_resume(store, member.full, member.key, words):
                    queued.append(member.key)
            filed = [NewMember(m.key, values) for m, values in members]
            RunGroups(store.index).add(group, title or _title(members), filed)
            wait_for_group(store, group, workers, stop, _watch(show))
    finally:
        cancel_unfinished(store, queued)
    if stop.gone:
        raise KeyboardInterrupt("stopped; the same call continues the sweep")
    return _read_results(store, members)


def _title(members: list[Member]) -> str:
    paths = ", ".join(members[0][1])
    return f"{members[0][0].question}: {paths}"


def _watch(show: Show) -> Callable[[RunGroup], None]:
    def watch(group: RunGroup) -> None:
        left = sum(group.states.get(state, 0) for state in ALIVE)
        show(1 - left / group.size, group.describe_states())

    return watch


def _read_results(store: Store, members: list[Member]) -> SweepResult:
    held, failed = [], {}
    for member, values in members:
        job = store.job(member.key)
        if job is not None and str(job.state) in ("done", "diverged"):
            record = RunRecord.from_store(store, member.key)
            held.append((values, Result(record, job)))
        else:
            reason = (job.error or str(job.state)) if job else "deleted meanwhile"
            failed[describe_values(values)] = reason
    return SweepResult(held, failed)
