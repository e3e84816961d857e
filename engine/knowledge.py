"""Transfer knowledge between architecture searches: three pure functions.

`suggest_next` returns the architecture to train next, `update_policy` adds trained
architectures to the knowledge base, and `extract_patterns` describes in words what
they have in common. The knowledge base is the `Meta` of warm evolution: both a frozen
artefact of a run and the return value of `update_policy` can be passed in.

>>> space = Space("toy", ("a", "b"), (("x", "y"), ("p", "q", "r")))
>>> past = History(space, tuple(
...     Experience((i % 2, i % 3), 0.5 + 0.2 * (i % 2)) for i in range(60)))
>>> meta = update_policy(new_meta(space), past)
>>> suggest_next(meta, SearchState(space), Rng(1))
(1, 0)
>>> extract_patterns(past).principles[0].partition(":")[0] in (
...     "Prefer a = y", "Avoid a = x")
True
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from engine.algorithms.search.knowledge.history import (
    Architecture,
    Experience,
    History,
    check_experiences,
    experience_batch,
)
from engine.algorithms.search.knowledge.knowledge_base import (
    BaseSizes,
    KnowledgeBase,
    add_experiences,
    empty_base,
    space_fingerprint,
)
from engine.algorithms.search.knowledge.queries import best_architectures, option_shares
from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.data.user.knowledge_records import experience_arrays
from engine.protocol import Meta, Space, generator
from engine.stats.search.design_principles import describe_principles
from engine.stats.search.motifs import Motif, find_motifs

SMOOTHING = 1.0  # Laplace: an option that was never taken keeps a chance
TRIES = 100  # draws before a repeated architecture is accepted


@dataclass(frozen=True)
class SearchState:
    """A search in progress.

    Args:
        space: The space that is searched.
        trained: Architectures trained so far, in order.
        seeds: Number of best known architectures to train first.
        population: Number of most recent architectures that may become parents.
        sample: Tournament size: how many of these compete to be the parent.
    """

    space: Space
    trained: tuple[Experience, ...] = ()
    seeds: int = 10
    population: int = 10
    sample: int = 10


@dataclass(frozen=True)
class Patterns:
    """Motifs that go with accuracy or failure, and the same as sentences."""

    motifs: tuple[Motif, ...]
    principles: tuple[str, ...]


def new_meta(
    space: Space, tasks: int = 1, *, best: int = 100, capacity: int = 1000
) -> Meta:
    """Return an empty knowledge base.

    Args:
        space: The space that it will describe.
        tasks: Number of tasks.
        best: Number of best experiences to keep.
        capacity: Number of experiences to keep in all; those beyond the best are a
            uniform sample of everything seen.

    Returns:
        A `Meta` with one replicate, to pass to `update_policy`.
    """
    sizes = BaseSizes(best, max(best, capacity))
    return Meta(empty_base(space, 1, sizes, tasks).to_weights(), {})


def suggest_next(meta: Meta, state: SearchState, rng: Rng) -> Architecture:
    """Return the architecture to train next; equal arguments give equal answers.

    The first `state.seeds` suggestions are the best architectures of the knowledge
    base, over all of its tasks. After that, the winner of a tournament among the
    search's most recent architectures is mutated in one decision; the new option is
    drawn in proportion to how often the best known architectures and the best of this
    search have it. Without any knowledge all options are equally likely. An
    architecture that was trained already is suggested again only if 100 draws find
    no other.

    Args:
        meta: Knowledge base of the same space.
        state: The search so far.
        rng: Random stream of this search; each evaluation draws from its own child.

    Returns:
        Index of the option at each position.

    Raises:
        Refused: If the knowledge base belongs to another space, or an experience does
            not fit the space.
    """
    base = _read_base(meta, state.space)
    check_experiences(state.space, state.trained, None)
    tried = {each.architecture for each in state.trained}
    if len(state.trained) < state.seeds:
        for codes in best_architectures(base, 0, state.seeds).tolist():
            if tuple(codes) not in tried:
                return tuple(codes)
    dice = generator(rng.child("suggest", len(state.trained)))
    table = _option_probabilities(base, state)
    for _ in range(TRIES):
        found = _draw_architecture(table, state, dice)
        if found not in tried:
            return found
    return found


def update_policy(meta: Meta, experiences: History) -> Meta:
    """Return the knowledge base with experiences added; `meta` is not changed.

    Its size is bounded: it keeps the best experiences and a uniform sample of all.
    The sample does not depend on whether experiences are added one by one or at once.
    The ranking of the best may, because it uses the mean and standard deviation of
    each task's accuracies so far.

    Args:
        meta: The knowledge base so far.
        experiences: New experiences, of the same space.

    Returns:
        The new knowledge base; `meta` itself if there are no experiences.

    Raises:
        Refused: If they belong to another space, or one of them does not fit it.
    """
    base = _read_base(meta, experiences.space)
    check_experiences(experiences.space, experiences.experiences, base.moments.shape[1])
    if not experiences.experiences:
        return meta
    found = experience_batch(experiences.experiences, len(base.seen))
    dice = np.stack(
        [_draw_uniform(int(seen), found.task.shape[1]) for seen in base.seen]
    )
    return Meta(add_experiences(base, found, dice).to_weights(), meta.memory)


def extract_patterns(experiences: History) -> Patterns:
    """Find motifs associated with accuracy or failure, with their uncertainty.

    Args:
        experiences: Trained architectures, best an unbiased sample (see `recall`).

    Returns:
        Motifs, largest effect first, and the most certain of them as sentences.

    Raises:
        Refused: If an experience does not fit the space or its tasks.
    """
    space, made = experiences.space, experiences.experiences
    check_experiences(space, made, len(experiences.tasks))
    if not made:
        return Patterns((), ())
    found = experience_batch(made, 1)
    listed = find_motifs(
        found.codes[0],
        found.accuracy[0],
        space.options,
        space.edges,
        positions=space.positions,
        task=found.task[0],
    )
    return Patterns(
        tuple(listed), tuple(describe_principles(listed, experiences.tasks))
    )


def recall(meta: Meta, space: Space, tasks: tuple[str, ...]) -> History:
    """Return the knowledge base's uniform sample, for `extract_patterns`.

    The best are left out: a sample selected for accuracy would bias the comparison.

    Args:
        meta: Knowledge base of the same space.
        space: The space that it describes.
        tasks: Names of its tasks, in order.

    Raises:
        Refused: If the knowledge base belongs to another space.
    """
    base = _read_base(meta, space)
    entries = experience_arrays(base._asdict(), 0, int(base.top[0]))
    sample = entries.take(~entries.best)
    rows = zip(*(column.tolist() for column in sample), strict=True)
    made = tuple(
        Experience(tuple(codes), share if np.isfinite(share) else None, *counts)
        for codes, share, *counts, _best in rows
    )
    return History(space, made, tasks)


def _option_probabilities(
    base: KnowledgeBase, state: SearchState
) -> Float[np.ndarray, "position option"]:
    """Return the share of each option among the best known and this search's best."""
    known = best_architectures(base, 0, int(base.top[0]))
    own = sorted(
        (each for each in state.trained if each.accuracy is not None),
        key=lambda each: -float(each.accuracy or 0.0),
    )[: state.population]
    mine = np.array([each.architecture for each in own], np.int64)
    rows = [known.reshape(-1, len(state.space.radix))] + [mine] * bool(len(mine))
    return option_shares(state.space, np.concatenate(rows), SMOOTHING)


def _draw_architecture(
    table: Float[np.ndarray, "position option"],
    state: SearchState,
    dice: np.random.Generator,
) -> Architecture:
    """Draw an architecture from the shares, or mutate the winner of a tournament."""
    radix = state.space.radix
    if not state.trained:
        rows = zip(radix, table, strict=True)
        return tuple(int(dice.choice(r, p=row[:r])) for r, row in rows)
    living = state.trained[-state.population :]
    rivals = dice.integers(len(living), size=state.sample)
    winner = max((living[i] for i in rivals), key=lambda each: _value_or_failure(each))
    codes = list(winner.architecture)
    free = [p for p, r in enumerate(radix) if r > 1]
    if free:
        at = free[int(dice.integers(len(free)))]
        chances = table[at, : radix[at]].copy()
        chances[codes[at]] = 0.0  # a mutation must change the option
        codes[at] = int(dice.choice(radix[at], p=chances / chances.sum()))
    return tuple(codes)


def _value_or_failure(each: Experience) -> float:
    return -1.0 if each.accuracy is None else each.accuracy


def _read_base(meta: Meta, space: Space) -> KnowledgeBase:
    """Return the knowledge base that a meta-learner's weights hold.

    Raises:
        Refused: If they hold none, or one of another space.
    """
    if missing := set(KnowledgeBase._fields) - set(meta.weights):
        raise Refused(f"this is no knowledge base: it lacks {min(missing)}", "meta")
    base = KnowledgeBase.from_weights(meta.weights)
    if not (base.space == space_fingerprint(space)).all():
        raise Refused(
            f"this knowledge base belongs to another space than {space.name}", "meta"
        )
    return base


def _draw_uniform(seen: int, count: int) -> Float[np.ndarray, " experience"]:
    """Return one uniform number per experience, seeded by its rank among all seen."""
    streams = (Rng(0).child("sample", seen + i) for i in range(count))
    return np.array([generator(rng).random() for rng in streams])
