"""Episodes from the user's CSV files and images: pools, sizes, and refusals."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from engine.cli import data
from engine.contract.errors import Refused
from engine.contract.events import Artefact, Block
from engine.contract.rng import Rng
from engine.data.user.csv_store import read_csv, store_csv
from engine.data.user.image_archives import read_images
from engine.data.user.image_store import load_own_images, store_images
from engine.protocol import Episode
from engine.runner.context import RunContext
from engine.runner.spec_checks import check_run
from engine.tasks.few_shot._user_data import OwnFamily
from engine.tasks.few_shot.own_classes import OwnClasses
from engine.tasks.few_shot.own_images import OwnImages
from tests.data.user.csv_files import sheet
from tests.data.user.images import folders, packed
from tests.laws.small import events, family_spec, knobbed, spec_of

POOLS = ("train", "validation", "test")


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path / "home"))
    return tmp_path


def rows_of(classes: int, rows: int = 8) -> str:
    """Keep a CSV whose first column is 100 × class + row; return its digest."""
    numbers = [(100 * c + r, c) for c in range(classes) for r in range(rows)]
    columns = {
        "place": [str(n) for n, _ in numbers],
        "other": [str(n % 7) for n, _ in numbers],
        "kind": [f"kind {c}" for _, c in numbers],
    }
    return store_csv(read_csv(sheet(columns)))


def rows_family(classes: int = 12, rows: int = 8, **knobs: object) -> OwnClasses:
    digest = rows_of(classes, rows)
    return OwnClasses(digest=digest, target="kind", **knobs)  # type: ignore[arg-type]


def images_family(classes: int = 8, images: int = 6, **knobs: object) -> OwnImages:
    digest = store_images(read_images(packed(folders(classes, images))))
    knobs = {"ways": 2, "queries": 3} | knobs
    return OwnImages(digest=digest, **knobs)  # type: ignore[arg-type]


def both() -> tuple[OwnFamily, ...]:
    return rows_family(shots=2), images_family(shots=2)


def drawn(family: OwnFamily, pool: str, count: int = 40) -> list[Episode]:
    return [family.sample(Rng(1).child(pool, task), pool) for task in range(count)]


def examples(episode: Episode) -> list[bytes]:
    rows = np.concatenate([episode.x, episode.held_x], axis=1).T
    return [np.ascontiguousarray(row).tobytes() for row in rows]


def test_no_class_is_in_two_pools_and_every_class_is_in_one() -> None:
    for family, count in zip(both(), (12, 8), strict=True):
        family.check()
        members = [set(family.class_pool(pool).members.tolist()) for pool in POOLS]
        assert all(not one & two for one, two in combinations(members, 2))
        assert set.union(*members) == set(range(count))
        assert len(members[1]) == len(members[2]) == max(2, round(count / 4))


def test_no_example_of_one_pool_is_ever_in_another_or_on_both_sides() -> None:
    for family in both():
        seen = []
        for pool in POOLS:
            found = [examples(e) for e in drawn(family, pool)]
            assert all(len(set(each)) == len(each) for each in found)
            seen.append({row for each in found for row in each})
        assert all(not one & two for one, two in combinations(seen, 2))


def test_an_episode_has_its_ways_shots_and_queries_in_random_order() -> None:
    for family in both():
        orders = set()
        for e in drawn(family, "train", 30):
            assert e.ids is not None and e.held_ids is not None
            assert e.outputs == 2 and e.known_classes == len(
                family.class_pool("train").members
            )
            assert np.bincount(e.y).tolist() == [2, 2]
            assert np.bincount(e.held_y).tolist() == [family.queries] * 2
            orders.add(tuple(e.ids[::2].tolist()))
            assert set(zip(e.y, e.ids, strict=True)) == set(
                zip(e.held_y, e.held_ids, strict=True)
            )
        assert any((two, one) in orders for one, two in orders)


def test_rows_of_an_episode_are_of_the_class_that_its_label_says() -> None:
    family = rows_family()
    table_place = np.array([100 * c + r for c in range(12) for r in range(8)], float)
    number = np.array([int(name.split()[1]) for name in family.classes().names])
    known = number[family.class_pool("train").members]
    training = np.concatenate([100.0 * c + np.arange(8) for c in known])
    for e in drawn(family, "test"):
        place = e.held_x[0].astype(np.float64) * training.std() + training.mean()
        classes = (place.round() // 100).astype(int)
        assert np.isin(place.round(), table_place).all()
        assert e.held_ids is not None
        members = family.class_pool("test").members
        np.testing.assert_array_equal(number[members[e.held_ids]], classes)


def test_columns_are_standardized_by_the_training_classes_alone() -> None:
    family = rows_family(shots=4, queries=4)
    rows = np.concatenate([e.x for e in drawn(family, "train", 300)], axis=1)
    np.testing.assert_allclose(rows.mean(1), 0.0, atol=0.1)
    np.testing.assert_allclose(rows.std(1), 1.0, atol=0.1)


def test_more_shots_keep_the_queries_and_the_first_shots() -> None:
    for one, two in zip(
        drawn(images_family(shots=1), "test", 5),
        drawn(images_family(shots=3), "test", 5),
        strict=True,
    ):
        np.testing.assert_array_equal(one.held_x, two.held_x)
        np.testing.assert_array_equal(one.x, two.x[:, ::3])


def test_images_are_bright_ink_of_28_or_14_pixels() -> None:
    family = images_family()
    bright = drawn(family, "test", 1)[0]
    dark = drawn(family.model_copy(update={"dark": False}), "test", 1)[0]
    np.testing.assert_allclose(bright.x + dark.x, 1.0, atol=1e-6)
    pixels = load_own_images(family.digest).images.reshape(-1, 784) / np.float32(255)
    gaps = np.abs(pixels[:, None] - dark.x.T).max(2).min(0)
    assert (gaps < 1e-6).all()
    small = drawn(family.model_copy(update={"side": "14"}), "test", 1)[0]
    assert bright.shape == (1, 28, 28) and small.shape == (1, 14, 14)
    blocks = bright.x.T.reshape(-1, 14, 2, 14, 2).mean((2, 4)).reshape(-1, 196)
    np.testing.assert_allclose(small.x.T, blocks, atol=1 / 255)


def test_copies_of_a_row_count_once() -> None:
    columns = {
        "a": [str(n // 2) for n in range(96)],
        "kind": [f"kind {n // 16}" for n in range(96)],
    }
    digest = store_csv(read_csv(sheet(columns)))
    family = OwnClasses(digest=digest, target="kind", shots=4, queries=4)
    family.check()
    assert [len(m) for m in family.classes().members] == [8] * 6
    with pytest.raises(Refused, match="has 8 different ones"):
        family.model_copy(update={"queries": 5}).check()


@pytest.mark.parametrize(
    ("knobs", "words", "field"),
    [
        ({"ways": 4}, "4 ways are too many: the validation pool has 3", "ways"),
        # All pools must give them, and the smallest is named at once.
        ({"ways": 7}, "7 ways .* the validation pool has 3 .* choose 2 to 3", "ways"),
        ({"train_ways": 7}, "7 ways .* the train pool has 6 .* 2 to 6", "train_ways"),
        (
            {"train_shots": 3, "train_queries": 6},
            "3 shots and 6 queries are 9 rows .* has 8",
            "train_queries",
        ),
        (
            {"shots": 5},
            "5 shots and 5 queries are 10 rows of a class, and class 'kind .*' has 8 "
            "different ones: choose 8 or fewer together",
            "queries",
        ),
        ({"target": "colour"}, "no column 'colour'; it has: place, other", "target"),
        ({"digest": ""}, "choose a file of your own first", "digest"),
        ({"digest": "0" * 64}, "needs the file with sha256", "digest"),
    ],
)
def test_what_a_file_cannot_give_is_refused_in_one_sentence(
    knobs: dict[str, object], words: str, field: str
) -> None:
    family = rows_family().model_copy(update=knobs)
    with pytest.raises(Refused, match=words) as refusal:
        family.check()
    assert refusal.value.field == field
    assert len(refusal.value.message) < 200


def test_the_smallest_class_is_named_with_its_count() -> None:
    columns = {
        "a": [str(n) for n in range(47)],
        "kind": [f"kind {min(n // 8, 5)}" for n in range(47)],
    }
    digest = store_csv(read_csv(sheet(columns)))
    family = OwnClasses(digest=digest, target="kind", shots=3, queries=5)
    with pytest.raises(Refused, match="class 'kind 5' has 7 different ones"):
        family.check()


def test_few_classes_are_a_target_for_tests_and_nothing_else() -> None:
    family = rows_family(5)
    with pytest.raises(
        Refused, match=r"5 classes are too few .* at least 6"
    ) as refusal:
        family.check()
    assert refusal.value.field == "use"
    target = family.model_copy(update={"use": "target", "ways": 5})
    target.check()
    (episode,) = drawn(target, "test", 1)
    assert episode.outputs == 5 and episode.known_classes == 0
    np.testing.assert_allclose(episode.x.mean(1), 0.0, atol=1e-5)
    spec = knobbed("own_classes", target.model_dump())
    with pytest.raises(Refused, match="are a target for tests") as refusal:
        check_run(RunContext(spec))
    assert refusal.value.field == "family.use"


def test_a_target_is_tested_on_after_training_elsewhere() -> None:
    target = rows_family(5).model_copy(update={"use": "target"})
    own = {"name": "own_classes", "knobs": target.model_dump()}
    body = family_spec("gaussian_classes").model_dump(mode="json")
    body["family"]["knobs"] |= {"dimensions": 2, "useful": 2, "ways": 2}
    found = list(events(spec_of(**body | {"test_families": [own]})))
    assert any(
        isinstance(e, Block) and e.condition.family == "own_classes" for e in found
    )


def test_a_run_on_own_classes_gives_answers() -> None:
    for family in both():
        net = {"name": "mlp", "knobs": {"depth": 1, "width": 8}}
        spec = knobbed(
            family.name, family.model_dump(), net=net, learners=[{"name": "protonet"}]
        )
        found = list(events(spec))
        errors = [e for e in found if isinstance(e, Block) and e.metric == "error"]
        assert errors and all(np.isfinite(e.array).all() for e in errors)
        assert any(isinstance(e, Artefact) for e in found)


@pytest.mark.parametrize("classes", [3, 12])
def test_the_command_line_prints_a_spec_that_can_be_run(
    classes: int, tmp_path: Path
) -> None:
    archive = tmp_path / "mine.zip"
    archive.write_bytes(packed(folders(classes, 4)))
    table = tmp_path / "mine.csv"
    table.write_bytes(
        sheet(
            {
                "a": [str(n) for n in range(classes * 7)],
                "kind": [f"kind {n // 7}" for n in range(classes * 7)],
            }
        )
    )
    for words in (
        ["own-images", str(archive)],
        ["own", str(table), "--target", "kind", "--few-shot"],
    ):
        told = CliRunner().invoke(data.data, words)
        assert told.exit_code == 0, told.output
        spec = told.stdout
        assert '"own_' in spec
        made = spec_of(**_parsed(spec))
        used = [made.family.name, *(f.name for f in made.test_families)]
        assert len(used) == (1 if classes >= 6 else 2)
        if "glyphs" not in used:  # they are drawn from a font, which takes its time
            check_run(RunContext(made))
            assert not RunContext(made).test_conditions()[1]


def _parsed(text: str) -> dict[str, object]:
    found = json.loads(text)
    assert isinstance(found, dict)
    return found
