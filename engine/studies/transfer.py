"""Studies of transfer between tasks."""

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
from engine.studies.study_benchmarks import StudyBenchmark

_SIZES = (
    f"{TRAININGS} trainings × {SEARCHES} searches of {HORIZON} evaluations for each "
    "strategy and pair of tasks"
)
_RUNS = (
    "Warm evolution (10 seeds from 14 searches of the other tasks) against "
    "regularized evolution (P = S = 10), with random search and a warm start from "
    f"shuffled accuracies as controls; {_SIZES}. "
)
_SHARED = (
    "Pairs share tasks, so the 95 % interval comes from leaving out one task at a "
    "time, as source and as target (with few pairs, one training)."
)


def transfer_studies(ground: StudyBenchmark) -> tuple[Study, ...]:
    """Return the studies of transfer, on a benchmark."""
    return (*_studies_from_others(ground), *_studies_from_one(ground))


def _studies_from_others(ground: StudyBenchmark) -> tuple[Study, ...]:
    every = tuple(search_spec(f, WARM, COLD, RANDOM, SHUFFLED) for f in ground.families)
    return (
        Study(
            "search_time",
            "Search time",
            "Meta-learning reduces search time by 60–80 %.",
            f"{_RUNS}Measured: evaluations until the best so far is within the best "
            "1 %, restricted means; the saved share on each target, and the mean over "
            "targets (of log ratios) with its 95 % interval over targets. Supported: "
            "the whole interval is at or above 60 %. Not supported: the whole interval "
            "is below 60 %, and no target's own interval reaches above. Depends: "
            "otherwise.",
            every,
            ground.name,
        ),
        Study(
            "quality",
            "Solution quality",
            "Meta-learning improves solution quality by 15–25 %.",
            f"{_RUNS}Measured: final test accuracy relative to evolution's, mean over "
            "targets with its 95 % interval over targets; also the share of the final "
            "regret that is saved. Supported: the whole interval is at or above 15 %. "
            "Not supported: the whole interval is below 15 %, and so is every "
            "target's. Depends: otherwise.",
            every,
            ground.name,
        ),
        Study(
            "cost",
            "Computational cost",
            "Meta-learning significantly reduces computational cost.",
            f"{_RUNS}Measured: cost of all trainings until the goal, with and without "
            "the cost of the source searches, which is divided by the number of "
            "targets of this study; ratio of means, 95 % interval over targets. "
            "Supported: cheaper (the interval lies below 1) including the sources. "
            "Depends: cheaper only without them. Not supported: not cheaper even "
            "without them.",
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
            "Warm evolution with a single source task, from each source to each other "
            f"task, against evolution; {_SIZES}. Similarity: rank correlation of all "
            "architectures' accuracies between source and target (on landscapes the "
            "kinship). Measured: rank correlation between similarity and the saved "
            "share of mean regret (log ratio of means over all searches of a pair), "
            "within each source over its targets; mean over sources. "
            f"{_SHARED} Supported: the interval lies above 0. Not supported: it lies "
            "below. Can't tell yet: it holds 0.",
            pairs,
            ground.name,
            matrix=True,
        ),
        Study(
            "adaptation",
            "Adaptation across domains",
            "Cross-domain transfer requires adaptation.",
            "The same runs. Far: pairs whose similarity is below the median. "
            "Adaptation: a gate that drops the warm start if probes disagree with the "
            "base (correlation below 0.3). Measured on far pairs: saved share of mean "
            "regret with and without the gate, mean over pairs (of log ratios). "
            f"{_SHARED} Supported: without the gate nothing is significantly saved, "
            "and the gate helps significantly. Not supported: without the gate "
            "something is significantly saved. Depends: neither.",
            pairs,
            ground.name,
            matrix=True,
        ),
    )
