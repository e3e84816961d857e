"""Studies of agents: memory and the optimum, critics, credit, and harder tasks.

The protocols were written on 2026-11-30, before any of these runs was computed. Their
budgets suit two CPU cores, a few minutes each: they are far below those of the papers,
and a verdict is about agents of this size, trained for so long.
"""

from engine.contract.run_spec import Budget, Choice, RunSpec
from engine.presets.builders import baseline, baselines, candidate, shift
from engine.studies.definition import SEED, Study

REPLICATES = 5
_NET = Choice(name="mlp", knobs={"depth": 2, "width": 64, "activation": "tanh"})
_PLANE = Choice(name="navigation", knobs={"steps": 50})
_ADAM = Choice(name="adam", knobs={"lr": 0.005})
_RULE = (
    "Replicates are the unit; 95 % Student intervals of the difference of regrets, in "
    "percent of what random actions lose on the same tasks. "
)


def agent_studies() -> tuple[Study, ...]:
    """Return the studies of agents; the last two share their run."""
    return (
        _bayes_optimal_memory(),
        _learned_critic(),
        _sampling_credit(),
        _harder_tasks(),
    )


def _plane_budget(meta_steps: int, horizon: int) -> Budget:
    """Return a budget for goals in the plane, ten to a meta-step.

    Args:
        meta_steps: Outer updates of each agent.
        horizon: Episodes of a trial; the last quarter is judged.
    """
    return Budget(
        task_evaluations=10 * meta_steps,
        tasks_per_step=10,
        validate_every=meta_steps // 4,
        validation_tasks=20,
        test_tasks=40,
        tuning_tasks=10,
        horizon=horizon,
    )


def _bayes_optimal_memory() -> Study:
    spec = RunSpec(
        family=Choice(name="bernoulli_bandit"),
        learners=(
            candidate("rl2"),
            *baselines("bayes_optimum", "thompson", "random_actions"),
        ),
        outer=Choice(name="adam", knobs={"lr": 0.01}),
        budget=Budget(
            task_evaluations=150 * 256,
            tasks_per_step=256,
            validate_every=30,
            validation_tasks=256,
            test_tasks=512,
            horizon=10,
        ),
        replicates=REPLICATES,
        seed=SEED,
    )
    return Study(
        "bayes_optimal_memory",
        "Memory and the Bayes optimum",
        "RL² approaches the Bayes optimum.",
        "Five Bernoulli arms, ten pulls; RL² by PPO against the exact optimum for "
        "uniform arms, with Thompson sampling beside it; 5 trainings of 38,400 trials. "
        f"{_RULE}Measured: by how much RL² loses more than the optimum does. "
        "Supported: the interval lies below 5 %. Not supported: it lies above. Can't "
        "tell yet: it holds 5 %.",
        (spec,),
        "Bernoulli arms",
    )


def _learned_critic() -> Study:
    spec = RunSpec(
        family=_PLANE,
        net=_NET,
        learners=(
            candidate("meta_critic"),
            candidate("meta_critic", "both_learned", policy="learned"),
            baseline("meta_critic", "fresh_critic", critic="fresh"),
            *baselines("multi_task_policy"),
        ),
        outer=_ADAM,
        budget=_plane_budget(40, 20),
        replicates=REPLICATES,
        seed=SEED,
    )
    return Study(
        "learned_critic",
        "Learned critics",
        "A meta-learned value function saves interactions.",
        "Hidden goals in a square, 20 episodes of 50 steps. A fresh policy with a "
        "learned critic, against one with a fresh critic and against a policy that was "
        "trained on all goals and is fine-tuned; all step sizes tuned. Such a policy "
        "with a learned critic stands beside them. 5 trainings of 400 trials. "
        f"{_RULE}Measured: regret of the last five episodes, so after equally many "
        "interactions. Supported: both intervals favor the fresh policy with a learned "
        "critic. Not supported: both favor the others. Depends: "
        "they differ in sign. Can't tell yet: an interval holds equal regrets.",
        (spec,),
        "Navigation",
    )


def _adaptation_run() -> RunSpec:
    return RunSpec(
        family=_PLANE,
        shifts=(shift("goal_outside", 0.5, 1.0, 2.0),),
        net=_NET,
        learners=(
            candidate("maml_rl", episodes=20),
            candidate("maml_rl", "log_prob", episodes=20, surrogate="log_prob"),
            *baselines("policy_from_scratch"),
        ),
        outer=_ADAM,
        budget=_plane_budget(40, 40),
        replicates=REPLICATES,
        seed=SEED,
    )


def _sampling_credit() -> Study:
    return Study(
        "sampling_credit",
        "Credit to the episodes before the update",
        "MAML-RL needs the credit to pre-update sampling.",
        "Hidden goals in a square: 20 episodes of 50 steps, one policy-gradient step, "
        "20 more. MAML-RL whose outer gradient knows that the start chose the episodes "
        "before the step (low-variance curvature), against MAML-RL whose gradient "
        f"ignores it (log probabilities); 5 trainings of 400 trials. {_RULE}Measured: "
        "regret of the last ten episodes. Supported: the interval favors the credit. "
        "Not supported: it favors ignoring it. Can't tell yet: it holds equal regrets.",
        (_adaptation_run(),),
        "Navigation",
    )


def _harder_tasks() -> Study:
    return Study(
        "harder_tasks",
        "Agents on harder tasks",
        "Meta-RL transfers to harder tasks.",
        "MAML-RL, trained on goals in a square, with goals 0.5, 1 and 2 half sides "
        "outside it, against a policy that learns each goal from scratch with a step "
        "size tuned on goals inside; 40 episodes of 50 steps, 5 trainings of 400 "
        f"trials. {_RULE}Measured: regret of the last ten episodes at each severity; "
        "goals inside stand beside them. Supported: the intervals of all severities "
        "favor MAML-RL. Not supported: all favor learning from scratch. Depends: they "
        "differ in sign. Can't tell yet: an interval holds equal regrets.",
        (_adaptation_run(),),
        "Navigation",
    )
