"""Specs of the runs that tune or train one baseline, shared by all that use it.

Such a run has a key of its own, which does not depend on the chosen learner: a second
run that only changes that finds the baseline in the store.
"""

from engine.contract.run_spec import (
    Budget,
    CardLookup,
    Choice,
    LearnerChoice,
    RunSpec,
    complete_spec,
)


def tuning_run(
    spec: RunSpec, choice: LearnerChoice, tasks: int, cards: CardLookup
) -> RunSpec:
    """Return the spec of the run that tunes one optimizer, without a meta-test.

    It depends only on the family, the base learner, the horizon, the seed and the
    replicates, so all runs of that family share it.

    Args:
        spec: A run's completed spec.
        choice: The optimizer.
        tasks: On how many tasks its fine rates are tried.
        cards: Gives the card of (slot, name).
    """
    # The preset rate does not affect the search, so it must not change the key.
    knobs = {name: value for name, value in choice.knobs.items() if name != "lr"}
    alone = LearnerChoice(
        name=choice.name,
        knobs=knobs | {"tuning": "tuned"},
        role="baseline",
    )
    sub = RunSpec(
        family=spec.family,
        net=spec.net,
        learners=(alone,),
        estimator=Choice(name="pes"),
        budget=Budget(
            task_evaluations=0,
            validation_tasks=1,
            test_tasks=0,
            horizon=spec.budget.horizon,
            tuning_tasks=tasks,
        ),
        replicates=spec.replicates,
        first_replicate=spec.first_replicate,
        seed=spec.seed,
        device=spec.device,
    )
    return complete_spec(sub, cards, spec.device)


def training_run(spec: RunSpec, choice: LearnerChoice) -> RunSpec:
    """Return the spec of the run that trains one baseline, without a meta-test.

    Args:
        spec: A run's completed spec.
        choice: The baseline, as that spec has it.
    """
    return spec.model_copy(
        update={
            "learners": (choice,),
            "test_families": (),
            "shifts": (),
            "inputs": {},
            "rival": "",
            "budget": spec.budget.model_copy(update={"test_tasks": 0}),
        }
    )
