"""Ten thousand guesses of one visitor of the demo at what another one has.

Bob knows Ann's specs, so their keys, and whatever a link would name. He tries each
function of the client that takes a key, tokens at random and one digit beside the right
one, prefixes, group ids, words, specs that name her runs and files, and every page with
all of these in its address.
"""

import contextlib
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app import visitors
from app.client import client, process_store, run_groups
from app.views.compare import selection
from engine.contract.errors import Refused
from engine.contract.run_keys import run_key
from engine.contract.run_spec import Input, RunSpec
from engine.store import NoRun, RunGroups, queue
from engine.store.run_groups import NewMember
from engine.store.share_tokens import share_token
from engine.store.workspaces import WorkspaceStore
from tests.app.test_isolation import (
    ANN,
    APART,
    BOB,
    FUNCTIONS,
    GROUP,
    NOTE,
    TAG,
    TITLE,
    ask,
    demo,
    everything,
    open_page,
)

__all__ = ["demo"]  # the fixture
PAGES = ("start", "lab", "runs", "compare", "claims", "learn")
DIGITS = "0123456789abcdef"
Guess = tuple[str, bool]  # its kind, and whether anything was seen


@pytest.fixture
def keys(demo: Callable[..., None], key: str, tiny: RunSpec) -> list[str]:
    """Return the keys of Ann's runs: one is finished, twenty wait."""
    demo(ANN)
    found, shared = [key], process_store.shared_store()
    own = WorkspaceStore(shared, ANN)
    for seed in range(20):
        spec = tiny.model_copy(update={"seed": 900 + seed})
        found.append(run_key(spec, client.catalogue().card))
        # By the store, as no quota of a visitor holds for it.
        shared.submit(spec, found[-1], workspace=ANN)
        file_own(own, spec, found[-1], f"{TITLE} {seed}")
    held = RunGroups(process_store.store().index)
    held.add(GROUP, "Anns group", [NewMember(name, {}) for name in found])
    demo(BOB)
    return found


def file_own(own: WorkspaceStore, spec: RunSpec, key: str, title: str) -> None:
    """File a waiting run in a workspace."""
    queue.submit(own.index, queue.Submission(spec, key, title, ANN), False)


def what_ann_has(demo: Callable[..., None], keys: list[str]) -> object:
    demo(ANN)
    jobs = [client.job(key) for key in keys]
    words = [run_groups.read_annotations(key) for key in keys]
    group = run_groups.member_keys(GROUP)
    demo(BOB)
    facts = [(j.key, j.state, j.title, j.attempt) for j in jobs if j is not None]
    return facts, words, sorted(group)


def by_function(keys: list[str], dice: random.Random) -> Iterator[Guess]:
    able = [f for f in FUNCTIONS if f not in APART and f is not run_groups.file_claim]
    while True:
        function, name = dice.choice(able), dice.choice(keys)
        answer = None
        with contextlib.suppress(NoRun):
            answer = ask(function, name)
        yield f"client.{function.__name__}", bool(answer)


def by_token(keys: list[str], dice: random.Random) -> Iterator[Guess]:
    home = process_store.shared_store().home
    while True:
        name, right = dice.choice(keys), share_token(home, dice.choice(keys))
        at = dice.randrange(32)
        other = dice.choice([d for d in DIGITS if d != right[at]])
        wrong = dice.choice(
            [
                "".join(dice.choices(DIGITS, k=32)),
                right[:at] + other + right[at + 1 :],
                right[:at],
                right.upper() + " ",
                "",
            ]
        )
        yield "token", process_store.opens_run(name, wrong)


def by_name(keys: list[str], dice: random.Random) -> Iterator[Guess]:
    while True:
        name = dice.choice(keys)[: dice.randint(1, 64)]
        yield "prefix", bool(run_groups.keys_starting(name))
        yield "link of Compare", bool(selection.read_keys(name)[0])
        part = GROUP[: dice.randint(1, 12)]
        yield "group", run_groups.find_group(part) is not None
        yield "members", bool(run_groups.member_keys(part))
        word = dice.choice([TITLE, TAG, NOTE, "secret", name, ""])
        yield "search", client.jobs(None, word) != ([], 0)


def by_spec(keys: list[str], dice: random.Random, tiny: RunSpec) -> Iterator[Guess]:
    label = tiny.learners[0].label
    while True:
        source = Input(run=dice.choice(keys), artefact=label, spec=tiny)
        asked = tiny.model_copy(
            update={"inputs": {label: source}, "seed": dice.randrange(10**6)}
        )
        accepted = True
        try:
            client.submit(asked)
        except Refused:
            accepted = False
        yield "spec", accepted


def by_page(keys: list[str], dice: random.Random) -> Iterator[Guess]:
    while True:
        name, page = dice.choice(keys), dice.choice(PAGES)
        token = "".join(dice.choices(DIGITS, k=32))
        links = {
            "run": name,
            "runs": name[: dice.randint(12, 64)],
            "sweep": GROUP,
            "share": token,
        }
        given = {n: v for n, v in links.items() if dice.random() < 0.7}
        if page == "runs":
            given |= {"find": dice.choice(["secret", "Anns"])}
        shown = everything(open_page(page, BOB, **given))
        seen = [w for w in (TITLE, TAG, NOTE, "Anns group") if w in shown]
        yield f"page {page}", bool(seen)


@pytest.mark.torture
@pytest.mark.timeout(900)
def test_ten_thousand_guesses_of_another_visitor_see_and_change_nothing(
    demo: Callable[..., None], keys: list[str], tiny: RunSpec, home: Path
) -> None:
    dice = random.Random(7)
    before = what_ann_has(demo, keys)
    plans = [
        (by_function(keys, dice), 4000),
        (by_token(keys, dice), 3000),
        (by_name(keys, dice), 2700),
        (by_spec(keys, dice, tiny), 240),
        (by_page(keys, dice), 60),
    ]
    tried: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for guesses, count in plans:
        for _ in range(count):
            kind, was_seen = next(guesses)
            tried[kind] += 1
            seen[kind] += was_seen
    assert sum(tried.values()) == 10_000
    assert +seen == Counter()
    assert what_ann_has(demo, keys) == before
    assert not visitors.open_shared_run(keys[0], "0" * 32)
