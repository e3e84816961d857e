"""A run as files: metrics.csv, timings.csv, config.json, summary.json."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from engine.contract.blocks import FILMS, Artefact, Block, Event, Timing
from engine.contract.runs import RunSpec
from engine.export.long_format import COLUMNS, Row, inert, metrics_rows
from engine.store import Store, files
from engine.store.arrow_codec import latest
from engine.store.timing_sums import summed


class Record(NamedTuple):
    """All of a run that is exported, from the store or straight from its events."""

    key: str
    spec: RunSpec
    blocks: list[Block]
    timings: list[Timing]
    artefacts: list[Artefact]
    summary: Mapping[str, object] | None = None
    fingerprint: Mapping[str, object] | None = None

    def film(self, name: str) -> Artefact | None:
        """Return the film of that name, or none."""
        films = (a for a in self.artefacts if a.kind in FILMS)
        return next((a for a in films if a.name == name), None)

    @classmethod
    def stored(cls, store: Store, key: str) -> "Record":
        """Read a run from a store.

        Raises:
            StoreError: If it is not there or damaged.
        """
        artefacts = [store.artefact(key, e.name, e.kind) for e in store.artefacts(key)]
        return cls(
            key,
            store.spec(key),
            store.blocks(key)[0],
            store.timings(key),
            artefacts,
            store.summary(key),
            store.fingerprint(key),
        )

    @classmethod
    def played(cls, key: str, spec: RunSpec, events: Iterable[Event]) -> "Record":
        """Gather a run that was played without a store."""
        held = list(events)
        return cls(
            key,
            spec,
            latest(e for e in held if isinstance(e, Block)),
            summed(e for e in held if isinstance(e, Timing)),
            [e for e in held if isinstance(e, Artefact)],
        )


def export_run(record: Record, folder: Path, *, traces: bool = False) -> Path:
    """Write metrics.csv, timings.csv, config.json and summary.json.

    Args:
        record: The run.
        folder: Made where it is not there.
        traces: Whether metrics.csv holds every trace.

    Returns:
        The folder.

    Raises:
        StoreError: If it cannot be written.
    """
    try:  # a person's folder: one that is there keeps its rights
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise files.told(error) from error
    for name, data in exported(record, traces=traces).items():
        files.write_new(folder / name, data)
    return folder


def exported(record: Record, *, traces: bool = False) -> dict[str, bytes]:
    """Return the exported files of a run, by name."""
    return {
        "metrics.csv": metrics_csv(record, traces=traces),
        "timings.csv": timings_csv(record),
        "config.json": config_json(record.spec),
        "summary.json": summary_json(record),
    }


def metrics_csv(record: Record, *, traces: bool = False) -> bytes:
    """Return metrics.csv; its columns are those of `engine.export`."""
    rows = metrics_rows(record.key, record.spec, record.blocks, traces=traces)
    return _csv(COLUMNS, rows)


def timings_csv(record: Record) -> bytes:
    """Return timings.csv: run, learner, stage, seconds, count, peak.

    `peak` is the most memory that one search held, bytes; 0 where nobody looked.
    """
    rows = (
        (record.key, inert(t.learner), inert(t.stage), t.seconds, t.count, t.peak)
        for t in record.timings
    )
    return _csv(("run", "learner", "stage", "seconds", "count", "peak"), rows)


def config_json(spec: RunSpec) -> bytes:
    """Return the completed spec; the command line runs it as it is."""
    return _json(spec.model_dump(mode="json"))


def summary_json(record: Record) -> bytes:
    """Return the verdict and statistics, with what computed them."""
    body = {"run": record.key, "fingerprint": record.fingerprint}
    return _json(body | dict(record.summary or {}))


def _json(value: object) -> bytes:
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    return (text + "\n").encode()


def _csv(head: tuple[str, ...], rows: Iterable[Row]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return out.getvalue().encode()
