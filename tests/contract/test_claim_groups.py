"""What sets the runs of a claim apart is what differs between their specs."""

from engine import studies
from engine.catalogue import discover_parts
from engine.contract.claim_groups import claim_group_id, values_apart
from engine.contract.run_spec import Choice, LearnerChoice, RunSpec

SPEC = RunSpec(
    family=Choice(name="sinusoids", knobs={"shots": 5}),
    learners=(LearnerChoice(name="maml", label="maml"),),
)


def test_only_what_differs_sets_runs_apart() -> None:
    more = SPEC.model_copy(
        update={"family": Choice(name="sinusoids", knobs={"shots": 10})}
    )
    assert values_apart([SPEC, more]) == [{"family.shots": 5}, {"family.shots": 10}]
    assert values_apart([SPEC]) == [{}]


def test_a_knob_that_only_one_run_gives_sets_it_apart() -> None:
    bare = SPEC.model_copy(update={"family": Choice(name="sinusoids")})
    assert values_apart([bare, SPEC]) == [{}, {"family.shots": 5}]


def test_the_runs_of_every_claim_are_told_apart() -> None:
    discover_parts()
    for study in studies.studies():
        told = [repr(values) for values in values_apart(study.specs)]
        assert len(set(told)) == len(study.specs), study.name


def test_claims_have_groups_of_their_own() -> None:
    names = [study.name for study in studies.studies()]
    assert len({claim_group_id(name) for name in names}) == len(names)
