"""Architecture search: strategies search a space for a good architecture."""

from engine.contract.kinds.kind_record import (
    Criterion,
    FieldWords,
    Kind,
    Metrics,
    Words,
)

_WORDS = Words(
    tasks="architecture searches",
    does="searches architectures",
    family="an architecture family",
    tests="searches",
    work="architectures",
    first_choice="a space",
    learner="Search strategy",
    learner_help="What is compared; most strategies bring knowledge from other tasks.",
    net="Net",
    net_help="Not used: the space defines the nets.",
    baselines="Same space, same budget, same random numbers",
    baselines_help="What a strategy that learns has to beat; a strategy that is no "
    "better than random search is useless.",
    shifts_help="The same searches, in a space that is noisier, smaller, capped or "
    "partly broken.",
    step="Evaluation",
    intervals="Means with their 95 % intervals: over all searches of a strategy that "
    "was not trained, over trainings of one that was.",
    all_diverged="no search of the chosen strategy found a valid architecture: all "
    "that it trained failed or exceeded the cap",
    question="Does experience with other tasks find a good architecture "
    "sooner than starting afresh?",
)
_METRICS = Metrics(
    validation="validation_regret",
    tuning="validation_regret",
    traces=("score", "regret", "entropy", "value_loss", "explained_variance"),
    checks=("score", "regret"),
    training=(
        "validation_regret",
        "lesson_loss",
        "entropy",
        "value_loss",
        "explained_variance",
        "outer_grad_norm",
    ),
    per_task=(
        "regret_area",
        "final_score",
        "final_regret",
        "evaluations_to_goal",
        "cost_to_goal",
        "trained",
        "repeated",
        "coverage",
        "recovery_steps",
    ),
    by_severity=(
        "regret_area",
        "final_score",
        "evaluations_to_goal",
        "final_regret",
        "coverage",
        "recovery_steps",
    ),
    by_family=("regret_area", "final_score", "rmst", "final_regret"),
    curves=(
        "score",
        "regret",
        "signal",
        "spent",
        "entropy",
        "value_loss",
        "explained_variance",
    ),
    numbers=(
        "regret_area",
        "final_score",
        "final_regret",
        "evaluations_to_goal",
        "reached",
        "coverage",
    ),
    scores={
        "final_score": "Accuracy (%)",
        "regret_area": "Mean regret (points)",
        "final_regret": "Final regret (points)",
        "rmst": "Evaluations to the goal",
        "reached": "Goal reached (%)",
        "coverage": "Coverage (%)",
    },
    percent=frozenset(
        {"final_score", "regret_area", "final_regret", "reached", "coverage"}
    ),
)
# The mean regret decides; the evaluations to a goal are compared, too.
REGRETS = Criterion(
    marks=frozenset({"regret_area"}),
    deciding="regret_area",
    beside="evaluations_to_goal",
    reported="final_score",
    shown=(
        "regret_area",
        "final_regret",
        "final_score",
        "reached",
        "trained",
        "repeated",
        "coverage",
        "recovery_steps",
        "recovered",
    ),
    # a tenth of a percentage point of accuracy, one evaluation
    margin={"regret_area": 1e-3, "evaluations_to_goal": 1.0},
    relative=frozenset(),
    within="0.1 points",
    singles=True,
    called="mean regret",
    unit="%",
    scale=100.0,
    trace="regret",
    first=1,
    pools=True,
    own_goal=True,
)
_BUDGET = {
    "task_evaluations": FieldWords(
        "Source searches",
        "searches",
        "Searches on source tasks that each strategy learns from, per replicate.",
    ),
    "tasks_per_step": FieldWords(
        "Searches per meta-step",
        "searches",
        "Searches between two updates of what is learned.",
    ),
    "horizon": FieldWords(
        "Evaluations of a search",
        "evaluations",
        "Architectures that a search may train; a cap on the cost may end it sooner.",
    ),
    "test_tasks": FieldWords(
        "Repeated searches",
        "searches",
        "Per replicate and condition, each with random numbers of its own.",
    ),
    "validation_tasks": FieldWords(
        "Validation searches", "searches", "They choose the checkpoint."
    ),
}
SEARCH = Kind(
    name="search",
    title="Architecture search",
    preset="search",
    words=_WORDS,
    metrics=_METRICS,
    criteria=(REGRETS,),
    budget=_BUDGET,
    no_budget=frozenset({"threshold", "tuning_tasks"}),
    numpy=True,
    fixed_space=True,
    counts_validation=True,
    same_speed=("family",),
    exported_table="searches",
    # A replicate of searches in a table takes a third of a second.
    batch=16,
    ceiling=128,
)
