"""Meta-training of policy and value nets shared by the searches of several tasks.

All searches of a replicate draw from one policy, which is updated once per evaluation
by all of them: an actor-critic over parallel tasks.

Source: Mnih et al. (2016), arXiv:1602.01783, for environments side by side.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from engine.algorithms.search.knowledge.knowledge_base import space_fingerprint
from engine.algorithms.search.policy import softmax_policy
from engine.algorithms.search.policy.actor_critic import (
    PolicyBatch,
    PolicyGradients,
    critic_explained_variance,
)
from engine.algorithms.search.policy.actor_critic_nets import (
    ActorCriticNets,
    select_live_nets,
)
from engine.algorithms.search.policy.curriculum import Curriculum, CurriculumOrder
from engine.algorithms.search.policy.policy_search import PolicySearch, UpdateContext
from engine.algorithms.search.policy.sequence_policy import draw_architectures
from engine.algorithms.search.policy.softmax_policy import RunningReward
from engine.algorithms.search.proposals import LISTED
from engine.algorithms.search.search_log import SearchLog
from engine.contract.rng import Rng
from engine.protocol import OuterStepContext, Proposal, SearchBatch, Weights, generator


class TrainingResult(NamedTuple):
    """Result of a meta-step.

    Args:
        nets: The updated nets; one row per replicate.
        value: Reward of each evaluation, NaN where nothing was trained; shape
            (replicate, task, step).
        info: Metrics; shape (replicate,) each.
    """

    nets: ActorCriticNets
    value: Float[np.ndarray, "replicate task step"]
    info: dict[str, Float[np.ndarray, " replicate"]]


def train_on_tasks(
    agents: PolicySearch,
    nets: ActorCriticNets,
    tasks: SearchBatch,
    learning: UpdateContext,
    swap: Int[np.ndarray, "member entry"] | None,
) -> TrainingResult:
    """Search all tasks at once with one policy per replicate, and train it.

    Args:
        agents: The strategy that updates the nets.
        nets: One row per replicate.
        tasks: Members are replicate × task.
        learning: Its context has shape (replicate, task, feature).
        swap: Permutation of the architectures as a negative control, from
            `draw_permutations`; None to train the proposed ones.
    """
    log, running = SearchLog.start(tasks), RunningReward.empty(tasks.members)
    space, shape = tasks.space, (len(nets.policy), -1)
    uniform = tasks.uniform("lesson", tasks.horizon, len(space.radix))
    seen: list[
        tuple[
            Float[np.ndarray, "replicate task"],
            Float[np.ndarray, "replicate task"],
            Bool[np.ndarray, "replicate task"],
            PolicyGradients,
        ]
    ] = []
    for step in range(tasks.horizon):
        drawn = uniform[:, step].reshape(*shape, len(space.radix))
        codes = draw_architectures(
            learning.frame, nets.policy, learning.context, drawn
        )[0]
        flat = codes.reshape(tasks.members, -1)
        trained = flat if swap is None else permute_codes(tasks, flat, swap)
        told, _ = log.evaluate(Proposal(trained), step)
        reward = np.maximum(told.value, 0.0)
        counts = told.live & (running.count > 0)
        running = running.update(reward, told.live)
        standard = running.standardize(reward).reshape(shape)
        none = np.full(standard.shape, np.nan)
        counts = counts.reshape(shape)
        batch = PolicyBatch(codes, learning.context, standard, none, 1.0 * counts)
        after, first, _ = agents.update_nets(nets, batch, learning)
        nets = select_live_nets(counts.any(1), after, nets)
        value = np.where(told.live, reward, np.nan).reshape(shape)
        seen.append((value, standard, counts, first))
    return _collect_result(nets, seen)


def _collect_result(
    nets: ActorCriticNets,
    seen: list[
        tuple[
            Float[np.ndarray, "replicate task"],
            Float[np.ndarray, "replicate task"],
            Bool[np.ndarray, "replicate task"],
            PolicyGradients,
        ]
    ],
) -> TrainingResult:
    value, standard, counts = (np.stack([s[i] for s in seen], -1) for i in range(3))
    worth = np.stack([s[3].values for s in seen], -2)
    worth = np.where(counts[..., None], worth, np.nan)
    entropy = np.stack([softmax_policy.entropies(s[3].prob).sum(-1) for s in seen], -1)
    many = np.maximum(counts.sum((1, 2)), 1)
    gap = np.square(standard[..., None] - worth).mean(-1)
    rows = len(value)
    trained = np.maximum((~np.isnan(value)).sum((1, 2)), 1)
    info = {
        "signal": np.nansum(value, (1, 2)) / trained,
        "entropy": entropy.mean((1, 2)),
        "value_loss": np.nansum(gap, (1, 2)) / many,
        "explained_variance": critic_explained_variance(
            standard.reshape(rows, -1), worth.reshape(rows, -1, worth.shape[-1])
        ),
    }
    return TrainingResult(nets, value, info)


def choose_source_tasks(
    course: Curriculum,
    order: CurriculumOrder,
    tasks: SearchBatch,
    step_context: OuterStepContext,
) -> tuple[Int[np.ndarray, "replicate task"], SearchBatch]:
    """Return the source tasks of a meta-step: as drawn, or by a curriculum.

    Args:
        course: The curriculum so far.
        order: Its order; uniform keeps the tasks as drawn.
        tasks: Members are replicate × task.
        step_context: Random streams, and the share of training that is over.

    Returns:
        Indices of sources, shape (replicate, task), and the searches.
    """
    sources, rows = np.array(tasks.sources), len(step_context.rngs)
    if order == "uniform":
        places = (sources == tasks.task_index[:, None]).argmax(1)
        return places.reshape(rows, -1), tasks
    each = tasks.members // rows
    uniform = [generator(rng.child("tasks")).random(each) for rng in step_context.rngs]
    places = course.choose_sources(order, np.stack(uniform), step_context.share_done)
    return places, tasks.with_tasks(sources[places].reshape(-1))


def draw_permutations(
    tasks: SearchBatch, rngs: tuple[Rng, ...]
) -> Int[np.ndarray, "member entry"]:
    """Draw a permutation of each source task's architectures, fixed over meta-steps.

    In spaces too large to be listed the permutation is an affine map of the index.

    Args:
        tasks: Members are replicate × task.
        rngs: One stream per replicate.

    Returns:
        Indices of shape (member, size), or (member, 2) for factor and offset.
    """
    size, each = tasks.space.size, tasks.members // len(rngs)
    rows = []
    for member, which in enumerate(tasks.task_index):
        draw = generator(rngs[member // each].child("shuffled", int(which)))
        if size <= LISTED:
            rows.append(draw.permutation(size))
            continue
        factor = int(draw.integers(1, size))
        # The map is one-to-one only if factor and size are coprime.
        while np.gcd(factor, size) != 1:
            factor = int(draw.integers(1, size))
        rows.append(np.array([factor, int(draw.integers(size))]))
    return np.stack(rows)


def permute_codes(
    tasks: SearchBatch,
    codes: Int[np.ndarray, "member position"],
    swap: Int[np.ndarray, "member entry"],
) -> Int[np.ndarray, "member position"]:
    """Apply a permutation to architectures.

    Args:
        tasks: The searches.
        codes: Shape (member, position).
        swap: As `draw_permutations` returns it.
    """
    index = tasks.space.index(codes)
    if tasks.space.size <= LISTED:
        return tasks.space.codes(swap[np.arange(len(index)), index])
    factor, offset = swap.astype(object).T  # Python integers: the product may overflow
    found = (index.astype(object) * factor + offset) % tasks.space.size
    return tasks.space.codes(found.astype(np.int64))


def visible_task_features(
    tasks: SearchBatch, *, told: bool
) -> Float[np.ndarray, "task feature"]:
    """Return the task features that the nets may see; (task, feature), maybe 0.

    Args:
        tasks: The searches; all tasks of their evaluator are described.
        told: Whether the nets see any features.
    """
    known = tasks.evaluator.features
    if known is None or not told:
        return np.zeros((len(tasks.evaluator.tasks), 0))
    return np.asarray(known, np.float64)


def feature_scale(
    known: Float[np.ndarray, "task feature"],
) -> Float[np.ndarray, "2 feature"]:
    """Return mean and standard deviation of the features; shape (2, feature).

    Args:
        known: Features of the source tasks; shape (task, feature).
    """
    spread = known.std(0)
    return np.stack([known.mean(0), np.where(spread > 1e-9, spread, 1.0)])


def nets_mismatch(weights: Weights, tasks: SearchBatch, told: int) -> str | None:
    """Return the reason why nets do not fit these searches; None if they do.

    Args:
        weights: Contain the `radix`, `space` and `scale` that the nets were trained on.
        tasks: The searches.
        told: Number of task features that the nets would see here.
    """
    made = tuple(int(r) for r in weights["radix"][0])
    if made != tasks.space.radix:
        known, found = (" × ".join(map(str, r)) for r in (made, tasks.space.radix))
        return f"its policy decides among {known} options, not {found}"
    if (weights["space"].numpy() != space_fingerprint(tasks.space)).any():
        return f"its policy was trained on another space than {tasks.space.name}"
    seen = weights["scale"].shape[-1]
    known = f"its policy was trained with {seen} task features; these have {told}"
    return known if seen != told else None
