"""The tables of `runs table`: of runs of the store, and of folders that `run` wrote."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.console import read_file
from engine.contract.jobs import Job
from engine.store import Store

if TYPE_CHECKING:
    from engine.export import RunRecord


def read_records(
    names: Iterable[str], find_run: Callable[[Store, str], Job]
) -> "dict[str, RunRecord]":
    """Read runs.

    Args:
        names: Ids, first digits of ids, or folders that `run` wrote.
        find_run: Finds a run of the store by the first digits of its id.

    Returns:
        By the first digits of the id, or the folder as it was given.

    Raises:
        Refused: If one is neither.
    """
    from engine.export import RunRecord, read_archive
    from engine.export.run_folder import archive_in

    found = {}
    for name in names:
        if (Path(name) / "summary.json").is_file():
            found[name] = read_archive(read_file(archive_in(Path(name))))
        else:
            store = Store.open_existing()
            job = find_run(store, name)
            found[job.key[:12]] = RunRecord.from_store(store, job.key)
    return found


def make_table(records: "Mapping[str, RunRecord]", *, latex: bool, claims: bool) -> str:
    """Return runs as one table.

    Args:
        records: The runs, by name.
        latex: Whether to return LaTeX, a table per run, instead of CSV.
        claims: Whether to return the calls instead of the learners by conditions.
    """
    from engine.export import claims_csv, comparison_csv, comparison_latex
    from engine.runner.titled_summary import resolve_titles

    def make(record: "RunRecord") -> str:
        if claims:
            return claims_csv(record).decode()
        write = comparison_latex if latex else comparison_csv
        return write(record, resolve_titles(record.spec)).decode()

    made = {name: make(record) for name, record in records.items()}
    if latex or len(made) == 1:
        return "\n".join(made.values())
    return join_tables(made)


def join_tables(tables: Mapping[str, str]) -> str:
    r"""Return CSV tables as one, with their names in the first column.

    Tables of several kinds of task differ in their columns: one that a table lacks is
    empty in its rows.

    >>> join_tables({"one": "a,b\n1,2\n", "two": "a,c\n3,4\n"})
    'run,a,b,c\none,1,2,\ntwo,3,,4\n'
    """
    rows = [
        {"run": name, **row}
        for name, text in tables.items()
        for row in csv.DictReader(io.StringIO(text))
    ]
    columns = dict.fromkeys(column for row in rows for column in row)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(columns) or ["run"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
