"""How often does a verdict claim a difference where there is none?

TABLES

    python -m tests.benchmarks.verdict_levels PART … [--runs 4000] [--shapes NAME …]

PART is any of levels, spending, power, equal and agreement. A run has up to 64
replicates of 8 tasks; each replicate's mean difference is one unit. Until decided means
looks at 8, 16, …, 64 replicates.
"""

import argparse
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import norm

from engine.stats.array_types import Floats
from engine.stats.inference.looks import levels_of_spends, nominal_levels
from engine.stats.inference.skewed_mean import p_values_of_means
from tests.benchmarks.verdict_candidates import TESTS, skew_corrected
from tests.benchmarks.verdict_shapes import SHAPES, units_of

SIZES = (8, 12, 16, 24, 32, 64)
ALPHA, EQUAL = 0.05, 2.0  # calls are −1, 0 (can't tell yet), 1 and EQUAL
SOON, MARGIN = (8,), 0.3  # a short run; the margin of `agreement`, in sd

Judge = Callable[[Floats, float], Floats]


class Design(NamedTuple):
    """Looks at a run, and the level at each."""

    looks: tuple[int, ...]
    levels: tuple[float, ...]

    def follow(self, units: Floats, judge: Judge) -> tuple[Floats, Floats]:
        """Return each run's call and the replicates at which it ended."""
        calls, stops = np.zeros(len(units)), np.zeros(len(units))
        for n, level in zip(self.looks, self.levels, strict=True):
            left = calls == 0
            calls[left] = judge(units[left, :n], level)
            stops[left] = n
        return calls, stops


LOOKS = tuple(range(8, 65, 8))
UNTIL_DECIDED = Design(LOOKS, nominal_levels(LOOKS))


def side_by(test: Callable[[Floats], Floats]) -> Judge:
    """Return a judge that calls the side of 0 on which a test finds the mean."""

    def judge(units: Floats, level: float) -> Floats:
        return np.asarray(np.sign(units.mean(1)) * (test(units) <= level))

    return judge


def four_calls(margin: float) -> Judge:
    """Return a judge that also calls means equal, within a margin."""

    def judge(units: Floats, level: float) -> Floats:
        inside = np.abs(units.mean(1)) < margin
        below, above = (p_values_of_means(units + at) for at in (margin, -margin))
        same = inside & (np.maximum(below, above) <= level)
        return np.where(same, EQUAL, side_by(skew_corrected)(units, level))

    return judge


def levels(names: list[str], runs: int) -> Table:
    """Return false claims in percent by shape and test: fixed n, and until decided."""
    table = Table("shape", "test", *(f"n={n}" for n in SIZES), "until decided")
    for name in names:
        units = units_of(name, runs)
        for test in TESTS:
            fixed = [np.mean(test(units[:, :n]) <= ALPHA) for n in SIZES]
            calls, _ = UNTIL_DECIDED.follow(units, side_by(test))
            shown = [percent(each) for each in (*fixed, np.mean(calls != 0))]
            table.add_row(name, test.__name__, *shown)
    return table


def spending(names: list[str], runs: int) -> Table:
    """Return false claims by shape and rule of spending, and the mean end of a run."""
    rules, judge = spending_rules(), side_by(skew_corrected)
    table = Table("shape", "difference / sd", *rules)
    truths = [(name, 0.0) for name in names]
    truths += [("normal", size) for size in (0.5, 0.75, 1.0, 1.5)]
    for name, size in truths:
        units, cells = units_of(name, runs, size), []
        for rule in rules.values():
            calls, stops = rule.follow(units, judge)
            found = percent(np.mean(calls > 0 if size else calls != 0))
            cells.append(f"{found} at {stops.mean():.0f}")
        table.add_row(name, str(size), *cells)
    return table


def spending_rules() -> dict[str, Design]:
    """Return designs by rule of spending; the last one begins with 16 replicates."""
    shares = np.array(LOOKS) / LOOKS[-1]
    spent = {f"share^{power}": ALPHA * shares**power for power in (1, 2, 3)}
    spent["O'Brien–Fleming"] = 4 * norm.sf(norm.isf(ALPHA / 4) / np.sqrt(shares))
    rules = {
        name: Design(LOOKS, tuple(levels_of_spends(shares, np.diff(at, prepend=0.0))))
        for name, at in spent.items()
    }
    return {**rules, "share^2, from 16": Design(LOOKS[1:], nominal_levels(LOOKS[1:]))}


def power(names: list[str], runs: int) -> Table:
    """Return how a true difference is called, until decided."""
    table = Table("shape", "difference / sd", "right", "wrong", "mean n", "median n")
    for name in names:
        for size in (0.25, 0.5, -0.5, 1.0, -1.0):
            units = units_of(name, runs, size)
            calls, stops = UNTIL_DECIDED.follow(units, side_by(skew_corrected))
            right, wrong = (np.mean(calls == way * np.sign(size)) for way in (1, -1))
            ends = f"{stops.mean():.0f}", f"{np.median(stops):.0f}"
            table.add_row(name, str(size), percent(right), percent(wrong), *ends)
    return table


def equal(names: list[str], runs: int) -> Table:
    """Return how often "equal" is called where the difference is ± the margin, or 0."""
    truths = [(m, m * way) for m in (0.3, 0.5, 1.0) for way in (1, -1, 0)]
    table = Table("shape", *(f"{at:+g} of ±{margin} sd" for margin, at in truths))
    for name in names:
        cells = []
        for margin, at in truths:
            units = units_of(name, runs, at)
            judge = four_calls(margin * float(units.std()))
            calls, _ = UNTIL_DECIDED.follow(units, judge)
            cells.append(percent(np.mean(calls == EQUAL)))
        table.add_row(name, *cells)
    return table


def agreement(names: list[str], runs: int) -> Table:
    """Return how often two runs of one design make the same call.

    Beside it, how often both decide the same, and how often the opposite.
    """
    designs = {"8 replicates": Design(SOON, (ALPHA,)), "until decided": UNTIL_DECIDED}
    heads = [
        f"{name}: {what}"
        for name in designs
        for what in ("same", "decided", "opposite")
    ]
    table = Table("shape", "difference / sd", *heads)
    for name in names:
        for size in (0.0, 0.25, 0.5, 1.0, 1.5):
            cells = []
            for design in designs.values():
                one, two = (_calls_of(design, name, runs, size, at) for at in (7, 8))
                cells += [
                    percent(np.mean(one == two)),
                    percent(np.mean(one * two == -1)),
                ]
            table.add_row(name, str(size), *cells)
    return table


def _calls_of(design: Design, name: str, runs: int, size: float, seed: int) -> Floats:
    units = units_of(name, runs, size, seed)
    return design.follow(units, four_calls(MARGIN * float(units.std())))[0]


def percent(share: np.floating) -> str:
    """Return a share in percent, with one digit."""
    return f"{100 * share:.1f}"


PARTS = {part.__name__: part for part in (levels, spending, power, equal, agreement)}


def main() -> None:
    """Print the tables that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.verdict_levels")
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--runs", type=int, default=4000)
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=[*SHAPES])
    asked = parser.parse_args()
    for part in asked.parts:
        Console(width=180).print(PARTS[part](asked.shapes, asked.runs))
    error = 100 * (ALPHA * (1 - ALPHA) / asked.runs) ** 0.5
    Console().print(f"Standard error of 5 %: {error:.2f}.")


if __name__ == "__main__":
    main()
