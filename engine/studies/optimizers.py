"""Studies of optimizers: shifted tasks, steady gradients, and plain SGD.

The protocols were written on 2026-11-30, before any of these runs was computed. Their
budgets suit two CPU cores, about two minutes each: a verdict is about a controller of
this size, trained for so long.
"""

from engine.contract.run_spec import Budget, Choice, RunSpec, ShiftChoice
from engine.presets.builders import candidate, shift, tuned_baseline
from engine.studies.definition import SEED, Study

REPLICATES = 8
# Nothing of the shifts is seen in meta-training or tuning.
_SHIFTS = (shift("stretch", 1.0, 2.0), shift("wider", 1.0), shift("activation", 1.0))
_SHIFTED = (
    "LR-scale, which sets the rate at every step, against SGD with the best constant "
    "rate; both learned from Gaussian mixtures, on tasks of their own. Then tested on "
    "32 others, with the first input stretched by 2 and by 4, with a base learner "
    f"twice as wide, and with tanh for relu; {REPLICATES} trainings of 2,080 tasks. "
)
_RULE = "Replicates are the unit; 95 % Student intervals. "
_ALL = (
    "Supported: the intervals of all four shifts favor LR-scale. Not supported: all "
    "favor SGD. Depends: they differ in sign. Can't tell yet: an interval holds 0."
)


def optimizer_studies() -> tuple[Study, ...]:
    """Return the studies of optimizers; the first two share their run."""
    return (_shifted_tasks(), _steady_gradients(), _plain_sgd())


def _optimizer_spec(
    family: Choice, net: Choice, shifts: tuple[ShiftChoice, ...] = ()
) -> RunSpec:
    """Return a run of LR-scale against tuned SGD and Adam.

    Args:
        family: The tasks.
        net: The base learner.
        shifts: Shifts of the tests.
    """
    sgd, adam = map(tuned_baseline, ("sgd", "adam"))
    return RunSpec(
        family=family,
        shifts=shifts,
        net=net,
        learners=(candidate("lr_scale"), sgd, adam),
        budget=Budget(task_evaluations=2080, test_tasks=32, tuning_tasks=64),
        replicates=REPLICATES,
        seed=SEED,
    )


def _shifted_run() -> RunSpec:
    return _optimizer_spec(Choice(name="mixtures"), Choice(name="mlp"), _SHIFTS)


def _shifted_tasks() -> Study:
    return Study(
        "shifted_tasks",
        "Learned rates on shifted tasks",
        "A learned learning rate transfers to shifted tasks.",
        f"{_SHIFTED}{_RULE}Measured: final loss on held-out points, difference of "
        "logs. Tasks without a shift, and tuned Adam, stand beside it. "
        f"{_ALL}",
        (_shifted_run(),),
        "Gaussian mixtures",
    )


def _steady_gradients() -> Study:
    return Study(
        "steady_gradients",
        "Steady gradients",
        "Gradients stay steadier under shift.",
        f"{_SHIFTED}{_RULE}Measured: unsteadiness, the root mean square change of the "
        "log gradient norm from one step to the next, over all tasks and steps before "
        "a divergence; difference of logs. A slow decay, as of any training that "
        "converges, hardly counts. The spread of the log gradient norm over tasks and "
        f"steps stands beside it. {_ALL}",
        (_shifted_run(),),
        "Gaussian mixtures",
    )


def _plain_sgd() -> Study:
    flat = Choice(name="mlp", knobs={"depth": 0})
    return Study(
        "plain_sgd",
        "Plain SGD",
        "Plain SGD wins on simple, well-tuned tasks.",
        "Linear regression and logistic regression, both convex, with a condition "
        "number of 10. SGD with the best constant rate, tuned on 64 tasks, against "
        f"LR-scale; {REPLICATES} trainings of 2,080 tasks. {_RULE}Measured: final loss "
        "on held-out points (linear), mean log loss over the steps (logistic, which "
        "holds no points out); difference of logs. Tuned Adam stands beside it. "
        "Supported: both intervals favor SGD. Not supported: both favor LR-scale. "
        "Depends: they differ in sign. Can't tell yet: an interval holds equal losses.",
        tuple(_optimizer_spec(Choice(name=at), flat) for at in ("linear", "logistic")),
        "Linear and logistic regression",
    )
