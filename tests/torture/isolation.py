"""One visitor of a served demo guesses at what another one has.

Ann has finished runs with a title, a tag, a note, a group and learners' labels that are
secret words, and opens every page and tab of them. Bob, in a browser of his own, knows
the keys of her runs, and tries addresses, tokens, files, cookies, whatever her browser
asked for, and messages that name her session and downloads. No answer may hold one of
her words, and what she has must stay as it is.
"""

import asyncio
import contextlib
import os
import random
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urlencode

from app.visitors import _workspace_name
from app.web.visitor_cookie import COOKIE
from engine.catalogue import find_card
from engine.contract.jobs import ALIVE
from engine.contract.run_keys import run_key
from engine.store import RunGroups, Store
from engine.store.annotations import annotate, read_annotations
from engine.store.run_groups import NewMember
from engine.store.share_tokens import share_token
from engine.store.workspaces import WorkspaceStore
from tests.benchmarks.visitors import address_of, wait_for_form
from tests.benchmarks.web_processes import running_server
from tests.laws.small import spec_of
from tests.torture.guesses import GROUP, World, ask_for_download, make_plans
from tests.torture.items import Outcome, item, until
from tests.torture.listener import Listener
from tests.torture.web import free_port

TABS = ("Evidence", "Robustness", "Training", "Reproduce")
LABEL, TITLE, TAG, NOTE, NAME = (
    f"{name}{secrets.token_hex(6)}" for name in ("label", "title", "tag", "note", "set")
)
WORDS = (LABEL, TITLE, TAG, NOTE, NAME)
RUNS = 3
# Bob is one address, and no limit of the demo shall answer in place of a page.
LIMITS = (
    "SOCKETS_PER_ADDRESS",
    "MESSAGES_PER_SECOND",
    "PAGES_AT_ONCE",
    "VISITORS_PER_HOUR",
)


@item("G4", "a guess of one visitor at the runs of another", full=10_000, quick=200)
def guess_at_a_demo(home: Path, count: int) -> Outcome:
    """Serve the demo; let Ann work in it and Bob guess; compare what she has."""
    settings = {f"METASCOPE_DEMO_{name}": "1000" for name in LIMITS}
    port = free_port()
    settings["METASCOPE_MODE"] = "demo"
    with patch.dict(os.environ, settings), running_server(home, port):
        return asyncio.run(_guess(f"http://127.0.0.1:{port}", home, count))


async def _guess(url: str, home: Path, count: int) -> Outcome:
    await wait_for_form(url)
    async with _people(url) as (ann, bob, carol):
        keys = await asyncio.to_thread(_file_runs, home, ann)
        before = _what_ann_has(home, ann, keys)
        await _work(ann, keys)
        world = World(
            url, home, ann, bob, keys, _workspace(home, ann).home.name, random.Random(4)
        )
        tried, seen = Counter[str](), Counter[str]()
        for plan in make_plans(world):
            answers, told = plan.guess(), sum(bob.seen.values())
            for _ in range(max(1, count * plan.share // 100)):
                answer = await anext(answers)
                tried[plan.kind] += 1
                seen[plan.kind] += any(word.encode() in answer for word in WORDS)
            # What came over his socket is noted as it comes.
            seen[plan.kind] += sum(bob.seen.values()) - told
        is_same = _what_ann_has(home, ann, keys) == before
        await carol.open(f"/lab?{_share(home, keys[0])}")
        held = not +seen and is_same and not bob.faults
        held = held and set(ann.seen) == set(WORDS) and set(carol.seen) == {LABEL}
        figures = (
            f"{tried.total()} guesses {dict(tried)}: seen {dict(+seen)}, changed: "
            f"{not is_same}, faults: {dict(Counter(bob.faults))}; of {len(WORDS)} "
            f"words Ann saw {len(ann.seen)}, a share link shows {len(carol.seen)}"
        )
        return Outcome(held, figures)


@contextlib.asynccontextmanager
async def _people(url: str) -> AsyncIterator[tuple[Listener, Listener, Listener]]:
    people = [Listener(url, WORDS, host=address_of(n)) for n in range(3)]
    for one in people[:2]:
        await one.open("/runs")
    try:
        yield people[0], people[1], people[2]
    finally:
        for one in people:
            await one.close()


def _workspace(home: Path, ann: Listener) -> WorkspaceStore:
    name = _workspace_name(f"browser {ann.cookies[COOKIE]}")
    return WorkspaceStore(Store.open(home), name)


def _file_runs(home: Path, ann: Listener) -> list[str]:
    """Let the demo compute runs of Ann's, and write her words to them."""
    store, keys = _workspace(home, ann), []
    for seed in range(RUNS):
        learners = [
            {"name": "lr_scale", "label": LABEL},
            {"name": "sgd", "role": "baseline"},
        ]
        spec = spec_of(learners=learners, seed=100 + seed)
        keys.append(run_key(spec, find_card))
        store.submit(spec, keys[-1], f"{TITLE} {seed}")
    until(lambda: store.follow() is None and not store.count(ALIVE), 600)
    for key in keys:
        annotate(store.index, key, (TAG,), NOTE)
    members = [NewMember(key, {}) for key in keys]
    RunGroups(store.index).add(GROUP, NAME, members)
    return keys


def _what_ann_has(home: Path, ann: Listener, keys: list[str]) -> object:
    store = _workspace(home, ann)
    jobs = [store.job(key) for key in keys]
    words = [read_annotations(store.index, key) for key in keys]
    rows = [[b.array.tobytes() for b in store.blocks(key)[0]] for key in keys]
    return jobs, words, rows, RunGroups(store.index).members(GROUP), store.count()


async def _work(ann: Listener, keys: list[str]) -> None:
    """Let Ann open all of her pages, exports and tabs."""
    await ann.go_to("runs", "")
    await ann.go_to("runs", f"sweep={GROUP}")
    await ann.go_to("compare", urlencode({"runs": ",".join(k[:12] for k in keys)}))
    for key in keys:
        for tab in TABS:
            await ann.go_to("lab", urlencode({"run": key, "tab": tab}))
    for name in ann.shown_downloads:
        await ann.answer_to(ask_for_download(ann.session, name))


def _share(home: Path, key: str) -> str:
    return urlencode({"run": key, "share": share_token(home, key)})
