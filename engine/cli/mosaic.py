"""data build, data report: Mosaic, the project's own table of trained nets."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from engine.cli.console import AsJson, Exit, out, print_json, print_status
from engine.contract.errors import Refused

_NAMES = ("mosaic",)
MosaicTableName = Annotated[str, typer.Argument(help="Name of the table: mosaic.")]


def build(
    name: MosaicTableName,
    *,
    to: Annotated[
        Path | None,
        typer.Option("--out", help="Output file; the shipped table if not given."),
    ] = None,
    chunks: Annotated[
        int, typer.Option(min=0, help="Train at most this many chunks; 0: all.")
    ] = 0,
    workers: Annotated[
        int,
        typer.Option(min=1, max=2, help="Number of processes, one torch thread each."),
    ] = 1,
) -> int:
    """Train every architecture of a table; an interrupted build resumes."""
    _check_table_name(name)
    from engine.data.sources.mosaic import FILE
    from engine.mosaic import build as mosaic_build

    path = to or FILE
    with mosaic_build.process_pool(workers) as pool:
        left = mosaic_build.build(path, pool=pool, most=chunks, report=print_status)
    print_status(
        f"{left} chunks left; run the command again" if left else f"written to {path}"
    )
    return Exit.OK


def report(name: MosaicTableName, *, as_json: AsJson = False) -> int:
    """Report accuracy spread per task and rank correlations between tasks."""
    _check_table_name(name)
    from engine.data.sources.mosaic import load_mosaic, mosaic_metadata
    from engine.data.sources.mosaic_report import (
        rank_correlations,
        related_correlations,
        task_spreads,
    )

    table, rho = load_mosaic(), rank_correlations(load_mosaic())
    rows, (near, far) = task_spreads(table), related_correlations(table)
    if as_json:
        told = [{**row._asdict(), "ratio": row.ratio} for row in rows]
        print_json({"tasks": told, "ranks": rho.tolist(), "made": mosaic_metadata()})
        return Exit.OK
    print_status(f"{table.count:,} architectures on {len(table.tasks)} tasks")
    shown = Table("", "task", "spread", "seeds", "ratio", "median", "best", box=None)
    for number, row in enumerate(rows, 1):
        shares = (row.architectures, row.seeds, row.ratio, row.median, row.best)
        # Only the ratio exceeds 1; three decimals of it would be noise.
        cells = (f"{share:.1f}" if share > 1 else f"{share:.3f}" for share in shares)
        shown.add_row(str(number), row.task, *cells)
    out().print(shown)
    matrix = Table("ρ", *(str(n + 1) for n in range(len(rho))), box=None)
    for number, row in enumerate(rho, 1):
        matrix.add_row(str(number), *(f"{each:.2f}" for each in row))
    out().print(matrix)
    print_status(f"mean ρ of related tasks {near:.2f}, of others {far:.2f}")
    return Exit.OK


def _check_table_name(name: str) -> None:
    if name not in _NAMES:
        raise Refused(
            f"unknown table {name[:40]!r}; must be one of: {', '.join(_NAMES)}", "name"
        )
