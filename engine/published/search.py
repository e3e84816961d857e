"""Published searches on NAS-Bench-201, and how a run differs from them.

Whether a search is comparable depends on what it may see and spend, so a run's knobs
are compared one by one.
"""

from engine.contract.run_spec import RunSpec
from engine.published.published_figure import (
    HEARD,
    READ,
    MethodFigures,
    PublishedFigure,
    without_intervals,
)

TASK = "nasbench201"
TARGETS = ("CIFAR-10", "CIFAR-100", "ImageNet16-120")
# The published budget of a search, the epochs of its signal, and the cells it affords.
SECONDS, EPOCHS, CELLS = 12_000.0, "12", 109

_ANSWER = "test accuracy (%) of the answer after 200 epochs"
SEARCHED = (
    "A search on CIFAR-10 spends 12,000 s on training and validation and sees the "
    "validation accuracy of each cell after 12 epochs; its answer is looked up on all "
    f"three data sets. {_ANSWER.capitalize()}, mean ± sd over 500 searches. That all "
    "three columns are searches on CIFAR-10 is our reading: at the training costs of "
    "the other two, random search would see too few cells to be as good"
)
SHARED = (
    "Other protocol: cells share the weights of one net that is trained once; "
    f"{_ANSWER}, mean ± sd if given"
)
UNTRAINED = (
    "Other protocol: cells are scored untrained, some are then trained; "
    f"{_ANSWER}, mean ± sd if given"
)
CARRIED = (
    "Other protocol: a generator and a predictor learned from many other data sets; "
    f"{_ANSWER}, mean ± sd"
)
FIXED = f"No search; {_ANSWER}"

_QUOTED = "Dong and Yang 2020 (NAS-Bench-201), as table 2 of RoBoT (2024) quotes it"
_ROBOT = "table 2 of RoBoT (2024), which quotes each method's paper"

# Columns are the data sets in the order of TARGETS.
_SEARCHED = (
    MethodFigures(
        "Random search",
        "random_search",
        ((93.70, 0.36), (71.04, 1.07), (44.57, 1.25)),
        _QUOTED,
        HEARD,
    ),
    MethodFigures(
        "Regularized evolution (REA)",
        "regularized_evolution",
        ((93.92, 0.30), (71.84, 0.99), None),
        _QUOTED,
        HEARD,
    ),
    MethodFigures(
        "REINFORCE",
        "reinforce",
        ((93.85, 0.37), (71.71, 1.09), (45.24, 1.18)),
        f"{_QUOTED}; an older version has 70.17 and 43.16 for the last two",
        HEARD,
    ),
    MethodFigures(
        "BOHB", "", ((93.61, 0.52), (70.85, 1.28), (44.42, 1.49)), _QUOTED, HEARD
    ),
)
_SHARED = (
    MethodFigures(
        "RSPS",
        "",
        ((87.66, 1.69), (46.60, 6.57), (30.78, 6.12)),
        "Dong and Yang 2020, as later papers quote it",
        HEARD,
    ),
    MethodFigures(
        "DARTS, second order",
        "",
        without_intervals(54.30, 15.61, 16.32),
        _QUOTED,
        HEARD,
    ),
    MethodFigures(
        "ENAS",
        "",
        ((54.30, None), (10.62, 0.27), (16.32, None)),
        "Dong and Yang 2020, as later papers quote it",
        HEARD,
    ),
    MethodFigures(
        "GDAS",
        "",
        ((93.44, 0.06), (70.61, 0.21), (42.23, 0.25)),
        f"{_ROBOT}; others have 93.23, 24.20 and 41.02",
        HEARD,
    ),
    MethodFigures(
        "DrNAS", "", ((93.98, 0.58), (72.31, 1.70), (44.02, 3.24)), _ROBOT, HEARD
    ),
    MethodFigures(
        "Shapley-NAS", "", ((94.05, 0.19), (73.15, 0.26), (46.25, 0.25)), _ROBOT, HEARD
    ),
    MethodFigures(
        "β-DARTS", "", ((94.00, 0.22), (72.91, 0.43), (46.20, 0.38)), _ROBOT, HEARD
    ),
)
_UNTRAINED = (
    MethodFigures(
        "NASWOT", "", ((92.96, 0.81), (69.98, 1.22), (44.44, 2.10)), _ROBOT, HEARD
    ),
    MethodFigures(
        "TE-NAS", "", ((93.90, 0.47), (71.24, 0.56), (42.38, 0.46)), _ROBOT, HEARD
    ),
    MethodFigures(
        "NASI", "", ((93.55, 0.10), (71.20, 0.14), (44.84, 1.41)), _ROBOT, HEARD
    ),
    MethodFigures(
        "GradSign", "", ((93.31, 0.47), (70.33, 1.28), (42.42, 2.81)), _ROBOT, HEARD
    ),
    MethodFigures(
        "HNAS", "", ((94.04, 0.21), (71.75, 1.04), (45.91, 0.88)), _ROBOT, HEARD
    ),
    MethodFigures("RoBoT", "", without_intervals(94.36, 73.51, 46.34), _ROBOT, HEARD),
)
_CARRIED = (
    MethodFigures(
        "MetaD2A",
        "",
        ((94.37, 0.03), (73.51, 0.00), None),
        "Lee et al. 2021 (MetaD2A)",
        READ,
    ),
)
_FIXED = (
    MethodFigures("ResNet", "", without_intervals(93.97, 70.86, 43.63), _QUOTED, HEARD),
    MethodFigures(
        "The best cell", "", without_intervals(94.37, 73.51, 47.31), _QUOTED, HEARD
    ),
)
_TABLE = (
    (SEARCHED, _SEARCHED),
    (SHARED, _SHARED),
    (UNTRAINED, _UNTRAINED),
    (CARRIED, _CARRIED),
    (FIXED, _FIXED),
)


def rows() -> list[PublishedFigure]:
    """Return every published figure of searches."""
    return [
        PublishedFigure(
            TASK,
            0,
            0,
            line.method,
            line.learner,
            *figure,
            protocol,
            line.source,
            line.provenance,
            target,
        )
        for protocol, lines in _TABLE
        for line in lines
        for target, figure in zip(TARGETS, line.figures, strict=True)
        if figure
    ]


def describe_differences(spec: RunSpec) -> list[str]:
    """Return how a run's searches differ from the published ones, in sentences.

    Args:
        spec: The completed spec of a run on these cells.

    Returns:
        A sentence per difference; empty if there is none.
    """
    knobs, differences = spec.family.knobs, []
    target = str(knobs.get("target", TARGETS[0]))
    epochs = str(knobs.get("epochs", EPOCHS))
    seconds = float(knobs.get("seconds", SECONDS))
    if target != TARGETS[0]:
        differences.append(
            f"This run searches on {target} and pays for its trainings; the published "
            f"searches are on {TARGETS[0]}, and their answers were looked up."
        )
    if epochs != EPOCHS:
        differences.append(
            f"A search of this run sees accuracy after {epochs} epochs, not after 12."
        )
    if seconds != SECONDS:
        spent = f"may spend {seconds:,.0f} s" if seconds else "has no limit in seconds"
        differences.append(f"A search of this run {spent}; published: 12,000 s.")
    if spec.budget.horizon < CELLS:
        differences.append(
            f"A search of this run trains at most {spec.budget.horizon:,} cells; "
            f"published: about {CELLS}."
        )
    changed = [label for name, label in _SPACE_KNOBS.items() if knobs.get(name)]
    if changed:
        differences.append(
            f"This run changes the space or what is seen of it: {_join_words(changed)}."
        )
    return differences


# Knobs of the space itself; 0 leaves it as published.
_SPACE_KNOBS = {
    "options": "fewer options",
    "decisions": "fewer decisions",
    "noise": "noise",
    "failing": "failing regions",
    "cap": "a cap",
}


def _join_words(words: list[str]) -> str:
    return " and ".join(words) if len(words) < 3 else ", ".join(words)
