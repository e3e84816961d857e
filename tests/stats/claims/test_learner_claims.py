"""One primary question, one Holm family, and calls that follow from intervals."""

from dataclasses import replace

import numpy as np
import pytest

from engine.contract.events import Block, Condition
from engine.contract.run_spec import RunSpec
from engine.stats.block_table import BlockTable
from engine.stats.claims.calls import call_from_interval
from engine.stats.inference.looks import nominal_levels
from engine.stats.learner_claims import (
    BETTER,
    CANT_TELL,
    EQUAL,
    WORSE,
    Claim,
    make_claims,
    primary_claim,
)
from tests.stats.made_up import (
    ADAM,
    HERE,
    TUNED,
    Array,
    chosen,
    spec,
    tuning_scores,
)

PER_TASK = ("replicate", "task")
LABELS = ("lr_scale", "second", "sgd_tuned", "adam_tuned")


def areas(label: str, values: Array, at: Condition = HERE) -> Block:
    return Block(label, "test", "area", PER_TASK, values, at)


def redrawn(mean: float, seed: int, replicates: int = 8, sd: float = 0.3) -> Array:
    return mean + sd * np.random.default_rng(seed).standard_normal((replicates, 4))


def claims_of(blocks: list[Block], run: RunSpec) -> list[Claim]:
    return make_claims(BlockTable(blocks), run, None)


def many_conditions(conditions: int = 6) -> list[Block]:
    places = [
        HERE,
        *(Condition("", "stretch", float(s)) for s in range(2, conditions + 1)),
    ]
    return [
        areas(label, redrawn(0.2 * i * j, 10 * i + j), at)
        for i, label in enumerate(LABELS)
        for j, at in enumerate(places)
    ]


def everyone(**changes: object) -> RunSpec:
    return spec(chosen(), chosen("second"), TUNED, ADAM, **changes)


def test_exactly_one_claim_is_primary_and_it_meets_the_main_rival() -> None:
    blocks = [*many_conditions(), tuning_scores("adam_tuned", -1.0)]
    found = [c for c in claims_of(blocks, everyone()) if c.primary]
    assert [(c.learner, c.against, c.condition) for c in found] == [
        ("lr_scale", "adam_tuned", HERE)
    ]
    assert found[0].level == pytest.approx(0.95)


def test_chosen_learners_are_compared_with_each_other() -> None:
    found = claims_of(many_conditions(), everyone())
    pairs = {(c.learner, c.against) for c in found}
    assert ("lr_scale", "second") in pairs and ("second", "lr_scale") not in pairs
    assert not any(c.decisive for c in found if c.against == "second")
    named = claims_of(many_conditions(), everyone(rival="second"))
    main = primary_claim(named)
    assert main is not None and (main.learner, main.against) == ("lr_scale", "second")


def test_every_call_follows_from_its_interval() -> None:
    for claim in claims_of(many_conditions(), everyone()):
        called = call_from_interval(claim.low, claim.high, claim.margin)
        assert claim.call == called


def test_secondary_claims_share_one_family_over_the_whole_run() -> None:
    found = claims_of(many_conditions(), everyone())
    secondary = [c for c in found if not c.primary]
    alphas = sorted(1 - c.level for c in secondary)
    decided = sum(c.call != CANT_TELL for c in secondary)
    steps = [0.05 / (len(secondary) - done) for done in range(decided + 1)]
    assert {round(a, 12) for a in alphas} == {round(a, 12) for a in steps}
    assert alphas.count(alphas[-1]) >= len(secondary) - decided


def test_the_primary_claim_is_tested_at_the_level_of_the_look() -> None:
    looks = (8, 16, 24)
    levels = nominal_levels(looks, 0.05)
    for n, level in zip(looks, levels, strict=True):
        blocks = [
            areas("lr_scale", redrawn(0, 1, n)),
            areas("sgd_tuned", redrawn(0, 2, n)),
        ]
        (claim,) = claims_of(blocks, spec(looks=looks, replicates=24))
        assert 1 - claim.level == pytest.approx(level)


def test_without_a_test_nothing_is_counted_in_the_family() -> None:
    blocks = many_conditions(2)
    lone = Condition("", "stretch", 9.0)
    alone = [areas(label, redrawn(0, 5, 1), lone) for label in LABELS]
    found = {
        (c.learner, c.against, c.condition): c
        for c in claims_of([*blocks, *alone], everyone())
    }
    for key, claim in found.items():
        if key[2] == lone:
            assert claim.call == CANT_TELL and np.isnan(claim.low)
    for claim in claims_of(blocks, everyone()):
        assert found[claim.learner, claim.against, claim.condition] == claim


def test_the_same_learner_under_another_name_is_equal() -> None:
    rows, lost = redrawn(0, 1), np.eye(8, 4)
    labels = ("lr_scale", "sgd_tuned")
    blocks = [areas(label, rows) for label in labels]
    blocks += [Block(label, "test", "diverged", PER_TASK, lost) for label in labels]
    (claim,) = claims_of(blocks, spec())
    assert (claim.call, claim.diverged) == (EQUAL, (4, 4))


def test_whoever_loses_more_tasks_is_worse_though_its_other_tasks_are_better() -> None:
    lost = np.zeros((8, 4))
    lost[:, 0] = 1.0
    blocks = [
        areas("lr_scale", redrawn(-5, 1)),
        areas("sgd_tuned", redrawn(0, 2)),
        Block("lr_scale", "test", "diverged", PER_TASK, lost),
        Block("sgd_tuned", "test", "diverged", PER_TASK, np.zeros((8, 4))),
    ]
    (claim,) = claims_of(blocks, spec())
    assert (claim.call, claim.by_divergence, claim.diverged) == (WORSE, True, (8, 0))
    assert claim.high < 0


def test_data_is_judged_on_held_out_loss_with_the_training_loss_beside_it() -> None:
    def held(label: str, values: Array) -> Block:
        return Block(label, "test", "held_log_loss", PER_TASK, values)

    blocks = [
        areas("lr_scale", redrawn(-2, 1)),
        areas("sgd_tuned", redrawn(0, 2)),
        held("lr_scale", redrawn(2, 3)),
        held("sgd_tuned", redrawn(0, 4)),
    ]
    main, beside = claims_of(blocks, spec())
    assert (main.metric, main.primary, main.call) == ("held_log_loss", True, WORSE)
    assert (beside.metric, beside.primary, beside.call) == ("area", False, BETTER)
    assert main.margin == pytest.approx(np.log(1.05))
    assert replace(main, metric="area") != beside
