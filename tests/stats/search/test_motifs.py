"""Motifs, held against scipy, against enumerated paths, and against planted truths."""

import itertools

import numpy as np
import pytest
from scipy import stats

from engine.stats.inference.feature_effects import (
    failure_ratios,
    feature_effects,
    interaction_effects,
)
from engine.stats.search.design_principles import describe_principles
from engine.stats.search.motif_features import (
    DecisionGrid,
    find_motif_features,
    live_edges,
)
from engine.stats.search.motifs import (
    Motif,
    center_by_task,
    find_motifs,
)

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
OPS = ("none", "skip", "conv")
CELL = DecisionGrid.from_lists([OPS] * 6, EDGES)


def cells(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, len(OPS), (count, 6))


def by_words(found: list[Motif]) -> dict[str, Motif]:
    return {motif.words: motif for motif in found}


def test_effects_are_welchs() -> None:
    rng = np.random.default_rng(1)
    there, values = rng.random((7, 60)) < 0.3, rng.normal(0.7, 0.1, 60)
    found = feature_effects(there, values)
    for i, row in enumerate(there):
        test = stats.ttest_ind(values[row], values[~row], equal_var=False)
        interval = test.confidence_interval(0.95)
        mine = found.mean[i], found.low[i], found.high[i], found.p[i]
        mean = values[row].mean() - values[~row].mean()
        np.testing.assert_allclose(
            mine, (mean, interval.low, interval.high, test.pvalue), rtol=1e-9
        )


def test_a_pairs_surplus_is_the_interaction_of_a_regression() -> None:
    rng = np.random.default_rng(2)
    one, two = rng.random((2, 80)) < 0.5
    values = rng.normal(size=80)
    design = np.stack([np.ones(80), one, two, one & two], 1).astype(float)
    truth = np.linalg.lstsq(design, values, rcond=None)[0][3]
    np.testing.assert_allclose(
        interaction_effects(one[None], two[None], values).mean, [truth]
    )


def test_failures_are_compared_by_fishers_exact_test() -> None:
    rng = np.random.default_rng(3)
    there, failed = rng.random((5, 50)) < 0.4, rng.random(50) < 0.3
    found = failure_ratios(there, failed)
    for i, row in enumerate(there):
        table = [
            [(row & failed).sum(), (row & ~failed).sum()],
            [(~row & failed).sum(), (~row & ~failed).sum()],
        ]
        truth = stats.fisher_exact(table, alternative="greater").pvalue
        assert found.p[i] == pytest.approx(truth, rel=1e-9)


def test_a_live_edge_lies_on_an_enumerated_path() -> None:
    codes = cells(200)
    found = live_edges(codes, CELL)
    routes = [r for n in range(3) for r in itertools.combinations((1, 2), n)]
    for row, live in zip(codes, found, strict=True):
        used = set()
        for route in routes:
            nodes = (0, *route, 3)
            steps = [EDGES.index(e) for e in itertools.pairwise(nodes)]
            if all(OPS[row[i]] != "none" for i in steps):
                used.update(steps)
        assert set(np.flatnonzero(live)) == used


def test_paths_and_their_lengths_are_counted() -> None:
    every = np.array(list(itertools.product(range(2), repeat=6)))
    there = {f.words: f.mask for f in find_motif_features(every, CELL)}
    whole = (every == 1).all(1)
    assert np.array_equal(there["≥ 4 paths to the output"], whole)
    chain = (every[:, [0, 2, 5]] == 1).all(1)
    assert np.array_equal(there["a path of ≥ 3 edges"], chain)
    assert there["no path from input to output"][0]


def test_an_option_is_counted_over_edges_and_not_over_decisions() -> None:
    every = np.array(list(itertools.product(range(2), repeat=6)))
    sizes = [["2", "4"]] * 6
    listed = find_motif_features(
        every, DecisionGrid.from_lists(sizes, (), [f"decision {i}" for i in range(6)])
    )
    assert {feature.kind for feature in listed} == {"option", "pair"}
    there = {
        f.words: f.mask
        for f in find_motif_features(every, DecisionGrid.from_lists(sizes, EDGES))
    }
    assert np.array_equal(there["4 ≥ 2 times"], every.sum(1) >= 2)


def test_a_planted_subgraph_is_found_and_described_with_its_effect() -> None:
    codes = cells(900)
    there = {f.words: f.mask for f in find_motif_features(codes, CELL)}[
        "conv then conv"
    ]
    noise = np.random.default_rng(4).normal(0, 0.01, 900)
    found = find_motifs(codes, 0.5 + 0.1 * there + noise, [OPS] * 6, EDGES)
    motif = by_words(found)["conv then conv"]
    assert motif.effect.low < 0.1 < motif.effect.high and motif.is_significant
    assert motif.effect.mean == max(abs(m.effect.mean) for m in found)
    told = describe_principles(found)
    assert any(t.startswith("Prefer conv then conv: +") for t in told)


def test_motifs_of_all_tasks_are_distinguished_from_those_of_some() -> None:
    rng = np.random.default_rng(5)
    codes, task = rng.integers(0, 2, (600, 2)), np.repeat([0, 1], 300)
    sign = np.where(task == 0, 1.0, -0.6)
    gain = 0.1 * (codes[:, 0] == 1) + 0.1 * sign * (codes[:, 1] == 1)
    accuracy = 0.4 + 0.3 * task + gain + rng.normal(0, 0.01, 600)
    found = by_words(find_motifs(codes, accuracy, [["x", "y"], ["p", "q"]], task=task))
    assert found["position 1 = y"].universal_sign == 1
    assert found["position 1 = x"].universal_sign == -1
    depends = found["position 2 = q"]
    assert depends.universal_sign == 0 and set(depends.tasks) == {0, 1}
    assert depends.tasks[0].mean > 0 > depends.tasks[1].mean
    (told,) = (
        t for t in describe_principles([depends], ("near", "far")) if "Prefer" in t
    )
    assert "1 of 2 tasks, not on far" in told


def test_an_easier_task_is_not_taken_for_a_better_option() -> None:
    rng = np.random.default_rng(6)
    task = rng.integers(0, 2, 400)
    codes = (rng.random(400) < 0.2 + 0.6 * task).astype(int)[:, None]
    accuracy = 0.3 + 0.4 * task + rng.normal(0, 0.02, 400)
    pooled = find_motifs(codes, accuracy, [["x", "y"]])
    apart = find_motifs(codes, accuracy, [["x", "y"]], task=task)
    assert pooled[0].is_significant and not apart[0].is_significant
    means = [center_by_task(accuracy, task)[task == t].mean() for t in (0, 1)]
    np.testing.assert_allclose(*means)


def test_failed_trainings_lead_to_a_warning() -> None:
    rng = np.random.default_rng(7)
    codes = rng.integers(0, 3, (300, 3))
    accuracy = rng.normal(0.8, 0.02, 300)
    accuracy[codes[:, 2] == 1] = np.nan
    found = find_motifs(codes, accuracy, [["a", "b", "c"]] * 3)
    assert any(
        "Failures: position 3 = b is in" in t for t in describe_principles(found)
    )


def test_without_any_truth_motifs_are_rarely_sure() -> None:
    wrong = 0
    for seed in range(40):
        codes = cells(120, seed)
        accuracy = np.random.default_rng(1000 + seed).normal(0.7, 0.05, 120)
        wrong += any(
            m.is_significant for m in find_motifs(codes, accuracy, [OPS] * 6, EDGES)
        )
    assert wrong <= 6  # 2 are expected; 7 or more have a chance below 1 %


def test_too_few_experiences_teach_nothing() -> None:
    assert find_motifs(np.zeros((0, 6), int), np.zeros(0), [OPS] * 6, EDGES) == []
    assert find_motifs(cells(8), np.full(8, 0.5), [OPS] * 6, EDGES) == []
    lost = find_motifs(cells(50), np.full(50, np.nan), [OPS] * 6, EDGES)
    assert (
        lost
        and not any(m.is_significant for m in lost)
        and describe_principles(lost) == []
    )
    assert describe_principles([]) == []


def test_equal_accuracies_have_no_effect() -> None:
    found = find_motifs(cells(60), np.full(60, 0.5), [OPS] * 6, EDGES)
    assert found and not any(m.is_significant for m in found)
