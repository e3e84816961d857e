"""catalogue, presets: what can be chosen, and what is worth running."""

from typing import Annotated

import typer
from rich.table import Table

from engine.commands.terminal import AsJson, Exit, out, print_json


def catalogue(*, as_json: AsJson = False) -> int:
    """List every part: learners, families, shifts, nets, estimators, outer rules."""
    from engine.catalogue import catalogue as described

    known = described()
    if as_json:
        print_json(known)
        return Exit.OK
    table = Table("slot", "name", "what it is", box=None)
    for card in known["cards"]:
        absent = f" (needs {card['missing']})" if card["missing"] else ""
        words = f"{card['title']}: {card['summary']}{absent}"
        table.add_row(card["slot"], card["name"], words)
    out().print(table)
    return Exit.OK


def presets(
    name: Annotated[str, typer.Argument(help="Print this one's spec.")] = "",
) -> int:
    """List the shipped experiments, or print the spec of one."""
    from engine.presets import PRESETS, preset, spoken

    if name:
        print_json(spoken(preset(name).spec))
        return Exit.OK
    table = Table("name", "what it shows", box=None)
    for each in PRESETS:
        table.add_row(each.name, f"{each.title}. {each.summary}")
    out().print(table)
    return Exit.OK
