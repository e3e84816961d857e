import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.contract.errors import Refused
from engine.contract.events import Artefact, Block, Checkpoint, Condition
from engine.contract.jobs import JobState
from engine.store import Store, StoredRunCache, StoreError, array_codec, arrow_codec
from tests.store import fake

WORDS = st.text(st.characters(codec="utf-8"), max_size=8)
NUMBERS = st.sampled_from(["f4", "f8", "i8", "u1", "b1"])


@settings(deadline=None, max_examples=50)
@given(data=st.data(), name=WORDS, kind=NUMBERS)
def test_a_block_is_read_back_bit_for_bit(
    data: st.DataObject, name: str, kind: str
) -> None:
    array = data.draw(hnp.arrays(kind, hnp.array_shapes(min_dims=0, max_side=4)))
    axes = ("replicate", "task", "step", "layer")[: array.ndim]
    severity = data.draw(st.floats(allow_nan=False))
    coords = {axes[0]: tuple(map(float, range(array.shape[0])))} if axes else {}
    block = Block(
        name, "test", "loss", axes, array, Condition(name, "", severity), coords
    )
    (back,) = arrow_codec.decode(arrow_codec.encode([block]))
    assert back.array.tobytes() == array.tobytes()
    assert back.array.dtype == array.dtype
    assert (back.address(), back.axes, back.coords) == (block.address(), axes, coords)


def test_an_array_of_objects_is_never_written() -> None:
    with pytest.raises(TypeError):
        arrow_codec.encode(
            [Block("a", "test", "loss", ("task",), np.array([object()]))]
        )


def test_named_arrays_and_their_info_come_back() -> None:
    held = {"a/b": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "n": np.array(3)}
    back, info = array_codec.unpack(
        array_codec.pack(held, {"x": [1, None, float("inf")]})
    )
    assert info == {"x": [1, None, float("inf")]}
    assert {name: a.tolist() for name, a in back.items()} == {
        "a/b": [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]],
        "n": 3,
    }


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_bytes_that_hold_no_arrays_raise_nothing_but_value_errors(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        array_codec.unpack(data)


def test_a_cursor_sees_every_row_once_and_the_newest_view(store: Store) -> None:
    key = fake.submit(store, 1, steps=9)
    recorder = store.recorder(store.claim())
    cursor, seen = 0, {}
    for event in fake.run(fake.spec(1, steps=9), None):
        recorder.add(event)
        recorder.flush()
        blocks, newer = store.blocks(key, cursor)
        assert newer >= cursor
        assert len(blocks) <= 2
        cursor = newer
        seen |= fake.rows(blocks)
    recorder.finish(JobState.DONE, {})
    assert seen == fake.unbroken(fake.spec(1, steps=9))
    assert store.blocks(key, store.blocks(key)[1])[0] == []


def test_a_finished_run_is_one_file_of_blocks(store: Store) -> None:
    key = fake.submit(store, 1, steps=6)
    recorder = store.recorder(store.claim())
    for event in fake.run(fake.spec(1, steps=6), None):
        recorder.add(event)
        recorder.flush(keep=isinstance(event, Checkpoint))
    assert len(list(store.folder(key).glob("*.arrow"))) > 5
    assert len(list(store.folder(key).glob("*.checkpoint"))) == 1
    recorder.finish(JobState.DONE, {})
    assert len(list(store.folder(key).glob("*.arrow"))) == 1
    assert not list(store.folder(key).glob("*.checkpoint"))
    assert store.tidy() == 0


def test_a_long_run_is_compacted_on_the_way(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.store.recorder.CHUNKS", 4)
    key = fake.submit(store, 1, steps=6)
    recorder = store.recorder(store.claim())
    for event in fake.run(fake.spec(1, steps=6), None):
        recorder.add(event)
        recorder.flush()
    assert len(list(store.folder(key).glob("*.arrow"))) < 8
    recorder.finish(JobState.DONE, {})
    assert fake.stored(store, key) == fake.unbroken(fake.spec(1, steps=6))


def test_an_artefact_is_listed_without_its_arrays(store: Store) -> None:
    key = fake.played(store, 1)
    (entry,) = store.artefacts(key)
    assert (entry.name, entry.kind, entry.info) == (
        "walk",
        "frozen",
        {"learner": "walk"},
    )
    assert store.artefact(key, "walk").arrays["place"].shape == (2, 3)
    with pytest.raises(StoreError, match="no artefact 'film'"):
        store.artefact(key, "film")


def test_a_learner_that_is_called_as_a_film_is_keeps_its_weights(store: Store) -> None:
    key = fake.submit(store, 1)
    recorder = store.recorder(store.claim())
    kinds = ("frozen", "film")
    for value, kind in enumerate(kinds):
        recorder.add(Artefact("film", kind, {"x": np.array(value)}))
    recorder.finish(JobState.DONE, {})
    assert [(e.name, e.kind) for e in store.artefacts(key)] == [
        ("film", kind) for kind in kinds
    ]
    held = [store.artefact(key, "film", kind).arrays["x"] for kind in kinds]
    assert held == [0, 1]
    assert StoredRunCache(store.index).frozen_artefact(key, "film").arrays["x"] == 0
    with pytest.raises(StoreError, match="no artefact"):
        store.artefact(key, "film", "snapshot")


def test_a_sub_run_is_kept_once_and_hidden_from_the_list(store: Store) -> None:
    cache, spec = StoredRunCache(store.index), fake.spec(1)
    key = fake.key(spec)
    assert cache.get(key) is None
    events = list(fake.run(spec, None))
    cache.put(key, spec, events)
    cache.put(key, spec, events[:3])
    back = cache.get(key)
    assert fake.rows([e for e in back if isinstance(e, Block)]) == fake.unbroken(spec)
    assert [e.name for e in back if isinstance(e, Artefact)] == ["walk"]
    assert store.jobs() == []
    assert [job.key for job in store.jobs(kind="tuning")] == [key]
    assert store.submit(spec, key).state == JobState.DONE  # asked for, it is listed
    assert [job.key for job in store.jobs()] == [key]


def test_what_an_input_names_must_be_here(store: Store) -> None:
    key = fake.played(store, 1)
    cache = StoredRunCache(store.index)
    assert cache.frozen_artefact(key, "walk").kind == "frozen"
    for run, name in ((key, "film"), ("f" * 64, "walk")):
        with pytest.raises(Refused):
            cache.frozen_artefact(run, name)
