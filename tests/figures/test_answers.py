"""Answers step by step: who leaves the picture, where answers stand, what is said."""

from dataclasses import replace

import numpy as np
import pytest

from app.figures import (
    adaptation_results,
    forest,
    learner_comparison,
    meta_training,
    theme,
)
from app.figures.cost_bars import ledger_figure
from app.figures.figure_types import CurveOptions
from engine.stats.curves import Curve
from engine.stats.inference.intervals import Interval
from tests.figures import made
from tests.figures.made import ROLES

LABELS = list(ROLES)


def line(label: str, *values: float) -> Curve:
    mean = np.array(values)
    return Curve(label, np.arange(len(values), dtype=float), mean, mean, mean, n=3)


def drawn(*lines: Curve, log: bool = True) -> object:
    marks = {
        one.learner: [adaptation_results.AnswerPoint(1.0, float(one.mean[1]))]
        for one in lines
    }
    view = CurveOptions(log_y=log)
    return adaptation_results.answers_figure(lines, marks, "query_mse", ROLES, view)


@pytest.mark.parametrize("log", [True, False])
def test_a_curve_that_diverges_past_its_answer_hides_no_other(log: bool) -> None:
    calm, wild = line(LABELS[0], 4.0, 1.0, 0.9), line(LABELS[1], 4.0, 2.0, 1e30)
    fig = drawn(calm, wild, log=log)
    top = fig.layout.yaxis.range[1]
    assert (10**top if log else top) == pytest.approx(40.0)
    assert any("1 leaves the range" in (a.text or "") for a in fig.layout.annotations)


def test_a_cut_axis_leaves_the_strip_of_tasks_still_alive_as_it_is() -> None:
    wild = line(LABELS[0], 4.0, 1.0, 1e9)
    gone = np.array([0, 1, 2])
    fig = drawn(wild._replace(missing_counts=gone, members=4, counted_as=100.0))
    assert any("leaves the range" in (a.text or "") for a in fig.layout.annotations)
    assert fig.layout.yaxis51.range == (0.0, 1.08)
    assert fig.layout.yaxis51.type is None


def test_calm_curves_keep_their_own_axis() -> None:
    fig = drawn(line(LABELS[0], 4.0, 1.0, 0.9), line(LABELS[1], 4.0, 2.0, 3.0))
    assert fig.layout.yaxis.range is None
    assert not any("leave" in (a.text or "") for a in fig.layout.annotations)


def test_an_answers_mark_has_its_learners_color() -> None:
    fig = drawn(line(LABELS[0], 4.0, 1.0))
    (mark,) = [t for t in fig.data if t.uid == f"{LABELS[0]}:answer"]
    assert mark.marker.color == theme.assign_styles(ROLES)[LABELS[0]].color
    assert (mark.x[0], mark.y[0]) == (1.0, 1.0)


def test_who_takes_no_steps_has_no_ring() -> None:
    after = dict.fromkeys(LABELS[:2], Interval(0.6, 0.5, 0.7, 8))
    before = {LABELS[0]: Interval(0.2, 0.1, 0.3, 8)}
    fig = adaptation_results.gain_figure(before, after, "final_accuracy", ROLES)
    rings = [t for t in fig.data if t.marker.symbol == "circle-open"]
    assert [float(ring.x[0]) for ring in rings] == [0.2]
    assert f"{LABELS[0]} 0.2 to 0.6" in fig.layout.meta["alt"]
    assert f"{LABELS[1]} 0.6" in fig.layout.meta["alt"]


def test_a_single_meta_training_is_named_beside_its_claims() -> None:
    over = [replace(claim, over="episodes") for claim in made.claims()]
    told = forest.forest_figure(over, ROLES).layout.meta["how_to_read"]
    assert "One training" in told
    plain = forest.forest_figure(made.claims(), ROLES).layout.meta["how_to_read"]
    assert "One training" not in plain


def test_examples_seen_are_no_gradients() -> None:
    ledger = {LABELS[0]: {"train": 3, "test": 4, "examples": 1_000}}
    fig = ledger_figure(ledger, ROLES)
    assert f"{LABELS[0]} 7" in fig.layout.meta["alt"]


def test_a_profile_says_which_side_is_better() -> None:
    bands, levels = {LABELS[0]: made.line("x")}, made.line("x").x + 1
    more, less = (
        learner_comparison.profile_figure(bands, levels, name, ROLES).layout.meta[
            "how_to_read"
        ]
        for name in ("final_accuracy", "final_mse")
    )
    assert "lower and further right is better" in more
    assert "higher, further left is better" in less


def test_squared_errors_are_validated_on_a_log_axis() -> None:
    panels = {"validation_error": made.lines()[:1]}
    logged = meta_training.meta_training_figure(
        panels, ROLES, logs={"validation_error"}
    )
    assert logged.layout.yaxis.type == "log"
    assert meta_training.meta_training_figure(panels, ROLES).layout.yaxis.type != "log"


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("maml", "MAML"),
        ("fomaml", "FOMAML"),
        ("anil", "ANIL"),
        ("imaml", "iMAML"),
        ("meta_sgd", "Meta-SGD"),
        ("maml_plus", "MAML++"),
        ("t_net", "T-Net"),
        ("r2d2", "R2-D2"),
        ("protonet", "ProtoNet"),
        ("reptile", "Reptile"),
        ("maml_2", "MAML 2"),
        ("maml_plus_tuned", "MAML++ tuned"),
        ("r2d2_<b>", "R2-D2 &lt;b&gt;"),
    ],
)
def test_learners_are_called_what_their_papers_call_them(label: str, name: str) -> None:
    assert theme.learner_name(label) == name


def test_claims_on_shares_are_drawn_in_points_and_say_of_what() -> None:
    claim = replace(made.claims()[0], metric="regret_area")
    fig = forest.forest_figure([claim], ROLES)
    mark = next(trace for trace in fig.data if trace.mode == "markers")
    assert mark.x == (-100.0,)
    assert "Difference in mean regret (points)" in fig.layout.xaxis.title.text
    assert fig.layout.meta["title"].endswith(": mean regret")
    assert "−200 to 50" in fig.layout.meta["alt"]
