"""A run's exported files: metrics.csv, timings.csv, config.json, summary.json."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from engine.contract.events import FILMS, Artefact, Block, Event, Timing
from engine.contract.run_spec import RunSpec
from engine.export.long_format import COLUMNS, CsvRow, escape_formula, metrics_rows
from engine.store import Store
from engine.store.arrow_codec import newest_per_address
from engine.store.timing_sums import sum_timings


class RunRecord(NamedTuple):
    """All of a run that is exported, read from a store or collected from its events."""

    key: str
    spec: RunSpec
    blocks: list[Block]
    timings: list[Timing]
    artefacts: list[Artefact]
    summary: Mapping[str, object] | None = None
    fingerprint: Mapping[str, object] | None = None

    def film(self, name: str) -> Artefact | None:
        """Return the film of a name; None if there is none."""
        films = (a for a in self.artefacts if a.kind in FILMS)
        return next((a for a in films if a.name == name), None)

    @classmethod
    def from_store(cls, store: Store, key: str) -> "RunRecord":
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
    def from_events(
        cls, key: str, spec: RunSpec, events: Iterable[Event]
    ) -> "RunRecord":
        """Collect a run that was computed without a store.

        Args:
            key: The run's key.
            spec: Its completed spec.
            events: All that its loop yielded.
        """
        held = list(events)
        return cls(
            key,
            spec,
            newest_per_address(e for e in held if isinstance(e, Block)),
            sum_timings(e for e in held if isinstance(e, Timing)),
            [e for e in held if isinstance(e, Artefact)],
        )


def metrics_csv(record: RunRecord, *, traces: bool = False) -> bytes:
    """Return metrics.csv; its columns are those of `engine.export`."""
    rows = metrics_rows(record.key, record.spec, record.blocks, traces=traces)
    return _csv_bytes(COLUMNS, rows)


def timings_csv(record: RunRecord) -> bytes:
    """Return timings.csv: run, learner, stage, seconds, count, peak.

    `peak` is the largest memory of one search, in bytes; 0 where it was not measured.
    """
    rows = (
        (
            record.key,
            escape_formula(t.learner),
            escape_formula(t.stage),
            t.seconds,
            t.count,
            t.peak,
        )
        for t in record.timings
    )
    return _csv_bytes(("run", "learner", "stage", "seconds", "count", "peak"), rows)


def config_json(spec: RunSpec) -> bytes:
    """Return the completed spec as JSON; the command `run` accepts it."""
    return _json_bytes(spec.model_dump(mode="json"))


def summary_json(record: RunRecord) -> bytes:
    """Return verdict, statistics and the fingerprint of the machine, as JSON."""
    body = {"run": record.key, "fingerprint": record.fingerprint}
    return _json_bytes(body | dict(record.summary or {}))


def _json_bytes(value: object) -> bytes:
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    return (text + "\n").encode()


def _csv_bytes(head: tuple[str, ...], rows: Iterable[CsvRow]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return out.getvalue().encode()


SMALL: dict[str, Callable[[RunRecord], bytes]] = {
    "timings.csv": timings_csv,
    "config.json": lambda record: config_json(record.spec),
    "summary.json": summary_json,
}
