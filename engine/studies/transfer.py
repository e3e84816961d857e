"""Sentences about what is carried from task to task."""

from engine.studies.definition import (
    COLD,
    GATED,
    HORIZON,
    RANDOM,
    SEARCHES,
    SHUFFLED,
    TRAININGS,
    WARM,
    Study,
    search_spec,
)
from engine.studies.nas_benchmarks import StudyBenchmark

_SIZES = (
    f"{TRAININGS} trainings × {SEARCHES} searches of {HORIZON} evaluations for each "
    "strategy and place"
)
_RUNS = (
    "Warm evolution (10 seeds from what 14 searches of the other tasks found) against "
    "regularized evolution (P = S = 10), with random search and a warm start from "
    f"shuffled accuracies beside them; {_SIZES}. "
)
_SHARED = (
    "Places share tasks, so the 95 % interval comes from leaving out one task at a "
    "time, as source and as target (where there are few, one training)."
)


def transfer_studies(ground: StudyBenchmark) -> tuple[Study, ...]:
    """Return the studies about transfer, on a ground."""
    return (*_studies_from_others(ground), *_studies_from_one(ground))


def _studies_from_others(ground: StudyBenchmark) -> tuple[Study, ...]:
    every = tuple(search_spec(f, WARM, COLD, RANDOM, SHUFFLED) for f in ground.families)
    return (
        Study(
            "search_time",
            "Search time",
            "Meta-learning reduces search time by 60–80 %.",
            f"{_RUNS}Measured: evaluations until the best so far is among the best "
            "1 %, restricted means; the saved share on each target, and their mean "
            "over targets (of log ratios) with its 95 % interval over targets. "
            "Supported: the whole interval is at or above 60 %. Not supported: it is "
            "below 60 % as a whole, and no target's own interval reaches above. "
            "Depends: anything else.",
            every,
            ground.name,
        ),
        Study(
            "quality",
            "Solution quality",
            "Meta-learning improves solution quality by 15–25 %.",
            f"{_RUNS}Measured: final test accuracy relative to evolution's, mean over "
            "targets with its 95 % interval over targets; beside it the share of the "
            "final regret that is saved. Supported: the whole interval is at or above "
            "15 %. Not supported: it is below 15 % as a whole, and so is every "
            "target's. Depends: anything else.",
            every,
            ground.name,
        ),
        Study(
            "cost",
            "Computational cost",
            "Meta-learning significantly reduces computational cost.",
            f"{_RUNS}Measured: price of all trainings until the goal, with and without "
            "the evaluations that were spent on sources, these shared by as many "
            "targets as there are in this study; ratio of means, 95 % interval over "
            "targets. Supported: cheaper (the interval lies below 1) even with the "
            "sources counted. Depends: cheaper only without them. Not supported: not "
            "even then.",
            every,
            ground.name,
        ),
    )


def _studies_from_one(ground: StudyBenchmark) -> tuple[Study, ...]:
    pairs = tuple(
        search_spec(family, WARM, GATED, COLD, SHUFFLED, tests=others)
        for family, others in ground.transfer_pairs
    )
    return (
        Study(
            "near_domains",
            "Near and far domains",
            "Knowledge transfer works best between similar domains.",
            "Warm evolution that learned on one task only, from each source to each "
            f"other task, against evolution; {_SIZES}. Similarity: rank correlation "
            "of all architectures' accuracies between source and target (on "
            "landscapes the kinship). Measured: rank correlation between similarity "
            "and the saved share of mean regret (log ratio of means over all searches "
            "of a place), within each source over its targets; mean over sources. "
            f"{_SHARED} Supported: the interval lies above 0. Not supported: anything "
            "else.",
            pairs,
            ground.name,
            matrix=True,
        ),
        Study(
            "adaptation",
            "Adaptation across domains",
            "Cross-domain transfer requires adaptation.",
            "The same runs. Far: places whose similarity to the source is below the "
            "median. Adaptation: a gate that drops the warm start where probes "
            "disagree with the base (correlation below 0.3). Measured on far places: "
            "saved share of mean regret with and without the gate, mean over places "
            f"(of log ratios). {_SHARED} Supported: without the gate nothing is surely "
            "saved, and the gate surely helps. Not supported: without the gate "
            "something is surely saved. Depends: neither.",
            pairs,
            ground.name,
            matrix=True,
        ),
    )
