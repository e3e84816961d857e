"""Studies of few-shot learners: memory, doubt, context, mixtures and diversity.

The protocols were written on 2026-11-30, before any of these runs was computed. Their
budgets suit two CPU cores, a few minutes each: they are far below those of the papers,
and a verdict is about learners of this size, trained for so long.
"""

from collections.abc import Sequence

from engine.contract.run_spec import Budget, Choice, LearnerChoice, RunSpec
from engine.presets.builders import baseline, candidate
from engine.studies.definition import SEED, Study

TASKS = 25  # episodes of a meta-step
DIVERSITY = (1, 3, 10, 30, 100, 0)  # training tasks; 0: each is drawn anew
_WAVES = Choice(name="sinusoids")
_NET = Choice(name="mlp", knobs={"depth": 2, "width": 40})
_MAML = baseline("maml")
_RULE = (
    "Replicates are the unit; 95 % Student intervals of the log ratio of a replicate's "
    "mean errors. "
)


def few_shot_studies() -> tuple[Study, ...]:
    """Return the studies of few-shot learners."""
    return (
        _online_labels(),
        _doubt(),
        _context_parameters(),
        _in_context(),
        _mixture(),
        _diversity(),
    )


def few_shot_spec(
    family: Choice,
    learners: Sequence[LearnerChoice],
    meta_steps: int,
    net: Choice = _NET,
    replicates: int = 6,
    tasks: int = TASKS,
) -> RunSpec:
    """Return a run of few-shot learners.

    Args:
        family: The family of all episodes.
        learners: What is compared.
        meta_steps: Outer updates of each learner.
        net: The net.
        replicates: Trainings of each learner.
        tasks: Episodes of a meta-step.
    """
    return RunSpec(
        family=family,
        net=net,
        learners=tuple(learners),
        budget=Budget(
            task_evaluations=meta_steps * tasks,
            tasks_per_step=tasks,
            validate_every=max(1, meta_steps // 5),
            validation_tasks=50,
            test_tasks=100,
            tuning_tasks=32,
            horizon=5,
        ),
        replicates=replicates,
        seed=SEED,
    )


def _online_labels() -> Study:
    family = Choice(name="gaussian_sequences", knobs={"presentations": 20})
    learners = (candidate("mann"), candidate("recurrent"), _MAML)
    net = Choice(name="mlp", knobs={"depth": 1, "width": 64})
    spec = few_shot_spec(family, learners, 400, net, replicates=4, tasks=16)
    return Study(
        "online_labels",
        "Labels one at a time",
        "Memory beats gradient adaptation when labels come one at a time.",
        "Sequences of 20 examples of 5 Gaussian classes with shuffled labels, each "
        "label shown after its example was answered. MANN and an LSTM against MAML, "
        "which adapts anew to all examples so far; 4 trainings of 6,400 episodes. "
        f"{_RULE}Measured: error rate over the whole sequence. Supported: both "
        "intervals favor the memory. Not supported: both favor MAML. Depends: they "
        "differ in sign. Can't tell yet: an interval holds equal errors.",
        (spec,),
        "Gaussian sequences",
    )


def _doubt() -> Study:
    family = Choice(name="ambiguous_functions")
    learners = (candidate("neural_process"), candidate("deep_kernel"), _MAML)
    return Study(
        "doubt",
        "Knowing what one does not know",
        "Probabilistic learners know when they do not know.",
        "Lines or sine waves from five noisy points, so that the points often fit "
        "both. A neural process and a deep kernel, whose spread depends on the query, "
        "against MAML with one spread for all queries, its residual variance on "
        "validation episodes; 6 trainings of 10,000 episodes. Replicates are the "
        "unit; 95 % Student intervals of the difference. Measured: negative "
        "log-likelihood of the queries, a proper score; the squared errors stand "
        "beside it. Supported: both intervals favor the probabilistic learner. Not "
        "supported: both favor MAML. Depends: they differ in sign. Can't tell yet: an "
        "interval holds 0.",
        (few_shot_spec(family, learners, 400),),
        "Ambiguous functions",
    )


def _context_parameters() -> Study:
    sizes = {"one": 1, "two": 2, "five": 5}
    learners = [candidate("cavia", at, parameters=n) for at, n in sizes.items()]
    return Study(
        "context_parameters",
        "Context parameters",
        "Two context parameters are enough for sinusoids.",
        "CAVIA on sine waves of ten points with one, two and five context parameters; "
        "6 trainings of 25,000 episodes, a twentieth of the paper's. "
        f"{_RULE}Measured: squared error of two parameters relative to that of five; "
        "that of one stands beside it. Supported: the interval lies below 1.25 times. "
        "Not supported: it lies above. Can't tell yet: it holds 1.25.",
        (few_shot_spec(_WAVES, learners, 1000),),
        "Sinusoids",
    )


def _in_context() -> Study:
    family = Choice(name="linear_regression", knobs={"noise": 0.5})
    learners = (candidate("transformer"), baseline("bayes_linear"))
    raw = Choice(name="mlp", knobs={"depth": 0})
    return Study(
        "in_context",
        "In-context regression",
        "In-context learning is ridge regression.",
        "Linear functions of five inputs with noise, ten points each. A transformer "
        "that reads the points as tokens, against the exact posterior of linear "
        "tasks, which is ridge regression with the right penalty; 6 trainings of "
        f"37,500 episodes. {_RULE}Measured: squared error of the transformer relative "
        "to that of the posterior. Supported: the interval lies below 1.25 times. Not "
        "supported: it lies above. Can't tell yet: it holds 1.25.",
        (few_shot_spec(family, learners, 1500, raw),),
        "Linear regression",
    )


def _mixture() -> Study:
    family = Choice(name="function_mixture")
    learners = (candidate("clustered_maml"), _MAML)
    return Study(
        "mixture",
        "Several starts",
        "One start does not fit a mixture.",
        "Waves, lines, parabolas and steps in equal shares, ten points each. MAML "
        "with four starts, one of which each task softly chooses, against MAML with "
        f"one; 6 trainings of 12,500 episodes. {_RULE}Measured: squared error. "
        "Supported: the interval favors several starts. Not supported: it favors one. "
        "Can't tell yet: it holds equal errors.",
        (few_shot_spec(family, learners, 500),),
        "Function mixture",
    )


def _diversity() -> Study:
    families = [Choice(name="sinusoids", knobs={"train_tasks": n}) for n in DIVERSITY]
    learners = (candidate("maml"), baseline("from_scratch"))
    return Study(
        "diversity",
        "Task diversity",
        "Meta-learning needs task diversity.",
        "MAML on sine waves, trained on 1, 3, 10, 30 or 100 fixed tasks or always on "
        "new ones, against the same net trained from scratch, with tuned rate and "
        "steps, on the same new tasks; 6 trainings of 5,000 episodes each. Measured: "
        "by how much the log of MAML's mean squared error, relative to from scratch, "
        "falls per tenfold number of tasks from 1 to 100 (least squares in each "
        "replicate); mean over replicates with its 95 % Student interval. Supported: "
        "the interval lies above 0. Not supported: it lies below. Can't tell yet: it "
        "holds 0.",
        tuple(few_shot_spec(family, learners, 200) for family in families),
        "Sinusoids",
    )
