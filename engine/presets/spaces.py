"""Experiments with architecture search; the first is the default one."""

from engine.contract.runs import Budget, Choice, RunSpec
from engine.presets.making import Preset, baseline, chosen, shift

_RANDOM = baseline("random_search")


def _searches(
    count: int, evaluations: int, sources: int = 16, *, together: int = 4
) -> Budget:
    """Return a budget for repeated searches on a table.

    Args:
        count: Searches per replicate and condition.
        evaluations: Architectures that each may train.
        sources: Searches of source tasks to learn from.
        together: How many of these are done in one meta-step.
    """
    return Budget(
        task_evaluations=sources,
        tasks_per_step=together,
        validation_tasks=16,
        validate_every=25,
        test_tasks=count,
        horizon=evaluations,
    )


SEARCH = Preset(
    "search",
    "Does evolution find better architectures than chance?",
    "Regularized evolution beside random search, 300 searches of a made-up space.",
    RunSpec(
        family=Choice(name="nk_landscape"),
        learners=(chosen("regularized_evolution"), _RANDOM),
        shifts=(shift("evaluation_noise", 1.0, 3.0, 9.0),),
        budget=_searches(100, 100),
        replicates=3,
    ),
)

NASBENCH_PUBLISHED = Preset(
    "nasbench201_published",
    "Published: NAS-Bench-201, 12,000 seconds",
    "500 searches for CIFAR-10 cells: random search, and evolution with P = S = 10.",
    RunSpec(
        family=Choice(name="nasbench201"),
        learners=(chosen("regularized_evolution"), _RANDOM),
        budget=_searches(500, 150),
        replicates=1,
    ),
)

SPACES = (SEARCH, NASBENCH_PUBLISHED)
