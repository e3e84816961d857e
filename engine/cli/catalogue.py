"""catalogue, presets, published: list parts, experiments, and published results."""

from typing import Annotated

import typer
from rich.table import Table

from engine.cli.console import AsJson, Exit, out, print_json
from engine.contract.errors import Refused
from engine.contract.kinds import KINDS


def catalogue(*, as_json: AsJson = False) -> int:
    """List every part: learners, families, shifts, nets, estimators, outer rules."""
    from engine.catalogue import catalogue as described

    known = described()
    if as_json:
        print_json(known)
        return Exit.OK
    table = Table("slot", "name", "kind of task", "description", box=None)
    for card in known["cards"]:
        absent = f" (needs {card['missing']})" if card["missing"] else ""
        words = f"{card['title']}: {card['summary']}{absent}"
        solved = ", ".join(kind for kind in KINDS if kind in card["solves"])
        table.add_row(card["slot"], card["name"], solved, words)
    out().print(table)
    return Exit.OK


def presets(
    name: Annotated[str, typer.Argument(help="Print the spec of this preset.")] = "",
) -> int:
    """List the presets (shipped experiments), or print the spec of one."""
    from engine.presets import PRESETS, preset, spec_as_json

    if name:
        print_json(spec_as_json(preset(name).spec))
        return Exit.OK
    table = Table("name", "description", box=None)
    for each in PRESETS:
        stop = "" if each.title.endswith("?") else "."
        table.add_row(each.name, f"{each.title}{stop} {each.summary}")
    out().print(table)
    return Exit.OK


def list_published(
    task: Annotated[str, typer.Argument(help="Only results on this family.")] = "",
    *,
    as_json: AsJson = False,
) -> int:
    """List published results for comparison, with their sources and reliability."""
    from engine.published import ROWS

    rows = [row for row in ROWS if task in ("", row.task)]
    if not rows:
        have = ", ".join(dict.fromkeys(row.task for row in ROWS))
        raise Refused(
            f"no published results on {task[:40]!r}; there are some on: {have}", "task"
        )
    if as_json:
        print_json([{**row._asdict(), "unit": row.unit} for row in rows])
        return Exit.OK
    table = Table("task", "method", "value", "source", "provenance", box=None)
    for row in rows:
        half = "" if row.half is None else f" ± {row.half:g}"
        value = f"{row.value:g}{half} {row.unit}"
        first_cells = (f"{row.task} {row.setting}", row.method, value)
        table.add_row(*first_cells, row.source, row.provenance)
    out().print(table)
    for protocol in dict.fromkeys(row.protocol for row in rows):
        out().print(protocol)
    return Exit.OK
