"""What an archive says is held against its own spec before anything is filed."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.client import recorded_examples
from app.client.client import Run
from app.views.run.evidence import score_table
from engine.contract.errors import Refused
from engine.contract.kinds import KINDS
from engine.contract.run_spec import Choice, ShiftChoice
from engine.export import (
    block_checks,
    export_archive,
    import_run,
    read_archive,
    zip_members,
)
from engine.export.archive import OTHER_SUMMARY, with_recomputed_summary
from engine.export.archive_reader import read_archived_run
from engine.export.spec_contents import spec_conditions
from engine.stats.run_summary import summarize
from engine.stats.shift_and_transfer import transfer_levels
from engine.store import Store, array_codec
from tests.export import archives
from tests.export.archives import (
    with_block,
    with_blocks,
    with_json,
    with_member,
    with_run,
)
from tests.store import fake

Change = Callable[[bytes], bytes]
# Where blocks of the fake run lie: the third meta-loss, and the traces of `walk`.
TRAINED, VIEW, TRACE, FINAL = 2, 1, 4, 5
AXES = ["replicate", "task", "step"]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    held = Store.open(tmp_path_factory.mktemp("archive") / "home")
    return export_archive(held, fake.played(held, 1, steps=3))


@pytest.fixture
def store(tmp_path: Any) -> Store:
    return Store.open(tmp_path / "home")


def steps(*at: float) -> str:
    return json.dumps({"step": at})


def widen(place: int, axis: int, times: int = 2) -> Change:
    """Repeat a block's numbers along an axis."""

    def change(data: bytes) -> bytes:
        held, _ = array_codec.unpack(archives.members(data)[archives.BLOCKS])
        wide = np.repeat(held[f"{place:06d}"], times, axis)
        return with_block(data, place, wide)

    return change


def twice(headers: list[archives.Header], values: list[np.ndarray]) -> None:
    headers.append(headers[FINAL])
    values.append(values[FINAL] + 1)


def as_header(**fields: object) -> Change:
    return lambda data: with_block(data, TRACE, **fields)


def at_steps(coords: str) -> Change:
    return lambda data: with_block(data, TRAINED, coords=coords)


def as_run(**fields: object) -> Change:
    return lambda data: with_run(data, **fields)


def as_timing(*row: object) -> Change:
    return lambda data: with_json(data, "timings.json", lambda body: [[*row]])


def as_metric(name: str, *numbers: float) -> Change:
    """Call the last losses by another metric, and give them these numbers."""
    array = np.resize(np.array(numbers, "f4"), (2, 3))
    return lambda data: with_block(data, FINAL, array, metric=name)


def as_phase(phase: str, **fields: object) -> Change:
    """Say that the learner without weights has a number of another phase."""

    def change(data: bytes) -> bytes:
        told = {"learner": "sgd", "axes": [], "coords": "{}"}
        array = np.array(2.0, "f4")
        return with_block(data, FINAL, array, phase=phase, **told, **fields)

    return change


def without(name: str) -> Change:
    """Remove a member, and its line of the manifest."""

    def change(data: bytes) -> bytes:
        held = archives.members(data)
        return archives.zip_members({n: d for n, d in held.items() if n != name})

    return change


def all_lost(headers: list[archives.Header], values: list[np.ndarray]) -> None:
    for place, header in enumerate(headers):
        if (header["learner"], header["metric"]) == ("walk", "diverged"):
            values[place] = np.ones_like(values[place])


IMPOSSIBLE: dict[str, tuple[Change, str]] = {
    "a learner": (as_header(learner="nobody"), "no 'nobody'"),
    "a metric": (as_header(metric="magic"), "'magic'"),
    "a phase": (as_header(phase="evil"), "phase"),
    "a family": (as_header(family="moons"), "'moons'"),
    "a shift": (as_header(shift="stretch", severity=1.0), "'stretch'"),
    "a severity alone": (as_header(severity=2.0), "severity 2"),
    "no severity": (as_header(severity=None), "severity"),
    "axes in another order": (as_header(axes=["task", "replicate", "step"]), "axes"),
    "an axis twice": (as_header(axes=["replicate", "task", "task"]), "axes"),
    "an unknown axis": (as_header(axes=["replicate", "task", "evil"]), "axes"),
    "an axis too few": (as_header(axes=["replicate", "task"]), "axes"),
    "a number as name": (as_header(learner=7), "learner"),
    "a lying dtype": (as_header(dtype="f8"), "dtype"),
    "a dtype that is none": (as_header(dtype="O"), "dtype"),
    "a lying shape": (as_header(shape=[2, 3, 7]), "shape"),
    "a negative shape": (as_header(shape=[-2, -3, 6]), "shape"),
    "too many replicates": (widen(TRACE, 0), "along replicate, not 4"),
    "too many tasks": (widen(TRACE, 1), "along task, not 6"),
    "too many tasks in a summary": (widen(FINAL, 1), "along task, not 6"),
    "too many steps": (widen(TRACE, 2), "along step, not 12"),
    "more tasks than another": (
        lambda data: with_block(data, FINAL, np.zeros((2, 1), "f4")),
        "along task",
    ),
    "half precision": (
        lambda data: with_block(data, FINAL, np.zeros((2, 3), "f2")),
        "dtype",
    ),
    "NaN as a step": (at_steps('{"step": [NaN]}'), "finite"),
    "an infinite step": (at_steps('{"step": [Infinity]}'), "finite"),
    "a step beyond any float": (at_steps('{"step": [1e999]}'), "finite"),
    "a huge whole step": (at_steps(steps(10**400)), "holds a number too large"),
    "a step beyond the budget": (
        at_steps(steps(1e9)),
        "steps must be whole numbers from 0 to ",
    ),
    "a negative step": (at_steps(steps(-1)), "-1"),
    "half a step": (at_steps(steps(0.5)), "0.5"),
    "a step of text": (at_steps('{"step": ["a"]}'), "numbers"),
    "a step that is true": (at_steps('{"step": [true]}'), "numbers"),
    "a step of another block": (at_steps(steps(0)), "twice"),
    "two steps for one": (at_steps(steps(4, 5)), "positions"),
    "no steps": (at_steps(steps()), "positions"),
    "steps as a list": (at_steps("[1]"), "coords"),
    "steps that are no JSON": (at_steps("{"), "coords: must be JSON"),
    "reversed steps": (
        lambda data: with_block(data, VIEW, coords=steps(4, 3, 2, 1, 0)),
        "rise",
    ),
    "repeated steps": (
        lambda data: with_block(data, VIEW, coords=steps(0, 1, 1, 2, 3)),
        "rise",
    ),
    "a negative replicate": (
        lambda data: with_block(data, FINAL, coords='{"replicate": [-1, 0]}'),
        "replicate",
    ),
    "positions of an axis that is not there": (
        lambda data: with_block(data, FINAL, coords=steps(1)),
        "step",
    ),
    "a share above 1": (as_metric("final_accuracy", 17), "17"),
    "a share below 0": (as_metric("final_accuracy", -0.5), "-0.5"),
    "a flag of 7": (as_metric("reached", 7), "0 or 1"),
    "half a flag": (as_metric("reached", 0.5), "0 or 1"),
    "a flag that is missing": (as_metric("reached", np.nan), "NaN"),
    "fewer steps than none": (as_metric("steps_to_threshold", -3), "-3"),
    "a deciding number that is missing": (as_metric("area", 0, np.nan), "NaN"),
    "a negative norm": (as_metric("moved", -1), "-1"),
    "endless steps": (as_metric("steps_to_threshold", np.inf), "inf"),
    "a negative count": (as_metric("gradient_evaluations", -1e30), "-1e+30"),
    "a training without weights": (
        as_phase("train", metric="gradient_evaluations"),
        "frozen weights of 'sgd'",
    ),
    "a tuning of nothing": (as_phase("tune", metric="tuned_lr"), "not tuned"),
    "an end without weights": (
        without("artefact-000.safetensors"),
        "frozen weights of 'walk'",
    ),
    "a diverged run that has tasks left": (as_run(state="diverged"), "run.state"),
    "a done run that lost every task": (
        lambda data: with_blocks(data, all_lost),
        "run.state",
    ),
    "a block twice": (lambda data: with_blocks(data, twice), "twice"),
    "cut arrays": (
        lambda data: with_member(
            data, archives.BLOCKS, archives.members(data)[archives.BLOCKS][:-9]
        ),
        "blocks.safetensors",
    ),
    "fewer arrays than headers": (
        lambda data: with_blocks(data, lambda headers, values: values.clear()),
        "lacks",
    ),
    "a time before all": (as_run(created=-1), "created"),
    "a time beyond all": (as_run(finished=1e12), "finished"),
    "a time that is true": (as_run(started=True), "started"),
    "a huge whole time": (as_run(created=10**400), "created"),
    "a time of text": (as_run(created="now"), "created"),
    "a negative attempt": (as_run(attempt=-1), "attempt"),
    "half an attempt": (as_run(attempt=1.5), "attempt"),
    "an error that is a list": (as_run(error=[1]), "error"),
    "a title that is a number": (as_run(title=1), "title"),
    "a timing of a stranger": (as_timing("nobody", "test", 1.0, 1), "'nobody'"),
    "a negative timing": (as_timing("walk", "test", -1.0, 1), "seconds"),
    "a timing cut": (as_timing("walk", "test"), "timings.json"),
    "a timing too long": (as_timing("walk", "test", 1.0, 1, 1, 1), "timings.json"),
    "timings in an object": (
        lambda data: with_json(data, "timings.json", lambda body: {"a": 1}),
        "timings.json",
    ),
    "two learners of one label": (
        lambda data: with_json(data, "config.json", alike),
        "label",
    ),
    "a summary that is a list": (
        lambda data: with_member(data, "summary.json", b"[1]"),
        "summary.json",
    ),
    "an artefact of no kind": (
        lambda data: with_artefact(data, {"kind": "evil"}),
        "kind",
    ),
    "an artefact's info as a list": (
        lambda data: with_artefact(data, {"info": [1]}),
        "artefact-001.safetensors",
    ),
    "an artefact twice": (
        lambda data: with_member(
            data,
            "artefact-007.safetensors",
            archives.members(data)["artefact-000.safetensors"],
        ),
        "another artefact has the name",
    ),
}


def with_artefact(data: bytes, changed: dict[str, object]) -> bytes:
    """Return the archive with another frozen artefact, changed."""
    info = {"learner": "walk", "meta_step": 3}
    about = {"name": "more", "kind": "frozen", "info": info} | changed
    held = {"support": np.ones((2, 3)), "support_y": np.ones(2)}
    held |= {"query": np.ones((4, 3)), "query_y": np.ones(4)}
    return with_member(data, "artefact-001.safetensors", array_codec.pack(held, about))


def alike(spec: dict[str, Any]) -> dict[str, Any]:
    for learner in spec["learners"]:
        learner["label"] = "walk"
    return spec


SPACE = {"positions": ["width"], "options": [["4", "8"]]}
SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "a learner that is no text": ("frozen", {"learner": 7}),
    "knobs as a list": ("frozen", {"learner": "a", "knobs": [1]}),
    "no step of a snapshot": ("snapshot", {"learner": "walk"}),
    "a step of text": ("snapshot", {"learner": "walk", "meta_step": "a"}),
    "a number among tasks": ("film", {"which": [1]}),
    "no task": ("film", {"which": []}),
    "a million tasks": ("film", {"tasks": 1_000_000}),
    "a condition with more": ("film", {"condition": {"evil": 1}}),
    "a condition of text": ("film", {"condition": "evil"}),
    "answers as a list": ("film", {"answers": [1]}),
    "no positions": ("search", {"options": []}),
    "positions without options": ("search", SPACE | {"options": [[]]}),
    "fewer options than positions": ("search", SPACE | {"options": []}),
    "options that are numbers": ("search", SPACE | {"options": [[1, 2]]}),
    "edges of text": ("search", SPACE | {"edges": ["a"]}),
    "units that are numbers": ("search", SPACE | {"properties": {"a": 1}}),
    "a reason that is a list": ("remarks", {"walk": [1]}),
}


@pytest.mark.parametrize("case", SHAPES)
def test_an_artefact_that_a_page_cannot_read_is_refused(
    case: str, archive: bytes
) -> None:
    kind, info = SHAPES[case]
    with pytest.raises(
        Refused, match=r"artefact-001\.safetensors in this archive: \S+"
    ):
        read_archive(with_artefact(archive, {"kind": kind, "info": info}))


FITS: dict[str, tuple[str, dict[str, Any]]] = {
    "frozen": ("frozen", {"learner": "walk", "more": [1]}),
    "snapshot": ("snapshot", {"learner": "walk", "meta_step": 0}),
    "film": ("film", {"form": "path", "condition": {"shift": "stretch"}}),
    "search": ("search", SPACE),
    "remarks": ("remarks", {"walk": "it takes no images"}),
}


@pytest.mark.parametrize("case", FITS)
def test_an_artefact_of_its_kind_is_taken(case: str, archive: bytes) -> None:
    kind, info = FITS[case]
    found = read_archive(with_artefact(archive, {"kind": kind, "info": info}))
    held = [(each.kind, each.info) for each in found.artefacts]
    assert held == [("frozen", {"learner": "walk"}), (kind, info)]


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("scores", np.ones(3)),
        ("property/size", np.ones((2, 1))),
        ("sphere/xyz", np.ones((2, 2))),
        ("walk/architecture", np.ones(2)),
        ("walk/architecture", np.array([[0.0, 2.0]])),
        ("walk/architecture", np.array([[-1.0]])),
    ],
)
def test_a_search_names_only_what_its_space_holds(
    name: str, array: np.ndarray, archive: bytes
) -> None:
    about = {"name": "film", "kind": "search", "info": SPACE}
    made = array_codec.pack({name: array}, about)
    with pytest.raises(Refused, match=name):
        read_archive(with_member(archive, "artefact-000.safetensors", made))


@pytest.mark.parametrize("versions", [7, ["a"], {"torch": 2}])
def test_versions_that_a_page_cannot_compare_are_refused(
    versions: object, archive: bytes
) -> None:
    def change(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"versions": versions}

    with pytest.raises(Refused, match=r"fingerprint\.json in this archive: versions"):
        read_archive(with_json(archive, "fingerprint.json", change))


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_an_impossible_run_is_refused_with_member_and_field(
    case: str, archive: bytes, store: Store
) -> None:
    change, word = IMPOSSIBLE[case]
    with pytest.raises(Refused) as refusal:
        import_run(store, change(archive), fake.keys)
    told = str(refusal.value)
    assert word in told
    assert ".json in this" in told or ".safetensors in this" in told
    assert "\n" not in told and len(told) < 300
    assert store.count(kind=None) == 0
    assert store.tidy() == 0


def test_an_archive_that_only_its_writer_touched_is_taken(
    archive: bytes, store: Store
) -> None:
    assert (
        import_run(store, archives.zip_members(archives.members(archive))).error == ""
    )


def test_every_recorded_run_is_one_that_its_spec_can_give() -> None:
    found = sorted(recorded_examples.FOLDER.glob("*.zip"))
    assert [file.stem for file in found] == sorted(KINDS)
    assert all(read_archive(file.read_bytes()).blocks for file in found)


def test_the_conditions_of_a_spec_are_its_shifts_and_families() -> None:
    spec = fake.spec(1).model_copy(
        update={
            "shifts": (ShiftChoice(name="stretch", severities=(0.0, 2.0)),),
            "test_families": (
                Choice(name="moons"),
                Choice(name="waves"),
                Choice(name="waves", knobs={"a": 1}),
            ),
        }
    )
    found = {(c.family, c.shift, c.severity) for c in spec_conditions(spec)}
    assert found == {
        *{("", "", 0.0), ("", "stretch", 0.0), ("", "stretch", 2.0)},
        *{("moons", "", 0.0), ("waves_1", "", 0.0), ("waves_2", "", 0.0)},
    }


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("explained_variance", -3.0),
        ("adaptation_gain", -9.0),
        ("signal", 1.2),
        ("diverged_at", np.nan),
        ("final_accuracy", np.nan),
        ("final_accuracy", 1.0000001),
        ("query_loss", -4.0),
        ("regret", -0.01),
    ],
)
def test_an_unusual_number_that_a_run_can_have_is_taken(
    name: str, number: float, archive: bytes
) -> None:
    assert read_archive(as_metric(name, number)(archive)).blocks[FINAL].metric == name


def test_a_run_that_lost_every_task_of_its_learner_arrives_as_diverged(
    archive: bytes,
) -> None:
    lost = with_run(with_blocks(archive, all_lost), state="diverged")
    assert read_archived_run(lost).job.state == "diverged"


def test_a_time_that_is_a_whole_number_is_a_time(archive: bytes, store: Store) -> None:
    whole = with_run(archive, created=1, started=2, finished=3)
    job = import_run(store, whole, fake.keys)
    assert (job.created, job.started, job.finished) == (1.0, 2.0, 3.0)
    assert not job.damaged
    assert store.check() == []


# how much ---------------------------------------------------------------------
@pytest.mark.parametrize("limit", ["BLOCKS_LIMIT", "NUMBERS_LIMIT"])
def test_more_blocks_or_numbers_than_any_run_has_are_refused(
    limit: str, archive: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block_checks, limit, 7)
    with pytest.raises(Refused, match=r"block \d+.* than 7"):
        read_archive(archive)


def test_more_members_than_any_run_has_are_refused(archive: bytes) -> None:
    held = archives.members(archive)
    many = {f"artefact-{place:03d}.safetensors": b"" for place in range(300)}
    with pytest.raises(Refused, match="at most 200"):
        read_archive(archives.zip_members(held | many))


BOMBS = [
    "config.json",
    "summary.json",
    "fingerprint.json",
    "timings.json",
    "blocks.safetensors",
    "artefact-000.safetensors",
]


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_in_any_member_is_refused_by_its_name_before_it_is_held(
    name: str, archive: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zip_members, "HELD_LIMIT", 1_000_000)
    with pytest.raises(Refused, match=name):
        read_archive(with_member(archive, name, bytes(3_000_000)))


def test_a_table_for_people_is_verified_and_never_held(
    archive: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zip_members, "HELD_LIMIT", 1_000_000)
    long = with_member(archive, "metrics.csv", bytes(3_000_000))
    assert read_archive(long).blocks
    wrong = archives.zip_members(archives.members(long), {"metrics.csv": "0" * 64})
    with pytest.raises(Refused, match=r"metrics\.csv .* it was changed"):
        read_archive(wrong)


@pytest.mark.parametrize("more", [-1, 1])
def test_a_member_whose_length_is_a_lie_is_refused(archive: bytes, more: int) -> None:
    held = archives.members(archive)
    size = len(held["metrics.csv"])
    wrong = archive.replace(
        size.to_bytes(4, "little"), (size + more).to_bytes(4, "little")
    )
    assert wrong != archive
    with pytest.raises(Refused, match=r"metrics\.csv"):
        read_archive(wrong)


# the verdict ------------------------------------------------------------------
WORDS = st.sampled_from(["", "sgd", "loss", "better", "<b>", "{0}", "step"])
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), WORDS, st.floats()
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every value inside a JSON value."""
    yield path
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for key, each in inner:
            yield from places(each, (*path, key))


def replace_at(value: Any, path: tuple[Any, ...], new: object) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replace_at(value[path[0]], path[1:], new)
    return copy


@settings(max_examples=60)
@given(data=st.data())
def test_a_forged_summary_is_always_replaced(
    archive: bytes, data: st.DataObject
) -> None:
    whole = read_archive(archive)
    true = summarize(whole.blocks, whole.spec)
    path = data.draw(st.sampled_from(sorted(places(true), key=repr)))
    forged = replace_at(true, path, data.draw(ANYTHING))
    words = json.dumps(forged)
    try:
        arrived = read_archived_run(
            with_member(archive, "summary.json", words.encode())
        )
    except Refused:  # it is no JSON object
        assert not isinstance(forged, dict) or "NaN" in words or "Infinity" in words
        return
    found = with_recomputed_summary(arrived, summarize).texts["summary"]
    assert found == true
    run = Run(whole.key, whole.spec, tuple(whole.blocks), summary=found)
    assert score_table.score_rows(run, {})
    assert transfer_levels([(whole.spec, found)], "walk", "final_loss") is not None


def test_a_forged_summary_is_not_what_is_filed(archive: bytes, store: Store) -> None:
    whole = read_archive(archive)
    forged = with_member(archive, "summary.json", b'{"claims": 7, "sentence": [1]}')
    key = import_run(store, forged).key
    assert store.summary(key) == json.loads(
        json.dumps(summarize(whole.blocks, whole.spec))
    )


def test_a_run_that_did_not_end_brings_no_verdict(archive: bytes, store: Store) -> None:
    job = import_run(store, with_run(archive, state="running"))
    assert store.summary(job.key) is None


def test_an_import_tells_that_a_summary_is_not_that_of_the_numbers(
    archive: bytes, store: Store
) -> None:
    told: list[str] = []
    forged = with_member(archive, "summary.json", b'{"sentence": "it is better"}')
    import_run(store, forged, fake.keys, summarize, told.append)
    assert told == [OTHER_SUMMARY]


def test_an_import_is_silent_of_a_summary_that_is_that_of_the_numbers(
    archive: bytes, store: Store
) -> None:
    told: list[str] = []
    import_run(store, archive, fake.keys, fake.summarize, told.append)
    assert told == []


def test_a_key_that_is_not_that_of_the_spec_is_refused_with_both(
    archive: bytes, store: Store
) -> None:
    true = read_archive(archive).key
    with pytest.raises(Refused) as refusal:
        import_run(store, with_run(archive, key="f" * 64), fake.keys)
    assert "f" * 64 in str(refusal.value) and true in str(refusal.value)
    assert store.count(kind=None) == 0


def test_a_key_of_earlier_parts_is_taken_as_a_copy(
    archive: bytes, store: Store
) -> None:
    old = read_archive(archive).key
    job = import_run(store, archive, lambda spec: ["f" * 64, old])
    assert job.key not in ("f" * 64, old) and job.title.endswith("(copy)")


def test_numbers_that_give_no_verdict_are_refused_in_plain_words(
    archive: bytes, store: Store
) -> None:
    def broken(blocks: object, spec: object) -> dict[str, object]:
        raise ValueError("cannot convert float NaN to integer")

    with pytest.raises(Refused, match="no verdict can be computed") as refusal:
        import_run(store, archive, fake.keys, broken)
    assert "float NaN" not in str(refusal.value)
    assert store.count(kind=None) == 0
