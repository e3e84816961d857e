"""Experiments with neural processes and Gaussian processes: functions and digits."""

from engine.contract.run_spec import Budget, Choice
from engine.presets.builders import baseline, baselines, candidate, experiment, shift

_NET = Choice(name="mlp", knobs={"depth": 2, "width": 40})
_PROCESSES = (
    candidate("neural_process"),
    candidate("neural_process", "attentive", aggregation="attention"),
)


def _process_budget(meta_steps: int, every: int) -> Budget:
    """Return a budget of 16 tasks per meta-step."""
    return Budget(
        task_evaluations=16 * meta_steps,
        tasks_per_step=16,
        validate_every=every,
        validation_tasks=50,
        test_tasks=200,
        horizon=5,
        tuning_tasks=32,
    )


PROCESSES = experiment(
    "processes",
    "Functions with doubt: neural and Gaussian processes",
    "Which learner of a density comes nearest to the oracle, a Gaussian process with "
    "the sinusoids' own kernel, and what is left on functions of another kind?",
    family=Choice(name="sinusoids"),
    test_families=(Choice(name="gaussian_process"),),
    net=_NET,
    learners=(
        *_PROCESSES,
        candidate("deep_kernel", kernel="spectral"),
        baseline("gp_regression", "oracle", kernel="cosine"),
        *baselines("from_scratch", "fine_tune"),
    ),
    shifts=(shift("shots", 3, 20),),
    budget=_process_budget(2000, 200),
    replicates=4,
)

SMOOTH_FUNCTIONS = experiment(
    "smooth_functions",
    "Random smooth functions: a Gaussian process is the oracle",
    "Functions drawn from a Gaussian process: no learner has a smaller expected error "
    "than regression with the kernel that drew them.",
    family=Choice(name="gaussian_process"),
    net=_NET,
    learners=(
        *_PROCESSES,
        candidate("deep_kernel"),
        baseline("gp_regression", "oracle"),
        *baselines("from_scratch", "fine_tune"),
    ),
    shifts=(shift("shots", 3, 20),),
    budget=_process_budget(1500, 150),
    replicates=4,
)

DIGIT_COMPLETION = experiment(
    "digit_completion",
    "Complete a digit from a few of its pixels",
    "Each task is one image of 8 × 8 pixels. Smoothness alone does not know digits: do "
    "learners that saw many of them?",
    family=Choice(name="digit_completion"),
    net=_NET,
    learners=(
        *_PROCESSES,
        candidate("deep_kernel"),
        candidate("maml"),
        *baselines("gp_regression", "from_scratch", "fine_tune"),
    ),
    shifts=(shift("shots", 5, 20, 32),),
    budget=_process_budget(1500, 150),
    replicates=3,
)
