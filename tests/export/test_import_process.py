"""An archive is imported in a process of its own; the asking one never inflates it."""

import json
import zipfile
from pathlib import Path

import pytest

from engine.catalogue import all_cards, find_card
from engine.contract.cards import Card
from engine.contract.effort import Effort, with_effort
from engine.contract.errors import Refused
from engine.contract.kinds import OPTIMIZATION
from engine.contract.run_keys import earlier_keys, run_key
from engine.contract.run_spec import complete_spec
from engine.export import export_archive, import_process
from engine.export.import_process import answer_request, import_in_subprocess
from engine.presets import preset
from engine.runner.titled_summary import summarize_run
from engine.store import Store, StoreError
from tests.export import archives
from tests.store import fake

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    held = Store.open(tmp_path_factory.mktemp("archive") / "home")
    return export_archive(held, fake.played(held, 1, steps=3))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "home")


def question(store: Store) -> dict[str, object]:
    return {
        "home": str(store.home),
        "cards": [find_card("learner", "sgd").model_dump()],
    }


def test_the_process_that_asks_never_opens_the_archive(
    archive: bytes, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*given: object) -> None:
        raise AssertionError("it was opened here")

    monkeypatch.setattr(zipfile, "ZipFile", opened)
    job = import_in_subprocess(store, archive, all_cards())
    assert store.check() == []
    whole = store.blocks(job.key)[0]
    true = summarize_run(whole, store.spec(job.key))
    assert store.summary(job.key) == json.loads(json.dumps(true))


def test_a_refusal_of_the_child_process_is_raised_here(
    archive: bytes, store: Store
) -> None:
    wrong = archives.with_block(archive, 4, learner="nobody")
    with pytest.raises(Refused, match=r"blocks\.safetensors .* no 'nobody'"):
        import_in_subprocess(store, wrong, [])
    assert store.count(kind=None) == 0


def test_a_child_that_may_hold_nothing_ends_in_one_sentence(
    archive: bytes, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_process, "MEMORY", 1 << 20)
    with pytest.raises(Refused, match="memory to read, which no run does"):
        import_in_subprocess(store, archive, [])


def test_a_child_that_takes_too_long_ends_in_one_sentence(
    archive: bytes, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_process, "PATIENCE", 0.001)
    with pytest.raises(Refused, match="seconds to read, which no run does"):
        import_in_subprocess(store, archive, [])
    assert store.count(kind=None) == 0


def test_an_archive_beyond_the_limit_is_not_even_passed_on(
    archive: bytes, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.export.zip_members.BYTES_LIMIT", 10)
    monkeypatch.setattr(
        import_process, "_run_child", lambda words: {"key": "passed on"}
    )
    with pytest.raises(Refused, match="may hold 10 bytes"):
        import_in_subprocess(store, archive, [])


def test_a_run_of_parts_that_are_here_keeps_its_key_and_others_are_copies(
    archive: bytes, store: Store
) -> None:
    told = answer_request(question(store), archive)
    key = fake.key(fake.spec(1, steps=3))
    assert told["key"] != key  # the fake family is not registered
    assert store.job(told["key"]) is not None


def test_a_store_that_cannot_be_written_is_no_fault_of_the_archive(
    archive: bytes, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: object) -> None:
        raise StoreError("disk full: free some space, then resume")

    monkeypatch.setattr(import_process, "import_run", full)
    assert answer_request(question(store), archive) == {
        "store": "disk full: free some space, then resume"
    }
    monkeypatch.setattr(
        import_process, "_run_child", lambda words: {"store": "disk full"}
    )
    with pytest.raises(StoreError, match="disk full"):
        import_in_subprocess(store, archive, [])


def test_memory_that_runs_out_while_reading_is_one_sentence(
    archive: bytes, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hungry(*given: object) -> None:
        raise MemoryError

    monkeypatch.setattr(import_process, "import_run", hungry)
    assert "GiB" in answer_request(question(store), archive)["refused"]


def test_the_child_says_that_a_summary_was_recomputed(
    archive: bytes, store: Store
) -> None:
    forged = archives.with_member(archive, "summary.json", b'{"sentence": "best"}')
    notice = answer_request(question(store), forged)["notice"]
    assert notice == (
        "the archive's summary did not match its numbers and was recomputed"
    )


def test_the_keys_of_earlier_parts_are_known_and_no_others() -> None:
    spec = complete_spec(preset("smoke").spec, find_card, "cpu")
    part = next(c for c in spec.learners if find_card("learner", c.name).version > 1)

    def before(slot: str, name: str) -> Card:
        found = find_card(slot, name)
        return found.model_copy(update={"version": 1 + (name != part.name)})

    def then(slot: str, name: str) -> Card:
        old = {"version": 1} if name == part.name else {}
        return find_card(slot, name).model_copy(update=old)

    known = set(earlier_keys(spec, find_card))
    assert {run_key(spec, find_card), run_key(spec, then)} <= known
    assert run_key(spec, before) not in known  # others are newer than they are here
    assert run_key(spec.model_copy(update={"seed": 8}), find_card) not in known


@pytest.mark.parametrize("kind", ["", "optimization", "search", "few_shot"])
def test_a_run_that_says_another_kind_than_its_family_is_a_copy(
    store: Store, kind: str
) -> None:
    recorded = (ROOT / "app" / "recorded" / "optimization.zip").read_bytes()
    said = archives.with_json(
        recorded, "config.json", lambda body: body | {"kind": kind}
    )
    every = [card.model_dump(mode="json") for card in all_cards()]
    told = answer_request({"home": str(store.home), "cards": every}, said)
    quick = with_effort(preset("default").spec, OPTIMIZATION, Effort.QUICK, None)
    spec = complete_spec(quick, find_card, "cpu")
    assert (told["key"] == run_key(spec, find_card)) == (kind in ("", "optimization"))
    assert "sentence" in (store.summary(told["key"]) or {})
