"""What searches teach, as three pure calls for one's own code.

`suggest_next` says which architecture to train next, `update_policy` takes trained
architectures into the knowledge, and `extract_patterns` says in words what they have
in common. The knowledge is a `Meta` as warm evolution keeps it: a frozen artefact of
a run is one, and so is what these calls return.

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

from engine.algorithms.search.knowledge.knowledge_base import (
    BaseSizes,
    ExperienceBatch,
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
from engine.stats.search.motifs import Motif, describe_principles, find_motifs

SMOOTHING = 1.0
TRIES = 100
Architecture = tuple[int, ...]


@dataclass(frozen=True)
class Experience:
    """One trained architecture.

    Args:
        architecture: Option taken at each position, as numbers from 0.
        accuracy: Share from 0 to 1; None where the training failed.
        task: Number of the task it was trained on.
        step: Which evaluation of its search it was.
        search: Which search.
    """

    architecture: Architecture
    accuracy: float | None
    task: int = 0
    step: int = 0
    search: int = 0


@dataclass(frozen=True)
class History:
    """Experiences of one space.

    Args:
        space: What the architectures are of.
        experiences: In the order in which they were made.
        tasks: Names of the tasks.
    """

    space: Space
    experiences: tuple[Experience, ...]
    tasks: tuple[str, ...] = ("task 1",)


@dataclass(frozen=True)
class SearchState:
    """A search under way.

    Args:
        space: What is searched.
        trained: What it has trained so far, in order.
        seeds: How many of the best known architectures are trained first.
        population: How many of the last trained may be changed.
        sample: How many of these compete to be changed.
    """

    space: Space
    trained: tuple[Experience, ...] = ()
    seeds: int = 10
    population: int = 10
    sample: int = 10


@dataclass(frozen=True)
class Patterns:
    """What experiences have in common: motifs, and the same in words."""

    motifs: tuple[Motif, ...]
    principles: tuple[str, ...]


def new_meta(
    space: Space, tasks: int = 1, *, best: int = 100, capacity: int = 1000
) -> Meta:
    """Return knowledge without experiences.

    Args:
        space: What will be known about.
        tasks: How many tasks there are.
        best: How many of the best experiences are kept.
        capacity: How many experiences in all; the others are a uniform sample.
    """
    sizes = BaseSizes(best, max(best, capacity))
    return Meta(empty_base(space, 1, sizes, tasks).to_weights(), {})


def suggest_next(meta: Meta, state: SearchState, rng: Rng) -> Architecture:
    """Say which architecture to train next; the same arguments give the same answer.

    First the best that the knowledge holds, over all of its tasks. Then the winner of
    a tournament among the search's own last ones, with one decision changed: the new
    option is drawn as often as the best known and the search's own best have it.
    Where nothing is known every option is as likely. What was trained already is not
    suggested again, while there is anything else.

    Args:
        meta: The knowledge, of this very space.
        state: The search so far.
        rng: The stream of this search; each evaluation draws from a child of its own.

    Raises:
        Refused: If the knowledge is of another space, or an experience does not fit.
    """
    base = _read_base(meta, state.space)
    _check_experiences(state.space, state.trained, None)
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
    """Take experiences into the knowledge; returns the new one.

    Its size does not grow: the best of each task are kept, and of the others a
    uniform sample. It does not matter whether experiences come one by one or at once,
    as far as the sample is concerned; what counts as best is judged by the mean and
    spread of each task so far.

    Args:
        meta: The knowledge so far.
        experiences: New ones, of the same space.

    Raises:
        Refused: If they are of another space, or one of them does not fit.
    """
    base = _read_base(meta, experiences.space)
    _check_experiences(
        experiences.space, experiences.experiences, base.moments.shape[1]
    )
    if not experiences.experiences:
        return meta
    found = _to_batch(experiences.experiences, len(base.seen))
    dice = np.stack(
        [_draw_uniform(int(seen), found.task.shape[1]) for seen in base.seen]
    )
    return Meta(add_experiences(base, found, dice).to_weights(), meta.memory)


def extract_patterns(experiences: History) -> Patterns:
    """Say which motifs go with accuracy and with failures, and how sure that is.

    Raises:
        Refused: If an experience does not fit.

    Returns:
        Motifs, the largest effect first, and the surest of them as sentences.
    """
    space, made = experiences.space, experiences.experiences
    _check_experiences(space, made, len(experiences.tasks))
    if not made:
        return Patterns((), ())
    found = _to_batch(made, 1)
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
    """Return the uniform sample that the knowledge holds, for `extract_patterns`.

    The best are left out: whoever looks at the best alone sees no difference.
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


def _option_probabilities(base: KnowledgeBase, state: SearchState) -> np.ndarray:
    """Return how likely each option is among the best known and one's own best."""
    known = best_architectures(base, 0, int(base.top[0]))
    own = sorted(
        (each for each in state.trained if each.accuracy is not None),
        key=lambda each: -float(each.accuracy or 0.0),
    )[: state.population]
    mine = np.array([each.architecture for each in own], np.int64)
    rows = [known.reshape(-1, len(state.space.radix))] + [mine] * bool(len(mine))
    return option_shares(state.space, np.concatenate(rows), SMOOTHING)


def _draw_architecture(
    table: np.ndarray, state: SearchState, dice: np.random.Generator
) -> Architecture:
    """Draw a whole architecture, or change the winner of a tournament."""
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
        chances[codes[at]] = 0.0
        codes[at] = int(dice.choice(radix[at], p=chances / chances.sum()))
    return tuple(codes)


def _value_or_failure(each: Experience) -> float:
    return -1.0 if each.accuracy is None else each.accuracy


def _read_base(meta: Meta, space: Space) -> KnowledgeBase:
    """Read the knowledge.

    Raises:
        Refused: If there is none in it, or of another space.
    """
    if missing := set(KnowledgeBase._fields) - set(meta.weights):
        raise Refused(f"this is no knowledge base: it lacks {min(missing)}", "meta")
    base = KnowledgeBase.from_weights(meta.weights)
    if not (base.space == space_fingerprint(space)).all():
        raise Refused(f"this knowledge is of another space than {space.name}", "meta")
    return base


def _check_experiences(
    space: Space, made: tuple[Experience, ...], tasks: int | None
) -> None:
    for i, each in enumerate(made):
        where, codes = f"experience {i + 1}", each.architecture
        fits = len(codes) == len(space.radix) and all(
            0 <= code < r for code, r in zip(codes, space.radix, strict=True)
        )
        if not fits:
            raise Refused(f"{where} is no architecture of {space.name}", "architecture")
        if each.accuracy is not None and not 0.0 <= each.accuracy <= 1.0:
            raise Refused(
                f"{where}: an accuracy is a share from 0 to 1, not {each.accuracy}",
                "accuracy",
            )
        if each.task < 0 or (tasks is not None and each.task >= tasks):
            raise Refused(f"{where}: there is no task number {each.task}", "task")


def _to_batch(made: tuple[Experience, ...], replicates: int) -> ExperienceBatch:
    accuracy = [np.nan if e.accuracy is None else e.accuracy for e in made]
    columns = (
        np.array([e.architecture for e in made], np.int64),
        np.array(accuracy, np.float64),
        *np.array([(e.task, e.step, e.search) for e in made], np.int64).T,
        np.ones(len(made), bool),
    )
    return ExperienceBatch(*(np.stack([column] * replicates) for column in columns))


def _draw_uniform(seen: int, count: int) -> np.ndarray:
    """Return one uniform number per experience, by how many came before it."""
    streams = (Rng(0).child("sample", seen + i) for i in range(count))
    return np.array([generator(rng).random() for rng in streams])
