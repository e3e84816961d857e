"""What every figure owes its reader, and what each one shows."""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from app.figures import (
    adaptation_results,
    animation,
    calibration,
    curves,
    figure_parts,
    learner_comparison,
    maps,
    meta_training,
    shift,
    theme,
    training_film,
)
from app.figures.cost_bars import ledger_figure
from app.figures.figure_types import CurveOptions
from app.figures.survival import survival_figure
from engine.stats.curves import Curve
from engine.stats.inference.intervals import Interval
from engine.stats.shift_and_transfer import FamilyTransfer
from tests.figures import made
from tests.figures.made import ROLES
from tests.figures.test_theme import contrast, linear

PAGES = [("#ffffff", "#31333f"), ("#0e1117", "#e4e7ec")]
MATRIX = FamilyTransfer(
    ("moons", "rings"),
    ("moons", "rings"),
    *(np.array([[0.1, -0.4], [0.3, np.nan]]),) * 3,
)
ALL: dict[str, Callable[[], go.Figure]] = {
    "curves": lambda: curves.curves_figure(made.lines(), "loss", ROLES),
    "lr_scale": lambda: curves.curves_figure(made.lines(), "lr_scale", ROLES),
    "survival": lambda: survival_figure(made.waiting(), ROLES, 0.3),
    "tuning": lambda: meta_training.tuning_figure({"sgd_tuned": made.tuning()}, ROLES),
    "meta": lambda: meta_training.meta_training_figure(
        {"validation": made.lines()[:1], "kl": made.lines()[:1]}, ROLES, best=20
    ),
    "scales": lambda: meta_training.scale_histogram(
        {"lr_scale": np.ones((4, 9))}, ROLES
    ),
    "spread": lambda: learner_comparison.spread_figure(
        made.per_task(), "final_loss", ROLES, paired=True
    ),
    "forest": lambda: learner_comparison.forest_figure(made.claims(), ROLES),
    "profile": lambda: learner_comparison.profile_figure(
        dict.fromkeys(ROLES, made.line("x")), made.line("x").x + 1, "final_loss", ROLES
    ),
    "ledger": lambda: ledger_figure(
        {label: {"tune": 100, "train": 50, "test": 10} for label in ROLES}, ROLES
    ),
    "severity": lambda: shift.severity_figure(
        {"stretch": made.lines(), "rotate": made.lines()}, "final_loss", ROLES
    ),
    "matrix": lambda: shift.family_matrix_figure(MATRIX, "area", against="sgd"),
    "answers": lambda: adaptation_results.answers_figure(
        made.lines(),
        {"sgd": [adaptation_results.AnswerPoint(3.0, 0.5)]},
        "query_mse",
        ROLES,
        CurveOptions(),
    ),
    "gain": lambda: adaptation_results.gain_figure(
        {"sgd": Interval(0.2, 0.1, 0.3, 8)},
        dict.fromkeys(ROLES, Interval(0.6, 0.5, 0.7, 8)),
        "final_accuracy",
        ROLES,
    ),
    "count": lambda: adaptation_results.count_figure(
        made.lines(),
        "final_accuracy",
        ROLES,
        adaptation_results.CountAxis("shots", "Shots K"),
    ),
    "calibration": lambda: calibration.calibration_figure(
        dict.fromkeys(ROLES, made.reliability()), ROLES, classes=False
    ),
    "maps": lambda: maps.maps_figure(
        dict.fromkeys(ROLES, np.eye(64)), "attention", ROLES
    ),
    "film": lambda: training_film.boundary_figure(made.film(), ROLES),
    "path": lambda: training_film.path_figure(made.paths(), ROLES),
}


@pytest.fixture(params=ALL)
def fig(request: pytest.FixtureRequest) -> go.Figure:
    return ALL[request.param]()


def test_it_says_what_it_shows_and_how_to_read_it(fig: go.Figure) -> None:
    assert len(fig.layout.meta["alt"]) > 20
    assert len(fig.layout.meta["how_to_read"]) > 20
    assert fig.layout.meta["title"]


def test_it_needs_no_web_gl_and_no_trace_has_more_than_2000_points(
    fig: go.Figure,
) -> None:
    assert fig.data
    for trace in fig.data:
        assert trace.type in {"scatter", "box", "bar", "heatmap", "contour"}
        if trace.type == "scatter":
            assert len(trace.x) <= figure_parts.MAX_POINTS


def test_text_and_background_are_the_pages(fig: go.Figure) -> None:
    layout = fig.layout
    assert layout.font.color is None
    assert layout.template.layout.font.color is None
    assert all(note.font.color is None for note in layout.annotations)
    assert layout.template.layout.paper_bgcolor == "rgba(0,0,0,0)"


def test_it_is_small_and_valid_json(fig: go.Figure) -> None:
    assert len(json.dumps(json.loads(fig.to_json()), allow_nan=False)) < 400_000


@pytest.mark.parametrize("name", ["curves", "survival", "severity", "profile"])
def test_colors_and_dashes_are_those_of_the_spec(name: str) -> None:
    looks = theme.assign_styles(ROLES)
    drawn = {
        t.name: t
        for t in ALL[name]().data
        if t.line.width and t.showlegend is not False
    }
    assert set(drawn) == {theme.learner_name(label) for label in ROLES}
    for label, look in looks.items():
        assert drawn[theme.learner_name(label)].line.color == look.color
        assert drawn[theme.learner_name(label)].line.dash == look.dash


def test_a_log_axis_says_how_many_values_it_leaves_out() -> None:
    bad = made.line("lr_scale")
    bad.mean[:7] = 0.0
    fig = curves.curves_figure([bad], "loss", ROLES)
    assert "log axis leaves out 7 values ≤ 0" in fig.layout.meta["notes"]
    linear_fig = curves.curves_figure([bad], "loss", ROLES, CurveOptions(log_y=False))
    assert not any("leaves out" in note for note in linear_fig.layout.meta["notes"])


def test_long_curves_are_thinned_without_losing_a_spike() -> None:
    long = made.line("lr_scale", steps=5_001)
    long.mean[3_333] = 77.0
    fig = curves.curves_figure([long], "loss", ROLES)
    assert max(len(trace.x) for trace in fig.data) <= figure_parts.MAX_POINTS
    assert max(np.nanmax(trace.y) for trace in fig.data) == 77.0


def traces(fig: go.Figure, kind: str) -> list[go.Scatter]:
    return [trace for trace in fig.data if (trace.uid or "").endswith(kind)]


def test_raw_data_stays_under_a_smoothed_line() -> None:
    curve = made.line("sgd")
    fig = curves.curves_figure([curve], "loss", ROLES, CurveOptions(smooth=0.9))
    np.testing.assert_array_equal(traces(fig, ":raw")[0].y, curve.mean)
    assert traces(fig, ":mean")[0].y[10] > curve.mean[10]


def test_the_learning_rate_scale_is_never_smoothed_and_shows_sgd_at_1() -> None:
    curve = made.line("lr_scale")
    fig = curves.curves_figure([curve], "lr_scale", ROLES, CurveOptions(smooth=0.9))
    np.testing.assert_array_equal(traces(fig, ":mean")[0].y, curve.mean)
    assert (fig.layout.shapes[0].y0, fig.layout.shapes[0].y1) == (1.0, 1.0)


def test_smoothing_neither_spreads_a_gap_nor_starts_at_zero() -> None:
    values = np.array([2.0, 2.0, np.nan, 2.0])
    smooth = curves.smooth_values(values, 0.9, log=False)
    np.testing.assert_allclose(smooth, values)


def texts(fig: go.Figure) -> list[str]:
    """Return the texts of a figure's annotations."""
    return [each.text for each in fig.layout.annotations]


def lost_line() -> Curve:
    """Return a curve of 64 tasks of which 3 diverge, counted as 100 nats."""
    curve = made.line("sgd")
    curve.missing_counts[9:], curve.missing_counts[30:] = 1, 3
    return curve._replace(members=64, counted_as=100.0)


def test_a_figure_names_its_cap_and_counts_the_tasks_still_alive() -> None:
    fig = curves.curves_figure([lost_line()], "loss", ROLES)
    assert "Training loss (nats), capped at 100" in texts(fig)
    told = "Tasks not diverged: 61 of 64; others count as 100"
    assert told in texts(fig)
    assert told in fig.layout.meta["notes"]


def test_a_strip_shows_the_share_of_tasks_still_alive_only_where_one_diverged() -> None:
    whole = curves.curves_figure([made.line("sgd"), made.line("adam")], "loss", ROLES)
    fig = curves.curves_figure([lost_line(), made.line("adam")], "loss", ROLES)
    (alive,) = traces(fig, "sgd:alive:51")
    assert alive.y[[0, -1]].tolist() == [1.0, 61 / 64]
    assert fig.layout.xaxis.anchor == alive.yaxis == "y51"
    assert fig.layout.yaxis51.domain[1] < fig.layout.yaxis.domain[0]
    assert fig.layout.height > whole.layout.height
    assert not traces(whole, ":alive:51")


def test_each_panel_of_a_shift_has_its_own_strip() -> None:
    panels = {
        "stretch": [lost_line()],
        "noise": made.lines()[:1],
        "drift": [lost_line()],
    }
    fig = shift.severity_figure(panels, "final_loss", ROLES)
    strips = [t for t in fig.data if t.uid and ":alive:" in t.uid]
    assert [t.yaxis for t in strips] == ["y51", "y53"]
    assert fig.layout.yaxis53.domain[1] < fig.layout.yaxis3.domain[0]
    assert fig.layout.yaxis51.domain[0] > fig.layout.yaxis2.domain[1]
    assert texts(fig).count("Tasks not diverged: 61 of 64; others count as 100") == 2


def test_norms_of_diverged_tasks_are_left_out_and_the_figure_says_so() -> None:
    curve = lost_line()._replace(counted_as=None)
    fig = curves.curves_figure([curve], "weight_norm", ROLES)
    assert "Tasks not diverged: 61 of 64; others left out" in fig.layout.meta["notes"]


def test_a_bar_spans_the_rates_that_replicates_chose() -> None:
    fig = ALL["tuning"]()
    (chosen,) = [t for t in fig.data if t.marker.symbol == "diamond"]
    bar = chosen.error_x
    assert (bar.type, bar.symmetric) == ("data", False)
    assert chosen.x[0] - bar.arrayminus[0] == pytest.approx(0.3)
    assert chosen.x[0] + bar.array[0] == pytest.approx(3.0)
    assert chosen.y[0] == pytest.approx(-1.0)
    assert "1 (0.3 to 3)" in fig.layout.meta["alt"]


def test_one_replicate_has_no_band_and_says_so() -> None:
    x = np.arange(5.0)
    nothing = np.full(5, np.nan)
    fig = curves.curves_figure(
        [Curve("sgd", x, x + 1, nothing, nothing)], "loss", ROLES
    )
    assert not traces(fig, ":band")
    assert "n = 1: no interval" in fig.layout.meta["notes"]


def test_the_chosen_learner_is_drawn_on_top_and_first_in_the_legend() -> None:
    fig = ALL["curves"]()
    assert fig.data[-1].name == theme.learner_name("lr_scale")
    ranks = {t.name: t.legendrank for t in fig.data if t.showlegend is not False}
    assert sorted(ranks, key=ranks.__getitem__) == [
        theme.learner_name(a) for a in ROLES
    ]


def test_arrivals_are_drawn_as_steps() -> None:
    fig = ALL["survival"]()
    assert {t.line.shape for t in traces(fig, ":mean")} == {"hv"}


def test_diverged_tasks_are_counted_beside_the_spread() -> None:
    fig = ALL["spread"]()
    assert any("3 diverged" in text for text in fig.layout.yaxis.ticktext)


def test_every_claim_has_its_verdict_and_conditions_are_grouped() -> None:
    texts = [note.text for note in ALL["forest"]().layout.annotations]
    assert sum("better  " in text for text in texts) == 2
    assert sum("can't tell yet  " in text for text in texts) == 2
    assert sum("worse  " in text for text in texts) == 2
    assert sum(text.startswith("<b>") for text in texts) == 2


def test_the_margin_of_a_claim_is_shaded_and_the_primary_one_is_marked() -> None:
    claim = replace(made.claims()[0], primary=True, margin=1.5)
    fig = learner_comparison.forest_figure([claim], ROLES)
    assert {(shape.x0, shape.x1) for shape in fig.layout.shapes} >= {(-1.5, 1.5)}
    assert any("(primary)" in note.text for note in fig.layout.annotations)


def test_words_that_a_phone_is_too_narrow_for_stand_one_above_the_other() -> None:
    plain = replace(made.claims()[2], difference=0.28, low=-0.1, high=0.67)
    long = replace(plain, against="multi_task_policy", primary=True)
    roles = {**ROLES, "multi_task_policy": "baseline"}
    drawn = learner_comparison.forest_figure([long, plain], roles)
    heights = dict.fromkeys(note.y for note in drawn.layout.annotations)
    assert len(heights) == 1 + 2 + 1  # heading, long words, plain words
    alone = learner_comparison.forest_figure([plain, plain], roles)
    assert drawn.layout.height > alone.layout.height


def test_a_claim_without_interval_can_be_drawn() -> None:
    claim = replace(made.claims()[2], low=float("nan"), high=float("nan"))
    fig = learner_comparison.forest_figure([claim], ROLES)
    assert any("can't tell yet" in note.text for note in fig.layout.annotations)


def blended(fill: str, page: str) -> np.ndarray:
    *rgb, alpha = (float(part) for part in fill[5:-1].split(","))
    under = [int(page[i : i + 2], 16) for i in (1, 3, 5)]
    mixed = [alpha * a + (1 - alpha) * b for a, b in zip(rgb, under, strict=True)]
    return linear("#" + "".join(f"{round(value):02x}" for value in mixed))


@pytest.mark.parametrize(
    ("page", "text"), [("#ffffff", "#31333f"), ("#0e1117", "#e4e7ec")]
)
@pytest.mark.parametrize("scale", [shift.DIVERGING, shift.SEQUENTIAL])
def test_the_pages_text_is_readable_on_every_cell(
    scale: list[list[object]], page: str, text: str
) -> None:
    for _, fill in scale:
        assert contrast(blended(str(fill), page), linear(text)) >= 4.5


def test_a_film_has_a_frame_and_a_slider_step_for_each_moment() -> None:
    fig = training_film.boundary_figure(made.film(frames=12), ROLES)
    names = [frame.name for frame in fig.frames]
    assert names == [str(2 * i) for i in range(12)]
    assert [step.args[0][0] for step in fig.layout.sliders[0].steps] == names
    assert fig.layout.sliders[0].active == 11


def test_a_film_starts_at_its_last_frame() -> None:
    film = made.film()
    fig = training_film.boundary_figure(film, ROLES, training_film.FilmOptions(task=1))
    first = next(iter(ROLES))
    np.testing.assert_array_equal(fig.data[0].z, film.arrays[f"{first}/grid"][1, -1])
    np.testing.assert_array_equal(fig.data[0].z, fig.frames[-1].data[0].z)


def test_frames_redraw_the_boundary_and_leave_the_dots() -> None:
    fig = ALL["film"]()
    for place in fig.frames[0].traces:
        assert fig.data[place].type == "contour"
    assert len(fig.frames[0].traces) == len(ROLES)


def test_a_long_film_stays_small() -> None:
    fig = training_film.boundary_figure(made.film(frames=200), ROLES)
    assert len(fig.frames) == animation.MAX_FRAMES
    assert (fig.frames[0].name, fig.frames[-1].name) == ("0", "398")
    assert len(fig.to_json()) < 1_500_000


def test_a_phones_film_has_the_same_traces_in_other_places() -> None:
    film = made.film()
    wide = training_film.boundary_figure(
        film, ROLES, training_film.FilmOptions(columns=4)
    )
    slim = training_film.boundary_figure(
        film, ROLES, training_film.FilmOptions(columns=2)
    )
    assert [t.to_plotly_json().keys() for t in wide.data] == [
        t.to_plotly_json().keys() for t in slim.data
    ]
    assert [t.xaxis for t in wide.data] == [t.xaxis for t in slim.data]
    assert wide.layout.yaxis3.domain != slim.layout.yaxis3.domain


def test_losses_are_shown_frame_by_frame() -> None:
    losses = {"sgd": np.linspace(1.0, 0.25, 12)}
    fig = training_film.boundary_figure(
        made.film(), ROLES, training_film.FilmOptions(losses=losses)
    )
    told = [frame.layout.annotations[1].text for frame in fig.frames]
    assert told[0].endswith("1")
    assert told[-1].endswith("0.25")


def test_the_two_classes_differ_in_shape_and_color() -> None:
    dots = [trace for trace in ALL["film"]().data if trace.type == "scatter"][:2]
    assert dots[0].marker.symbol != dots[1].marker.symbol
    assert dots[0].marker.color != dots[1].marker.color


def test_a_path_grows_from_the_start() -> None:
    fig = training_film.path_figure(made.paths(steps=40), ROLES)
    assert [len(frame.data[0].x) for frame in fig.frames[:2]] == [1, 2]
    assert len(fig.frames[-1].data[0].x) == len(fig.data[1].x) == 41


def test_the_legend_keeps_its_room_on_a_phone() -> None:
    few = curves.curves_figure(made.lines()[:1], "loss", ROLES)
    many = curves.curves_figure(made.lines(), "loss", ROLES)
    few_room = few.layout.height - few.layout.margin.b
    assert many.layout.margin.b > few.layout.margin.b
    assert many.layout.height - many.layout.margin.b == few_room


NOTHING = np.full(5, np.nan)
GONE = Curve("sgd", np.arange(5.0), NOTHING, NOTHING, NOTHING, 8, np.full(5, 64))
BARE: dict[str, Callable[[], go.Figure]] = {
    "no curve": lambda: curves.curves_figure([], "loss", ROLES),
    "all diverged": lambda: curves.curves_figure([GONE], "loss", ROLES),
    "nobody arrives": lambda: survival_figure({}, ROLES),
    "nothing tuned": lambda: meta_training.tuning_figure({}, ROLES),
    "nothing trained": lambda: meta_training.meta_training_figure({}, ROLES),
    "trained in vain": lambda: meta_training.meta_training_figure(
        {"kl": [GONE]}, ROLES
    ),
    "no scale": lambda: meta_training.scale_histogram({"lr_scale": NOTHING}, ROLES),
    "no task": lambda: learner_comparison.spread_figure({}, "loss", ROLES, paired=True),
    "no task left": lambda: learner_comparison.spread_figure(
        {"sgd": NOTHING}, "loss", ROLES
    ),
    "no claim": lambda: learner_comparison.forest_figure([], ROLES),
    "no cost": lambda: ledger_figure({}, ROLES),
    "no shift": lambda: shift.severity_figure({}, "loss", ROLES),
    "lost to the shift": lambda: shift.severity_figure({"x": [GONE]}, "loss", ROLES),
    "no film": lambda: training_film.boundary_figure(made.film(), {"other": "chosen"}),
    "no path": lambda: training_film.path_figure(made.paths(), {"other": "chosen"}),
}


@pytest.mark.parametrize("case", BARE)
def test_an_empty_panel_can_be_drawn(case: str) -> None:
    assert BARE[case]().layout.meta["alt"]
