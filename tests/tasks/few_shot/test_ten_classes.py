from pathlib import Path

import numpy as np
import pytest

from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.data.sources.sklearn_sets import load_bundled_set
from engine.tasks.few_shot.ten_classes import POOLS, TenClasses

needs = pytest.mark.parametrize


@needs("which", ["digits", "mnist", "fashion_mnist"])
def test_classes_are_divided_four_two_four(which: str) -> None:
    family = TenClasses(which=which)  # type: ignore[arg-type]
    parts = [family.class_pool(pool).members.tolist() for pool in POOLS]
    assert [len(part) for part in parts] == [4, 2, 4]
    assert sorted(number for part in parts for number in part) == list(range(10))
    turned = TenClasses(which=which, rotations="train")  # type: ignore[arg-type]
    assert (
        turned.class_pool("train").class_count == 16
        and turned.class_pool("test").class_count == 4
    )
    assert turned.class_pool("train").members.tolist() == parts[0]


def test_an_example_is_a_row_of_the_class_that_it_says() -> None:
    digits = load_bundled_set("digits")
    rows: dict[bytes, int] = {}
    for x, y in zip(digits.x / 16, digits.y, strict=True):
        rows[x.astype(np.float32).tobytes()] = int(y)
    assert len(rows) == len(digits.x)  # none is there twice
    family = TenClasses()
    for pool in POOLS:
        members = family.class_pool(pool).members
        for place in range(10):
            episode = family.sample(Rng(1).child(place), pool)
            for x, ids in (
                (episode.x, episode.ids),
                (episode.held_x, episode.held_ids),
            ):
                seen = [rows[np.ascontiguousarray(column).tobytes()] for column in x.T]
                assert seen == members[ids].tolist()


def test_as_a_target_all_ten_are_tested_and_nothing_can_be_learned() -> None:
    family = TenClasses(use="target", ways=10)
    family.check()
    episode = family.sample(Rng(2), "test")
    assert episode.outputs == 10 and sorted(set(episode.ids.tolist())) == [*range(10)]
    for pool in ("train", "validation"):
        with pytest.raises(Refused, match="a target for tests"):
            family.sample(Rng(2), pool)
    with pytest.raises(Refused, match="no training classes to normalize by"):
        TenClasses(use="target", normalize="training").check()


def test_more_shots_leave_the_queries_as_they_were() -> None:
    few, many = (TenClasses(shots=shots).sample(Rng(3), "test") for shots in (1, 10))
    np.testing.assert_array_equal(few.held_x, many.held_x)


def test_what_does_not_fit_is_refused_with_the_numbers() -> None:
    with pytest.raises(Refused, match=r"3 ways .* the validation pool has 2 classes"):
        TenClasses(ways=3).check()
    TenClasses(ways=2, train_ways=4).check()
    with pytest.raises(Refused, match=r"5 ways .* the train pool has 4 classes"):
        TenClasses(train_ways=5).check()
    TenClasses(ways=3, rotations="all").check()
    with pytest.raises(
        Refused,
        match=r"80 shots and 100 queries are 180 images .* class '\d' has 17",
    ):
        TenClasses(shots=80, queries=100).check()


def test_a_set_that_is_absent_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("METASCOPE_DATA", str(tmp_path))
    assert TenClasses.missing_file() == ""
    from engine.data.sources import data_pack

    data_pack.fashion_mnist.cache_clear()
    from engine.tasks.few_shot import ten_classes

    ten_classes._load_rows.cache_clear()
    with pytest.raises(Refused, match=r"needs fashion_mnist_900\.npz"):
        TenClasses(which="fashion_mnist").check()


@pytest.mark.pack
@needs("packed", ["fashion_mnist_900.npz"], indirect=True)
def test_fashion_can_be_drawn_up_to_its_ninety_images(packed: str) -> None:
    family = TenClasses(which="fashion_mnist", shots=20, queries=70, side="28")
    family.check()
    episode = family.sample(Rng(1), "test")
    assert episode.shape == (1, 28, 28) and episode.held_x.shape == (784, 140)
    with pytest.raises(Refused, match=r"are 91 images of a class, and class .* has 90"):
        family.model_copy(update={"queries": 71}).check()


def test_new_digits_are_classified_by_their_pixels() -> None:
    family, hits = TenClasses(), []
    for place in range(100):
        episode = family.sample(Rng(6).child(place), "test")
        far = ((episode.held_x[:, :, None] - episode.x[:, None]) ** 2).sum(0)
        hits.append(np.mean(episode.y[far.argmin(1)] == episode.held_y))
    assert 0.9 < np.mean(hits) < 0.995
