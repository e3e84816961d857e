"""Experiments in grids and planes, whose best possible return is known."""

from engine.contract.run_spec import Budget, Choice
from engine.presets.builders import baselines, candidate, experiment, shift


def _budget(meta_steps: int, trials: int, horizon: int) -> Budget:
    """Return a budget of so many trials per meta-step and episodes per trial."""
    return Budget(
        task_evaluations=meta_steps * trials,
        tasks_per_step=trials,
        validate_every=meta_steps // 5,
        validation_tasks=64,
        test_tasks=128,
        horizon=horizon,
    )


MAZE = experiment(
    "gridworld_memory",
    "A goal behind walls: search once, then walk straight",
    "RL² in grids whose goal and walls change from task to task, beside PSRL; the "
    "shifts move walls halfway through a trial and let actions slip.",
    family=Choice(name="gridworld"),
    learners=(candidate("rl2"), *baselines("psrl", "oracle", "random_actions")),
    rival="psrl",
    shifts=(shift("moved_walls", 0.5, 1.0), shift("action_noise", 0.1, 0.25)),
    budget=_budget(100, 200, 4),
    replicates=2,
)
KEY = experiment(
    "key_door_memory",
    "Fetch the key, open the door, and remember where they are",
    "Rewards are sparse: RL² beside PSRL and random actions; the shifts delay rewards "
    "and show wrong states.",
    family=Choice(name="key_door"),
    learners=(candidate("rl2"), *baselines("psrl", "oracle", "random_actions")),
    rival="psrl",
    shifts=(shift("delayed_reward", 4), shift("observation_noise", 0.1)),
    budget=_budget(60, 200, 4),
    replicates=2,
)
OUTSIDE = experiment(
    "goals_outside",
    "Goals that no training has shown",
    "A policy with a memory in the plane; the shift moves goals beyond the square that "
    "it was trained in, where an agent must look for them.",
    family=Choice(name="navigation", knobs={"steps": 20}),
    learners=(candidate("rl2"), *baselines("oracle", "random_actions")),
    rival="random_actions",
    shifts=(shift("goal_outside", 0.5, 1.0, 2.0), shift("action_noise", 0.5)),
    budget=_budget(100, 200, 4),
    replicates=2,
)
PRESETS = (MAZE, KEY, OUTSIDE)
