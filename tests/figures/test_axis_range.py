"""Axes are cut around the lines, and figures say so."""

import numpy as np
import pytest

from app.figures.axis_range import BANDS_CUT, LINES_CUT, axis_range
from app.figures.curves import curves_figure
from app.figures.figure_parts import log_axis
from app.figures.shift import severity_figure
from app.figures.theme import PERCENT
from engine.stats.curves import Curve

ROLES = {"lr_scale": "chosen", "sgd": "baseline"}


def curve(mean: np.ndarray, low: np.ndarray, high: np.ndarray) -> Curve:
    return Curve("lr_scale", np.arange(float(len(mean))), mean, low, high, n=4)


def test_a_band_to_a_hundred_million_does_not_flatten_the_lines() -> None:
    mean = np.linspace(2.0, 1.0, 9)
    made = axis_range([mean], [mean - 1e8, mean + 1e8], log=False)
    low, high = made.settings["range"]
    assert low <= 1.0 and high >= 2.0 and high - low < 4.0
    assert made.note == BANDS_CUT
    log = axis_range([mean], [mean * 1e8], log=True)
    assert log.settings["range"][1] < 1.0 and log.note == BANDS_CUT


def test_a_loss_that_falls_to_nothing_is_left_where_the_others_still_are() -> None:
    fast, slow = 10.0 ** np.linspace(0, -123, 50), 10.0 ** np.linspace(0, -2, 50)
    made = axis_range([fast, slow], [fast, slow], log=True)
    low, high = made.settings["range"]
    assert -10 < low <= -8 and 0 <= high < 1
    assert made.note == LINES_CUT


def test_a_loss_that_explodes_is_cut_at_the_top() -> None:
    calm, lost = 10.0 ** np.linspace(0, -2, 50), 10.0 ** np.linspace(0, 40, 50)
    low, high = axis_range([calm, lost], [], log=True).settings["range"]
    assert low <= -2 and high < 5
    linear = axis_range([calm, lost], [], log=False)
    assert linear.note == LINES_CUT and linear.settings["range"][1] < 300


@pytest.mark.parametrize("log", [True, False])
def test_an_axis_that_nothing_dwarfs_is_whole(log: bool) -> None:
    mean = np.linspace(2.0, 1.0, 9)
    made = axis_range([mean], [0.9 * mean, 1.1 * mean], log=log)
    assert made.note == "" and "range" not in made.settings
    assert axis_range([np.full(3, np.nan)], [], log=log).note == ""


def test_curves_and_severities_say_that_they_are_cut() -> None:
    mean = np.linspace(2.0, 1.0, 9)
    wide = curve(mean, mean - 1e8, mean + 1e8)
    for made in (
        curves_figure([wide], "episode_regret", ROLES),
        severity_figure({"stretch": [wide]}, "episode_regret", ROLES),
    ):
        assert BANDS_CUT in made.layout.meta["notes"]
        assert made.layout.yaxis.range[1] < 10


def test_bands_of_shares_are_whole() -> None:
    mean = np.linspace(0.20, 0.21, 9)
    wide = curve(mean, np.zeros(9), np.ones(9))
    assert (
        BANDS_CUT not in curves_figure([wide], "accuracy", ROLES).layout.meta["notes"]
    )


def test_of_values_over_too_many_decades_the_typical_ones_are_shown() -> None:
    usual = np.full(9, 0.5)
    low, high = log_axis(usual, [1e-123, 1e40])["range"]
    assert -9 < low < -0.3 < high < 5


def test_shares_are_in_percent_on_every_axis() -> None:
    mean = np.linspace(0.2, 0.9, 9)
    line = curve(mean, mean, mean)
    made = (
        curves_figure([line], "accuracy", ROLES),
        severity_figure({"stretch": [line]}, "accuracy", ROLES),
    )
    for figure in made:
        assert figure.layout.yaxis.tickformat == PERCENT
        hover = [t.hovertemplate for t in figure.data if t.hovertemplate]
        assert hover and all(".2%" in text for text in hover)
        assert "share" not in str(figure.layout.annotations)
