"""What a run of a spec can contain: conditions, tuned learners, diverged ones."""

from collections.abc import Iterable

from engine.contract.events import Block, Condition
from engine.contract.run_spec import RunSpec
from engine.stats.replicate_concatenation import join_batches


def spec_conditions(spec: RunSpec) -> set[Condition]:
    """Return every test condition of a spec, with its own distribution."""
    found = {Condition()}
    for shift in spec.shifts:
        found |= {Condition("", shift.name, each) for each in shift.severities}
    names = [choice.name for choice in spec.test_families]
    for name in names:
        many = [f"{name}_{i + 1}" for i in range(names.count(name))]
        found |= {Condition(each) for each in (many if len(many) > 1 else [name])}
    return found


def tuned_labels(spec: RunSpec) -> set[str]:
    """Return the labels of the learners whose learning rate the run tunes."""
    return {c.label for c in spec.learners if c.knobs.get("tuning", "given") != "given"}


def diverged_learners(spec: RunSpec, blocks: Iterable[Block]) -> list[str]:
    """Return the chosen learners that lost every task of the test in distribution."""
    chosen = {c.label for c in spec.learners if c.role == "chosen"}
    tests = [b for b in blocks if (b.phase, b.metric) == ("test", "diverged")]
    here = [b for b in tests if b.condition == Condition() and b.learner in chosen]
    joined = join_batches(here)
    return [b.learner for b in joined if b.array.size and b.array.all()]
