"""Importing an archive in a process of its own, so that only that one can suffer.

What came from outside is inflated, checked and filed by a child with a memory cap and a
time limit; the process that asked, such as the web server, gets a key or one sentence.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.contract.cards import Card
from engine.contract.errors import Refused
from engine.contract.jobs import Job
from engine.contract.runs import (
    CardLookup,
    RunSpec,
    earlier_keys,
    kind_of_family,
    part_titles,
    run_key,
)
from engine.contract.suggestions import unknown_part_error
from engine.export.archive import import_run
from engine.export.zip_members import check_size
from engine.stats.run_summary import summarize
from engine.store import NoRun, Store, StoreError

PATIENCE = 120.0  # seconds
MEMORY = 3 << 30  # bytes of address space; the largest run that is taken needs half
_ROOT = Path(__file__).resolve().parents[2]
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)


def import_in_subprocess(
    store: Store,
    data: bytes,
    cards: Iterable[Card],
    tell: Callable[[str], None] = lambda line: None,
) -> Job:
    """File the run of an archive, as `import_run` does, in a process of its own.

    Args:
        store: Where it is filed.
        data: The archive.
        cards: All parts that are here; they give keys and titles.
        tell: Takes a line about what was not taken as it came.

    Raises:
        Refused: If it is no archive of a run, in one sentence; nothing is filed.
        StoreError: If it cannot be filed.
    """
    check_size(data)
    asked = {
        "home": str(store.home.resolve()),
        "cards": [_card_as_json(c) for c in cards],
    }
    answer = _run_child(json.dumps(asked).encode() + b"\n" + data)
    if "refused" in answer:
        raise Refused(answer["refused"], answer["field"])
    if "store" in answer:
        raise StoreError(answer["store"])
    if answer["told"]:
        tell(answer["told"])
    job = store.job(answer["key"])
    if job is None:
        raise NoRun(answer["key"])
    return job


def _card_as_json(card: Card) -> dict[str, Any]:
    return card.model_dump(mode="json", exclude={"code"})


def _run_child(words: bytes) -> dict[str, str]:
    """Let a child import; returns what it answered."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "engine.export.import_process", str(MEMORY)],
            input=words,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            env={**os.environ, **_ONE_THREAD},
            timeout=PATIENCE,
            check=False,
        )
        answer: dict[str, str] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise Refused(_limit_message(f"{PATIENCE:g} seconds")) from None
    except ValueError:  # it was killed, or ran out of memory where nothing is caught
        raise Refused(_limit_message(f"{MEMORY / 2**30:g} GiB of memory")) from None
    return answer


def _limit_message(what: str) -> str:
    return (
        f"this archive takes more than {what} to read, which no run does; export the "
        "run again"
    )


def answer_request(asked: Mapping[str, Any], data: bytes) -> dict[str, str]:
    """Import an archive here; returns a key and what to tell, or why there is none."""
    here = {(c.slot, c.name): c for c in map(Card.model_validate, asked["cards"])}

    def card(slot: str, name: str) -> Card:
        if (slot, name) not in here:
            raise unknown_part_error(slot, name, (n for s, n in here if s == slot))
        return here[slot, name]

    told: list[str] = []
    try:
        job = _import_archive(Store.open(Path(asked["home"])), data, card, told.append)
        return {"key": job.key, "told": "; ".join(told)}
    except Refused as refusal:
        return {"refused": refusal.message, "field": refusal.field}
    except StoreError as error:
        return {"store": str(error)}
    except MemoryError:
        return {
            "refused": _limit_message(f"{MEMORY / 2**30:g} GiB of memory"),
            "field": "",
        }


def _import_archive(
    store: Store, data: bytes, cards: CardLookup, tell: Callable[[str], None]
) -> Job:
    def keys(spec: RunSpec) -> Iterator[str]:
        kind_of_family(spec, cards)  # the key does not hold it, so it could be forged
        yield run_key(spec, cards)
        yield from earlier_keys(spec, cards)

    return import_run(
        store,
        data,
        keys,
        lambda blocks, spec: summarize(blocks, spec, titles=part_titles(spec, cards)),
        tell,
    )


def _limit_resources(memory: int) -> None:
    """Cap this process; where the system knows no such cap, it has none.

    The cap on processor time holds where whoever asked is gone before the answer.
    """
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        seconds = int(PATIENCE)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def main() -> None:
    """Answer the question on standard input: a line of JSON, then the archive."""
    _limit_resources(int(sys.argv[1]))
    asked = json.loads(sys.stdin.buffer.readline())
    sys.stdout.write(json.dumps(answer_request(asked, sys.stdin.buffer.read())))


if __name__ == "__main__":
    main()
