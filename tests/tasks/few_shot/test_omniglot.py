from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.data.sources import omniglot
from engine.protocol import Episode
from engine.tasks.few_shot._class_pools import turn_count, turn_images
from engine.tasks.few_shot._omniglot_pools import load_class_pool
from engine.tasks.few_shot.omniglot import Omniglot

needs = pytest.mark.parametrize
PACKED = "omniglot28.npz"
there = needs("packed", [PACKED], indirect=True)


def drawings(episode: Episode) -> np.ndarray:
    """Return all examples as bytes; shape (example, 28, 28)."""
    both = np.concatenate([episode.x, episode.held_x], axis=1)
    return np.rint(255 * both.T.reshape(-1, *episode.shape[1:])).astype(np.uint8)


def whose(characters: np.ndarray, drawn: np.ndarray) -> list[int]:
    """Return who drew each example: the one whose drawing it is, bit for bit."""
    images = omniglot.load_characters(28).images
    found = []
    for character, image in zip(characters, drawn, strict=True):
        (same,) = np.nonzero((images[character] == image).all((1, 2)))
        found.append(int(same[0]))
    return found


@pytest.mark.pack
@there
@needs(
    ("ways", "shots", "published"),
    [(5, 1, 47.0), (5, 5, 71.0), (20, 1, 27.3), (20, 5, 50.0)],
)
def test_nearest_pixels_reach_the_known_figures(
    packed: str, ways: int, shots: int, published: float
) -> None:
    """600 episodes; one has a spread of 10 points at most, so two points are five σ."""
    family = Omniglot(ways=ways, shots=shots, queries=5)
    each = []
    for place in range(600):
        episode = family.sample(Rng(1).child(place), "test")
        each.append(100 * np.mean(_nearest(episode) == episode.held_y))
    assert np.mean(each) == pytest.approx(published, abs=2.0)


@pytest.mark.pack
@there
def test_each_example_is_a_drawing_of_the_character_that_it_says(packed: str) -> None:
    family = Omniglot(rotations="none", queries=5)
    for pool, characters in omniglot.split_pools("vinyals").items():
        episode = family.sample(Rng(2), pool)
        of = characters[np.concatenate([episode.ids, episode.held_ids])]
        drawers = whose(of, drawings(episode))
        assert len(set(zip(of.tolist(), drawers, strict=True))) == 30


@pytest.mark.pack
@there
def test_turned_characters_are_classes_on_the_side_of_the_upright_ones(
    packed: str,
) -> None:
    known = {
        "none": (1028, 423),
        "train": (4112, 423),
        "all": (4112, 1692),
    }
    for rotations, (train, test) in known.items():
        family = Omniglot(rotations=rotations, queries=2)  # type: ignore[arg-type]
        assert family.class_pool("train").class_count == train
        assert family.class_pool("test").class_count == test
        assert family.sample(Rng(0), "test").known_classes == train
    deck = Omniglot().class_pool("train")
    turned = 0
    for place in range(10):
        episode = Omniglot(queries=2).sample(Rng(3).child(place), "train")
        ids = np.concatenate([episode.ids, episode.held_ids])
        of, quarter = deck.members[ids % 1028], ids // 1028
        upright = [
            np.rot90(image, -int(k))
            for image, k in zip(drawings(episode), quarter, strict=True)
        ]
        assert len(whose(of, np.stack(upright))) == 15
        turned += int((quarter > 0).sum())
    assert turned > 60


def test_images_are_turned_as_numpy_turns_them() -> None:
    images = np.random.default_rng(0).integers(0, 256, (9, 4, 4), np.uint8)
    turns = np.array([0, 1, 2, 3, 3, 2, 1, 0, 1])
    truth = [np.rot90(i, k) for i, k in zip(images.copy(), turns, strict=True)]
    turn_images(images, turns)
    np.testing.assert_array_equal(images, truth)
    assert turn_count("all", "test") == 4 and turn_count("train", "test") == 1


@pytest.mark.pack
@there
def test_drawers_can_be_ten_of_the_twenty(packed: str) -> None:
    for drawers, people in (("first_half", range(10)), ("second_half", range(10, 20))):
        family = Omniglot(drawers=drawers, queries=9, rotations="none")  # type: ignore[arg-type]
        episode = family.sample(Rng(4), "test")
        ids = np.concatenate([episode.ids, episode.held_ids])
        who = whose(family.class_pool("test").members[ids], drawings(episode))
        assert set(who) == set(people)


@pytest.mark.pack
@there
@needs("pool", ["train", "test"])
def test_within_an_alphabet_all_classes_are_of_it_and_turned_alike(
    packed: str, pool: str
) -> None:
    family = Omniglot(within="alphabet", rotations="all", ways=10, queries=1)
    family.check()
    of, deck, seen = (
        omniglot.load_characters(28).alphabet,
        family.class_pool(pool),
        set(),
    )
    for place in range(30):
        ids = family.sample(Rng(5).child(place), pool).ids
        alphabets = set(of[deck.members[ids % deck.member_count]])
        assert len(alphabets) == len(set(ids // deck.member_count)) == 1
        seen |= alphabets
    assert len(seen) > 4


@pytest.mark.pack
@there
def test_held_out_alphabets_are_tested_only(packed: str) -> None:
    family = Omniglot(split="mixed", alphabets="held_out")
    family.check()
    found = omniglot.split_pools("mixed")
    np.testing.assert_array_equal(family.class_pool("test").members, found["held_out"])
    for pool in ("train", "validation"):
        np.testing.assert_array_equal(family.class_pool(pool).members, found[pool])


@pytest.mark.pack
@there
def test_more_shots_leave_classes_and_queries_as_they_were(packed: str) -> None:
    few, many = (Omniglot(shots=k).sample(Rng(6), "test") for k in (1, 5))
    np.testing.assert_array_equal(few.held_x, many.held_x)
    np.testing.assert_array_equal(few.held_ids, many.held_ids)


@pytest.mark.pack
@there
def test_uneven_supports_keep_their_size_and_share_no_drawing(packed: str) -> None:
    family = Omniglot(shots=4, queries=6, balance="uneven", rotations="none")
    seen = set()
    for place in range(20):
        episode = family.sample(Rng(7).child(place), "test")
        counts = np.bincount(episode.y, minlength=5)
        assert counts.sum() == 20 and counts.min() >= 1 and counts.max() <= 14
        assert np.bincount(episode.held_y).tolist() == [6] * 5
        assert len(np.unique(drawings(episode), axis=0)) == 50
        seen.add(int(counts.max()))
    assert len(seen) > 3


@pytest.mark.pack
@there
def test_what_does_not_fit_is_refused_with_the_numbers(packed: str) -> None:
    refused = [
        ({"shots": 10, "queries": 11}, "are 21 examples .* only 20 people drew it"),
        ({"drawers": "first_half"}, "are 16 examples .* only 10 people drew it"),
        ({"train_queries": 19, "shots": 5}, "5 shots and 19 queries are 24 examples"),
        (OFFICIAL | {"ways": 5}, "the author's 20 runs need ways 20, not 5"),
        (OFFICIAL | {"split": "vinyals"}, "need split 'author', not 'vinyals'"),
        ({"alphabets": "held_out"}, "'vinyals' holds out no alphabets"),
        (
            {"within": "alphabet", "ways": 50},
            "50 ways .* the validation pool has 46 classes in one of its groups",
        ),
    ]
    for knobs, told in refused:
        with pytest.raises(Refused, match=told):
            Omniglot(**knobs).check()
    Omniglot(ways=100, train_ways=200, train_queries=5).check()


OFFICIAL = {"within": "official", "ways": 20, "queries": 1, "split": "author"}


@pytest.mark.pack
@there
def test_the_official_runs_are_of_one_alphabet_two_people_and_no_training(
    packed: str,
) -> None:
    """Pixel cosine errs in 76.0 % at another resizing; 400 queries, σ = 2.1."""
    every, family, wrong = omniglot.load_characters(28), Omniglot(**OFFICIAL), []
    family.check()
    tested = set(omniglot.split_pools("author")["test"].tolist())
    for run in range(20):
        episode = family.sample(Rng(9).child("test", 0, run), "test")
        assert episode.outputs == 20 and episode.x.shape == episode.held_x.shape
        assert set(episode.ids.tolist()) <= tested
        assert len(set(every.alphabet[episode.ids])) == 1
        of = np.concatenate([episode.ids, episode.held_ids])
        people = whose(of, drawings(episode))
        assert len(set(people[:20])) == len(set(people[20:])) == 1
        wrong.append(np.mean(_nearest(episode) != episode.held_y))
    assert 100 * np.mean(wrong) == pytest.approx(76.0, abs=4.2)
    np.testing.assert_array_equal(
        family.sample(Rng(0), "test").x, family.sample(Rng(1).child("a", 0), "test").x
    )


def test_only_the_official_runs_are_a_fixed_list() -> None:
    assert Omniglot(**OFFICIAL).test_task_limit() == 20
    assert Omniglot().test_task_limit() is None


def _nearest(episode: Episode) -> np.ndarray:
    """Answer each query by the support example of the highest cosine."""
    x, held = (e / np.linalg.norm(e, axis=0) for e in (episode.x, episode.held_x))
    return np.asarray(episode.y[(held.T @ x).argmax(1)])


@pytest.fixture
def no_pack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Make it as if there were no pack."""
    monkeypatch.setenv("METASCOPE_DATA", str(tmp_path))
    omniglot.load_characters.cache_clear()
    omniglot.split_pools.cache_clear()
    load_class_pool.cache_clear()
    yield tmp_path
    omniglot.load_characters.cache_clear()
    omniglot.split_pools.cache_clear()
    load_class_pool.cache_clear()


def test_without_either_source_the_file_is_named(no_pack: Path) -> None:
    assert Omniglot.missing_file().startswith("omniglot28.npz (or")
    with pytest.raises(Refused, match=r"needs omniglot28\.npz in the data pack"):
        Omniglot().check()
    for file in omniglot.ARCHIVES:
        (no_pack / file).write_bytes(b"something else")
    assert Omniglot.missing_file() == ""
    with pytest.raises(
        Refused, match=r"images_background\.zip is damaged or another version"
    ):
        Omniglot().check()
