"""A sweep is expanded as written, and refused in one sentence before it grows."""

import pytest

from engine.contract.errors import Refused
from engine.contract.run_spec import LearnerChoice, RunSpec
from engine.contract.sweep_grid import Sweep, parse_seeds, parse_setting
from tests.store import fake


def specs_of(*grid: str, seeds: str = "", **bases: RunSpec) -> list[RunSpec]:
    asked = sweep_of(*grid, seeds=seeds, **bases)
    made = [each for v in asked.configurations() for each in asked.with_seeds(v)]
    assert len(made) == asked.run_count()
    return [each.spec for each in made]


def expand(*grid: str, seeds: str) -> None:
    asked = sweep_of(*grid, seeds=seeds)
    asked.check(confirmed=False)
    list(asked.configurations())


def sweep_of(*grid: str, seeds: str = "", **bases: RunSpec) -> Sweep:
    settings = tuple(parse_setting(each) for each in grid)
    return Sweep(
        bases or {"fake": fake.spec(5)}, settings, parse_seeds(seeds) if seeds else ()
    )


def test_every_value_meets_every_other_and_every_seed() -> None:
    made = specs_of("learner.lr=0.1,1", "budget.horizon=3,4", seeds="1-2,9")
    seen = [(s.learners[0].knobs["lr"], s.budget.horizon, s.seed) for s in made]
    assert seen == [
        (lr, steps, seed) for lr in (0.1, 1) for steps in (3, 4) for seed in (1, 2, 9)
    ]


def test_without_seeds_a_spec_keeps_its_own() -> None:
    assert [s.seed for s in specs_of("net=mlp,cnn")] == [5, 5]


def test_a_learners_path_reaches_the_chosen_ones_and_a_label_the_one() -> None:
    chosen, baseline = specs_of("learner.lr=3")[0].learners
    assert (chosen.knobs, baseline.knobs) == ({"lr": 3}, {})
    chosen, baseline = specs_of("sgd.lr=3")[0].learners
    assert (chosen.knobs, baseline.knobs) == ({}, {"lr": 3})


def test_another_part_starts_from_its_own_defaults_and_keeps_what_is_set() -> None:
    learner = LearnerChoice(name="maml", label="mine", knobs={"inner_lr": 1})
    base = fake.spec(0).model_copy(update={"learners": (learner,)})
    (made,) = specs_of("learner.k=2", "learner=reptile", fake=base)
    assert made.learners[0].model_dump() == {
        "name": "reptile",
        "knobs": {"k": 2},
        "role": "chosen",
        "label": "",
    }


def test_values_are_json_or_plain_text() -> None:
    assert parse_setting("net.widths=[8,8],[16]").values == ([8, 8], [16])
    assert parse_setting("a.b= true , 0.1,x y").values == (True, 0.1, "x y")
    assert parse_setting("a.b=1,true,0,false").values == (1, True, 0, False)


@pytest.mark.parametrize(
    ("grid", "seeds", "said"),
    [
        (["learner.lr"], "", "a grid is PATH=VALUE,VALUE"),
        (["learner.lr="], "", "a grid is PATH=VALUE,VALUE"),
        (["learner.lr=1,,x"], "", "empty value"),
        (["learner.lr=1,1.0"], "", "given the value 1.0 twice"),
        (["learner.lr=true,1,true"], "", "given the value True twice"),
        (["learner.lr=1", "learner.lr=2"], "", "in the grid twice"),
        (["seed=1,2"], "", "the grid cannot set 'seed'"),
        (["learners.0.name=x"], "", "the grid cannot set"),
        (["budget.horizont=3"], "", "budget.horizont=3: "),
        (["replicates=0"], "", "replicates=0: "),
        ([], "0-", "seeds are whole numbers"),
        ([], "-1", "seeds are whole numbers"),
        ([], "1e3", "seeds are whole numbers"),
        ([], "4-2", "must not be larger"),
        ([], "1-3,2", "seed 2 is given twice"),
        ([], str(2**63), "a seed must be below 2⁶³"),
        ([], "1-" + "9" * 400, "seeds are whole numbers"),
        ([], "1-201", "these are 201 runs (1 configuration × 201 seeds); at most 200"),
        (["learner.lr=1,2"], f"0-{2**63 - 1}", "at most 200 are allowed without --yes"),
    ],
)
def test_what_is_no_sweep_is_refused_in_one_sentence(
    grid: list[str], seeds: str, said: str
) -> None:
    with pytest.raises(Refused) as refused:
        expand(*grid, seeds=seeds)
    assert said in refused.value.message
    assert "\n" not in refused.value.message


def test_confirmed_it_may_be_larger_but_not_endless() -> None:
    sweep_of(seeds="1-10000").check(confirmed=True)
    with pytest.raises(Refused, match=r"10,001 runs .* at most 10,000 are allowed$"):
        sweep_of(seeds="0-10000").check(confirmed=True)
