"""demo: what the operator of a public lab sees and does."""

from collections.abc import Mapping
from typing import Annotated

import typer
from rich.table import Column, Table

from engine.cli.console import AsJson, Exit, Home, out, print_json, print_status
from engine.store import Store

demo = typer.Typer(help="Look after a lab that is open to everyone.")
_IDLE = "Delete the workspaces that nobody has used for so many hours."


@demo.command()
def status(*, home: Home = None, json: AsJson = False) -> int:
    """Show the limits, the queue, the store and the versions; nothing of visitors."""
    from engine.executors.demo_status import collect_status

    found = collect_status(Store.open_existing(home))
    if json:
        print_json(found)
        return Exit.OK
    table = Table(Column(no_wrap=True), "", show_header=False, box=None)
    for topic, values in found.items():
        text = ", ".join(_describe(name, each) for name, each in values.items())
        table.add_row(topic.replace("_", " "), text or "none")
    out().print(table)
    return Exit.OK


def _describe(name: str, value: object) -> str:
    words = name.replace("_", " ") if name.islower() else name
    match value:
        case bool():
            return f"{words}: {'yes' if value else 'no'}"
        case list():
            return f"{words} {' '.join(str(each) for each in value)}"
        case int() | float():
            return f"{words} {value:,}"
        case Mapping():
            return f"{words} {len(value)}"
    return f"{words} {value or '-'}"


@demo.command()
def empty(
    *,
    idle_hours: Annotated[float, typer.Option(help=_IDLE, min=0.0)],
    home: Home = None,
) -> int:
    """Delete idle workspaces and their waiting runs; results that others have stay."""
    from engine.store.idle_workspaces import empty_idle

    gone = empty_idle(Store.open_existing(home), 3600 * idle_hours)
    print_status(f"{gone} workspaces deleted")
    return Exit.OK
