"""Baselines that an earlier run has tuned or trained: they take no time again."""

from app.client import client, process_store
from app.experiment.costs import is_trained, is_tuned
from app.experiment.costs.optimization import tuning_tasks
from engine.contract.baseline_runs import training_run, tuning_run
from engine.contract.jobs import JobState
from engine.contract.kinds import kind_named
from engine.contract.run_keys import run_key
from engine.contract.run_spec import Input, LearnerChoice, RunSpec


def mark_ready_baselines(spec: RunSpec) -> RunSpec:
    """Return a batch of replicates whose ready baselines start frozen, as inputs.

    Args:
        spec: Completed, without looks: one batch of a run.
    """
    keys = {}
    for learner in spec.learners:
        if shared := _shared_run(spec, learner):
            keys[learner.label] = run_key(shared, client.catalogue().card)
    # In the demo, too, whoever had them computed.
    jobs = process_store.shared_store().jobs_by_key(set(keys.values()))
    ready = dict(spec.inputs)
    for label, key in keys.items():
        if key in jobs and jobs[key].state == JobState.DONE:
            ready[label] = Input(run=key, artefact=label)
    return spec.model_copy(update={"inputs": ready})


def _shared_run(spec: RunSpec, learner: LearnerChoice) -> RunSpec | None:
    """Return the run that tunes or trains a learner alone; None if there is none."""
    tuned = is_tuned(spec, learner)
    if not kind_named(spec.kind).tuned_last:
        tasks = tuning_tasks(spec, learner)
        cards = client.catalogue().card
        return tuning_run(spec, learner, tasks, cards) if tuned else None
    is_baseline = learner.role == "baseline" and learner.label not in spec.inputs
    learns = tuned or is_trained(spec, learner)
    return training_run(spec, learner) if is_baseline and learns else None
