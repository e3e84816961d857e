"""Verdicts about the field's sentences, on runs whose truth is known."""

from typing import NamedTuple

import numpy as np
import pytest
from scipy.stats import spearmanr

from engine.contract.events import Artefact, Block, Timing
from engine.contract.run_spec import Choice, RunSpec
from engine.stats.claims_board import STUDY_JUDGES, StudyVerdict, judge_study
from engine.stats.claims_board.patterns_and_overhead import fit_power
from engine.stats.claims_board.study_verdict import mean_over_units, table_row
from engine.stats.claims_board.task_similarity import rank_correlation
from tests.stats.made_up import Array
from tests.stats.made_up_searches import (
    HORIZON,
    found_at,
    search_spec,
    searches,
    strategy,
    trained,
)

WARM, GATED = strategy("warm"), strategy("gated")
COLD, RANDOM = strategy("cold", "baseline"), strategy("random_search", "baseline")


class Run(NamedTuple):
    spec: RunSpec
    blocks: list[Block]
    timings: list[Timing]
    films: dict[str, Artefact]

    def film(self, name: str) -> Artefact | None:
        return self.films.get(name)


def run_of(
    family: Choice,
    evaluations: dict[str, float],
    seed: int = 0,
    *,
    spent: float = 0.0,
    late: float = 0.2,
    **changes: object,
) -> Run:
    """Return a run whose strategies find the goal after about so many evaluations."""
    draw = np.random.default_rng(seed)
    learners = {x.label: x for x in (WARM, GATED, COLD, RANDOM)}
    blocks: list[Block] = []
    for label, mean in evaluations.items():
        first = np.clip(mean * draw.uniform(0.9, 1.1, (8, 10)), 1, HORIZON)
        blocks += searches(label, found_at(first.round(), late=late))
        blocks += [trained(label, spent)] if learners[label].role == "chosen" else []
    spec = search_spec(*(learners[at] for at in evaluations), family=family)
    return Run(spec, blocks, [], {}, **changes)  # type: ignore[arg-type]


def on(target: str, source: str = "the others") -> Choice:
    return Choice(name="mosaic", knobs={"target": target, "source": source})


def over_targets(*pairs: tuple[float, float], **settings: float) -> list[Run]:
    return [
        run_of(on(f"set {i}"), {"warm": warm, "cold": cold}, i, **settings)
        for i, (warm, cold) in enumerate(pairs)
    ]


@pytest.mark.parametrize(
    ("pairs", "verdict"),
    [
        ([(10, 80)] * 6, "supported"),
        ([(40, 42)] * 6, "not supported"),
        ([(10, 80)] * 3 + [(60, 60)] * 3, "depends"),
        ([(80, 20)] * 6, "not supported"),
    ],
)
def test_search_time_is_judged_by_what_all_targets_save(
    pairs: list[tuple[float, float]], verdict: str
) -> None:
    found = judge_study("search_time", over_targets(*pairs))
    assert found.verdict == verdict
    assert found.low <= found.estimate <= found.high
    assert found.claimed == (60.0, 80.0)


def test_the_saving_is_the_mean_of_log_ratios_over_targets() -> None:
    found = judge_study("search_time", over_targets((20, 40), (20, 80), (25, 50)))
    assert found.estimate == pytest.approx(100 * (1 - (1 / 16) ** (1 / 3)), abs=1.5)
    assert [row["What"] for row in found.rows] == ["set 0", "set 1", "set 2"]


def test_one_target_has_the_interval_of_its_trainings() -> None:
    found = judge_study("search_time", over_targets((20, 80)))
    assert found.low < 75 < found.high and found.high - found.low < 5


@pytest.mark.parametrize(
    ("late", "verdict"), [(0.2, "supported"), (0.02, "not supported")]
)
def test_quality_is_judged_by_the_final_accuracy(late: float, verdict: str) -> None:
    never = HORIZON + 50.0
    runs = []
    for i in range(4):
        warm = searches("warm", found_at(np.full((8, 10), 5.0), late=late))
        cold = searches("cold", found_at(np.full((8, 10), never), late=late))
        spec = search_spec(WARM, COLD, family=on(f"set {i}"))
        runs.append(Run(spec, [*warm, *cold, trained("warm", 1.0)], [], {}))
    found = judge_study("quality", runs)
    assert found.verdict == verdict
    assert found.estimate == pytest.approx(100 * (1 / (1 - late) - 1))


@pytest.mark.parametrize(
    ("spent", "pairs", "verdict"),
    [
        (10.0, [(10, 80)] * 4, "supported"),
        (5000.0, [(10, 80)] * 4, "depends"),
        (10.0, [(80, 70)] * 4, "not supported"),
    ],
)
def test_cost_is_judged_with_and_without_the_sources(
    spent: float, pairs: list[tuple[float, float]], verdict: str
) -> None:
    found = judge_study("cost", over_targets(*pairs, spent=spent))
    assert found.verdict == verdict


def test_the_sources_are_shared_by_all_targets() -> None:
    # 10 against 80 evaluations, and 400 / 4 more of the same price
    found = judge_study("cost", over_targets(*[(10, 80)] * 4, spent=400.0))
    # each target saves 70 evaluations of the 400
    assert "About 5.7 targets pay the sources back" in found.reason
    assert found.estimate == pytest.approx(110 / 80, rel=0.02)


# --- near and far -----------------------------------------------------------------


def kin(scores: dict[str, Array], saves: bool, gate: float = 0.0) -> list[Run]:
    """Return single-source runs in which kin save half, or everything saves alike."""
    names = list(scores)
    runs = []
    for i, source in enumerate(names):
        targets = [*names[i + 1 :], *names[:i]]
        spec_tests = tuple(on(target, source) for target in targets)
        blocks: list[Block] = [trained("warm", 9.0), trained("gated", 9.0)]
        for j, target in enumerate(targets):
            likeness = rank_correlation(scores[source], scores[target])
            mean = 60.0 - 40.0 * likeness * saves
            made = run_of(
                on(target, source),
                {"warm": mean, "gated": mean - gate, "cold": 60.0},
                17 * i + j,
            )
            at = {0: ""}.get(j, f"mosaic_{j}")
            blocks += [
                Block(
                    b.learner,
                    b.phase,
                    b.metric,
                    b.axes,
                    b.array,
                    type(b.condition)(family=at),
                    b.coords,
                )
                for b in made.blocks
                if b.phase == "test"
            ]
        spec = search_spec(
            WARM, GATED, COLD, family=spec_tests[0], test_families=spec_tests[1:]
        )
        film = Artefact("film", "search", {"scores": scores[targets[0]]}, {})
        runs.append(Run(spec, blocks, [], {"film": film}))
    return runs


@pytest.fixture(scope="module")
def four_pairs() -> dict[str, Array]:
    draw = np.random.default_rng(5)
    roots = draw.random((3, 200))
    return {
        f"set {i}{kind}": root + 0.2 * draw.random(200)
        for i, root in enumerate(roots)
        for kind in "ab"
    }


def test_transfer_that_follows_similarity_is_found(
    four_pairs: dict[str, Array],
) -> None:
    found = judge_study("near_domains", kin(four_pairs, saves=True))
    assert found.verdict == "supported" and found.low > 0.3
    means = {str(row["What"]): float(row["Mean"]) for row in found.rows}
    assert means["near targets"] > means["far targets"] + 10.0


def test_transfer_that_ignores_similarity_is_found(
    four_pairs: dict[str, Array],
) -> None:
    found = judge_study("near_domains", kin(four_pairs, saves=False))
    assert found.verdict == "can't tell yet"
    assert found.reason.startswith("Whether savings rise with similarity is open: rank")


@pytest.mark.parametrize(("gate", "verdict"), [(30.0, "supported"), (0.0, "depends")])
def test_a_gate_that_helps_on_far_places_is_found(
    four_pairs: dict[str, Array], gate: float, verdict: str
) -> None:
    runs = kin(four_pairs, saves=False, gate=gate)
    assert judge_study("adaptation", runs).verdict == verdict


def test_far_places_that_gain_anyway_need_no_adaptation() -> None:
    draw = np.random.default_rng(0)
    root = draw.random(200)
    alike = {f"set {i}": root + 0.3 * draw.random(200) for i in range(6)}
    assert judge_study("adaptation", kin(alike, saves=True)).verdict == "not supported"


def test_landscapes_are_as_alike_as_their_kinship() -> None:
    runs = [
        run_of(
            Choice(name="nk_landscape", knobs={"kinship": k, "goal": 0.01}),
            {"warm": 60 - 50 * k, "cold": 60.0},
            int(10 * k),
        )
        for k in (0.9, 0.6, 0.3, 0.0)
    ]
    assert judge_study("near_domains", runs).verdict == "supported"


def test_the_rank_correlation_is_scipys() -> None:
    draw = np.random.default_rng(0)
    first, second = draw.integers(0, 9, (2, 60)).astype(float)
    truth = spearmanr(first, second).statistic
    assert rank_correlation(first, second) == pytest.approx(truth)
    gone = np.concatenate([first, [np.nan]])
    assert rank_correlation(gone, np.concatenate([second, [1.0]])) == pytest.approx(
        truth
    )


# --- patterns, sizes, costs ---------------------------------------------------------


def tried(target: str, effects: Array, seed: int) -> Run:
    """Return a random search of 2 × 3 architectures with these effects of options."""
    draw = np.random.default_rng(seed)
    index = draw.integers(0, 6, (1, 40, HORIZON))
    signal = effects[index] + 0.02 * draw.standard_normal(index.shape)
    made = searches(
        "random_search", np.full(index.shape, 0.1), tried=index.astype(float)
    )
    axes = ("replicate", "task", "step")
    made.append(Block("random_search", "test", "signal", axes, signal))
    info = {
        "positions": ["depth", "width"],
        "options": [["1", "2"], ["s", "m", "l"]],
        "cost_unit": "s",
    }
    spec = search_spec(RANDOM, family=on(target))
    return Run(spec, made, [], {"film": Artefact("film", "search", {}, info)})


DEPTH = np.array([0.5, 0.5, 0.5, 0.6, 0.6, 0.6])
WIDTH = np.array([0.5, 0.55, 0.6, 0.5, 0.55, 0.6])


def test_an_option_that_helps_everywhere_is_universal() -> None:
    found = judge_study(
        "patterns", [tried("a", DEPTH, 1), tried("b", DEPTH + WIDTH, 2)]
    )
    assert found.verdict == "supported"
    assert found.estimate == pytest.approx(10.0, abs=0.5)
    assert "depth = 2" in found.reason


def test_options_that_help_here_and_hurt_there_are_not() -> None:
    found = judge_study("patterns", [tried("a", DEPTH, 1), tried("b", 1.0 - DEPTH, 2)])
    assert found.verdict == "not supported"


def test_options_that_help_on_most_and_hurt_on_none_depend() -> None:
    flat = np.full(6, 0.5)
    runs = [tried(str(i), DEPTH, i) for i in range(3)] + [tried("flat", flat, 9)]
    assert judge_study("patterns", runs).verdict == "depends"


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [(0.5, "supported"), (1.0, "can't tell yet"), (1.3, "not supported")],
)
def test_benefits_that_grow_with_the_space_are_found(
    ratio: float, verdict: str
) -> None:
    runs = []
    for i, decisions in enumerate((2, 3, 4)):
        family = Choice(name="nk_landscape", knobs={"size": decisions, "goal": 0.01})
        made = run_of(family, {"warm": 60 * ratio**i, "cold": 60.0}, i)
        info = {"options": [["x"] * 10] * decisions}
        film = Artefact("film", "search", {}, info)
        runs.append(made._replace(films={"film": film}))
    found = judge_study("growing_space", runs)
    assert found.verdict == verdict
    assert found.estimate == pytest.approx(100 * (1 - ratio), abs=3.0)


@pytest.mark.parametrize(
    ("seconds", "unit", "verdict"),
    [(1.0, "s", "supported"), (900.0, "s", "not supported"), (1.0, "MMAC", "depends")],
)
def test_overhead_is_judged_against_the_price_of_a_training(
    seconds: float, unit: str, verdict: str
) -> None:
    made = run_of(on("wine"), {"warm": 20, "cold": 50})
    film = Artefact("film", "search", {}, {"cost_unit": unit})
    runs = [
        made._replace(
            timings=[Timing("warm", "test in place", seconds * (1 + 0.01 * i), 8000)],
            films={"film": film},
        )
        for i in range(4)
    ]
    found = judge_study("overhead", runs)
    # 8 × 10 searches of 100 evaluations, each priced at one second
    assert found.verdict == verdict
    if unit == "s":
        mean = (1.0 * 1.01 * 1.02 * 1.03) ** 0.25
        assert found.estimate == pytest.approx(100 * seconds * mean / 8000)


@pytest.mark.parametrize(
    ("exponent", "verdict"), [(1.0, "supported"), (2.0, "not supported")]
)
def test_memory_is_judged_by_its_power(exponent: float, verdict: str) -> None:
    lengths = (50, 100, 200, 400, 800)
    made = run_of(on("wine"), {"warm": 20, "cold": 50})
    runs = [
        made._replace(
            timings=[Timing("warm", "memory", 0.1, n, round(100 * n**exponent))]
        )
        for n in lengths
    ]
    found = judge_study("memory", runs)
    assert found.verdict == verdict
    assert found.estimate == pytest.approx(exponent, abs=1e-3)


def test_the_interval_of_a_power_is_that_of_least_squares() -> None:
    from scipy.stats import linregress, t

    peaks = {50: 4000, 100: 9000, 200: 15000, 400: 37000}
    truth = linregress(np.log(list(peaks)), np.log(list(peaks.values())))
    found = fit_power(peaks)
    assert found.mean == pytest.approx(truth.slope)
    assert found.high - found.mean == pytest.approx(truth.stderr * t.ppf(0.975, 2))


@pytest.mark.parametrize("name", STUDY_JUDGES)
def test_a_judge_without_numbers_decides_nothing(name: str) -> None:
    found = judge_study(name, [])
    assert isinstance(found, StudyVerdict) and found.verdict == "can't tell yet"
    assert np.isnan(found.estimate) and found.reason.startswith("Can't tell yet")


def test_a_line_is_rounded_for_people() -> None:
    assert table_row("x", mean_over_units([1.0, 2.0, 3.0]), 100)["Mean"] == 200.0
