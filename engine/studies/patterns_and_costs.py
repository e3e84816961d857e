"""Studies of patterns, space sizes and costs."""

from engine.contract.cards import card_of
from engine.contract.registry import part
from engine.contract.run_spec import Choice, RunSpec
from engine.presets.builders import candidate
from engine.studies.definition import (
    COLD,
    HORIZON,
    RANDOM,
    SEARCHES,
    TRAININGS,
    WARM,
    Study,
    search_spec,
)
from engine.studies.study_benchmarks import StudyBenchmark

LENGTHS = (50, 100, 200, 400, 800)
ALONE = 3
SLOW = (  # so slow that a few searches suffice to measure their overhead
    candidate("reinforce", "REINFORCE"),
    candidate("actor_critic"),
    candidate("predictor_search"),
    candidate("tpe", "TPE"),
)
_SIZES = f"{TRAININGS} trainings × {SEARCHES} searches"


def pattern_and_cost_studies(ground: StudyBenchmark) -> tuple[Study, ...]:
    """Return the studies of patterns, sizes and costs, on a benchmark."""
    return (*_pattern_studies(ground), *_cost_studies(ground))


def _pattern_studies(ground: StudyBenchmark) -> tuple[Study, Study]:
    """Return the studies of common patterns and of the size of the space."""
    return (
        Study(
            "patterns",
            "Universal patterns",
            "Some patterns are universally beneficial.",
            f"Random search alone, {TRAININGS * SEARCHES} searches of {HORIZON} "
            "evaluations on each task. Measured: mean validation accuracy with an "
            "option minus without it, on each task, by search; 95 % intervals over "
            "searches, Holm correction over all options and tasks. Supported: some "
            "option helps significantly on every task. Depends: none does, but one "
            "helps significantly on at least three quarters of the tasks and hurts "
            "significantly on none. Not supported: otherwise.",
            tuple(search_spec(family, RANDOM) for family in ground.families),
            ground.name,
        ),
        Study(
            "growing_space",
            "Growing spaces",
            "The benefits grow with the search space.",
            "Warm evolution against evolution in parts of a space, from small to "
            f"whole; {_SIZES} of {HORIZON} evaluations at each size. Measured: the "
            "evaluations to the best 1 %, relative to evolution's (log ratio of "
            "restricted means): by how much they fall per tenfold size; mean over "
            "targets with its 95 % interval (with few targets, over trainings). "
            "Supported: the interval lies above 0. Not supported: it lies below. Can't "
            "tell yet: it holds 0.",
            tuple(search_spec(family, WARM, COLD) for family in ground.sized_spaces),
            ground.name,
        ),
    )


def _cost_studies(ground: StudyBenchmark) -> tuple[Study, Study]:
    """Return the studies of a strategy's own time and memory."""
    priced, space = _priced_space(ground)
    return (
        Study(
            "overhead",
            "Overhead",
            "The overhead is minimal.",
            f"Warm evolution, evolution and random search on {space}, "
            f"{TRAININGS * SEARCHES} searches in one batch, and four slower "
            f"strategies, {ALONE} in one batch. Measured: a strategy's own seconds per "
            "evaluation (trainings are looked up), geometric mean over runs of "
            "different length with its 95 % interval, relative to the time of a "
            "training. Supported: every strategy is significantly below 1 %. Not "
            "supported: some strategy is significantly above. Depends: neither, or "
            "trainings have no price in seconds here; then the price from which on the "
            "overhead is below 1 % is given.",
            tuple(
                search_spec(family, WARM, COLD, RANDOM, horizon=n)
                for family in priced
                for n in LENGTHS
            )
            + tuple(
                _single_training(search_spec(family, *SLOW, horizon=n))
                for family in priced
                for n in LENGTHS[:3]
            ),
            space,
        ),
        Study(
            "memory",
            "Memory",
            "Memory is linear.",
            "One search of each strategy alone, with 50 to 800 evaluations; knowledge "
            "bases are bounded. Measured: peak memory, and the power of the number of "
            "evaluations with which it grows (slope of logs, 95 % interval over the "
            "five lengths). Supported: every strategy's interval lies below 1.1. Not "
            "supported: some strategy's lies above. Depends: neither.",
            tuple(
                search_spec(ground.sized_spaces[0], WARM, COLD, RANDOM, horizon=n)
                for n in LENGTHS
            ),
            ground.name,
        ),
    )


def _single_training(spec: RunSpec) -> RunSpec:
    """Return the run with one training and a few searches."""
    budget = spec.budget.model_copy(update={"test_tasks": ALONE})
    return spec.model_copy(update={"replicates": 1, "budget": budget})


def _priced_space(ground: StudyBenchmark) -> tuple[tuple[Choice, ...], str]:
    """Return a space with training times in seconds if its table is installed."""
    if card_of(part("family", "nasbench201")).missing:
        return ground.families[:1], ground.name
    knobs = {"target": "CIFAR-100", "source": "CIFAR-10", "seconds": 0.0}
    return (Choice(name="nasbench201", knobs=knobs),), "NAS-Bench-201 (seconds)"
