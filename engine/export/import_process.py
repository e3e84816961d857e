"""Importing an untrusted archive in a subprocess with limits on memory and time.

The child decompresses, checks and stores the archive; its parent, such as the web
server, gets back a run's key or one sentence of refusal.
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
from engine.contract.part_titles import part_titles
from engine.contract.run_keys import earlier_keys, run_key
from engine.contract.run_spec import CardLookup, RunSpec, kind_of_family
from engine.contract.suggestions import unknown_part_error
from engine.export.archive import import_run
from engine.export.zip_members import check_size
from engine.stats.run_summary import summarize
from engine.store import NoRun, Store, StoreError

PATIENCE = 120.0  # seconds
MEMORY = 3 << 30  # bytes of address space; the largest accepted run needs half
_ROOT = Path(__file__).resolve().parents[2]
# Each thread of a math library reserves address space, which the cap counts.
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)


def import_in_subprocess(
    store: Store,
    data: bytes,
    cards: Iterable[Card],
    tell: Callable[[str], None] = lambda line: None,
) -> Job:
    """Store the run of an archive, as `import_run` does, in a subprocess.

    Args:
        store: Where the run is stored.
        data: The archive's bytes, from any source.
        cards: All parts that are installed; they give keys and titles.
        tell: Called with one line if something was changed on import.

    Returns:
        The job of the stored run.

    Raises:
        Refused: If it is not an archive of a run, in one sentence; nothing is stored.
        StoreError: If it cannot be stored.
    """
    check_size(data)
    request = {
        "home": str(store.home.resolve()),
        "cards": [_card_as_json(c) for c in cards],
    }
    answer = _run_child(json.dumps(request).encode() + b"\n" + data)
    if "refused" in answer:
        raise Refused(answer["refused"], answer["field"])
    if "store" in answer:
        raise StoreError(answer["store"])
    if answer["notice"]:
        tell(answer["notice"])
    job = store.job(answer["key"])
    if job is None:
        raise NoRun(answer["key"])
    return job


def _card_as_json(card: Card) -> dict[str, Any]:
    return card.model_dump(mode="json", exclude={"code"})


def _run_child(request: bytes) -> dict[str, str]:
    """Run the child process on a request; returns its answer."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "engine.export.import_process", str(MEMORY)],
            input=request,
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
    except ValueError:  # no answer: it was killed, or could not even report its error
        raise Refused(_limit_message(f"{MEMORY / 2**30:g} GiB of memory")) from None
    return answer


def _limit_message(what: str) -> str:
    return (
        f"this archive takes more than {what} to read, which no run does; export the "
        "run again"
    )


def answer_request(request: Mapping[str, Any], data: bytes) -> dict[str, str]:
    """Import an archive in this process, the child.

    Args:
        request: The store's folder as `home`, and the installed `cards` as JSON.
        data: The archive's bytes.

    Returns:
        The run's `key` and a `notice` to be shown, maybe empty; or what went wrong, as
        `refused` with its `field`, or as `store`.
    """
    here = {(c.slot, c.name): c for c in map(Card.model_validate, request["cards"])}

    def card(slot: str, name: str) -> Card:
        if (slot, name) not in here:
            raise unknown_part_error(slot, name, (n for s, n in here if s == slot))
        return here[slot, name]

    notices: list[str] = []
    try:
        store = Store.open(Path(request["home"]))
        job = _import_archive(store, data, card, notices.append)
        return {"key": job.key, "notice": "; ".join(notices)}
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
        # the key does not cover the kind, so a forged one would go unnoticed
        kind_of_family(spec, cards)
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
    """Limit this process's memory and CPU time, where the system can.

    The limit of CPU time ends it even if its parent has died meanwhile.
    """
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        seconds = int(PATIENCE)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def main() -> None:
    """Answer the request on standard input: a line of JSON, then the archive."""
    _limit_resources(int(sys.argv[1]))
    request = json.loads(sys.stdin.buffer.readline())
    sys.stdout.write(json.dumps(answer_request(request, sys.stdin.buffer.read())))


if __name__ == "__main__":
    main()
