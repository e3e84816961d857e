"""Filing a run that is finished elsewhere: a sub-run, or an imported archive.

It is built in a folder of its own and put in place by one rename inside the
transaction that lists it.
"""

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from engine.contract.events import Artefact, Block
from engine.store import (
    arrays,
    arrow_codec,
    files,
    leases,
    repair,
    run_files,
    run_metadata,
    run_rows,
)
from engine.store.index import Index
from engine.store.run_files import NewFile


class CompletedRun(NamedTuple):
    """All of a run: its row, filed texts, blocks and artefacts."""

    row: run_rows.RunRow
    texts: dict[str, Any]
    blocks: Sequence[Block]
    artefacts: Sequence[Artefact]


def artefact_file(artefact: Artefact, file: str) -> NewFile:
    """Return the file that an artefact becomes."""
    about = {"kind": artefact.kind, "info": artefact.info}
    data = arrays.pack(artefact.arrays, about)
    return NewFile("artefact", artefact.name, file, data, about)


def file_completed_run(index: Index, run: CompletedRun) -> bool:
    """File a finished run; says whether its key was still free."""
    key = run_rows.check_key(run.row.key)
    data = arrow_codec.encode(arrow_codec.newest_per_address(run.blocks))
    new = [NewFile("blocks", "", "00000000-00000.arrow", data, {})]
    for serial, artefact in enumerate(run.artefacts, start=1):
        new.append(artefact_file(artefact, f"00000000-{serial:05d}.artefact"))
    folder = repair.make_incoming_folder(index.home)
    place = files.run_folder(index.home, key)

    def change(db: sqlite3.Connection) -> bool:
        if run_rows.find(db, key) is not None:
            return False
        files.discard(index.home, place)
        leases.revoke(db, key)
        run_rows.put(db, replace(run.row, turn=run_rows.next_turn(db)))
        for name, value in run.texts.items():
            run_rows.put_text(db, key, name, value)
        for entry in entered:
            run_files.enter_file(db, entry)
        run_rows.recount(db, key)
        os.replace(folder, place)
        return True

    try:
        entered = [each.store(folder, key) for each in new]
        filed = index.write(change)
    finally:
        files.discard(index.home, folder)
    if filed:
        files.sync_folder(place.parent)
        run_metadata.write(index, key)
    return filed
