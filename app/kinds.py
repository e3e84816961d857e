"""What a kind of task is called on the screen, and which of its numbers are shown.

The pages are the same for every kind; what differs between them stands here, as data.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from engine.contract import kinds
from engine.contract.blocks import Block

Told = tuple[str, str, str]
_FEW_SHOT_ONLY = frozenset({"lesson_loss", "validation_error", "error"})
_SEARCH_ONLY = frozenset({"regret", "regret_area", "validation_regret"})


class Kind(NamedTuple):
    """The words and metrics of one kind of task.

    `budget` renames fields (label, unit, help), `hidden` are those that mean nothing
    there; `outer` says that learners are moved by the outer rule alone, without an
    estimator. `page` is where its runs are shown; `tasks` are what its tests are
    counted in and `work` what their price is; `told` what a visitor chooses first;
    `beside` the metric whose restricted mean the summary has; `over` says what the
    table's intervals are over, `percent` which of its `scores` are told in percent.
    The others name metrics: `checks` of the newest validation, `trained`
    along meta-training, `validation` what chooses the checkpoint, `tuning` what
    chooses a rate, then those of the tabs and pages.
    """

    name: str
    title: str
    page: str
    tasks: str
    work: str
    told: str
    beside: str
    learner: str
    learner_help: str
    net: str
    net_help: str
    baselines: str
    baselines_help: str
    shifts_help: str
    budget: Mapping[str, Told]
    hidden: frozenset[str]
    outer: bool
    checks: tuple[str, ...]
    trained: tuple[str, ...]
    validation: str
    tuning: str
    per_task: tuple[str, ...]
    by_severity: tuple[str, ...]
    by_family: tuple[str, ...]
    compared: tuple[str, ...]
    numbers: tuple[str, ...]
    scores: Mapping[str, str]
    over: str = (
        "Means over replicates with their 95 % intervals; diverged tasks counted."
    )
    percent: frozenset[str] = frozenset()


OPTIMIZATION = Kind(
    name=kinds.OPTIMIZATION.name,
    title="Optimizer",
    page="lab",
    tasks="tasks",
    work="gradients",
    told="a task",
    beside="steps_to_threshold",
    learner="Learned optimizer",
    learner_help="What is meta-trained and judged against the baselines.",
    net="Base learner",
    net_help="What is trained.",
    baselines="Same tasks, same start, same steps",
    baselines_help="“Tuned” means: the best rate found on meta-training tasks.",
    shifts_help="After training, the frozen learner meets the same tasks, changed.",
    budget={},
    hidden=frozenset(),
    outer=False,
    checks=("loss", "lr_scale"),
    trained=(
        *("validation", "meta_loss", "outer_grad_norm", "return", "entropy"),
        *("value_loss", "explained_variance", "kl"),
    ),
    validation=kinds.OPTIMIZATION.validation,
    tuning=kinds.OPTIMIZATION.tuning,
    per_task=(
        *("final_loss", "best_loss", "area", "steps_to_threshold"),
        "final_accuracy",
    ),
    by_severity=(
        *("final_loss", "steps_to_threshold", "area", "final_accuracy"),
        "best_loss",
    ),
    by_family=("area", "final_loss", "best_loss", "rmst", "final_accuracy"),
    compared=("loss", "held_loss", "accuracy", "grad_norm", "lr_scale"),
    numbers=(
        *("final_loss", "best_loss", "area", "steps_to_threshold"),
        "final_accuracy",
    ),
    scores={
        "final_loss": "Final loss",
        "best_loss": "Best loss",
        "area": "Mean ln loss",
        "rmst": "Steps to threshold",
        "final_accuracy": "Accuracy",
    },
)

FEW_SHOT = Kind(
    name=kinds.FEW_SHOT.name,
    title="Few-shot",
    page="lab",
    tasks="episodes",
    work="episodes",
    told="an episode family",
    beside="",
    learner="Few-shot learner",
    learner_help="What is meta-trained on episodes and judged against the baselines.",
    net="Net",
    net_help="What answers: its weights are what is learned and adapted.",
    baselines="Same episodes, same number of examples seen",
    baselines_help="What few-shot learning has to beat. Rates that are tuned are "
    "tuned on validation episodes.",
    shifts_help="After training, the frozen learner meets the same episodes, changed.",
    budget={
        "task_evaluations": (
            *("Meta-training budget", "episodes"),
            "Episodes that each learner is trained on, per replicate; every learner "
            "sees as many.",
        ),
        "tasks_per_step": (
            *("Meta-batch", "episodes"),
            "Episodes averaged in one meta-step.",
        ),
        "horizon": (
            *("Inner steps shown", "steps"),
            "How far the tests follow the adaptation; a learner's own answer counts "
            "at its own step.",
        ),
        "test_tasks": (
            *("Test episodes", "episodes"),
            "Held-out episodes per replicate and condition; the papers take 600.",
        ),
        "validation_tasks": (
            *("Validation episodes", "episodes"),
            "They choose the checkpoint.",
        ),
        "tuning_tasks": (
            *("Tuning episodes", "episodes"),
            "Validation episodes that rates and inner steps are tuned on.",
        ),
    },
    hidden=frozenset({"threshold"}),
    outer=True,
    checks=("query_accuracy", "query_mse"),
    trained=("validation_error", "lesson_loss", "outer_grad_norm"),
    validation=kinds.FEW_SHOT.validation,
    tuning=kinds.FEW_SHOT.tuning,
    per_task=(
        *("final_accuracy", "final_mse", "error", "adaptation_gain"),
        *("final_query_loss", "start_accuracy", "start_mse"),
    ),
    by_severity=("final_accuracy", "final_mse", "error", "adaptation_gain"),
    by_family=("error", "final_accuracy", "final_mse", "adaptation_gain"),
    compared=("query_accuracy", "query_mse", "query_loss", "support_loss", "moved"),
    numbers=("final_accuracy", "final_mse", "error", "adaptation_gain"),
    scores={
        "final_accuracy": "Accuracy",
        "final_mse": "MSE",
        "error": "Error",
        "adaptation_gain": "Adaptation gain",
    },
)

SEARCH = Kind(
    name=kinds.SEARCH.name,
    title="Architecture search",
    page="search",
    tasks="searches",
    work="architectures",
    told="a space",
    beside="evaluations_to_goal",
    learner="Search strategy",
    learner_help="What is judged: most bring something from other tasks.",
    net="Net",
    net_help="Not used: the space says which nets there are.",
    baselines="Same space, same budget, same random numbers",
    baselines_help="What a strategy that learns has to beat; random search is the line "
    "that every other one must stay above.",
    shifts_help="The same searches again, in a space that is noisier, smaller, capped "
    "or partly broken.",
    budget={
        "task_evaluations": (
            *("Source searches", "searches"),
            "Searches of source tasks that each strategy learns from, per replicate.",
        ),
        "tasks_per_step": (
            *("Searches per meta-step", "searches"),
            "Done side by side before what is learned is moved.",
        ),
        "horizon": (
            *("Evaluations of a search", "evaluations"),
            "Architectures that a search may train; the price may end it sooner.",
        ),
        "test_tasks": (
            *("Repeated searches", "searches"),
            "Per replicate and condition, each with random numbers of its own.",
        ),
        "validation_tasks": (
            *("Validation searches", "searches"),
            "They choose the checkpoint.",
        ),
    },
    hidden=frozenset({"threshold", "tuning_tasks"}),
    outer=True,
    checks=("score", "regret"),
    trained=(
        *("validation_regret", "lesson_loss", "entropy", "value_loss"),
        *("explained_variance", "outer_grad_norm"),
    ),
    validation=kinds.SEARCH.validation,
    tuning=kinds.SEARCH.tuning,
    per_task=(
        *("regret_area", "final_score", "final_regret", "evaluations_to_goal"),
        *("cost_to_goal", "trained", "repeated", "coverage", "recovery_steps"),
    ),
    by_severity=(
        *("regret_area", "final_score", "evaluations_to_goal", "final_regret"),
        *("coverage", "recovery_steps"),
    ),
    by_family=("regret_area", "final_score", "rmst", "final_regret"),
    compared=(
        *("score", "regret", "signal", "spent", "entropy", "value_loss"),
        "explained_variance",
    ),
    numbers=(
        *("regret_area", "final_score", "final_regret", "evaluations_to_goal"),
        *("reached", "coverage"),
    ),
    scores={
        "final_score": "Accuracy (%)",
        "regret_area": "Mean regret (points)",
        "final_regret": "Final regret (points)",
        "rmst": "Evaluations to the goal",
        "reached": "Goal reached (%)",
        "coverage": "Coverage (%)",
    },
    over="Means with their 95 % intervals: over all searches of a strategy that was "
    "not trained, over trainings of one that was.",
    percent=frozenset(
        {"final_score", "regret_area", "final_regret", "reached", "coverage"}
    ),
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in (OPTIMIZATION, FEW_SHOT, SEARCH)}


def kind(name: object) -> Kind:
    """Return a kind; the first one where none has that name.

    >>> kind("few_shot").title, kind(None).title
    ('Few-shot', 'Optimizer')
    """
    return KINDS.get(kinds.current_name(str(name)), OPTIMIZATION)


def first(page: str) -> Kind:
    """Return the kind that a page begins with.

    >>> first("search").name, first("lab").name
    ('search', 'optimization')
    """
    return next((kind for kind in KINDS.values() if kind.page == page), OPTIMIZATION)


def told_by(blocks: Iterable[Block]) -> str:
    """Return the kind that a run's numbers are of; empty where none tells."""
    metrics = {block.metric for block in blocks}
    if metrics & _SEARCH_ONLY:
        return SEARCH.name
    if metrics & _FEW_SHOT_ONLY or any(name.startswith("query_") for name in metrics):
        return FEW_SHOT.name
    return OPTIMIZATION.name if metrics else ""
