"""Experiments with architecture search; the first is the default.

Those whose name begins with "nasbench201" need that table from the data pack.
"""

from typing import Any

from engine.contract import kinds
from engine.contract.effort import Effort, with_effort
from engine.contract.run_spec import Budget, Choice, LearnerChoice, RunSpec, ShiftChoice
from engine.presets.builders import Preset, baseline, candidate, shift

_EVOLUTION, _RANDOM = map(baseline, ("regularized_evolution", "random_search"))
_MADE_UP = Choice(name="nk_landscape")
_MOSAIC = Choice(name="mosaic")
_WARM = candidate("warm_evolution")
_SHUFFLED = candidate("warm_evolution", "warm_evolution_shuffled", shuffled=True)
# Searches per replicate and condition. The difference in mean regret of the first
# experiment below varies by 0.9 points between searches, by 0.4 points between
# replicates, and a replicate costs as much as five searches: ten decide sooner than 30.
FEW = 10


def _nasbench(**knobs: Any) -> Choice:
    """Return the cells of NAS-Bench-201, with the published budget per search."""
    return Choice(name="nasbench201", knobs=knobs)


def _search_budget(
    count: int, evaluations: int, sources: int = 16, *, together: int = 4
) -> Budget:
    """Return a budget for repeated searches.

    Args:
        count: Searches per replicate and condition.
        evaluations: Architectures that each search may train.
        sources: Searches on source tasks, for meta-training.
        together: Source searches per meta-step.
    """
    return Budget(
        task_evaluations=sources,
        tasks_per_step=together,
        validation_tasks=16,
        validate_every=25,
        test_tasks=count,
        horizon=evaluations,
    )


def _spec(
    family: Choice,
    learners: tuple[LearnerChoice, ...],
    budget: Budget,
    *shifts: ShiftChoice,
    replicates: int = 0,
) -> RunSpec:
    """Return a spec; without replicates it runs until decided."""
    spec = RunSpec(family=family, learners=learners, shifts=shifts, budget=budget)
    if replicates:
        return spec.model_copy(update={"replicates": replicates})
    return with_effort(spec, kinds.SEARCH, Effort.UNTIL_DECIDED, None)


SEARCH = Preset(
    "search",
    "Does experience with other tasks shorten a search?",
    "A warm start and a prior, both from thirteen other tasks, against evolution and "
    "random search.",
    _spec(
        _MOSAIC,
        (_WARM, candidate("prior_search"), _EVOLUTION, _RANDOM),
        _search_budget(FEW, 100, sources=28),
        shift("evaluation_noise", 1.0, 5.0),
    ),
)

SEARCH_SMOKE = Preset(
    "search_smoke",
    "Searches in a few seconds, to see that everything works",
    "Every stage of an architecture search in a tiny space, too small for a verdict.",
    _spec(
        Choice(name="nk_landscape", knobs={"size": 4}),
        (_WARM, candidate("reinforce"), _RANDOM),
        _search_budget(8, 20, sources=8),
        shift("evaluation_noise", 5.0),
        replicates=2,
    ),
)

SHUFFLED_SOURCE = Preset(
    "shuffled_source",
    "Warm start, with a shuffled source as control",
    "The control permutes the source's accuracies, so its remaining gain is chance.",
    _spec(_MOSAIC, (_WARM, _SHUFFLED, _EVOLUTION, _RANDOM), _search_budget(FEW, 100)),
)

FAR_SOURCE = Preset(
    "far_source",
    "Transfer from rings to digits",
    "A source unlike the target, with and without a gate on their similarity.",
    _spec(
        Choice(name="mosaic", knobs={"source": "rings"}),
        (
            _WARM,
            candidate("warm_evolution", "warm_evolution_gated", gate=0.5),
            _EVOLUTION,
            _RANDOM,
        ),
        _search_budget(FEW, 100),
    ),
)

POLICY_GRADIENTS = Preset(
    "policy_gradients",
    "Policy gradients against evolution",
    "REINFORCE, its frozen control that never learns, and an actor-critic.",
    _spec(
        _MADE_UP,
        (
            candidate("reinforce"),
            candidate("reinforce", "reinforce_frozen", rule="frozen"),
            candidate("actor_critic"),
            _EVOLUTION,
            _RANDOM,
        ),
        _search_budget(FEW, 200),
    ),
)

CARRIED_POLICY = Preset(
    "carried_policy",
    "A policy and a value function from other tasks",
    "Meta-trained on 160 source searches, then fine-tuned, against the untrained one.",
    _spec(
        _MOSAIC,
        (candidate("meta_policy"), candidate("actor_critic"), _EVOLUTION, _RANDOM),
        _search_budget(FEW, 60, sources=160, together=8),
    ),
)

SHORT_TRAININGS = Preset(
    "short_trainings",
    "Many short trainings or few long ones?",
    "Successive halving and Hyperband against random search, by training cost.",
    _spec(
        _MOSAIC,
        (candidate("successive_halving"), candidate("hyperband"), _EVOLUTION, _RANDOM),
        _search_budget(FEW, 120),
    ),
)

OBJECTIVE_SWITCH = Preset(
    "objective_switch",
    "An objective that changes midway",
    "Halfway through the search, parameters are capped: which strategies recover?",
    _spec(
        _MADE_UP,
        (_WARM, candidate("reinforce"), _EVOLUTION, _RANDOM),
        _search_budget(FEW, 100),
        shift("objective_switch", 0.5, 0.75, 0.9),
    ),
)

NOISY_EVALUATIONS = Preset(
    "noisy_evaluations",
    "Noisy accuracies and failing regions",
    "Does the lead over random search survive noise and failed trainings?",
    _spec(
        _MADE_UP,
        (_WARM, candidate("reinforce"), _EVOLUTION, _RANDOM),
        _search_budget(FEW, 100),
        shift("evaluation_noise", 1.0, 2.0, 5.0, 10.0),
        shift("failing_regions", 0.1, 0.3, 0.6),
    ),
)

SPACE_SIZES = Preset(
    "space_sizes",
    "Small and large spaces",
    "The same strategies with fewer and fewer options to choose from.",
    _spec(
        Choice(name="nk_landscape", knobs={"size": 7}),
        (_WARM, _EVOLUTION, _RANDOM),
        _search_budget(FEW, 100),
        shift("smaller_space", 1.0, 2.0),
    ),
)

SMALLER_NETS = Preset(
    "smaller_nets",
    "Accuracy under a cap on parameters",
    "Only the smallest half, quarter or tenth of the space counts; shows the front.",
    _spec(
        _MOSAIC,
        (_WARM, _EVOLUTION, _RANDOM),
        _search_budget(FEW, 100),
        shift("parameter_cap", 0.5, 0.75, 0.9),
    ),
)

LIVE_NETS = Preset(
    "live_nets",
    "Architectures trained on demand",
    "No table: each evaluation is a real training on a checkerboard, of 54 steps.",
    _spec(
        Choice(name="live_nets"),
        (_WARM, _EVOLUTION, _RANDOM),
        _search_budget(8, 24, sources=4, together=2),
        replicates=2,
    ),
)

GROWING = Preset(
    "growing",
    "A net that grows during training",
    "A policy decides when the net becomes wider or deeper; its function is preserved.",
    _spec(
        Choice(name="growing"),
        (candidate("reinforce"), _EVOLUTION, _RANDOM),
        _search_budget(8, 24),
        replicates=1,
    ),
)

NASBENCH_PUBLISHED = Preset(
    "nasbench201_published",
    "Published: NAS-Bench-201, 12,000 seconds",
    "500 searches for CIFAR-10 cells: REINFORCE, evolution (P = S = 10), random.",
    _spec(
        _nasbench(),
        (candidate("reinforce"), _EVOLUTION, _RANDOM),
        _search_budget(500, 200),
        replicates=1,
    ),
)

NASBENCH_WARM = Preset(
    "nasbench201_warm",
    "From CIFAR-10 to CIFAR-100, with a shuffled control",
    "The best cells of one data set start the search on another.",
    _spec(
        _nasbench(target="CIFAR-100", source="CIFAR-10"),
        (_WARM, _SHUFFLED, _EVOLUTION, _RANDOM),
        _search_budget(FEW, 150, sources=8, together=2),
    ),
)

NASBENCH_LATENCY = Preset(
    "nasbench201_latency",
    "Cells that must be fast on a small computer",
    "The front of accuracy against latency, and searches under a cap on it.",
    _spec(
        _nasbench(),
        (_WARM, _EVOLUTION, _RANDOM),
        _search_budget(FEW, 120, sources=8, together=2),
        shift("other_device", 0.5, 0.9, device="raspi4"),
        shift("parameter_cap", 0.5, 0.9),
    ),
)

PRESETS = (
    SEARCH,
    SEARCH_SMOKE,
    SHUFFLED_SOURCE,
    FAR_SOURCE,
    POLICY_GRADIENTS,
    CARRIED_POLICY,
    SHORT_TRAININGS,
    OBJECTIVE_SWITCH,
    NOISY_EVALUATIONS,
    SPACE_SIZES,
    SMALLER_NETS,
    LIVE_NETS,
    GROWING,
    NASBENCH_PUBLISHED,
    NASBENCH_WARM,
    NASBENCH_LATENCY,
)
