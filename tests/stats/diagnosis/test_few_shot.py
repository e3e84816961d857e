"""Each few-shot detector fires on what it is for and stays silent without its data."""

import re
from collections.abc import Callable

import numpy as np
import pytest

from engine.contract.events import Block, Condition
from engine.contract.run_spec import Choice, RunSpec
from engine.stats.block_table import BlockTable
from engine.stats.diagnosis import diagnose
from engine.stats.diagnosis.finding import Finding
from engine.stats.summaries.episode_checks import (
    count_repeats,
    has_one_class,
    label_mismatch_p,
)
from tests.stats.made_up import (
    HERE,
    Array,
    along,
    baseline,
    few,
    few_shot,
    few_spec,
    number,
    steps,
)

Case = tuple[list[Block], RunSpec]
SHAPE = (2, 64)


def _found(case: Case, detector: int) -> list[Finding]:
    blocks, run = case
    return [
        f
        for f in diagnose(BlockTable(blocks, "few_shot"), run)
        if f.detector == detector
    ]


def around(mean: float, seed: int = 0, width: float = 0.1) -> Array:
    return mean + width * np.random.default_rng(seed).standard_normal(SHAPE)


def task(label: str, metric: str, values: Array) -> Block:
    return Block(label, "test", metric, ("replicate", "task"), values)


def answered() -> list[Block]:
    return few_shot("protonet", np.full(SHAPE, 0.2))


def shuffled(error: float, asked: float = 0.2) -> Case:
    same = around(asked)
    moved = same + (around(error, 1) - around(asked, 2) if error != asked else 0.0)
    blocks = [
        *answered(),
        number("", "test", "chance_error", 0.8),
        task("protonet", "as_asked_error", same),
        task("protonet", "shuffled_error", moved),
    ]
    return blocks, few_spec()


def blind(error: float) -> Case:
    """Return a regression whose shuffled supports give this error, for 3 as asked."""
    rows = around(3.0)
    blocks = [
        *few_shot("maml", rows, classes=False),
        task("maml", "as_asked_error", rows),
        task("maml", "shuffled_error", rows + (error - 3.0)),
    ]
    return blocks, few_spec(few("maml"))


def idle(gain: float) -> Case:
    blocks, run = blind(3.0)
    noise = around(0.0, 5)
    unsure = blocks[-1].array + noise - noise.mean() + 0.018  # two standard errors
    blocks[-1] = task("maml", "shuffled_error", unsure)
    trace = np.stack([np.full(SHAPE, 3.0), np.full(SHAPE, 3.0 * (1 - gain))], -1)
    return [
        *blocks,
        task("maml", "adaptation_gain", np.full(SHAPE, gain)),
        steps("maml", "query_mse", trace, 0.0, 1.0),
        along("maml", "train", "lesson_loss", np.full((2, 50), 3.0)),
    ], run


def leaking(error: float) -> Case:
    return shuffled(error)


def guessing(*gains: float, classes: bool = True, zero: float = 9.0) -> Case:
    """Return answers that are better than blind ones by so much in each replicate."""
    blind = around(0.8 if classes else 4.0, 3)
    asked = blind - np.array(gains)[:, None] + around(0.0, 4)
    blocks = [
        *answered(),
        task("", "blind_error", blind),
        task("protonet", "as_asked_error", asked),
    ]
    if classes:
        chance = number("", "test", "chance_error", 0.8)
        return [*blocks, chance], few_spec()
    return [*blocks, task("", "zero_error", around(zero))], few_spec()


def recalled(shuffled: float) -> Case:
    """Return answers on training classes, of which 0.8 is chance."""
    errors = {"": 0.2, "shuffled_": shuffled, "blind_": 0.8}
    blocks = [
        task("protonet", f"known_classes_{name}error", around(mean, i))
        for i, (name, mean) in enumerate(errors.items())
    ]
    return [*answered(), *blocks], few_spec()


def copied(count: float) -> Case:
    return [*answered(), task("", "duplicates", np.full(SHAPE, count))], few_spec()


def accompanied(share: float, lost: float) -> Case:
    together = around(0.2)
    blocks = [
        *answered(),
        task("protonet", "company_matters", np.full(SHAPE, share)),
        task("protonet", "together_error", together),
        task("protonet", "alone_error", together + lost),
    ]
    return blocks, few_spec(net=Choice(name="mlp", knobs={"normalization": "batch"}))


def normed(rows: float, lost: float = 0.0) -> Case:
    blocks, run = accompanied(1.0, lost)
    return [*blocks, number("", "test", "normed_over", rows)], run


def split(single: float, p: float) -> Case:
    blocks = [
        *answered(),
        task("", "single_class", np.full(SHAPE, single)),
        task("", "label_mismatch", np.full(SHAPE, p)),
    ]
    return blocks, few_spec()


def adapted(gain: float, lost: int = 0) -> Case:
    errors = np.full(SHAPE, 0.2)
    errors[:, :lost] = np.nan
    blocks = few_shot("maml", errors)
    return [*blocks, task("maml", "adaptation_gain", np.full(SHAPE, gain))], few_spec(
        few("maml")
    )


def climbing(end: float) -> Case:
    """Return support losses that end at so many times their start, and then explode."""
    blocks, run = adapted(0.5)
    loss = np.ones((*SHAPE, 4)) * [1.0, end, 1e6, np.nan]
    return [
        *blocks,
        steps("maml", "support_loss", loss, 0.0, 1.0, 2.0, 3.0),
        number("maml", "test", "gradient_evaluations", 1.0 * SHAPE[1]),
    ], run


def jumping(size: float) -> Case:
    norms = np.exp(0.1 * np.random.default_rng(0).standard_normal((2, 500)))
    norms[:, ::40] *= size
    losses = np.full((2, 500), 2.0)
    return [
        along("protonet", "train", "outer_grad_norm", norms),
        along("protonet", "train", "lesson_loss", losses),
    ], few_spec()


def shaking(spread: float) -> Case:
    blocks, run = jumping(1.0)
    losses = np.exp(spread * np.random.default_rng(1).standard_normal((2, 500)))
    return [*blocks, along("protonet", "train", "lesson_loss", losses)], run


def cosines(value: float) -> Case:
    values = np.array([[1.0 - 1e-9, value]])
    return [along("maml", "validate", "meta_cosine", values)], few_spec(few("maml"))


def overfit(late: float, end: float = 0.5) -> Case:
    checks = np.array([[0.5, 0.2, 0.21, late, late, late]])
    lessons = np.linspace(2.0, end, 51)
    return [
        along("protonet", "validate", "validation_error", checks, every=10),
        along("protonet", "train", "lesson_loss", lessons),
    ], few_spec()


def bounded(error: float) -> Case:
    bound = np.clip(around(0.1), 0, 1)
    blocks = [
        *answered(),
        task("", "bound_error", bound),
        task("protonet", "as_asked_error", bound + (error - 0.1)),
    ]
    return blocks, few_spec()


def renamed(error: float) -> Case:
    asked = around(0.2)
    blocks = [
        *answered(),
        task("protonet", "as_asked_error", asked),
        task("protonet", "reordered_error", asked + (error - 0.2)),
    ]
    return blocks, few_spec()


def seen(mine: float) -> Case:
    blocks = [
        number("protonet", "train", "examples_seen", mine),
        number("fine_tune", "train", "examples_seen", 1e5),
    ]
    return blocks, few_spec()


def tuned(*rates: float) -> Case:
    at = {"rate": (0.01, 0.1, 1.0)}
    rows: dict[str, tuple[float, ...]] = {"tuned_lr": rates, "tuned_steps": (5.0, 20.0)}
    curve, axes = np.ones((2, 3)), ("replicate", "rate")
    blocks = [
        Block("fine_tune", "tune", "tuning_error", axes, curve, HERE, at),
        *(
            Block("fine_tune", "tune", name, ("replicate",), np.array(values))
            for name, values in rows.items()
        ),
    ]
    return blocks, few_spec()


def drawn(count: int) -> Case:
    lessons = along("protonet", "train", "lesson_loss", np.ones((2, count)))
    return [lessons], few_spec()


CASES: list[tuple[int, Case, Case]] = [
    (1, overfit(0.24), overfit(0.215)),
    (1, overfit(0.24), overfit(0.24, end=3.0)),
    (2, shuffled(0.2), shuffled(0.8)),
    (2, blind(3.0), blind(6.0)),
    (2, idle(0.01), idle(0.6)),
    (2, recalled(0.3), recalled(0.8)),
    (3, leaking(0.6), leaking(0.8)),
    (3, copied(1.0), copied(0.0)),
    (4, accompanied(1.0, 0.03), accompanied(0.0, 0.0)),
    (5, normed(5.0), normed(75.0)),
    (5, normed(75.0, 0.2), normed(75.0, 0.01)),
    (5, normed(5.0), normed(0.0)),
    (6, split(1.0, 1.0), split(0.0, 1.0)),
    (6, split(0.0, 1e-5), split(0.0, 0.5)),
    (7, adapted(-0.1), adapted(0.5)),
    (7, adapted(0.5, lost=1), adapted(0.5)),
    (7, climbing(4.0), climbing(0.5)),
    (8, jumping(20.0), jumping(5.0)),
    (8, shaking(2.0), shaking(0.3)),
    (9, cosines(1.0), cosines(0.9)),
    (16, tuned(1.0, 0.1), tuned(0.1, 0.1)),
    (16, tuned(0.01, 0.01), tuned(0.1, 0.2)),
    (17, seen(2e5), seen(1e5)),
    (19, drawn(20), drawn(40)),
    (21, bounded(0.05), bounded(0.1)),
    (22, renamed(0.35), renamed(0.25)),
    (37, guessing(0.0, 0.0), guessing(0.3, 0.3)),
    (37, guessing(0.3, 0.0), guessing(0.3, 0.1)),
    (37, guessing(-0.2, -0.2), guessing(0.1, 0.3)),
    (
        37,
        guessing(1.0, 1.0, classes=False, zero=3.0),
        guessing(1.0, 1.0, classes=False),
    ),
]


@pytest.mark.parametrize(("detector", "ill", "well"), CASES)
def test_a_detector_tells_ill_from_well(detector: int, ill: Case, well: Case) -> None:
    for case, flagged in ((ill, True), (well, False)):
        findings = _found(case, detector)
        assert findings
        assert any(finding.flagged for finding in findings) is flagged
        assert all(any(c.isdigit() for c in f.evidence) for f in findings)
        assert all(finding.remedy for finding in findings)


def test_that_nothing_was_learned_is_told_with_the_interval_of_the_worst() -> None:
    (finding,) = _found(guessing(0.3, 0.0), 37)
    blocks, _ = guessing(0.3, 0.0)
    errors = {b.metric: b.array for b in blocks}
    gain = (errors["blind_error"] - errors["as_asked_error"])[1]
    wide = 1.998 * gain.std(ddof=1) / 8.0  # t of 63 degrees of freedom
    numbers = [
        float(n.replace("−", "-")) for n in re.findall(r"−?\d\.\d+", told(finding))
    ]
    assert numbers == pytest.approx(
        [gain.mean(), gain.mean() - wide, gain.mean() + wide], abs=0.006
    )
    assert finding.evidence.endswith(
        "the worst of 2 replicates; in 1 it is not significant."
    )


def told(finding: Finding) -> str:
    """Return the sentence about the gain."""
    return finding.evidence.split("The gain is ")[1].split(" (95")[0]


@pytest.mark.parametrize("run", [few_spec(), few_spec(few("maml"))])
def test_without_data_every_detector_is_silent(run: RunSpec) -> None:
    assert diagnose(BlockTable([]), run) == []


def test_one_that_learned_nothing_is_not_accused_of_memory() -> None:
    (finding,) = _found(shuffled(0.8, asked=0.8), 2)
    assert not finding.flagged


def test_one_that_listens_to_its_support_is_not_accused_of_memory() -> None:
    blocks, run = idle(0.01)
    loud = task("maml", "shuffled_error", around(6.0))
    (finding,) = _found(([*blocks, loud], run), 2)
    assert not finding.flagged


def test_a_sure_mistake_is_no_divergence_while_more_answers_are_right() -> None:
    blocks, run = adapted(-0.5)
    assert _found((blocks, run), 7)[0].flagged
    before = task("maml", "start_accuracy", np.full(SHAPE, 0.2))
    assert not _found(([*blocks, before], run), 7)[0].flagged


def test_only_steps_up_to_the_answer_can_diverge() -> None:
    (finding,) = _found(climbing(0.5), 7)
    assert "0 ended above" in finding.evidence


def test_a_run_without_any_tuned_baseline_is_an_untuned_comparison() -> None:
    guessed = few("fine_tune", "baseline", tuning="given")
    neighbor = baseline("raw_neighbor", "raw_neighbor")
    (finding,) = _found(([], few_spec(few("protonet"), neighbor, guessed)), 16)
    assert (finding.flagged, finding.learner) == (True, "fine_tune")


def test_support_losses_are_judged_up_to_each_replicates_own_answer() -> None:
    blocks, run = climbing(4.0)
    spent = np.array([1.0, 0.0]) * SHAPE[1]
    ledger = Block("maml", "test", "gradient_evaluations", ("replicate",), spent)
    (finding,) = _found(([*blocks[:-1], ledger], run), 7)
    assert f"{SHAPE[1]} ended above" in finding.evidence


def test_tuned_rates_and_steps_are_told_with_their_spread() -> None:
    (finding,) = _found(tuned(0.1, 0.4), 16)
    assert finding.evidence.startswith("Rates 0.1 to 0.4 (geometric mean 0.2) of 3")
    assert ", 5 to 20 inner steps, chosen on 64 validation episodes." in (
        finding.evidence
    )


def test_a_baseline_with_nothing_to_tune_is_not_called_untuned() -> None:
    run = few_spec(few("protonet"), baseline("raw_neighbor", "raw_neighbor"))
    assert _found(([], run), 16) == []


def blown_up(count: int) -> Case:
    """Return a regression in which so many of 128 episodes have an error of 100."""
    asked, other = around(3.0), around(3.0, 1)
    asked.flat[:count] = other.flat[:count] = 100.0
    blocks = [
        *few_shot("maml", asked, classes=False),
        task("maml", "as_asked_error", asked),
        task("maml", "shuffled_error", other),
        task("maml", "alone_error", asked),
        task("maml", "together_error", asked),
        task("maml", "company_matters", np.zeros(SHAPE)),
        task("", "bound_error", around(1.0)),
        number("", "test", "normed_over", 4.0),
    ]
    return blocks, few_spec(few("maml"))


@pytest.mark.parametrize("detector", [2, 4, 5, 21])
def test_no_probe_speaks_where_errors_are_at_their_cap(detector: int) -> None:
    assert _found(blown_up(0), detector)
    assert _found(blown_up(100), detector) == []


def test_memorization_leaves_out_the_episodes_that_blew_up() -> None:
    (finding,) = _found(blown_up(28), 2)
    assert "its error of 3.0 by" in finding.evidence
    assert "over 100 episodes" in finding.evidence


def test_an_accuracy_of_0_is_no_cap() -> None:
    blocks, run = shuffled(1.0, 1.0)
    assert _found((blocks, run), 2)


def test_validation_errors_at_their_cap_are_no_overfitting() -> None:
    def checks(worst: float) -> Case:
        errors = np.tile([3.0, 2.0, 40.0, 50.0, worst, worst], (2, 1))
        falling = np.tile(np.arange(6.0)[::-1], (2, 1))
        return [
            along("maml", "validate", "validation_error", errors),
            along("maml", "train", "lesson_loss", falling),
        ], few_spec(few("maml"))

    assert _found(checks(60.0), 1)
    assert _found(checks(100.0), 1) == []


@pytest.mark.parametrize(
    ("gain", "told"),
    [
        (0.02, "lower the loss by 2 %"),
        (-0.5, "raise the loss by 50 %"),
        (-7.2e10, "blow up the loss"),
    ],
)
def test_a_gain_beyond_reason_is_worded(gain: float, told: str) -> None:
    (finding,) = _found(idle(gain), 2)
    assert f"Its inner steps {told}, from 3.0" in finding.evidence


# the first inner step ---------------------------------------------------------
def first_step(ratios: Array) -> Case:
    block = Block("maml", "train", "first_step_ratio", ("replicate", "task"), ratios)
    return [*few_shot("maml", np.full(SHAPE, 0.2)), block], few_spec(few("maml"))


@pytest.mark.parametrize(("typical", "flagged"), [(0.9, False), (4.0, True)])
def test_a_first_step_that_explodes_is_seen(typical: float, flagged: bool) -> None:
    ratios = np.full(SHAPE, typical)
    ratios[0, :20] = 1e9  # less than a quarter of the episodes
    (finding,) = _found(first_step(ratios), 31)
    assert finding.flagged == flagged
    told = "0.90" if typical < 1.0 else "4.0"
    assert f"multiplies the support loss by {told} (median of" in finding.evidence


def test_a_first_step_beyond_all_numbers_explodes() -> None:
    (finding,) = _found(first_step(np.full(SHAPE, np.nan)), 31)
    assert finding.flagged


# labels -----------------------------------------------------------------------
def test_sorted_rows_cut_in_two_are_seen_and_a_balanced_draw_is_not() -> None:
    sorted_rows = np.repeat(np.arange(5), 20)
    assert label_mismatch_p(sorted_rows[:80], sorted_rows[80:], 5) < 1e-9
    assert label_mismatch_p(np.arange(5), np.repeat(np.arange(5), 15), 5) == 1.0
    assert has_one_class(sorted_rows[80:])
    assert not has_one_class(sorted_rows[:80])


def test_the_mismatch_is_scipys_test_of_homogeneity() -> None:
    from scipy.stats import chi2_contingency

    draw = np.random.default_rng(0)
    first, second = draw.integers(0, 4, 40), draw.integers(0, 4, 90)
    table = [np.bincount(y, minlength=4) for y in (first, second)]
    found = chi2_contingency(np.array(table), correction=False).pvalue
    assert label_mismatch_p(first, second, 7) == pytest.approx(found)


def test_the_chance_of_a_mismatch_is_as_small_as_stated() -> None:
    draw = np.random.default_rng(1)
    p = [
        label_mismatch_p(draw.integers(0, 5, 50), draw.integers(0, 5, 75), 5)
        for _ in range(400)
    ]
    assert np.mean(np.array(p) < 0.1) == pytest.approx(0.1, abs=0.05)


def test_a_copy_is_found_bit_for_bit() -> None:
    x = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    assert count_repeats(x[:, :2], x[:, 2:]) == 0
    assert count_repeats(x[:, :3], x[:, 2:]) == 1
    assert count_repeats(x + np.float32(1e-6), x) == 0


def reordered(spread: float) -> Case:
    blocks = [*answered(), task("protonet", "order_spread", np.full(SHAPE, spread))]
    return blocks, few_spec()


def peeking(share: float) -> Case:
    moved = np.zeros(SHAPE)
    moved[1, 5] = share
    return [*answered(), task("protonet", "own_target_matters", moved)], few_spec()


def longer(length: float, rise: float) -> Case:
    blocks = [*answered(), number("protonet", "train", "context_length", 5.0)]
    for n, more in ((5.0, 0.0), (length, rise)):
        where = Condition(shift="shots", severity=n) if n > 5 else HERE
        size = np.array(n)
        blocks += [Block("protonet", "test", "context_length", (), size, where)]
        errors = around(0.2) + around(more, 7, 0.01)
        axes = ("replicate", "task")
        blocks += [Block("protonet", "test", "error", axes, errors, where)]
    return blocks, few_spec()


@pytest.mark.parametrize(
    ("case", "detector", "fine", "broken"),
    [
        (reordered, 35, (0.02,), (0.4,)),
        (peeking, 3, (0.0,), (1e-3,)),
        (longer, 36, (20.0, -0.05), (20.0, 0.05)),
    ],
)
def test_order_hidden_targets_and_length_are_noticed(
    case: Callable[..., Case],
    detector: int,
    fine: tuple[float, ...],
    broken: tuple[float, ...],
) -> None:
    (well,) = _found(case(*fine), detector)
    (badly,) = _found(case(*broken), detector)
    assert not well.flagged
    assert badly.flagged
    assert well.evidence != badly.evidence


def test_supports_no_longer_than_in_training_are_not_judged_by_length() -> None:
    assert _found(longer(5.0, 0.5), 36) == []
    assert "tested on 20" in _found(longer(20.0, 0.05), 36)[0].evidence
