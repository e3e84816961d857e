"""An effort is the looks of a spec: quick has one, fixed has none."""

import pytest

from engine.contract.effort import (
    Effort,
    effort_of,
    equal_looks,
    extend_looks,
    with_effort,
)
from engine.contract.errors import Refused
from engine.contract.kinds import KINDS, OPTIMIZATION, Kind
from engine.contract.run_spec import MOST_LOOKS, Choice, LearnerChoice, RunSpec
from engine.presets import PRESETS

OLD = RunSpec(
    family=Choice(name="x"), learners=(LearnerChoice(name="y"),), replicates=20
)
SEQUENTIAL = OLD.model_copy(update={"replicates": 12, "looks": (4, 6, 12)})
BATCH, CEILING = OPTIMIZATION.batch, OPTIMIZATION.ceiling


def changed(
    spec: RunSpec, effort: Effort | None, replicates: int | None = None
) -> RunSpec:
    made = with_effort(spec, OPTIMIZATION, effort, replicates)
    return RunSpec.model_validate(made.model_dump())  # which checks the looks


@pytest.mark.parametrize("spec", [OLD, SEQUENTIAL], ids=["old", "looks"])
def test_without_options_a_spec_keeps_its_effort(spec: RunSpec) -> None:
    assert changed(spec, None) == spec


def test_a_spec_without_looks_is_of_a_fixed_number() -> None:
    assert effort_of(OLD) is Effort.FIXED
    assert changed(SEQUENTIAL, Effort.FIXED, 5).replicates == 5
    assert changed(SEQUENTIAL, Effort.FIXED, 5).looks == ()


def test_quick_is_one_look_at_the_first_batch_and_never_more_than_was_asked() -> None:
    quick = changed(SEQUENTIAL, Effort.QUICK)
    assert (quick.replicates, quick.looks) == (4, (4,))
    assert effort_of(quick) is Effort.QUICK
    assert changed(OLD, Effort.QUICK).looks == (BATCH,)
    one = OLD.model_copy(update={"replicates": 1})
    assert changed(one, Effort.QUICK).looks == (1,)


def test_until_decided_takes_batch_and_ceiling_from_the_kind() -> None:
    made = changed(OLD, Effort.UNTIL_DECIDED)
    assert made.looks == equal_looks(BATCH, CEILING)
    assert effort_of(made) is Effort.UNTIL_DECIDED


def test_a_higher_ceiling_keeps_the_looks_below_it() -> None:
    assert changed(SEQUENTIAL, None, 17).looks == (4, 6, 12, 16, 17)
    assert changed(SEQUENTIAL, None, 5).looks == (4, 5)


def test_too_many_batches_are_refused_with_the_smallest_batch_that_fits() -> None:
    with pytest.raises(Refused, match=r"300 batches.*at least 5"):
        equal_looks(1, 300)
    assert len(equal_looks(5, 300)) <= MOST_LOOKS < len(range(4, 301, 4))


def test_looks_reach_every_ceiling_in_order() -> None:
    for ceiling in range(1, 40):
        looks = extend_looks((4, 6, 12), ceiling)
        assert looks[-1] == ceiling
        assert sorted(set(looks)) == list(looks)


def test_what_is_published_or_only_a_smoke_test_is_of_a_fixed_number() -> None:
    for preset in PRESETS:
        if preset.name.endswith(("published", "smoke")):
            assert effort_of(preset.spec) is Effort.FIXED, preset.name


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_default_experiment_of_every_kind_runs_until_decided(kind: Kind) -> None:
    (spec,) = (preset.spec for preset in PRESETS if preset.name == kind.preset)
    assert effort_of(spec) is Effort.UNTIL_DECIDED
    assert spec.looks == equal_looks(kind.batch, kind.ceiling)
