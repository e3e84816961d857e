"""Few-shot experiments with learners that say how sure they are."""

from engine.contract.run_spec import Budget, Choice
from engine.presets.builders import baselines, candidate, experiment, shift

AMBIGUOUS_FUNCTIONS = experiment(
    "ambiguous_functions",
    "A line or a wave, from five noisy points?",
    "Do learners that predict with several nets know what five points leave open?",
    family=Choice(name="ambiguous_functions"),
    net=Choice(name="mlp", knobs={"depth": 2, "width": 40}),
    learners=(
        candidate("platipus", inner_steps=2),
        candidate("bayesian_maml", inner_steps=2, particles=5),
        candidate("maml", inner_steps=2),
        candidate("maml_ensemble", inner_steps=2, particles=5),
        *baselines("from_scratch", "fine_tune"),
    ),
    shifts=(shift("shots", 10, 20),),
    budget=Budget(
        task_evaluations=10_000,
        tasks_per_step=10,
        validate_every=250,
        validation_tasks=50,
        test_tasks=100,
        horizon=5,
        tuning_tasks=32,
    ),
    replicates=1,
)
