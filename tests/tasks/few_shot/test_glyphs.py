from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.data.sources import font_bitmaps
from engine.data.sources.checksums import sha256
from engine.data.sources.glyph_classes import (
    ALIKE,
    build_glyph_classes,
    cosine_similarity,
    distinct_indices,
    ink_depths,
)
from engine.data.sources.glyph_classes import GlyphClasses as Classes
from engine.tasks.few_shot._distortions import (
    Distortion,
    draw_shapes,
    interpolate,
    sample_positions,
)
from engine.tasks.few_shot.glyphs import Glyphs

DIVISION = {
    "train": (1424, "50b63d9e"),
    "validation": (356, "341facc5"),
    "test": (445, "be8869b5"),
    "held_out": (266, "2d0f9b95"),
}
STILL = Distortion(0.0, 0.0, 0.0, 0.0)


@cache
def classes() -> Classes:
    return build_glyph_classes()


def seed(place: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(place))


def test_there_are_thousands_of_classes_and_no_pool_shares_one() -> None:
    pools = list(classes().pools.values())
    every = np.concatenate(pools)
    assert len(every) == len(set(every)) == len(classes().characters) > 2000
    assert [len(pool) > 200 for pool in pools] == [True] * 4


def test_the_division_is_the_same_for_ever() -> None:
    """Another drawing library may blur a glyph otherwise; then this fails first."""
    held = classes()
    texts = {
        name: "".join(held.characters[place] for place in pool)
        for name, pool in held.pools.items()
    }
    assert {
        name: (len(t), sha256(t.encode())[:8]) for name, t in texts.items()
    } == DIVISION


def test_look_alikes_of_three_scripts_are_one_class() -> None:
    alike = ["A", "Α", "А", "B", "c", "C", "С"]  # Latin, Greek, Cyrillic
    drawn = font_bitmaps.draw_bitmaps(alike)
    assert distinct_indices(drawn).tolist() == [0, 3, 4]
    held = classes().characters
    assert "A" in held and "Α" not in held and "А" not in held


def test_no_two_classes_look_alike_and_no_pair_is_decided_by_rounding() -> None:
    every = font_bitmaps.font_characters()
    drawn = font_bitmaps.draw_bitmaps(every)
    marked = np.flatnonzero(drawn.any(axis=(1, 2)))
    pairs = cosine_similarity(drawn[marked])
    assert np.abs(pairs - ALIKE).min() > 1e-5
    names = {every[place]: row for row, place in enumerate(marked)}
    rows = [names[character] for character in classes().characters]
    near = pairs[np.ix_(rows, rows)]
    np.fill_diagonal(near, 0.0)
    assert near.max() < ALIKE


def test_blanks_and_the_missing_glyph_are_no_classes() -> None:
    blank = np.zeros((1, 48, 48), np.uint8)
    drawn = np.concatenate([blank, font_bitmaps.draw_bitmaps("AB"), blank])
    assert distinct_indices(drawn).tolist() == [1, 2]
    missing = font_bitmaps.missing_glyph()
    both = np.concatenate([missing, font_bitmaps.draw_bitmaps(classes().characters)])
    assert cosine_similarity(both)[0, 1:].max() < ALIKE


def test_held_out_scripts_are_in_no_other_pool() -> None:
    held = classes()
    scripts = {
        name: {font_bitmaps.script(held.characters[place]) for place in pool}
        for name, pool in held.pools.items()
    }
    assert scripts["held_out"] == {"ARMENIAN", "GEORGIAN", "HEBREW", "LAO", "TIFINAGH"}
    others = scripts["train"] | scripts["validation"] | scripts["test"]
    assert not scripts["held_out"] & others
    assert {"LATIN", "GREEK", "CYRILLIC", "ARABIC"} <= scripts["train"]


def test_test_scripts_can_be_those_never_seen() -> None:
    apart = Glyphs(alphabets="held_out")
    known = Glyphs()
    np.testing.assert_array_equal(
        apart.class_pool("test").members, classes().pools["held_out"]
    )
    for pool in ("train", "validation"):
        assert apart.class_pool(pool) is known.class_pool(pool)


def test_another_font_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = tmp_path / font_bitmaps.FILE
    other.write_bytes(b"no font")
    monkeypatch.setattr(font_bitmaps, "font_path", lambda: other)
    with pytest.raises(Refused, match=r"another version.*restore DejaVuSans"):
        font_bitmaps.font_bytes()
    other.unlink()
    assert font_bitmaps.missing_font() == "DejaVuSans.ttf"


def test_without_wildness_a_glyph_is_drawn_as_the_font_draws_it() -> None:
    drawn = font_bitmaps.draw_bitmaps("R")
    shape = draw_shapes(ink_depths(drawn), 48, STILL, seed())[0]
    assert np.abs(shape - drawn[0] / 255).mean() < 0.03
    assert np.corrcoef(shape.ravel(), drawn[0].ravel())[0, 1] > 0.98


def test_looking_up_between_pixels_is_what_scipy_does() -> None:
    depth = seed(1).normal(size=(3, 48, 48)).astype(np.float32)
    where = sample_positions(3, 28, Distortion(2.0, 6.0, 0.0, 0.0), seed(2))
    for place in range(3):
        pixel = (where[:, place] + 1) * 24 - 0.5
        truth = map_coordinates(depth[place], pixel, order=1, mode="nearest")
        got = interpolate(depth, where)[place]
        np.testing.assert_allclose(got, truth, atol=2e-4)


def test_a_turn_is_a_turn() -> None:
    """Half a side down and none right looks down there, whatever the slant is."""
    still = sample_positions(1, 14, STILL, seed())[:, 0]
    center = 2 * (np.arange(14) + 0.5) / 14 - 1
    np.testing.assert_allclose(still[0], np.tile(center[:, None], 14), atol=1e-6)
    np.testing.assert_allclose(still[1], np.tile(center, (14, 1)), atol=1e-6)


def test_bending_is_as_large_as_asked_everywhere() -> None:
    still = sample_positions(1, 28, STILL, seed())
    bent = sample_positions(4000, 28, Distortion(0.0, 3.0, 0.0, 0.0), seed(3)) - still
    percent = 100 * bent.std(axis=(0, 1)) / 2  # of the side, which is 2 long
    np.testing.assert_allclose(percent, 3.0, rtol=0.08)


def test_stroke_and_paleness_do_what_they_say() -> None:
    depth = np.repeat(ink_depths(font_bitmaps.draw_bitmaps("O")), 200, axis=0)
    ink = draw_shapes(depth, 28, STILL._replace(stroke=3.0), seed()).sum((1, 2))
    assert ink.max() > 1.6 * ink.min()
    pale = draw_shapes(depth, 28, STILL._replace(contrast=0.4), seed()).max((1, 2))
    assert 0.6 <= pale.min() < 0.65 and 0.95 < pale.max() <= 1.0


def test_examples_of_a_class_are_near_each_other_but_not_the_same() -> None:
    hits = []
    for place in range(60):
        episode = Glyphs(queries=5).sample(Rng(4).child(place), "test")
        assert episode.x.min() >= 0.0 and episode.x.max() <= 1.0
        near = _cosine(episode.held_x, episode.x).argmax(1)
        hits.append(np.mean(episode.y[near] == episode.held_y))
    assert 0.4 < np.mean(hits) < 0.8


def _cosine(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    one, two = (some / np.linalg.norm(some, axis=0) for some in (one, two))
    return np.asarray(one.T @ two)


def test_uneven_supports_keep_their_size() -> None:
    family = Glyphs(shots=5, balance="uneven")
    counts = [np.bincount(_drawn(family, s).y, minlength=5) for s in range(20)]
    assert {int(count.sum()) for count in counts} == {25}
    assert min(count.min() for count in counts) == 1
    assert max(count.max() for count in counts) > 9


def _drawn(family: Glyphs, place: int):  # noqa: ANN202
    return family.sample(Rng(1).child(place), "train")


def test_more_ways_than_classes_are_refused_with_the_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = dict(classes().pools) | {"validation": np.arange(3)}
    monkeypatch.setattr(
        "engine.tasks.few_shot.glyphs.build_glyph_classes",
        lambda: Classes(classes().characters, classes().depth, few),
    )
    from engine.tasks.few_shot import glyphs as module

    module._load_pool.cache_clear()
    with pytest.raises(Refused, match="5 ways are too many: the validation pool has 3"):
        Glyphs().check()
    module._load_pool.cache_clear()
