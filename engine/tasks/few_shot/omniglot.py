"""Omniglot: handwritten characters of 50 alphabets, each by 20 writers.

Source: Lake, Salakhutdinov and Tenenbaum (2015); the few-shot protocol and its split
into 1028 / 172 / 423 characters: Vinyals et al. (2016), arXiv:1606.04080, as published
with prototypical networks, Snell et al. (2017), arXiv:1703.05175.
Differs: by default rotated characters are extra classes in meta-training only, and
tests use the 423 upright ones; the papers rotate test characters, too (a knob).
Helps: as the image task of the published tables: 4112 training classes, few examples.
"""

from typing import ClassVar, Literal

import numpy as np

from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.data.sources import omniglot
from engine.data.sources.omniglot_zip_reader import DRAWERS
from engine.protocol import Episode, generator
from engine.tasks import knobs
from engine.tasks.few_shot._class_pools import (
    ClassPool,
    check_ways,
    turn_count,
)
from engine.tasks.few_shot._family import EpisodeFamily, with_training_sizes
from engine.tasks.few_shot._omniglot_pools import draw_characters, load_class_pool
from engine.tasks.few_shot._sampling import (
    EpisodeIndices,
    image_episode,
    pick_examples,
    support_counts,
)

RUNS = 20  # of the author's one-shot test
PEOPLE = {
    "all": np.arange(DRAWERS),
    "first_half": np.arange(DRAWERS // 2),
    "second_half": np.arange(DRAWERS // 2, DRAWERS),
}


@register("family")
class Omniglot(EpisodeFamily):
    """x: pixels in [0, 1], ink bright; y: which of N characters drawn from its pool."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    net: ClassVar[str] = "conv4"
    pooled: ClassVar[bool] = True

    ways: int = knobs.ways(5)
    shots: int = knobs.shots(1, high=19)
    queries: int = knobs.queries(15, high=19)
    train_ways: int = knobs.train_ways()
    train_shots: int = knobs.train_shots(high=19)
    train_queries: int = knobs.train_queries(high=19)
    split: Literal["vinyals", "author", "mixed"] = knob(
        "vinyals",
        label="Split",
        help="Vinyals: 1028 / 172 / 423 characters; author: 792 / 172 / 659, with new "
        "test alphabets; mixed: each pool has characters of the same 40 alphabets.",
    )
    rotations: knobs.Rotations = knobs.rotations("train")
    within: Literal["all", "alphabet", "official"] = knob(
        "all",
        label="Classes from",
        help="All alphabets of the pool, or one random alphabet per task, which is "
        "harder. Official: one in training, and test task n is the author's run n of "
        "20; use at most 20 test tasks.",
    )
    side: knobs.Side = knobs.side()
    balance: knobs.Balance = knobs.balance()
    normalize: knobs.Normalize = knobs.normalize()
    drawers: Literal["all", "first_half", "second_half"] = knob(
        "all",
        label="Writers",
        advanced=True,
        help="Use the drawings of all 20 writers, or of 10 of them.",
    )
    alphabets: Literal["known", "held_out"] = knob(
        "known",
        label="Test alphabets",
        advanced=True,
        help="With the mixed split: characters of the 40 alphabets of meta-training, "
        "or of the 10 others.",
    )

    @classmethod
    def missing_file(cls) -> str:
        """Return which file this family lacks; empty if none."""
        return omniglot.missing_source()

    def check(self) -> None:
        """Check that there are enough examples and classes, and that choices agree."""
        if self.alphabets == "held_out" and self.split != "mixed":
            raise Refused(
                f"the split {self.split!r} holds out no alphabets; choose 'mixed' to "
                "test on held-out alphabets",
                "alphabets",
            )
        _check_official(self)
        _check_examples(self)
        check_ways(self, omniglot.POOLS)

    def test_task_limit(self) -> int | None:
        """Return 20 for the official runs; other episodes are drawn anew."""
        return RUNS if self.within == "official" else None

    def sample(self, rng: Rng, pool: str) -> Episode:
        """Choose characters of the pool and their rotations, then the writers."""
        if self.within == "official" and pool == "test":
            return self.official_episode(_task_number(rng))
        draw = generator(rng.child("data"))
        classes = self.class_pool(pool)
        ids = classes.choose_classes(draw, self.ways)
        drawers = PEOPLE[self.drawers]
        most = len(drawers) - self.queries
        counts = support_counts(draw, self.ways, self.shots, most, self.balance)
        # A random permutation of the writers for each way.
        order = drawers[draw.random((self.ways, len(drawers))).argsort(axis=1)]
        picks = pick_examples(counts, self.queries, order)
        images = draw_characters(classes, ids[picks.way], picks.example, int(self.side))
        return image_episode(images, picks, ids, self.class_pool("train").class_count)

    def class_pool(self, pool: str) -> ClassPool:
        """Return the classes of a pool."""
        apart = pool == "test" and self.alphabets == "held_out"
        name = "held_out" if apart else pool
        return load_class_pool(
            self.split, name, turn_count(self.rotations, pool), self.within
        )

    def official_episode(self, run: int) -> Episode:
        """Return one of the author's 20 runs: 20-way, one-shot, within an alphabet.

        Args:
            run: Number of the run, from 0 to 19.
        """
        runs = omniglot.one_shot_runs()
        every = omniglot.load_characters(int(self.side))
        chosen = np.concatenate([runs.support[run], runs.query[run]])
        count = len(runs.support[run])
        way = np.concatenate([np.arange(count), runs.answer[run]])
        picks = EpisodeIndices(way, chosen[:, 1], count)
        images = every.images[chosen[:, 0], picks.example]
        known = self.class_pool("train").class_count
        return image_episode(images, picks, runs.support[run, :, 0], known)


def _task_number(rng: Rng) -> int:
    """Return the number of a stream's task: the last part of its path."""
    last = rng.path[-1] if rng.path else 0
    return last if isinstance(last, int) else 0


def _check_official(family: Omniglot) -> None:
    """Check that sizes and split match the author's runs."""
    if family.within != "official":
        return
    wanted = {"ways": 20, "shots": 1, "queries": 1, "split": "author"}
    for name, value in wanted.items():
        if getattr(family, name) != value:
            raise Refused(
                f"the author's 20 runs need {name} {value!r}, not "
                f"{getattr(family, name)!r}",
                name,
            )
    omniglot.one_shot_runs()


def _check_examples(family: Omniglot) -> None:
    drawers = len(PEOPLE[family.drawers])
    for one in (family, with_training_sizes(family)):
        if (each := one.shots + one.queries) > drawers:
            raise Refused(
                f"{one.shots} shots and {one.queries} queries are {each} examples of a "
                f"character, but only {drawers} people drew it: choose {drawers} or "
                "fewer together",
                "queries" if one is family else "train_queries",
            )
