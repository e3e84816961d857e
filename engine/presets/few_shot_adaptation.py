"""Few-shot experiments with learners that adapt in another way than MAML."""

from engine.contract.run_spec import Budget, Choice
from engine.presets.builders import (
    PLAIN_ADAM,
    baselines,
    candidate,
    experiment,
    shift,
)

_NET = Choice(name="mlp", knobs={"depth": 2, "width": 40})
_WAVES = Choice(name="sinusoids")


def _adaptation_budget(meta_steps: int) -> Budget:
    """Return a budget of 25 tasks per meta-step, as for the papers' sinusoids."""
    return Budget(
        task_evaluations=25 * meta_steps,
        tasks_per_step=25,
        validate_every=meta_steps // 10,
        validation_tasks=100,
        test_tasks=200,
        horizon=10,
        tuning_tasks=32,
    )


CONTEXT_PARAMETERS = experiment(
    "context_parameters",
    "How many numbers tell one wave from another?",
    "CAVIA adapts one, two or five context parameters; a wave has an amplitude and a "
    "phase.",
    family=_WAVES,
    net=_NET,
    learners=(
        candidate("cavia", "cavia_2", parameters=2),
        candidate("cavia", "cavia_1", parameters=1),
        candidate("cavia", "cavia_5"),
        candidate("maml"),
        *baselines("from_scratch", "fine_tune"),
    ),
    shifts=(shift("shots", 5, 20), shift("contradiction", 0.1, 0.3)),
    outer=PLAIN_ADAM,
    budget=_adaptation_budget(2000),
    replicates=1,
)

SEVERAL_STARTS = experiment(
    "several_starts",
    "Does one start fit a mixture of functions?",
    "Four initializations, each task with those that fit its support, beside MAML, "
    "MT-Net and CAVIA; a meta-step with four starts costs four times as much.",
    family=Choice(name="function_mixture"),
    net=_NET,
    learners=(
        candidate("clustered_maml", temperature=0.3),
        candidate("maml"),
        candidate("mt_net"),
        candidate("cavia"),
        *baselines("from_scratch", "fine_tune"),
    ),
    outer=PLAIN_ADAM,
    budget=_adaptation_budget(2000),
    replicates=1,
)

LEARNED_STEPS = experiment(
    "learned_steps",
    "Meta-LSTM beside MAML, five steps each",
    "Is a rate that is learned for each weight and step worth more than second "
    "derivatives?",
    family=_WAVES,
    net=_NET,
    learners=(
        candidate("meta_lstm"),
        candidate("maml", inner_steps=5),
        candidate("fomaml", inner_steps=5),
        *baselines("from_scratch", "fine_tune"),
    ),
    outer=PLAIN_ADAM,
    budget=_adaptation_budget(3000),
    replicates=1,
)

USERS = experiment(
    "users",
    "A new user's taste from five ratings",
    "Users share a few factors of taste: which learner comes nearest to the exact "
    "posterior, which is drawn as a line?",
    family=Choice(name="personalization"),
    net=_NET,
    learners=(
        candidate("cavia"),
        candidate("maml"),
        candidate("r2d2"),
        *baselines("from_scratch", "fine_tune"),
    ),
    shifts=(shift("shots", 2, 10), shift("contradiction", 0.2)),
    outer=PLAIN_ADAM,
    budget=_adaptation_budget(2000),
    replicates=1,
)
