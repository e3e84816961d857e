"""Storing a run that was finished elsewhere: a sub-run, or an imported archive.

It is written to a folder of its own, which one rename puts in place inside the
transaction that lists it.
"""

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from engine.contract.events import Artefact, Block
from engine.store import (
    array_codec,
    arrow_codec,
    files,
    index_entry_backup,
    leases,
    repair,
    run_files,
    run_rows,
)
from engine.store.index import Index
from engine.store.run_files import NewFile


class CompletedRun(NamedTuple):
    """All of a finished run: its row, JSON texts by name, blocks and artefacts."""

    row: run_rows.RunRow
    texts: dict[str, Any]
    blocks: Sequence[Block]
    artefacts: Sequence[Artefact]


def artefact_file(artefact: Artefact, file: str) -> NewFile:
    """Return an artefact as a file to be written under a given name."""
    about = {"kind": artefact.kind, "info": artefact.info}
    data = array_codec.pack(artefact.arrays, about)
    return NewFile("artefact", artefact.name, file, data, about)


def file_completed_run(index: Index, run: CompletedRun) -> bool:
    """Store a finished run, unless its key is taken.

    Args:
        index: The store's index.
        run: The run; its row's turn is replaced.

    Returns:
        Whether it was stored; False where a run has this key already.

    Raises:
        StoreError: If the store cannot be written; nothing is left behind.
    """
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
        files.discard(index.home, place)  # left over from a deleted run
        leases.revoke(db, key)
        run_rows.put(db, replace(run.row, turn=run_rows.next_turn(db)))
        for name, value in run.texts.items():
            run_rows.put_text(db, key, name, value)
        for entry in entered:
            run_files.enter_file(db, entry)
        run_rows.recount(db, key)
        os.replace(folder, place)  # last: if it fails, the transaction rolls back
        return True

    try:
        entered = [each.store(folder, key) for each in new]
        filed = index.write(change)
    finally:
        files.discard(index.home, folder)
    if filed:
        files.sync_folder(place.parent)
        index_entry_backup.write(index, key)
    return filed
