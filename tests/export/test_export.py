import csv
import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contract.errors import Refused
from engine.contract.events import Artefact, Block, Condition
from engine.contract.jobs import JobState
from engine.contract.parsing import parse_spec
from engine.export import (
    COLUMNS,
    COMPARED,
    RunRecord,
    comparison_csv,
    comparison_latex,
    export_archive,
    export_run,
    exported_files,
    import_run,
    metrics_csv,
    read_archive,
)
from engine.export.long_format import escape_formula
from engine.stats.inference.metric_intervals import metric_interval
from engine.store import Store, annotations, array_codec
from engine.store.row_seals import sha256_hex
from tests.export import archives
from tests.store import fake
from tests.torture.damage import seen

HERE = Condition()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "home")


@pytest.fixture
def other(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "other")


def record(*blocks: Block) -> RunRecord:
    spec = fake.spec(1)
    return RunRecord(fake.key(spec), spec, list(blocks), [], [])


def read(made: RunRecord, *, traces: bool = False) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(metrics_csv(made, traces=traces).decode())))


def where(rows: list[dict[str, str]], **wanted: object) -> list[dict[str, str]]:
    return [r for r in rows if all(r[k] == str(v) for k, v in wanted.items())]


# rows -------------------------------------------------------------------------
def test_the_page_and_the_command_line_write_the_same_bytes(
    store: Store, tmp_path: Path
) -> None:
    key = fake.played(store, 1)
    spec = fake.spec(1)
    played = RunRecord.from_events(key, spec, fake.run(spec, None))
    played = played._replace(
        summary=fake.summarize(store.blocks(key)[0], spec),
        fingerprint=store.fingerprint(key),
    )
    assert exported_files(RunRecord.from_store(store, key)) == exported_files(played)
    folder = export_run(played, tmp_path / "out", traces=True)
    assert {path.name for path in folder.iterdir()} == set(exported_files(played))
    assert parse_spec((folder / "config.json").read_bytes()) == spec


def test_every_number_of_the_store_is_in_the_csv(store: Store) -> None:
    key = fake.played(store, 1)
    made = RunRecord.from_store(store, key)
    rows = where(read(made, traces=True), statistic="value")
    held = [b for b in made.blocks if b.phase != "validate"]
    assert len(rows) == sum(block.array.size for block in held) > 100
    for block in held:
        found = where(rows, learner=block.learner, metric=block.metric)
        told = {float(r["value"]) for r in found if r["value"]}
        assert told
        assert {float(v) for v in block.array.ravel() if np.isfinite(v)} <= told


def test_a_diverged_value_is_an_empty_cell_and_says_so(store: Store) -> None:
    rows = read(RunRecord.from_store(store, fake.played(store, 1)), traces=True)
    lost = where(rows, learner="sgd", metric="loss", replicate=0, task=1)
    assert [(r["value"] == "", r["status"]) for r in lost] == [
        *[(False, "ok")] * 3,
        *[(True, "diverged")] * 3,
    ]
    (final,) = where(rows, learner="sgd", metric="final_loss", replicate=0, task=1)
    assert (final["value"], final["status"]) == ("", "diverged")
    mean = where(rows, learner="sgd", metric="loss", statistic="mean", step=5)
    assert mean[0]["status"] == "1 of 6 diverged"
    assert not any("nan" in r["value"].lower() or "inf" in r["value"] for r in rows)


def test_a_curve_is_the_mean_over_tasks_then_over_replicates() -> None:
    values = np.array([[[0.2], [0.4]], [[0.5], [0.9]]])
    rows = read(
        record(Block("walk", "test", "accuracy", ("replicate", "task", "step"), values))
    )
    means = where(rows, statistic="task_mean")
    assert [float(r["value"]) for r in means] == pytest.approx([0.3, 0.7])
    assert [r["replicate"] for r in means] == ["0", "1"]
    assert float(where(rows, statistic="mean")[0]["value"]) == pytest.approx(0.5)
    assert where(rows, statistic="value") == []


def test_a_final_metric_has_its_mean_and_interval_as_in_the_summary() -> None:
    values = np.array([[0.5, 2.0], [np.nan, 4.0]])
    made = record(Block("walk", "test", "final_loss", ("replicate", "task"), values))
    rows = read(made)
    found = {name: where(rows, statistic=name)[0] for name in ("mean", "low", "high")}
    truth = metric_interval("final_loss", np.array([[0.5, 2.0], [100.0, 4.0]]))
    assert [float(row["value"]) for row in found.values()] == pytest.approx(truth[:3])
    assert {row["status"] for row in found.values()} == {"1 of 4 diverged"}
    means = [float(r["value"]) for r in where(rows, statistic="task_mean")]
    assert means == pytest.approx([1.0, 20.0])
    assert len(where(rows, statistic="value")) == 4


def test_a_loss_is_averaged_on_the_log_scale() -> None:
    values = np.array([[[1.0], [100.0]]])
    rows = read(
        record(Block("walk", "test", "loss", ("replicate", "task", "step"), values))
    )
    assert float(where(rows, statistic="task_mean")[0]["value"]) == pytest.approx(10.0)


def test_a_task_that_never_got_there_is_censored() -> None:
    axes = ("replicate", "task")
    rows = read(
        record(
            Block("walk", "test", "steps_to_threshold", axes, np.array([[7.0, 50.0]])),
            Block("walk", "test", "reached", axes, np.array([[1.0, 0.0]])),
            Block("walk", "test", "diverged", axes, np.array([[0.0, 0.0]])),
            Block("walk", "test", "diverged_at", axes, np.array([[np.nan, np.nan]])),
        )
    )
    steps = where(rows, metric="steps_to_threshold", statistic="value")
    assert [(r["value"], r["status"]) for r in steps] == [
        ("7.0", "ok"),
        ("50.0", "censored"),
    ]
    assert {(r["value"], r["status"]) for r in where(rows, metric="diverged_at")} == {
        ("", "never")
    }


def test_rates_steps_and_layers_have_their_own_columns() -> None:
    tuning = Block(
        "sgd",
        "tune",
        "tuning",
        ("rate", "task"),
        np.array([[1.0, 3.0], [5.0, np.inf]]),
        coords={"rate": (0.01, 0.1)},
    )
    layers = Block(
        "walk",
        "test",
        "lr_scale",
        ("replicate", "task", "step", "layer"),
        np.ones((1, 1, 2, 3)),
        Condition("moons", "stretch", 1.5),
    )
    rows = read(record(tuning, layers))
    rates = where(rows, metric="tuning")
    assert [(r["rate"], r["value"], r["status"]) for r in rates] == [
        ("0.01", "2.0", "ok"),
        ("0.1", "5.0", "1 of 2 diverged"),
    ]
    last = where(rows, metric="lr_scale", statistic="task_mean")[-1]
    assert (last["step"], last["layer"], last["shift"]) == ("1", "2", "stretch")
    assert (last["test_family"], last["severity"], last["role"]) == (
        "moons",
        "1.5",
        "chosen",
    )
    assert tuple(rows[0]) == COLUMNS


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM", "\t=1", " =1"])
def test_a_name_is_no_formula_and_a_number_is_untouched(name: str) -> None:
    block = Block(name, "test", "area", ("replicate", "task"), np.array([[-1.5]]))
    row, *means = read(record(block))
    assert {each["learner"] for each in (row, *means)} == {f"'{name}"}
    assert row["value"] == "-1.5"
    assert escape_formula("lr_scale") == "lr_scale"


def test_the_order_of_blocks_does_not_matter() -> None:
    spec = fake.spec(1)
    blocks = [e for e in fake.run(spec, None) if isinstance(e, Block)]
    assert metrics_csv(record(*blocks)) == metrics_csv(
        record(*reversed(blocks[1:]), blocks[0])
    )


def test_a_metric_without_values_is_not_measured_rather_than_diverged() -> None:
    norms = np.full((2, 2, 2, 2), 1.0)
    norms[..., 0] = np.nan
    norms[0, 0, 1, 1] = np.nan
    axes = ("replicate", "task", "step", "layer")
    rows = read(
        record(
            Block("walk", "test", "diverged", axes[:2], np.array([[1.0, 0], [0, 0]])),
            Block("walk", "test", "inner_grad_norm", axes, norms),
        )
    )
    means = where(rows, metric="inner_grad_norm", statistic="mean")
    found = {(r["step"], r["layer"]): (r["value"], r["status"]) for r in means}
    assert found[("0", "0")] == found[("1", "0")] == ("", "unmeasured")
    assert found[("1", "1")] == ("1.0", "1 of 4 diverged")


def test_inner_steps_have_a_column_of_their_own() -> None:
    rates = Block(
        "walk",
        "validate",
        "inner_lr",
        ("replicate", "step", "layer", "inner_step"),
        np.arange(4.0).reshape(1, 1, 2, 2) + 0.01,
        coords={"step": (200.0,)},
    )
    rows = where(read(record(rates)), statistic="value")
    assert [(r["step"], r["layer"], r["inner_step"], r["value"]) for r in rows] == [
        ("200", "0", "0", "0.01"),
        ("200", "0", "1", "1.01"),
        ("200", "1", "0", "2.01"),
        ("200", "1", "1", "3.01"),
    ]


# the comparison table ---------------------------------------------------------
def compared(label: str = "walk") -> RunRecord:
    spec = fake.spec(1)
    learner = spec.learners[0].model_copy(update={"label": label})
    made = record(
        *few_shot(label, np.array([[0.1, 0.2], [0.2, 0.3]])),
        *few_shot(label, np.array([[0.5, 0.5]]), Condition("", "more_ways", 10.0)),
        Block(label, "train", "examples_seen", (), np.array(12_345.0)),
    )
    others = spec.learners[1:]
    return made._replace(spec=spec.model_copy(update={"learners": (learner, *others)}))


def few_shot(
    label: str, errors: np.ndarray, condition: Condition = HERE
) -> list[Block]:
    axes = ("replicate", "task")
    rows = {"error": errors, "final_accuracy": 1.0 - errors}
    return [
        Block(label, "test", name, axes, row, condition) for name, row in rows.items()
    ]


def test_the_table_as_csv_has_a_row_a_cell_with_both_spreads() -> None:
    text = comparison_csv(compared()).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert tuple(rows[0]) == COMPARED
    here, there = where(rows, learner="walk")
    assert (float(here["value"]), here["unit"]) == (pytest.approx(80.0), "%")
    assert float(here["sd_over_trainings"]) == pytest.approx(7.0710678)
    half = 1.959964 * 7.0710678 / 2**0.5
    assert float(here["half_95_over_episodes"]) == pytest.approx(half)
    assert (here["trainings"], here["episodes_per_training"]) == ("2", "2")
    assert here["examples_seen"] == "12345"
    assert (there["shift"], there["sd_over_trainings"]) == ("more_ways", "")
    assert {r["value"] for r in rows if r["learner"] != "walk"} == {""}


HARSH = ["a_b", "50 % & more", "#1", "{x}", r"\input{/etc/passwd}", "$x^2$", "~"]


@pytest.mark.parametrize("label", HARSH)
def test_the_table_as_latex_is_balanced_whatever_a_learner_is_called(
    label: str,
) -> None:
    text = comparison_latex(compared(), {"walk": label}).decode()
    body = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    bare = re.sub(r"\\[\\&%$#_{}]|\\text\w+\{\}", "", body)
    depth = 0
    for char in bare:
        depth += {"{": 1, "}": -1}.get(char, 0)
        assert depth >= 0
    assert depth == 0
    assert bare.count("$") % 2 == 0
    assert not set("#~%_^") & set(re.sub(r"\$[^$]*\$", "", bare))
    assert r"\input" not in bare
    (columns,) = re.findall(r"\\begin\{tabular\}\{(\w+)\}", body)
    inside = body.split(r"\midrule")[1].split(r"\bottomrule")[0].strip()
    for line in inside.splitlines():
        assert len(re.findall(r"(?<!\\)&", line)) == len(columns) - 1
        assert line.endswith(r" \\")
    opened = re.findall(r"\\begin\{(\w+)\}", body)
    assert "tabular" in opened and len(inside.splitlines()) > 1
    for name in opened:
        assert body.count(f"\\begin{{{name}}}") == body.count(f"\\end{{{name}}}")


def test_the_table_says_which_spread_is_which_and_calls_parts_by_titles() -> None:
    text = comparison_latex(compared(), {"walk": "Random walks"}).decode()
    assert "over $E = 2$ episodes of one training" in text
    assert "standard deviation over 2 trainings" in text
    assert "$80.0 \\pm" in text
    assert "12\\,345" in text


# archives ---------------------------------------------------------------------
def test_an_archive_brings_the_whole_run(store: Store, other: Store) -> None:
    key = fake.played(store, 1)
    store.rename(key, "a title")
    given = annotations.annotate(store.index, key, ("paper",), "Watch it.\nAgain.")
    data = export_archive(store, key)
    job = import_run(other, data, fake.keys, fake.summarize)
    assert job.key == key
    assert annotations.read_annotations(other.index, key) == given
    here, there = seen(store, key), seen(other, key)
    assert here[2:] == there[2:]
    for name in (
        "state",
        "title",
        "created",
        "started",
        "finished",
        "attempt",
        "about",
    ):
        assert getattr(store.job(key), name) == getattr(job, name)
    assert export_archive(other, key) == data
    assert other.check() == []
    assert other.tidy() == 0


def test_hostile_tags_and_notes_of_an_archive_are_cleaned(
    store: Store, other: Store
) -> None:
    key = fake.played(store, 1)
    hostile = {"tags": ["a\u202eb", "x" * 500] * 30, "note": "n\x00" * 5_000}
    data = archives.with_run(export_archive(store, key), **hostile)
    import_run(other, data, fake.keys, fake.summarize)
    held = annotations.read_annotations(other.index, key)
    assert held.tags == ("ab", "x" * 40)
    assert held.note == "n" * 2_000


def test_a_run_that_is_here_already_arrives_as_a_copy(store: Store) -> None:
    key = fake.played(store, 1)
    data = export_archive(store, key)
    first, second = import_run(store, data), import_run(store, data)
    assert len({key, first.key, second.key}) == 3
    assert first.title.endswith("(copy)")
    assert fake.stored(store, first.key) == fake.stored(store, key)
    assert store.count() == 3


def test_an_unfinished_run_arrives_as_interrupted(store: Store, other: Store) -> None:
    key = fake.submit(store, 1)
    recorder = store.recorder(store.claim())
    for event in list(fake.run(fake.spec(1), None))[:9]:
        recorder.add(event)
    recorder.flush()
    job = import_run(other, export_archive(store, key))
    assert job.state == JobState.INTERRUPTED
    assert fake.stored(other, key) == fake.stored(store, key)
    assert other.resume(key).state == JobState.QUEUED


def rezipped(data: bytes, **changed: bytes | None) -> bytes:
    """Return an archive with members replaced, their hashes kept true."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name, content in changed.items():
        name = name.replace("__", ".")
        if content is None:
            del members[name]
        else:
            members[name] = content
    manifest = json.loads(members["manifest.json"])
    if "manifest__json" not in changed:
        manifest["members"] = {
            n: sha256_hex(d) for n, d in members.items() if n[:4] != "mani"
        }
        members["manifest.json"] = json.dumps(manifest).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def manifest_of(data: bytes, **run: object) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        told = json.loads(archive.read("manifest.json"))
    told["run"] |= run
    return json.dumps(told).encode()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    held = Store.open(tmp_path_factory.mktemp("archive") / "home")
    return export_archive(held, fake.played(held, 1, steps=3))


HOSTILE = {
    "no zip": lambda a: b"PK\x03\x04 not really",
    "empty": lambda a: b"",
    "a truncated zip": lambda a: a[: len(a) // 2],
    "a path out": lambda a: rezipped(a, **{"../../evil__txt": b"x"}),
    "an absolute path": lambda a: rezipped(a, **{"/etc/passwd": b"x"}),
    "a pickle": lambda a: rezipped(a, model__pt=b"\x80\x04."),
    "no blocks": lambda a: rezipped(a, blocks__safetensors=None),
    "no spec": lambda a: rezipped(a, config__json=b"[]"),
    "a spec with NaN": lambda a: rezipped(a, config__json=b'{"seed": NaN}'),
    "nested brackets": lambda a: rezipped(a, summary__json=b"[" * 100_000),
    "an 8 TB header": lambda a: rezipped(a, blocks__safetensors=huge()),
    "a lying shape": lambda a: rezipped(a, blocks__safetensors=lying()),
    "no metric": lambda a: rezipped(a, blocks__safetensors=lying(metric="magic")),
    "a text for numbers": lambda a: rezipped(a, timings__json=b'[["a", "b", "c", 1]]'),
    "a strange id": lambda a: rezipped(a, manifest__json=manifest_of(a, key="../x")),
    "a strange state": lambda a: rezipped(a, manifest__json=manifest_of(a, state="x")),
    "a changed hash": lambda a: rezipped(
        a, summary__json=b"{}", manifest__json=manifest_of(a)
    ),
}


def huge() -> bytes:
    header = json.dumps(
        {
            "__metadata__": {"info": '{"blocks": []}'},
            "0": {"dtype": "F64", "shape": [10**12], "data_offsets": [0, 8 * 10**12]},
        }
    ).encode()
    return len(header).to_bytes(8, "little") + header


def lying(**changed: object) -> bytes:
    header = {
        **{
            "learner": "a",
            "phase": "test",
            "metric": "loss",
            "family": "",
            "shift": "",
        },
        **{
            "severity": 0.0,
            "axes": ["step"],
            "coords": "{}",
            "dtype": "f8",
            "shape": [9],
        },
        **changed,
    }
    shape = 9 if changed else 3
    return array_codec.pack({"000000": np.ones(shape)}, {"blocks": [header]})


@pytest.mark.parametrize("harm", HOSTILE)
def test_a_hostile_archive_is_refused_in_one_sentence(
    store: Store, archive: bytes, harm: str, tmp_path: Path
) -> None:
    with pytest.raises(Refused) as refusal:
        import_run(store, HOSTILE[harm](archive))
    assert 0 < len(str(refusal.value)) < 300
    assert "\n" not in str(refusal.value)
    assert store.count(kind=None) == 0
    assert not (tmp_path / "evil.txt").exists()
    assert store.tidy() == 0


def test_a_member_given_twice_is_refused(store: Store, archive: bytes) -> None:
    out = io.BytesIO(archive)
    with (
        zipfile.ZipFile(out, "a") as twice,
        pytest.warns(UserWarning, match="Duplicate"),
    ):
        twice.writestr("summary.json", b"{}")
    with pytest.raises(Refused, match="twice"):
        import_run(store, out.getvalue())


def test_a_bomb_is_refused_before_it_is_unpacked(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.export.zip_members.UNPACKED_LIMIT", 8_000_000)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bomb:
        for place in range(9):
            bomb.writestr(f"artefact-{place:03d}.safetensors", bytes(1_000_000))
    with pytest.raises(Refused, match="unpacks to"):
        import_run(store, out.getvalue())


def test_a_newer_archive_is_refused_by_both_versions(
    store: Store, archive: bytes
) -> None:
    told = json.loads(manifest_of(archive)) | {"format": 7}
    newer = rezipped(archive, manifest__json=json.dumps(told).encode())
    with pytest.raises(Refused, match=r"format 7; .* up to 1"):
        import_run(store, newer)


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_only_our_own_error_escapes_from_a_damaged_archive(
    archive: bytes, data: st.DataObject
) -> None:
    harmed = bytearray(archive)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(harmed) - 1))
        harmed[place] = data.draw(st.integers(0, 255))
    try:
        back = read_archive(bytes(harmed))
    except Refused:
        return
    assert fake.rows(back.blocks) == fake.rows(read_archive(archive).blocks)


def test_an_artefacts_arrays_and_names_come_back(store: Store, other: Store) -> None:
    key = fake.played(store, 1)
    import_run(other, export_archive(store, key))
    here, there = store.artefact(key, "walk"), other.artefact(key, "walk")
    assert isinstance(there, Artefact)
    assert here.info == there.info
    assert (here.arrays["place"] == there.arrays["place"]).all()
